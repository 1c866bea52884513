package main

import (
	"fmt"
	"io"

	"causeway/internal/node"
	"causeway/label"
	"causeway/stix"
)

type importCmd struct {
	dataFlag
	readerFlag
	foreignFlag
	Files []string `arg:"" help:"Files to read, plain or gzip; \"-\" is standard input."`
	Label string   `placeholder:"FILE" help:"STANAG 4774 label for objects that carry none."`
	JSON  bool     `help:"For machines."`
}

// largestImport bounds one file, in bytes.
const largestImport = 1 << 30

func (c *importCmd) Run(p *process) error {
	var l *label.Label
	if c.Label != "" {
		var err error
		if l, err = (labelFlag{c.Label}).read(p); err != nil {
			return err
		}
	}
	return c.use(p, func(n *node.Node) error {
		as, err := n.Reader(p.ctx, c.As)
		if err != nil {
			return err
		}
		refused := 0
		for _, name := range c.Files {
			b, err := readInput(p, name, largestImport)
			if err != nil {
				return err
			}
			items, notes, broken := c.read(n, b)
			bar := newProgress(p)
			report, err := n.Desk.Import(p.ctx, as, items, l, func(done, total int) { bar.show("import", int64(done), int64(total)) })
			bar.clear()
			if err != nil {
				return err
			}
			for _, r := range report.Refused {
				place := name
				if r.Line > 0 {
					place = fmt.Sprintf("%s:%d", name, r.Line)
				}
				fmt.Fprintf(p.stderr, "%s: %s: %s\n", place, r.ID, r.Why)
			}
			if broken != nil {
				fmt.Fprintf(p.stderr, "%s: %v; what stood before it was kept\n", name, broken)
				refused++
			}
			refused += len(report.Refused) + printNotes(p, name, notes)
			if c.JSON {
				if err := writeJSON(p, importReport{report, notes}); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(p.stdout, "%s: %d stored, %d held already, %d refused\n", name, report.Stored, report.Present, len(report.Refused)+notes.refused())
		}
		if refused > 0 {
			return errCheckFailed
		}
		return nil
	})
}

// scanAll reads every object of a stream, and what broke it off.
func scanAll(r io.Reader) (items []stix.Item, broken error) {
	for item, err := range stix.Scan(r, stix.Limits{}) {
		if err != nil {
			return items, err
		}
		items = append(items, item)
	}
	return items, nil
}
