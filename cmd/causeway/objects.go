package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
	"time"

	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/stix"
)

// everything matches every newest version.
var everything = vault.Match{}

// readerFlag says as whom a command reads. Without it the node itself does,
// with what its nation may hold.
type readerFlag struct {
	As string `placeholder:"READER" help:"Read as this reader: person:ID, partner:ID or public. Default: the node itself."`
}

func (f readerFlag) view(p *process, n *node.Node) (*vault.View, error) {
	r, err := n.Reader(p.ctx, f.As)
	if err != nil {
		return nil, err
	}
	return n.Vault.As(r), nil
}

type findCmd struct {
	dataFlag
	readerFlag
	Query []string `arg:"" optional:"" help:"Words, and type:NAME, label:WORD, near:ID, by:ID, since:TIME, until:TIME, added:TIME, versions:all. Empty finds everything."`
	Limit int      `default:"100" help:"At most this many, 1 to 10000."`
	JSON  bool     `help:"One JSON object per line."`
}

func (c *findCmd) Run(p *process) error {
	if c.Limit < 1 || c.Limit > 10_000 {
		return usagef("--limit %d: give 1 to 10000", c.Limit)
	}
	return c.use(p, func(n *node.Node) error {
		v, err := c.view(p, n)
		if err != nil {
			return err
		}
		page, err := v.Find(p.ctx, strings.Join(c.Query, " "), vault.Query{Limit: c.Limit})
		if err != nil {
			return err
		}
		return listRows(p, page.Rows, c.JSON)
	})
}

func listRows(p *process, rows []vault.Row, asJSON bool) error {
	if asJSON {
		for _, r := range rows {
			if _, err := fmt.Fprintf(p.stdout, "%s\n", r.Raw); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
	for _, r := range rows {
		name := ""
		if o, err := stix.ParseObject(r.Raw); err == nil {
			name = o.Name()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.ID, r.Version, name)
	}
	return w.Flush()
}

type showCmd struct {
	dataFlag
	readerFlag
	ID       string `arg:"" help:"The object's id."`
	Versions bool   `help:"List the versions instead."`
	Origin   bool   `help:"Say who said it, by a signed word that came with it through however many hops, and whether that verifies."`
	Why      string `placeholder:"READER" help:"Say why this reader can or cannot read it."`
	At       string `placeholder:"TIME" help:"With --why: why at that time, or on that day, by what was recorded and in force then."`
}

func (c *showCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		v, err := c.view(p, n)
		if err != nil {
			return err
		}
		if c.At != "" && c.Why == "" {
			return usagef("--at: say with --why for which reader")
		}
		if c.At != "" {
			return c.whyAt(p, n, v)
		}
		if c.Why != "" {
			return c.why(p, n, v)
		}
		if c.Versions {
			rows, err := v.Versions(p.ctx, c.ID)
			if err != nil {
				return notHere(c.ID, err)
			}
			return listRows(p, rows, false)
		}
		row, err := v.Get(p.ctx, c.ID)
		if err != nil {
			return notHere(c.ID, err)
		}
		if c.Origin {
			return c.origin(p, n, row)
		}
		_, err = fmt.Fprintf(p.stdout, "%s\n", row.Raw)
		return err
	})
}

// origin prints whose signed word came with an object that the reader may see.
func (c *showCmd) origin(p *process, n *node.Node, row vault.Row) error {
	r, err := n.Reader(p.ctx, c.As)
	if err != nil {
		return err
	}
	said, err := n.Line.SaidBy(p.ctx, r, line.Item{ID: row.ID, Version: row.Version}, row.Raw)
	if err != nil {
		return err
	}
	if said == nil {
		_, err = fmt.Fprintln(p.stdout, "no signed word of another node came with it")
		return err
	}
	checked := "both signatures verify"
	if !said.Verified {
		checked = "not checked: its keys are not known here"
	}
	_, err = fmt.Fprintf(p.stdout, "said by %s at %s, keys of generation %d: %s\n", said.Node, said.Time.Format(time.RFC3339), said.Generation, checked)
	return err
}

// why prints the decision on an object that the asking reader may see.
func (c *showCmd) why(p *process, n *node.Node, v *vault.View) error {
	row, err := v.Get(p.ctx, c.ID)
	if err != nil {
		return notHere(c.ID, err)
	}
	other, err := n.Reader(p.ctx, c.Why)
	if err != nil {
		return err
	}
	return printDecision(p, row.Effective.Decide(other.Holdings))
}

// notHere says the same of an object that is hidden and of one that does not
// exist.
func notHere(id string, err error) error {
	if errors.Is(err, vault.ErrNotFound) {
		return fmt.Errorf("%s: no such object for this reader", id)
	}
	return err
}

type exportCmd struct {
	dataFlag
	readerFlag
	Query  []string `arg:"" optional:"" help:"As for find. Empty exports everything the reader may see."`
	Format string   `default:"stix" enum:"stix,misp,csv" help:"stix: a bundle; misp: a MISP event; csv: indicators."`
	Out    string   `short:"o" placeholder:"FILE" help:"Write here instead of standard output."`
	Bind   string   `placeholder:"DIR" help:"Write each object as a file in this folder, with its 4774 label bound to it (STANAG 4778), signed by the node."`
}

func (c *exportCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		v, err := c.view(p, n)
		if err != nil {
			return err
		}
		if c.Bind != "" {
			return c.exportBound(p, n, v, strings.Join(c.Query, " "))
		}
		return intoFile(p, c.Out, func(w io.Writer) error {
			return writeObjects(p, w, c.Format, objectsOf(p, v, strings.Join(c.Query, " ")))
		})
	})
}

// objectsOf gives every object that a query finds, page by page.
func objectsOf(p *process, v *vault.View, query string) iter.Seq2[*stix.Object, error] {
	return func(yield func(*stix.Object, error) bool) {
		var after string
		for {
			page, err := v.Find(p.ctx, query, vault.Query{Cursor: after, Limit: 1000})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, row := range page.Rows {
				if !yield(stix.ParseObject(row.Raw)) {
					return
				}
			}
			if !page.More {
				return
			}
			after = page.Next
		}
	}
}

// intoFile writes a file whole or not at all. An empty name is standard
// output.
func intoFile(p *process, name string, write func(io.Writer) error) error {
	if name == "" || name == "-" {
		return write(p.stdout)
	}
	return writeFile(p.path(name), write)
}

// printDecision prints allow or deny, then every reason.
func printDecision(p *process, d label.Decision) error {
	verdict := "deny"
	if d.Allow {
		verdict = "allow"
	}
	fmt.Fprintln(p.stdout, verdict)
	for _, r := range d.Reasons {
		sign := "-"
		if r.Allow {
			sign = "+"
		}
		fmt.Fprintf(p.stdout, "%s %s: %s\n", sign, r.Code, r.Text)
	}
	if !d.Allow {
		return errCheckFailed
	}
	return nil
}
