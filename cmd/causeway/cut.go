package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"causeway/internal/desk"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label/cut"
)

type cutCmd struct {
	Preview cutPreviewCmd `cmd:"" help:"Show a cut, what differs, and what is still left of the withheld; nothing is stored."`
	Make    cutMakeCmd    `cmd:"" help:"Store a cut under its own label; refused while anything of the withheld is left."`
	List    cutListCmd    `cmd:"" help:"List the cuts of an object, or what it was cut from."`
}

// cutFlags say what is left out.
type cutFlags struct {
	dataFlag
	byFlag
	labelFlag
	ID       string   `arg:"" help:"The object, or the report, to cut."`
	Whole    bool     `help:"With everything it refers to, not the object alone."`
	Omit     []string `sep:"none" placeholder:"PLACE" help:"Leave this out: a path such as description or external_references[0].url, an id for a whole object, or ID.PATH. Repeat for more."`
	Reword   []string `sep:"none" placeholder:"PLACE=TEXT" help:"Say this instead. Repeat for more."`
	Withhold []string `sep:"none" placeholder:"WORDS" help:"Further words that must not be left. Repeat for more."`
	Accept   []string `sep:"none" placeholder:"KEY" help:"A finding of the check, as preview shows it, that you looked at and accept."`
	JSON     bool     `help:"For machines."`
}

var placeForm = regexp.MustCompile(`^([a-z0-9-]+--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:\.(.+))?$`)

// placeOf reads PATH, ID or ID.PATH.
func placeOf(s string) cut.Place {
	if m := placeForm.FindStringSubmatch(s); m != nil {
		return cut.Place{ID: m[1], Path: m[2]}
	}
	return cut.Place{Path: s}
}

func (f cutFlags) request() (desk.CutRequest, error) {
	req := desk.CutRequest{Root: f.ID, Whole: f.Whole, Withhold: f.Withhold, Accept: f.Accept}
	for _, s := range f.Omit {
		if s == "" {
			return req, usagef("--omit: name a path or an id")
		}
		req.Omit = append(req.Omit, placeOf(s))
	}
	for _, s := range f.Reword {
		place, text, ok := strings.Cut(s, "=")
		if !ok || place == "" {
			return req, usagef("--reword %q: give PLACE=TEXT", s)
		}
		at := placeOf(place)
		req.Reword = append(req.Reword, cut.Rewording{ID: at.ID, Path: at.Path, Value: text})
	}
	return req, nil
}

type cutPreviewCmd struct{ cutFlags }

func (c *cutPreviewCmd) Run(p *process) error { return c.run(p, false) }

type cutMakeCmd struct{ cutFlags }

func (c *cutMakeCmd) Run(p *process) error { return c.run(p, true) }

func (f cutFlags) run(p *process, store bool) error {
	req, err := f.request()
	if err != nil {
		return err
	}
	l, err := f.read(p)
	if err != nil {
		return err
	}
	return f.use(p, func(n *node.Node) error {
		by, err := f.person(p.ctx, n)
		if err != nil {
			return err
		}
		do := n.Desk.PreviewCut
		if store {
			do = n.Desk.MakeCut
		}
		c, err := do(p.ctx, by, req, l)
		var left *cut.LeftoverError
		if err != nil && !errors.As(err, &left) {
			return notHere(f.ID, err)
		}
		if err := printCut(p, c, f.JSON, store && left == nil); err != nil {
			return err
		}
		if len(c.Findings) > 0 {
			return errCheckFailed
		}
		return nil
	})
}

// shownCut is a cut for machines.
type shownCut struct {
	Root     string        `json:"root"`
	Cut      string        `json:"cut,omitempty"` // once it is stored
	Objects  int           `json:"objects"`
	Withheld int           `json:"withheld"`
	Wider    bool          `json:"wider"`
	Rule     string        `json:"rule"`
	Changes  []cut.Change  `json:"changes"`
	Left     []cut.Finding `json:"left"`
}

func printCut(p *process, c *desk.Cut, asJSON, stored bool) error {
	shown := shownCut{Root: c.Root, Objects: len(c.Objects), Withheld: c.Withheld, Wider: c.Wider, Rule: c.Rule.Key(), Changes: c.Changes, Left: c.Findings}
	if stored {
		shown.Cut = c.NewRoot
	}
	if asJSON {
		return writeJSON(p, shown)
	}
	if stored {
		_, err := fmt.Fprintln(p.stdout, c.NewRoot)
		return err
	}
	for _, ch := range c.Changes {
		path := ch.Path
		if path == "" {
			path = "(the whole object)"
		}
		fmt.Fprintf(p.stdout, "%s %s: %s\n", ch.ID, path, ch.Why)
		if ch.Before != "" {
			fmt.Fprintf(p.stdout, "  - %s\n", ch.Before)
		}
		if ch.After != "" {
			fmt.Fprintf(p.stdout, "  + %s\n", ch.After)
		}
	}
	for _, r := range c.Readers {
		verdict := "may receive the cut"
		if !r.Allow {
			verdict = "may not receive the cut"
		}
		fmt.Fprintf(p.stdout, "%s (%s) %s\n", r.Name, r.Nation, verdict)
	}
	if c.Wider {
		fmt.Fprintln(p.stdout, "the label admits readers whom the original's label does not: a release officer has to make this cut")
	}
	for _, f := range c.Findings {
		fmt.Fprintf(p.stderr, "left: %s; leave it out, reword it, or --accept %q\n", f, f.Key())
	}
	return nil
}

type cutListCmd struct {
	dataFlag
	byFlag
	ID string `arg:"" help:"The object."`
}

func (c *cutListCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		cuts, err := n.Desk.CutsOf(p.ctx, by, c.ID)
		if err != nil {
			return notHere(c.ID, err)
		}
		if origin, err := n.Desk.OriginOf(p.ctx, by, c.ID); err == nil {
			fmt.Fprintf(p.stdout, "cut from %s %s by %s\n", origin.ID, origin.At.Format(time.RFC3339), origin.By)
		} else if !errors.Is(err, vault.ErrNotFound) {
			return err
		}
		for _, e := range cuts {
			fmt.Fprintf(p.stdout, "cut to %s %s by %s\n", e.ID, e.At.Format(time.RFC3339), e.By)
		}
		return nil
	})
}
