package main

import (
	"crypto/sha512"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"causeway/internal/node"
	"causeway/internal/vault"
	"causeway/label/policies"
	"causeway/label/stanag4778"
)

type labelBindCmd struct {
	File        string   `arg:"" help:"The data."`
	Label       string   `required:"" placeholder:"L.xml" help:"STANAG 4774 label of the originator."`
	Alternative []string `placeholder:"A.xml" help:"Alternative label to go beside it; may be repeated."`
	Node        string   `required:"" env:"CAUSEWAY_DATA" placeholder:"DIR" help:"Data folder of the node that signs."`
	Out         string   `short:"o" placeholder:"FILE" help:"The binding. Default: the data's name and .binding.xml. The signature is written beside it, with .sig."`
}

func (c *labelBindCmd) Run(p *process) error {
	xml, err := readInput(p, c.Label, 1<<20)
	if err != nil {
		return err
	}
	var alternatives [][]byte
	for _, name := range c.Alternative {
		a, err := readInput(p, name, 1<<20)
		if err != nil {
			return err
		}
		alternatives = append(alternatives, a)
	}
	digest, err := digestOfFile(p, c.File)
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = c.File + ".binding.xml"
	}
	return dataFlag{Data: c.Node}.use(p, func(n *node.Node) error {
		binding, signature, err := n.Bind(p.ctx, xml, alternatives, digest)
		if err != nil {
			return err
		}
		if err := writeBinding(p, out, binding, signature); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%s\n", out)
		return err
	})
}

// writeBinding writes the signature first: a binding is never without one.
func writeBinding(p *process, name string, binding, signature []byte) error {
	for _, f := range []struct {
		name string
		b    []byte
	}{{name + ".sig", signature}, {name, binding}} {
		if err := intoFile(p, f.name, func(w io.Writer) error { _, err := w.Write(f.b); return err }); err != nil {
			return err
		}
	}
	return nil
}

func digestOfFile(p *process, name string) (d stanag4778.Digest, err error) {
	f, err := os.Open(p.path(name))
	if err != nil {
		return d, fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	h := sha512.New384()
	if _, err := io.Copy(h, f); err != nil {
		return d, fmt.Errorf("read %s: %w", name, err)
	}
	return stanag4778.Digest(h.Sum(nil)), nil
}

type labelVerifyCmd struct {
	Binding   string `arg:"" help:"The binding."`
	Data      string `placeholder:"FILE" help:"The data that it is bound to."`
	Signature string `placeholder:"FILE" help:"The signature. Default: the binding's name and .sig."`
	Node      string `env:"CAUSEWAY_DATA" placeholder:"DIR" help:"Data folder of a node that says whose keys it knows."`
	Signer    string `placeholder:"FINGERPRINT" help:"The signer's fingerprint, as people compared it."`
	JSON      bool   `name:"json" help:"Answer in JSON."`
}

type bindingShown struct {
	Verdict     string   `json:"verdict"` // verified, intact
	Signer      string   `json:"signer"`
	Fingerprint string   `json:"fingerprint"`
	Made        string   `json:"made"`
	Data        string   `json:"data"`
	Checked     bool     `json:"data_checked"`
	Labels      []string `json:"labels"`
}

func (c *labelVerifyCmd) Run(p *process) error {
	if c.Node == "" {
		return c.run(p, nil)
	}
	return dataFlag{Data: c.Node}.use(p, func(n *node.Node) error { return c.run(p, n) })
}

// run checks the binding; n says whose keys it knows, and may be nil.
func (c *labelVerifyCmd) run(p *process, n *node.Node) error {
	v, err := c.verify(p)
	if err != nil {
		return inputError{c.Binding, err}
	}
	ps, err := policies.Set("shipped")
	if err != nil {
		return err
	}
	shown := bindingShown{Verdict: "intact", Signer: v.Signer.Name + " " + v.Signer.Node, Fingerprint: v.Signer.Fingerprint(), Made: v.Statement.Made.Format(time.RFC3339), Data: v.Data.URI(), Checked: c.Data != "",
		Labels: []string{"originator: " + ps.Marking(v.Label, "en", "").Text}}
	for _, a := range v.Alternatives {
		shown.Labels = append(shown.Labels, "alternative: "+ps.Marking(a, "en", "").Text)
	}
	if n != nil || c.Signer != "" {
		if err := c.confirm(p, n, v); err != nil {
			return inputError{c.Binding, err}
		}
		shown.Verdict = "verified"
	}
	if c.JSON {
		return p.printJSON(shown)
	}
	fmt.Fprintf(p.stdout, "%s\nsigned by %s at %s, fingerprint %s\n", shown.Verdict, shown.Signer, shown.Made, shown.Fingerprint)
	for _, l := range shown.Labels {
		fmt.Fprintf(p.stdout, "%s\n", l)
	}
	if !shown.Checked {
		fmt.Fprintf(p.stderr, "the data was not looked at; give it with --data\n")
	}
	if shown.Verdict == "intact" {
		fmt.Fprintf(p.stderr, "nobody here confirmed that these are the signer's keys; give --node, or --signer with the fingerprint you compared\n")
	}
	return nil
}

func (c *labelVerifyCmd) verify(p *process) (*node.Verified, error) {
	binding, err := readInput(p, c.Binding, stanag4778.MaxSize)
	if err != nil {
		return nil, err
	}
	name := c.Signature
	if name == "" {
		name = c.Binding + ".sig"
	}
	signature, err := readInput(p, name, stanag4778.MaxSize)
	if err != nil {
		return nil, err
	}
	v, err := node.VerifyBinding(binding, signature)
	if err != nil || c.Data == "" {
		return v, err
	}
	d, err := digestOfFile(p, c.Data)
	if err == nil && d != v.Data {
		err = fmt.Errorf("%s is not the data that the label was bound to: it was changed, or is another file", c.Data)
	}
	return v, err
}

func (c *labelVerifyCmd) confirm(p *process, n *node.Node, v *node.Verified) error {
	if c.Signer != "" && c.Signer != v.Signer.Fingerprint() {
		return fmt.Errorf("the keys that signed have the fingerprint %s, not %s", v.Signer.Fingerprint(), c.Signer)
	}
	if n == nil {
		return nil
	}
	known, err := n.Line.Confirmed(p.ctx, v.Signer)
	if err == nil && !known {
		err = fmt.Errorf("the keys that signed for %s are not known to %s", v.Signer.Node, n.Config.Name)
	}
	return err
}

// exportBound writes each object as a file of its own, with its label bound.
func (c *exportCmd) exportBound(p *process, n *node.Node, v *vault.View, query string) error {
	dir := p.path(c.Bind)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	bound, without := 0, 0
	for after := ""; ; {
		page, err := v.Find(p.ctx, query, vault.Query{Cursor: after, Limit: 1000})
		if err != nil {
			return err
		}
		for _, row := range page.Rows {
			binding, signature, err := n.BindRow(p.ctx, row)
			if err != nil {
				without++
				fmt.Fprintf(p.stderr, "%s: not written: %v\n", row.ID, err)
				continue
			}
			name := filepath.Join(c.Bind, row.ID+".json")
			if err := intoFile(p, name, func(w io.Writer) error { _, err := w.Write(row.Raw); return err }); err != nil {
				return err
			}
			if err := writeBinding(p, name+".binding.xml", binding, signature); err != nil {
				return err
			}
			bound++
		}
		if !page.More {
			break
		}
		after = page.Next
	}
	fmt.Fprintf(p.stdout, "%d objects with their label bound, %d without\n", bound, without)
	if bound == 0 && without > 0 {
		return errors.New("no object has one label that could be bound")
	}
	return nil
}
