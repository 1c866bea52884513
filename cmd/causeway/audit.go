package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/mod/sumdb/note"

	"causeway/internal/audit"
	"causeway/internal/node"
)

// auditCmd is the group of commands about the node's tamper-evident log.
type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Re-derive the whole log from what is stored; or check a proof offline."`
	Prove  auditProveCmd  `cmd:"" help:"Write a proof of one entry that can be checked offline."`
	Export auditExportCmd `cmd:"" help:"Write the entries, one JSON object per line."`
}

// optionalData is dataFlag for commands that can do without a node.
type optionalData struct {
	Data string `env:"CAUSEWAY_DATA" placeholder:"DIR" help:"The node's data folder."`
}

type auditVerifyCmd struct {
	optionalData
	Proof string `placeholder:"FILE" help:"Check this proof (\"-\" for standard input) instead of a node. Needs --key, or --data for the node's own."`
	Key   string `help:"Public key of the log that the proof is from, as its node shows it."`
	JSON  bool   `help:"The report as JSON."`
}

// auditReport is the report of a verification, for machines.
type auditReport struct {
	OK       bool             `json:"ok"`
	Entries  int64            `json:"entries"`
	Root     string           `json:"root"` // of the tree, base64
	Problems []auditReportRow `json:"problems,omitempty"`
}

type auditReportRow struct {
	Index int64  `json:"index"` // of the entry, or -1
	Text  string `json:"text"`
}

func (c *auditVerifyCmd) Run(p *process) error {
	if c.Proof != "" {
		return c.proof(p)
	}
	if c.Data == "" {
		return usagef("audit verify: name the node's folder with --data, or a proof with --proof")
	}
	return dataFlag{c.Data}.use(p, func(n *node.Node) error {
		known, err := logKeys(n.Line.Self().LogKey)
		if err != nil {
			return err
		}
		bar := newProgress(p)
		r, err := n.Vault.Verify(p.ctx, known, func(done, total int64) { bar.show("verify", done, total) })
		bar.clear()
		if err != nil {
			return err
		}
		return c.report(p, r)
	})
}

func (c *auditVerifyCmd) report(p *process, r audit.Report) error {
	if c.JSON {
		out := auditReport{OK: r.OK(), Entries: r.Entries, Root: base64.StdEncoding.EncodeToString(r.Root[:])}
		for _, x := range r.Problems {
			out.Problems = append(out.Problems, auditReportRow{x.Index, x.Text})
		}
		if err := json.NewEncoder(p.stdout).Encode(out); err != nil {
			return err
		}
	} else {
		for _, x := range r.Problems {
			if x.Index >= 0 {
				fmt.Fprintf(p.stdout, "entry %d: ", x.Index)
			}
			fmt.Fprintln(p.stdout, x.Text)
		}
		if r.OK() {
			fmt.Fprintf(p.stdout, "ok: %d entries, tree %s\n", r.Entries, base64.StdEncoding.EncodeToString(r.Root[:]))
		} else {
			fmt.Fprintf(p.stdout, "NOT OK: %d findings in %d entries\n", len(r.Problems), r.Entries)
		}
	}
	if !r.OK() {
		return errCheckFailed
	}
	return nil
}

// proof checks one entry without any node.
func (c *auditVerifyCmd) proof(p *process) error {
	key := c.Key
	if key == "" {
		if c.Data == "" {
			return usagef("audit verify --proof: give the log's public key with --key, or --data for the node's own")
		}
		if err := (dataFlag{c.Data}).use(p, func(n *node.Node) error { key = n.Line.Self().LogKey; return nil }); err != nil {
			return err
		}
	}
	known, err := logKeys(key)
	if err != nil {
		return usagef("--key: %v", err)
	}
	b, err := c.read(p)
	if err != nil {
		return err
	}
	var proof audit.Proof
	if err := json.Unmarshal(b, &proof); err != nil {
		return fmt.Errorf("%s: not a proof as \"audit prove\" writes it: %w", c.Proof, err)
	}
	e, err := proof.Check(known)
	if err != nil {
		fmt.Fprintf(p.stdout, "NOT OK: %v\n", err)
		return errCheckFailed
	}
	if c.JSON {
		return json.NewEncoder(p.stdout).Encode(entryLine(e))
	}
	fmt.Fprintf(p.stdout, "ok: entry %d at %s: %s %s %s\n", e.Index, e.At.Format(time.RFC3339Nano), e.Act.Actor, e.Act.Verb, e.Act.Subject)
	return nil
}

func (c *auditVerifyCmd) read(p *process) ([]byte, error) {
	const limit = 64 << 20
	in := p.stdin
	if c.Proof != "-" {
		f, err := os.Open(p.path(c.Proof))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err == nil && len(b) > limit {
		err = fmt.Errorf("%s: longer than %d bytes, which no proof is", c.Proof, limit)
	}
	return b, err
}

func logKeys(key string) (note.Verifiers, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("read the log's public key: %w", err)
	}
	return note.VerifierList(v), nil
}

type auditProveCmd struct {
	dataFlag
	Index int64 `arg:"" help:"Number of the entry, from 0."`
}

func (c *auditProveCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		// The newest entries are not under a checkpoint yet.
		if err := n.Checkpoint(p.ctx); err != nil {
			return err
		}
		proof, err := n.Vault.Prove(p.ctx, c.Index)
		if err != nil {
			return err
		}
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(proof)
	})
}

type auditExportCmd struct {
	dataFlag
	From        int64  `default:"0" help:"First entry to write."`
	Commitments bool   `help:"Only the leaves of the tree: a partner can check the log with them and learns nothing of what it says."`
	Verb        string `help:"Only entries of this verb, such as release or deny."`
	Actor       string `help:"Only entries of this reader."`
}

// auditEntry is one exported entry.
type auditEntry struct {
	Index   int64          `json:"index"`
	At      string         `json:"at"`
	Act     audit.Act      `json:"act"`
	Effects []audit.Effect `json:"effects,omitempty"`
	Salt    []byte         `json:"salt,omitempty"` // opens the leaf, together with the entry's own text
}

func entryLine(e audit.Entry) auditEntry {
	return auditEntry{Index: e.Index, At: e.At.Format("2006-01-02T15:04:05.000000Z"), Act: e.Act, Effects: e.Effects}
}

func (c *auditExportCmd) Run(p *process) error {
	if c.From < 0 {
		return usagef("--from %d: entries are numbered from 0", c.From)
	}
	if c.Commitments && (c.Verb != "" || c.Actor != "") {
		return usagef("--commitments: give no --verb or --actor, since a tree has all its leaves")
	}
	return c.use(p, func(n *node.Node) error {
		enc := json.NewEncoder(p.stdout)
		enc.SetEscapeHTML(false)
		return n.Vault.Entries(p.ctx, c.From, func(salt []byte, e audit.Entry) error {
			if c.Verb != "" && e.Act.Verb != c.Verb || c.Actor != "" && e.Act.Actor != c.Actor {
				return nil
			}
			if c.Commitments {
				text, err := e.Encode()
				if err != nil {
					return err
				}
				return enc.Encode(struct {
					Index int64  `json:"index"`
					Leaf  []byte `json:"leaf"`
				}{e.Index, audit.Commit(salt, text)})
			}
			line := entryLine(e)
			line.Salt = salt
			return enc.Encode(line)
		})
	})
}
