package demo

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"causeway/coord/synth"
	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/policies"
)

// tell plays the story on freshly made nodes. What it sends leaves with the
// first minute of serving.
func tell(ctx context.Context, out io.Writer, nodes []*node.Node) error {
	fmt.Fprintln(out, "Tokyo finds a campaign in synthetic posts, and releases it to Brussels alone")
	if err := campaign(ctx, nodes[0], nodes[1]); err != nil {
		return fmt.Errorf("the campaign: %w", err)
	}
	fmt.Fprintln(out, "Tokyo states a measure on gallium, and a plan: in full to Brussels, without its stocks to Canberra")
	if err := coercion(ctx, nodes[0], nodes[1], nodes[2]); err != nil {
		return fmt.Errorf("the coercion case: %w", err)
	}
	return nil
}

// planted is the world of the demo: ordinary posts of a month, two private
// networks and one that rides on popular things.
var planted = synth.World{
	Posts: 40_000, Seed: 2026, Shape: synth.Bursty, Accounts: 3_000, Days: 30,
	Plants: []synth.Plant{
		{Kind: synth.Private, Groups: 2, Size: 18, Bursts: 14, Spread: 40},
		{Kind: synth.Piggyback, Groups: 1, Size: 12, Bursts: 24, Spread: 40},
	},
}

// Posts writes the demo's posts as CSV.
func Posts(w io.Writer) error {
	_, posts, err := synth.Make(planted)
	if err != nil {
		return fmt.Errorf("make the demo's posts: %w", err)
	}
	c := csv.NewWriter(w)
	if err := c.Write([]string{"object_id", "account_id", "content_id", "timestamp_share"}); err != nil {
		return err
	}
	for p := range posts {
		if err := c.Write([]string{p.Object, p.Account, p.Content, strconv.FormatInt(p.Time, 10)}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// who gives the person of a demo node with a role.
func who(ctx context.Context, n *node.Node, role people.Role) (people.Person, error) {
	return n.People.Get(ctx, roleOf(n, role))
}

// campaign is the disinformation half of the story.
func campaign(ctx context.Context, tokyo, brussels *node.Node) error {
	analyst, err := who(ctx, tokyo, people.Analyst)
	if err != nil {
		return err
	}
	var posts bytes.Buffer
	if err := Posts(&posts); err != nil {
		return err
	}
	run, err := tokyo.Desk.StartRun(ctx, analyst, desk.RunRequest{Title: "Posts of one month", File: "posts.csv", Window: time.Minute}, &posts)
	if err != nil {
		return err
	}
	if run, err = tokyo.Desk.Await(ctx, analyst, run.ID); err != nil {
		return err
	}
	l := natoLabel("RESTRICTED", "JPN")
	finding, err := tokyo.Desk.Finding(ctx, analyst, desk.FindingRequest{Run: run.ID, Community: 1, Title: "Eighteen accounts that share in step"}, l)
	if err != nil {
		return err
	}
	basis, err := observations(ctx, tokyo, analyst, finding)
	if err != nil {
		return err
	}
	assessment, err := tokyo.Desk.Assess(ctx, analyst, desk.Assessment{
		Subjects: []string{finding}, Kind: "coordination",
		Judgement:  "The accounts are run together to make the same content look spontaneous.",
		Likelihood: "very-likely", Confidence: "moderate", Basis: basis,
		Alternatives: []desk.Alternative{
			{Label: "one-account-posting-often", Status: "ruled-out", Reason: "Eighteen accounts take part in the bursts.", Evidence: basis[:1]},
			{Label: "common-wire-or-press-release", Status: "untested", Reason: "No wire carried the content as far as we know.", Change: "A wire story older than the first burst turns up."},
			{Label: "organic-event-driven-interest", Status: "ruled-out", Reason: "Nobody outside the group shared the objects.", Evidence: basis[:1]},
			{Label: "counter-speech-or-fact-check", Status: "plausible", Reason: "The texts were not read.", Change: "The texts rebut the claim they carry."},
		},
		Assumptions: []string{"Times of the platform are exact to the second."},
		Gaps:        []string{"Who runs the accounts is not known."},
		Expires:     tokyo.Config.Created.AddDate(1, 0, 0),
	}, l)
	if err != nil {
		return err
	}
	return release(ctx, tokyo, assessment, line.Priority, brussels)
}

// natoLabel is a label of the shipped NATO policy, releasable to the given
// nations beside the members.
func natoLabel(classification string, to ...string) *label.Label {
	now := time.Now().UTC().Truncate(time.Second)
	return policies.NATOLabel(classification, now, now.AddDate(5, 0, 0), to...)
}

// observations gives the observed-data objects of a finding.
func observations(ctx context.Context, n *node.Node, p people.Person, finding string) ([]string, error) {
	r, err := n.People.Reader(p)
	if err != nil {
		return nil, err
	}
	rows, err := n.Vault.As(r).Neighbours(ctx, finding, 10_000)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, row := range rows {
		if row.Type == "observed-data" && len(out) < 5 {
			out = append(out, row.ID)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("finding %s holds no observation", finding)
	}
	return out, nil
}
