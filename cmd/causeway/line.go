package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"causeway/coord"
	"causeway/coord/read"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
)

type lineCmd struct {
	Status    lineStatusCmd    `cmd:"" help:"What partners hold, what waits for them, since when, and why."`
	Sync      lineSyncCmd      `cmd:"" help:"Exchange with partners now, and end when nothing waits."`
	Carried   lineCarriedCmd   `cmd:"" help:"What this node carries for others, unread: how much, since when, and why it is here still."`
	Receipts  lineReceiptsCmd  `cmd:"" help:"The partners' signed words on what they were sent."`
	Export    lineExportCmd    `cmd:"" help:"Write what waits for a partner into a file for a courier."`
	Import    lineImportCmd    `cmd:"" help:"Take a file that a courier brought."`
	Match     lineMatchCmd     `cmd:"" help:"Blind match: what do both sides hold, without showing the rest."`
	Rotate    lineRotateCmd    `cmd:"" help:"Make new keys and tell every partner."`
	ClearFork lineClearForkCmd `cmd:"" help:"Take down the warning that a partner's audit log was rewritten."`
}

type lineStatusCmd struct {
	dataFlag
	Partner string `arg:"" optional:"" help:"Only this partner."`
	JSON    bool   `help:"For machines."`
}

// lineView is one line as "line status --json" prints it.
type lineView struct {
	Node     string        `json:"node"`
	Name     string        `json:"name"`
	Nation   string        `json:"nation"`
	State    string        `json:"state"`
	Contact  time.Time     `json:"contact,omitzero"`
	Held     int64         `json:"held"`
	Waiting  int64         `json:"waiting"`
	Since    time.Time     `json:"since,omitzero"`
	Why      string        `json:"why,omitempty"`
	Lanes    []laneView    `json:"lanes"`
	Seen     int64         `json:"seen"`    // entries of the partner's audit log that this node vouches for
	Vouched  int64         `json:"vouched"` // entries of this node's audit log that the partner vouches for
	Fork     string        `json:"fork,omitempty"`
	Repairs  []line.Repair `json:"repairs,omitempty"`
	Protocol int           `json:"protocol"`
	Route    *line.Route   `json:"route,omitempty"`
}

type laneView struct {
	Precedence string    `json:"precedence"`
	Waiting    int64     `json:"waiting"`
	UnderWay   int64     `json:"under_way"`
	Since      time.Time `json:"since,omitzero"`
	Sent       int64     `json:"messages_sent"`
	Delivered  int64     `json:"messages_delivered"`
	Received   int64     `json:"messages_received"`
	Held       int64     `json:"held"`
	Removed    int64     `json:"removed"`
	Refused    int64     `json:"refused"`
	Expired    int64     `json:"expired"`
	Withheld   int64     `json:"withheld"`
	Last       time.Time `json:"last_receipt,omitzero"`
}

func viewOf(s line.LineStatus) lineView {
	v := lineView{Node: s.Partner.NodeID, Name: s.Partner.Name, Nation: s.Partner.Nation, State: string(s.Partner.State), Contact: s.Contact,
		Held: s.Held, Waiting: s.Waiting, Since: s.Since, Why: s.Why, Seen: s.Seen.Size, Repairs: s.Repairs, Protocol: s.Partner.Protocol, Route: s.Route}
	if s.Vouched != nil {
		v.Vouched = s.Vouched.Size
	}
	if s.Fork != nil {
		v.Fork = s.Fork.Error()
	}
	for _, l := range s.Lanes {
		v.Lanes = append(v.Lanes, laneView{l.Precedence.String(), l.Waiting, l.UnderWay, l.Since, l.Sent, l.Delivered, l.Received,
			l.Held, l.Removed, l.Refused, l.Expired, l.Withheld, l.Last})
	}
	return v
}

func (c *lineStatusCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := n.Line.Status(p.ctx)
		if err != nil {
			return err
		}
		if c.Partner != "" {
			one, err := n.Line.Partner(p.ctx, c.Partner)
			if err != nil {
				return err
			}
			kept := all[:0]
			for _, s := range all {
				if s.Partner.NodeID == one.NodeID {
					kept = append(kept, s)
				}
			}
			all = kept
		}
		if c.JSON {
			out := make([]lineView, 0, len(all))
			for _, s := range all {
				out = append(out, viewOf(s))
			}
			return writeJSON(p, out)
		}
		for _, s := range all {
			printLine(p.stdout, s)
		}
		return nil
	})
}

// printLine writes one line for people.
func printLine(w io.Writer, s line.LineStatus) {
	fmt.Fprintf(w, "%s (%s, %s): %s; they hold %d, %d waiting", s.Partner.Name, s.Partner.Nation, s.Partner.NodeID, s.Partner.State, s.Held, s.Waiting)
	if !s.Since.IsZero() {
		fmt.Fprintf(w, " since %s: %s", s.Since.UTC().Format(time.RFC3339), s.Why)
	}
	fmt.Fprintln(w)
	if s.Suspended != "" {
		fmt.Fprintf(w, "  shut there: %s\n", s.Suspended)
	}
	if s.Fork != nil {
		fmt.Fprintf(w, "  WARNING %s\n", s.Fork.Error())
	}
	if s.Route != nil {
		printRoute(w, s.Route)
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, l := range s.Lanes {
		if l.Sent == 0 && l.Received == 0 && l.Waiting == 0 && l.Withheld == 0 {
			continue
		}
		fmt.Fprintf(t, "  %s\t%d of %d messages delivered\t%d held\t%d removed\t%d refused\t%d expired\t%d withheld\t%d received\n",
			l.Precedence, l.Delivered, l.Sent, l.Held, l.Removed, l.Refused, l.Expired, l.Withheld, l.Received)
	}
	t.Flush()
	if s.Vouched != nil || s.Seen.Size > 0 {
		var vouched int64
		if s.Vouched != nil {
			vouched = s.Vouched.Size
		}
		fmt.Fprintf(w, "  witness: this node vouches for %d entries of their audit log, they for %d of this node's\n", s.Seen.Size, vouched)
	}
	for _, r := range s.Repairs {
		fmt.Fprintf(w, "  repaired %s: %s forgot messages %d to %d of %s; %d versions sent again\n",
			time.UnixMilli(r.Time).UTC().Format(time.RFC3339), r.Lost, r.After+1, r.Upto, r.Precedence, r.Resent)
	}
}

// printRoute writes where the messages of a routed line are.
func printRoute(w io.Writer, r *line.Route) {
	fmt.Fprintf(w, "  by way of %s\n", r.Via)
	for _, a := range r.At {
		state, by := a.State, "by its signed word of "+a.Said.UTC().Format(time.RFC3339)
		switch {
		case state == "":
			state, by = "not handed over", "by this node's own records"
		case a.Hearsay:
			by = "by another relay's word"
		}
		fmt.Fprintf(w, "  %d messages %s at %s since %s, %s", a.Messages, state, a.Node, a.Since.UTC().Format(time.RFC3339), by)
		if a.Reason != "" {
			fmt.Fprintf(w, ": %s", a.Reason)
		}
		if a.Lost > 0 {
			fmt.Fprintf(w, "; lost there and handed over again %d times", a.Lost)
		}
		fmt.Fprintln(w)
		if a.Doubt != "" {
			fmt.Fprintf(w, "  WARNING what %s gave does not verify: %s\n", r.Via, a.Doubt)
		}
	}
}

type lineCarriedCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *lineCarriedCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := n.Line.Transits(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			if all == nil {
				all = []line.Transit{}
			}
			return writeJSON(p, all)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, t := range all {
			at := "here: " + t.Reason
			if t.Next != "" {
				at = "with " + t.Next
			}
			fmt.Fprintf(w, "%s to %s\t%d messages\t%d bytes\tsince %s\t%s\n", t.From, t.To, t.Messages, t.Bytes, t.Since.UTC().Format(time.RFC3339), at)
		}
		return w.Flush()
	})
}

type lineSyncCmd struct {
	dataFlag
	Timeout time.Duration `default:"5m" help:"Give up after this long."`
}

func (c *lineSyncCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		left, err := n.Line.Sync(p.ctx, c.Timeout)
		if err != nil {
			return err
		}
		for _, s := range left {
			printLine(p.stdout, s)
		}
		if len(left) > 0 {
			fmt.Fprintln(p.stderr, "causeway: not everything could be delivered; what waits is kept")
			return errCheckFailed
		}
		return nil
	})
}

type lineReceiptsCmd struct {
	dataFlag
	Partner string `arg:"" help:"Whose receipts."`
	Object  string `help:"Only messages that carried this object."`
	Limit   int    `default:"50" help:"The newest so many."`
	JSON    bool   `help:"For machines, with the signed receipts."`
}

func (c *lineReceiptsCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		partner, err := n.Line.Partner(p.ctx, c.Partner)
		if err != nil {
			return err
		}
		all, err := n.Line.Receipts(p.ctx, partner.NodeID, c.Object, c.Limit)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, all)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, d := range all {
			result := d.Result
			if result == "" {
				result = "under way"
			}
			fmt.Fprintf(w, "%s\t%s\t%s %d\t%s\t%d versions\t%d held\t%d refused\t%s\n", d.Composed.UTC().Format(time.RFC3339), d.Precedence, d.Kind, d.Seq, result,
				len(d.Items), d.Held, len(d.Refusals), d.Reason)
		}
		return w.Flush()
	})
}

type lineExportCmd struct {
	dataFlag
	byFlag
	To  string `required:"" placeholder:"PARTNER" help:"Whom the file is for."`
	Out string `required:"" short:"o" placeholder:"FILE" help:"File to write."`
}

func (c *lineExportCmd) Run(p *process) error {
	return c.as(p, c.liaison, func(n *node.Node, by people.Person) error {
		partner, err := n.Line.Partner(p.ctx, c.To)
		if err != nil {
			return err
		}
		out := p.path(c.Out)
		f, err := os.CreateTemp(filepath.Dir(out), ".tmp-*")
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		defer os.Remove(f.Name()) // fails once the file has its own name
		done, err := n.Line.Export(p.ctx, by.ReaderID(), partner.NodeID, f)
		if err == nil {
			err = f.Sync()
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		if err := os.Rename(f.Name(), out); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		fmt.Fprintf(p.stdout, "wrote %s: %d messages with %d versions, %d receipts\n", c.Out, done.Messages, done.Versions, done.Receipts)
		return nil
	})
}

type lineImportCmd struct {
	dataFlag
	byFlag
	File string `arg:"" help:"File that a courier brought."`
}

func (c *lineImportCmd) Run(p *process) error {
	return c.as(p, c.liaison, func(n *node.Node, by people.Person) error {
		f, err := os.Open(p.path(c.File))
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		defer f.Close()
		done, err := n.Line.Import(p.ctx, by.ReaderID(), f)
		fmt.Fprintf(p.stdout, "%d messages with %d versions, %d receipts\n", done.Messages, done.Held, done.Receipts)
		for _, r := range done.Refused {
			fmt.Fprintln(p.stderr, "refused:", r)
		}
		if err == nil && len(done.Refused) > 0 {
			return errCheckFailed
		}
		return err
	})
}

type lineMatchCmd struct {
	Propose lineProposeCmd     `cmd:"" help:"Ask a partner to agree to a blind match."`
	Consent lineConsentCmd     `cmd:"" help:"Agree to a partner's proposal, once, or refuse it."`
	Run     lineRunCmd         `cmd:"" help:"Run a match that the partner agreed to."`
	Release lineReleaseCmd     `cmd:"" help:"Release the outcome of a match to the other side: it learns which of its own values both have."`
	List    lineListMatchesCmd `cmd:"" help:"List the blind matches of this node."`
}

type lineProposeCmd struct {
	dataFlag
	byFlag
	Partner string `arg:"" help:"With whom."`
	postsFlag
	Kinds []string      `help:"account, address, content, domain, file, supplier, url. Default: all of these."`
	Width time.Duration `default:"60s" help:"With --posts: posts less than half of this apart count as shared at one time."`
}

// postsFlag names the posts of a match that is about posts.
type postsFlag struct {
	Posts []string `placeholder:"FILE" help:"Compare what was shared when in these posts, instead of what the vault holds. Accounts and posts are not shown."`
}

// values gives what the files' posts contribute; nil without files.
func (f postsFlag) values(p *process, width time.Duration) ([]line.Value, error) {
	var out []line.Value
	for _, name := range f.Posts {
		file, err := os.Open(p.path(name))
		if err != nil {
			return nil, fmt.Errorf("read posts: %w", err)
		}
		src, err := openPosts(p.ctx, file, file, read.Options{File: name})
		for b := (coord.Batch{}); err == nil; {
			if err = src.Next(&b); err != nil {
				break
			}
			for _, post := range b.Posts {
				if len(post.Object) > 0 {
					v := line.PostValues(string(post.Object), time.UnixMicro(post.Time), width)
					out = append(out, v[:]...)
				}
			}
		}
		file.Close()
		if !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read posts of %s: %w", name, err)
		}
	}
	return out, nil
}

func (c *lineProposeCmd) Run(p *process) error {
	return c.as(p, c.liaison, func(n *node.Node, by people.Person) error {
		partner, err := n.Line.Partner(p.ctx, c.Partner)
		if err != nil {
			return err
		}
		terms := line.Terms{Kinds: c.Kinds}
		if len(c.Posts) > 0 {
			terms.Kinds, terms.Width = append(terms.Kinds, "post"), c.Width
		}
		posts, err := c.values(p, c.Width)
		if err != nil {
			return err
		}
		m, err := n.Line.ProposeMatch(p.ctx, by.ReaderID(), partner.NodeID, terms, posts)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "run %s proposed to %s: up to %d of %s\n", m.Run, partner.Name, m.Asked, strings.Join(m.Kinds, ", "))
		return nil
	})
}

type lineConsentCmd struct {
	dataFlag
	byFlag
	postsFlag
	RunID  string `arg:"" name:"run" help:"The run, as \"line match list\" shows it."`
	Refuse bool   `help:"Refuse instead."`
}

func (c *lineConsentCmd) Run(p *process) error {
	return c.as(p, c.liaison, func(n *node.Node, by people.Person) error {
		posts, err := c.of(p, n, c.RunID)
		if err != nil {
			return err
		}
		return n.Line.AnswerMatch(p.ctx, by.ReaderID(), c.RunID, !c.Refuse, posts)
	})
}

// of gives the values for a run that exists, in the width that was proposed.
func (f postsFlag) of(p *process, n *node.Node, run string) ([]line.Value, error) {
	if len(f.Posts) == 0 {
		return nil, nil
	}
	all, err := n.Line.Matches(p.ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if m.Run == run && m.Width > 0 {
			return f.values(p, time.Duration(m.Width)*time.Millisecond)
		}
	}
	return nil, usagef("--posts: run %s is not about posts", run)
}

type lineRunCmd struct {
	dataFlag
	byFlag
	postsFlag
	RunID string `arg:"" name:"run" help:"The run."`
	JSON  bool   `help:"For machines."`
}

func (c *lineRunCmd) Run(p *process) error {
	return c.as(p, c.liaison, func(n *node.Node, by people.Person) error {
		bar := newProgress(p)
		posts, err := c.of(p, n, c.RunID)
		if err != nil {
			return err
		}
		m, err := n.Line.Match(p.ctx, by.ReaderID(), c.RunID, posts, func(done, total int) { bar.show("match", int64(done), int64(total)) })
		bar.clear()
		if err != nil {
			return err
		}
		m.Tags, m.Common = nil, nil
		if c.JSON {
			return writeJSON(p, m)
		}
		if m.State != line.MatchDone {
			fmt.Fprintf(p.stdout, "%s: %s\n", m.State, m.Reason)
			return errCheckFailed
		}
		for _, v := range m.Found {
			fmt.Fprintf(p.stdout, "%s\t%s\n", v.Text, v.ID)
		}
		fmt.Fprintf(p.stderr, "%d in common; the partner's set was shown as %d\n", len(m.Found), m.Held)
		return nil
	})
}

type lineReleaseCmd struct {
	dataFlag
	byFlag
	RunID string `arg:"" name:"run" help:"The run. The node that asked releases first."`
}

func (c *lineReleaseCmd) Run(p *process) error {
	return c.as(p, c.liaison, func(n *node.Node, by people.Person) error {
		return n.Line.ReleaseMatch(p.ctx, by.ReaderID(), c.RunID)
	})
}

type lineListMatchesCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *lineListMatchesCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := n.Line.Matches(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, all)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, m := range all {
			who := "asked by " + m.Partner
			if m.Asker {
				who = "asked of " + m.Partner
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d asked\t%d in common\n", m.Run, m.State, who, strings.Join(m.Kinds, ","), m.Asked, len(m.Found))
		}
		return w.Flush()
	})
}

type lineRotateCmd struct {
	dataFlag
	byFlag
}

func (c *lineRotateCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		g, err := n.Line.Rotate(p.ctx, by.ReaderID())
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "generation %d; partners are told over the line, and use it once they confirm\n", g)
		return nil
	})
}

type lineClearForkCmd struct {
	dataFlag
	byFlag
	partnerArg
}

func (c *lineClearForkCmd) Run(p *process) error {
	return c.partner(p, c.dataFlag, c.byFlag, func(n *node.Node, by string, partner line.Partner) error {
		return n.Line.ClearFork(p.ctx, by, partner.NodeID)
	})
}
