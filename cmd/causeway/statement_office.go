package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"causeway/internal/desk/office"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/statement/verifier"
)

// statementOfficeCmd is the workflow with public statements on a node, as the
// pages have it: the folder is the node's, every act is a person's and in the
// audit log, and nothing is signed before its two reviews.
type statementOfficeCmd struct {
	List    officeListCmd    `cmd:"" help:"Statements under way: reviews, signatures, what partners were asked and ask."`
	Draft   officeDraftCmd   `cmd:"" help:"Check a statement and freeze its bytes; prints the digest to review and sign."`
	Review  officeReviewCmd  `cmd:"" help:"Pass or refuse exact bytes, in law (legal adviser) or for release (release officer)."`
	Sign    officeSignCmd    `cmd:"" help:"Sign a reviewed statement with a key of this agency."`
	Offer   officeOfferCmd   `cmd:"" help:"Send the public half of a statement key to a partner, who may then name it as a signatory."`
	Trust   officeTrustCmd   `cmd:"" help:"Take a key that a partner offered among those that statements may name."`
	Ask     officeAskCmd     `cmd:"" help:"Put the exact bytes before a partner who is to sign them."`
	Answer  officeAnswerCmd  `cmd:"" help:"Sign what a partner asked, or decline."`
	Publish officePublishCmd `cmd:"" help:"Log and publish every statement that has its reviews and signatures."`
}

// officeAct is embedded by the acts on one statement.
type officeAct struct {
	dataFlag
	byFlag
	Digest string `arg:"" help:"Digest of the frozen bytes, or enough of its beginning."`
}

// full completes a digest from what is under way on the node.
func (c officeAct) full(ctx context.Context, n *node.Node) (string, error) {
	all, err := underWay(ctx, n)
	if err != nil {
		return "", err
	}
	all = slices.DeleteFunc(all, func(w wayView) bool { return !strings.HasPrefix(w.Digest, strings.ToLower(c.Digest)) })
	all = slices.CompactFunc(all, func(a, b wayView) bool { return a.Digest == b.Digest })
	switch {
	case len(all) == 0:
		return "", fmt.Errorf("%s: %w; \"causeway statement office list\" shows what is under way", c.Digest, office.ErrNoDraft)
	case len(all) > 1 || len(c.Digest) < 6:
		return "", usagef("digest %q: give more of it, at least 6 digits and enough to tell %d statements apart", c.Digest, len(all))
	}
	return all[0].Digest, nil
}

func (c officeAct) do(p *process, do func(n *node.Node, by people.Person, digest string) error) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		digest, err := c.full(p.ctx, n)
		if err != nil {
			return err
		}
		return do(n, by, digest)
	})
}

type officeDraftCmd struct {
	dataFlag
	byFlag
	File string `arg:"" help:"The statement as JSON; \"-\" reads standard input."`
}

func (c *officeDraftCmd) Run(p *process) error {
	b, err := readInput(p, c.File, 1<<20)
	if err != nil {
		return err
	}
	s, err := statement.ParseDraft(b)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		digest, err := n.Office.Freeze(p.ctx, by, s)
		if err == nil {
			fmt.Fprintln(p.stdout, digest)
		}
		return err
	})
}

type officeReviewCmd struct {
	officeAct
	Kind   string `required:"" enum:"legal,release" help:"legal or release."`
	Refuse string `placeholder:"WHY" help:"It does not pass, with this reason."`
	Note   string `help:"A note beside a review that passes."`
}

func (c *officeReviewCmd) Run(p *process) error {
	return c.do(p, func(n *node.Node, by people.Person, digest string) error {
		note := c.Note
		if c.Refuse != "" {
			note = c.Refuse
		}
		return n.Office.Review(p.ctx, by, digest, c.Kind, c.Refuse == "", note)
	})
}

type officeSignCmd struct {
	officeAct
	Key string `required:"" help:"Name of the key to sign with."`
}

func (c *officeSignCmd) Run(p *process) error {
	return c.do(p, func(n *node.Node, by people.Person, digest string) error {
		return n.Office.Sign(p.ctx, by, digest, c.Key)
	})
}

type officeOfferCmd struct {
	dataFlag
	byFlag
	Key string `arg:"" help:"Name of the key."`
	To  string `required:"" placeholder:"PARTNER" help:"Node id or name of the partner."`
}

func (c *officeOfferCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error { return n.Office.OfferKey(p.ctx, by, c.Key, c.To) })
}

type officeTrustCmd struct {
	dataFlag
	byFlag
	Key string `arg:"" help:"Name of the key that was offered."`
}

func (c *officeTrustCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error { return n.Office.TrustKey(p.ctx, by, c.Key) })
}

type officeAskCmd struct {
	officeAct
	Of string `required:"" placeholder:"PARTNER" help:"Node id or name of the partner who is to sign."`
}

func (c *officeAskCmd) Run(p *process) error {
	return c.do(p, func(n *node.Node, by people.Person, digest string) error {
		return n.Office.Ask(p.ctx, by, digest, c.Of)
	})
}

type officeAnswerCmd struct {
	officeAct
	To      string `required:"" placeholder:"PARTNER" help:"Node id or name of the partner who asked."`
	Key     string `xor:"answer" required:"" help:"Sign with this key."`
	Decline string `xor:"answer" required:"" placeholder:"WHY" help:"Decline, with this reason; it is told to the partner and never published."`
}

func (c *officeAnswerCmd) Run(p *process) error {
	return c.do(p, func(n *node.Node, by people.Person, digest string) error {
		return n.Office.Answer(p.ctx, by, digest, c.To, c.Key, c.Decline)
	})
}

type officePublishCmd struct {
	dataFlag
	byFlag
	URL       string `name:"url" default:"https://statements.example/" help:"Address the site is served at."`
	Contact   string `default:"press office" help:"Office that answers."`
	Witnesses int    `default:"3" help:"Witness cosignatures a checkpoint needs, each from a nation of its own."`
}

func (c *officePublishCmd) Run(p *process) error {
	if c.Witnesses < 1 {
		return usagef("--witnesses %d: at least one witness co-signs; three of three nations is the rule", c.Witnesses)
	}
	page, err := verifier.Files()
	if err != nil {
		return err
	}
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		done, err := n.Office.Publish(p.ctx, by, statement.Round{Now: n.Now().UTC(), Verifier: page, Metadata: statement.Metadata{
			Publisher: n.Config.Name, Contact: c.Contact, CanonicalURL: strings.TrimSuffix(c.URL, "/") + "/", Role: "publisher",
			Witnesses: statement.WitnessPolicy{K: c.Witnesses, Nations: c.Witnesses},
		}})
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "published %d statements, %d in the log, %d of %d files written to %s\n", done.Drafts, done.Statements, done.Written, done.Files, string(n.Office.Folder.Site()))
		return nil
	})
}

type officeListCmd struct {
	dataFlag
	JSON bool `name:"json" help:"For machines."`
}

// wayView is one statement under way, this agency's own or a partner's.
type wayView struct {
	Digest  string            `json:"digest"`
	ID      string            `json:"id"`
	Title   string            `json:"title"`
	From    string            `json:"from"` // node that asks; "" for this agency's own
	Reviews []office.Review   `json:"reviews"`
	Signed  []string          `json:"signed"`            // keys
	Asked   map[string]string `json:"asked,omitempty"`   // partner: waiting, signed, or why it declined
	Answer  string            `json:"answer,omitempty"`  // signed, or why this agency declined
	Missing string            `json:"missing,omitempty"` // the review that is not there
}

// underWay gathers what this agency drafts and what partners ask it to sign.
func underWay(ctx context.Context, n *node.Node) (out []wayView, err error) {
	if _, err := n.Office.Collect(ctx); err != nil {
		return nil, err
	}
	drafts, err := n.Office.Folder.Drafts()
	if err != nil {
		return nil, err
	}
	keys, err := n.Office.Folder.Keys()
	if err != nil {
		return nil, err
	}
	requests, err := n.Office.Requests(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range drafts {
		w := wayView{Digest: statement.Digest(d.JSON), ID: d.Statement.ID, Title: d.Statement.Texts[d.Statement.Authentic[0]].Title, Asked: map[string]string{}}
		if w.Signed, err = d.SignedBy(keys); err != nil {
			return nil, fmt.Errorf("%s: %w", d.File, err)
		}
		for _, r := range requests {
			if r.Digest == w.Digest {
				w.Asked[r.Node] = said(r.Answer)
			}
		}
		out = append(out, w)
	}
	asked, err := n.Office.Asked(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range asked {
		s, err := statement.Parse(a.JSON)
		if err != nil {
			return nil, err
		}
		w := wayView{Digest: a.Digest, ID: s.ID, Title: s.Texts[s.Authentic[0]].Title, From: a.Node}
		if a.Answer != nil {
			w.Answer = said(a.Answer)
		}
		out = append(out, w)
	}
	for i := range out {
		if out[i].Reviews, err = n.Office.ReviewsOf(ctx, out[i].Digest); err != nil {
			return nil, err
		}
		if err := n.Office.Ready(ctx, out[i].Digest); err != nil {
			out[i].Missing = err.Error()
		}
	}
	return out, nil
}

// said puts an answer in a word.
func said(a *office.Answer) string {
	switch {
	case a == nil:
		return "waiting"
	case a.Sigs != "":
		return "signed"
	}
	return "declined: " + a.Declined
}

func (c *officeListCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := underWay(p.ctx, n)
		if err != nil {
			return err
		}
		keys, err := n.Office.OfferedKeys(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			enc := json.NewEncoder(p.stdout)
			enc.SetIndent("", "  ")
			return enc.Encode(struct {
				Statements []wayView           `json:"statements"`
				Keys       []office.OfferedKey `json:"offered_keys"`
			}{all, keys})
		}
		tw := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		for _, w := range all {
			state := w.Missing
			switch {
			case w.Answer != "":
				state = w.Answer
			case state == "":
				state = "reviewed"
			}
			from := "own"
			if w.From != "" {
				from = "asked by " + w.From
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", w.Digest[:12], from, w.Title, state)
			for _, k := range w.Signed {
				fmt.Fprintf(tw, "\t\tsigned\t%s\n", k)
			}
			for _, node := range slices.Sorted(maps.Keys(w.Asked)) {
				fmt.Fprintf(tw, "\t\tasked\t%s: %s\n", node, w.Asked[node])
			}
		}
		for _, k := range keys {
			state := "offered " + k.At.UTC().Format(time.DateOnly)
			if k.Trusted != "" {
				state = "trusted by " + k.Trusted
			}
			fmt.Fprintf(tw, "key\t%s\t%s\t%s\n", k.Node, k.Key.Name, state)
		}
		return tw.Flush()
	})
}
