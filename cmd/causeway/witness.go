package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"causeway/internal/statement"
)

// witnessCmd is the group of commands of a witness: a small process of its own
// that co-signs the logs of other agencies' statements.
type witnessCmd struct {
	Init   witnessInitCmd   `cmd:"" help:"Make a witness: its folder and its one key."`
	Follow witnessFollowCmd `cmd:"" help:"Take up the log of a published site."`
	Serve  witnessServeCmd  `cmd:"" help:"Co-sign checkpoints of the logs it follows (C2SP tlog-witness)."`
	Status witnessStatusCmd `cmd:"" help:"Which logs it follows and how far."`
}

// witnessFolder is where a witness lives.
type witnessFolder struct {
	Dir string `default:"." type:"path" help:"The witness's folder."`
}

func (f witnessFolder) open() (*statement.Witness, error) {
	return statement.OpenWitness(f.Dir, time.Now)
}

type witnessInitCmd struct {
	witnessFolder
	Name   string `arg:"" help:"Domain and path, like witness.example/w."`
	Nation string `required:"" help:"Nation of the witness (ISO 3166-1 alpha-2)."`
}

// Run makes the key; publishers put the public file among the keys they trust.
func (c *witnessInitCmd) Run(p *process) error {
	folder := statement.Folder(c.Dir)
	have, err := folder.Secrets()
	if err != nil {
		return err
	}
	if len(have) > 0 {
		return fmt.Errorf("make a witness: %s holds the key %s: one witness, one key, one folder", c.Dir, have[0].Name)
	}
	secret, err := statement.NewSecret(c.Name, "witness", c.Nation)
	if err != nil {
		return err
	}
	public, err := folder.AddKey(secret, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, public)
	return nil
}

type witnessFollowCmd struct {
	witnessFolder
	Site string `arg:"" help:"Folder or web address of the site, or of a publisher that has published nothing yet: the file of its log key."`
}

// Run takes the log's keys from the site's signed metadata, or from a key file.
func (c *witnessFollowCmd) Run(p *process) error {
	m, err := logOf(p, c.Site)
	if err != nil {
		return err
	}
	w, err := c.open()
	if err != nil {
		return err
	}
	err = w.Follow(m)
	if err == nil {
		fmt.Fprintf(p.stdout, "follows %s\n", m.LogOrigin)
	}
	return errors.Join(err, w.Close())
}

func logOf(p *process, site string) (*statement.Metadata, error) {
	if b, err := os.ReadFile(site); err == nil {
		var k statement.Key
		if err := json.Unmarshal(b, &k); err != nil || k.Purpose != "log" {
			return nil, fmt.Errorf("%s: not the public key of a log", site)
		}
		return &statement.Metadata{LogOrigin: k.Name, Keys: []statement.Key{k}}, nil
	}
	src, err := siteAt(p, site)
	if err != nil {
		return nil, err
	}
	_, m, err := statement.Load(src)
	if err == nil && m == nil {
		err = fmt.Errorf("%s holds no published site", site)
	}
	return m, err
}

type witnessServeCmd struct {
	witnessFolder
	Addr string `default:"127.0.0.1:8446" help:"Address to listen at."`
	Cert string `type:"existingfile" help:"Certificate; without it the witness speaks plain HTTP, for a proxy on this machine. What it answers is signed either way."`
	Key  string `type:"existingfile" help:"Key of the certificate."`
}

// Run serves until it is told to stop. Everything answered is on the disk.
func (c *witnessServeCmd) Run(p *process) error {
	if (c.Cert == "") != (c.Key == "") {
		return usagef("--cert and --key go together")
	}
	w, err := c.open()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return errors.Join(err, w.Close())
	}
	server := &http.Server{Handler: w.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(p.ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx) // what was cut off is asked again
	})
	defer stop()
	fmt.Fprintf(p.stdout, "the witness listens at %s; Ctrl-C stops it\n", l.Addr())
	if c.Cert != "" {
		err = server.ServeTLS(l, c.Cert, c.Key)
	} else {
		err = server.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, w.Close())
}

type witnessStatusCmd struct {
	witnessFolder
	JSON bool `name:"json" help:"Print as JSON."`
}

func (c *witnessStatusCmd) Run(p *process) error {
	logs, err := statement.WitnessLogs(c.Dir)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p, logs)
	}
	for _, l := range logs {
		fmt.Fprintf(p.stdout, "%s %d %s %s\n", l.Origin, l.Size, l.Root, l.At.Format(time.RFC3339))
	}
	return nil
}

// statementWitnessCmd tells the publisher whom to ask.
type statementWitnessCmd struct {
	statementFolder
	Key string `arg:"" type:"existingfile" help:"The public key that causeway witness init wrote."`
	URL string `arg:"" name:"url" help:"Where the witness listens."`
}

// Run trusts the key and has publication ask the witness.
func (c *statementWitnessCmd) Run(p *process) error {
	b, err := os.ReadFile(c.Key)
	if err != nil {
		return err
	}
	name, err := c.folder().TrustWitness(b, c.URL)
	if err == nil {
		fmt.Fprintf(p.stdout, "publication asks %s at %s\n", name, c.URL)
	}
	return err
}
