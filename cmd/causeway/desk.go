package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/stanag4774"
)

// byFlag names the person who acts. Their roles and clearances decide, as on
// the pages; the entry in the audit log is theirs.
type byFlag struct {
	By string `required:"" placeholder:"ID" help:"The person who does this."`
}

func (f byFlag) person(ctx context.Context, n *node.Node) (people.Person, error) {
	p, err := n.People.Get(ctx, strings.TrimPrefix(f.By, "person:"))
	if err != nil {
		return p, fmt.Errorf("--by %w; \"causeway people list\" shows who there is", err)
	}
	if p.Suspended != nil {
		return p, fmt.Errorf("%s is suspended: %w", p.ID, errForbidden)
	}
	return p, nil
}

// acting is person in the form that as takes.
func (f byFlag) acting(p *process, n *node.Node) (people.Person, error) { return f.person(p.ctx, n) }

// as runs do on the node of the data folder as the person that who finds and
// allows.
func (d dataFlag) as(p *process, who func(*process, *node.Node) (people.Person, error), do func(*node.Node, people.Person) error) error {
	return d.use(p, func(n *node.Node) error {
		by, err := who(p, n)
		if err != nil {
			return err
		}
		return do(n, by)
	})
}

// labelFlag gives the label of what an act makes.
type labelFlag struct {
	Label string `required:"" placeholder:"FILE" help:"STANAG 4774 label of what is made, as XML."`
}

func (f labelFlag) read(p *process) (*label.Label, error) {
	b, err := os.ReadFile(p.path(f.Label))
	if err != nil {
		return nil, fmt.Errorf("read the label: %w", err)
	}
	l, err := stanag4774.ParseLabel(b)
	if err != nil {
		return nil, fmt.Errorf("read the label %s: %w", f.Label, err)
	}
	return l, nil
}

type findingCmd struct {
	dataFlag
	byFlag
	labelFlag
	Posts     string        `arg:"" help:"File of posts: CSV, JSON Lines or Parquet, plain or compressed."`
	Title     string        `required:"" help:"What the finding is called."`
	Window    time.Duration `default:"60s" help:"Longest time between two posts that count as in sync."`
	Semantics string        `default:"corrected" enum:"corrected,coortweet,cnt" help:"What an edge is."`
	Community int           `default:"1" help:"Which community of the result, from 1, the strongest first; 0 for all of it."`
}

func (c *findingCmd) Run(p *process) error {
	l, err := c.read(p)
	if err != nil {
		return err
	}
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		posts, err := os.Open(p.path(c.Posts))
		if err != nil {
			return fmt.Errorf("open the posts: %w", err)
		}
		defer posts.Close()
		run, err := n.Desk.StartRun(p.ctx, by, desk.RunRequest{Title: c.Title, File: c.Posts, Window: c.Window, Semantics: c.Semantics}, posts)
		if err != nil {
			return err
		}
		if run, err = n.Desk.Await(p.ctx, by, run.ID); err != nil {
			return err
		}
		id, err := n.Desk.Finding(p.ctx, by, desk.FindingRequest{Run: run.ID, Community: c.Community, Title: c.Title}, l)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, id)
		return err
	})
}

type assessCmd struct {
	dataFlag
	byFlag
	labelFlag
	Assessment string `arg:"" placeholder:"FILE" help:"The assessment as JSON; \"-\" reads standard input. See docs/operate/assess.md."`
}

// writtenAssessment is the JSON form of an assessment on the command line.
type writtenAssessment struct {
	Subjects     []string           `json:"subject_refs"`
	Kind         string             `json:"kind"`
	Judgement    string             `json:"judgement"`
	Likelihood   string             `json:"likelihood"`
	Confidence   string             `json:"analytic_confidence"`
	Basis        []string           `json:"basis_refs"`
	Alternatives []desk.Alternative `json:"alternatives"`
	Assumptions  []string           `json:"key_assumptions"`
	Gaps         []string           `json:"gaps"`
	DissentsFrom string             `json:"dissents_from_ref"`
	Supersedes   string             `json:"supersedes_ref"`
	Expires      time.Time          `json:"expires"`
}

func (c *assessCmd) Run(p *process) error {
	l, err := c.read(p)
	if err != nil {
		return err
	}
	b, err := readInput(p, c.Assessment, 1<<20)
	if err != nil {
		return err
	}
	var w writtenAssessment
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w); err != nil {
		return fmt.Errorf("read the assessment %s: %w", c.Assessment, err)
	}
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		id, err := n.Desk.Assess(p.ctx, by, desk.Assessment(w), l)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, id)
		return err
	})
}

type previewCmd struct {
	dataFlag
	byFlag
	ID   string `arg:"" help:"The object to release."`
	JSON bool   `help:"For machines."`
}

func (c *previewCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		pre, err := n.Desk.Preview(p.ctx, by, c.ID)
		if err != nil {
			return notHere(c.ID, err)
		}
		return printPreview(p, pre, c.JSON)
	})
}

func printPreview(p *process, pre *desk.Preview, asJSON bool) error {
	if asJSON {
		return writeJSON(p, pre)
	}
	fmt.Fprintf(p.stdout, "%s and what it rests on: %d objects\n", pre.Root, len(pre.Items))
	for _, r := range pre.Partners {
		verdict := "may receive it"
		switch {
		case r.Released:
			verdict = "holds it already"
		case !r.Allow:
			verdict = "may not: " + r.Why()
		}
		fmt.Fprintf(p.stdout, "%s (%s, %s) %s\n", r.Name, r.Nation, r.ID, verdict)
	}
	return nil
}

type releaseCmd struct {
	dataFlag
	byFlag
	ID         string   `arg:"" help:"The object to release, with everything it rests on."`
	To         []string `required:"" placeholder:"PARTNER" help:"Node id or name of a partner; repeat or separate by commas."`
	Precedence string   `default:"ROUTINE" help:"ROUTINE, PRIORITY, IMMEDIATE or FLASH."`
}

func (c *releaseCmd) Run(p *process) error {
	precedence, err := line.ParsePrecedence(c.Precedence)
	if err != nil {
		return usagef("--precedence: %v", err)
	}
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		to, err := partnerIDs(p.ctx, n, c.To)
		if err != nil {
			return err
		}
		pre, err := n.Desk.Release(p.ctx, by, c.ID, to, precedence)
		if err != nil {
			return waits(p, c.Data, notHere(c.ID, err))
		}
		fmt.Fprintf(p.stdout, "released %d objects to %s, %s\n", len(pre.Items), strings.Join(c.To, ", "), precedence)
		return nil
	})
}

type recallCmd struct {
	dataFlag
	byFlag
	ID   string   `arg:"" help:"The object to take back."`
	From []string `required:"" placeholder:"PARTNER" help:"Node id or name of a partner; repeat or separate by commas."`
	Why  string   `required:"" help:"The reason; its holders are told."`
}

func (c *recallCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		from, err := partnerIDs(p.ctx, n, c.From)
		if err != nil {
			return err
		}
		if err := n.Desk.Recall(p.ctx, by, c.ID, from, c.Why); err != nil {
			return notHere(c.ID, err)
		}
		fmt.Fprintf(p.stdout, "recalled %s from %s\n", c.ID, strings.Join(c.From, ", "))
		return nil
	})
}

// partnerIDs finds partners by node id or by name.
func partnerIDs(ctx context.Context, n *node.Node, names []string) ([]string, error) {
	ids := make([]string, 0, len(names))
	for _, name := range names {
		p, err := n.Line.Partner(ctx, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, p.NodeID)
	}
	return ids, nil
}
