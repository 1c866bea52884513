package node_test

import (
	"testing"
	"time"

	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

// A value that demands a briefing counts for a person who was briefed on it,
// and for nobody else, whatever the clearance lists.
func TestBriefingsAreDemanded(t *testing.T) {
	c := &clock{day(2)}
	n, sato := agency(t, c)
	ctx := t.Context()
	atomal := label.Briefing{PolicyOID: policies.NATO, TagOID: "1.3.26.1.4.1", Value: "ATOMAL"}
	clearance := nato(t, "SECRET")
	clearance.Categories = append(clearance.Categories, label.Category{Type: label.Restrictive, TagName: "Additional Sensitivity", TagOID: atomal.TagOID, Values: []string{"ATOMAL"}})
	xml, err := stanag4774.WriteClearance(clearance)
	if err != nil {
		t.Fatal(err)
	}
	grant := func(id string, briefings ...label.Briefing) {
		cleared(t, n, id, day(1), day(28))
		g := people.Grant{Clearance: string(xml), Basis: "a test", From: day(1), Until: day(28), Briefings: briefings}
		if err := n.People.Found(ctx, id, g); err != nil {
			t.Fatal(err)
		}
		if err := n.RefreshReaders(ctx); err != nil {
			t.Fatal(err)
		}
	}
	short := atomal
	short.Until = day(5)
	other := atomal
	other.Value = "BOHEMIA"
	grant("none")
	grant("briefed", atomal)
	grant("once", short)
	grant("other", other)
	store(t, n, labelled(t, atomal.Value))
	want := func(when string, readers map[string]bool) {
		t.Helper()
		for _, id := range []string{"none", "briefed", "once", "other"} {
			if got := reads(t, n, id); got != readers[id] {
				t.Errorf("%s: %s reads %v", when, id, got)
			}
		}
	}
	want("at first", map[string]bool{"briefed": true, "once": true})
	c.at = day(5)
	want("when a briefing has ended", map[string]bool{"briefed": true})
	if err := n.DemandBriefing(ctx, person(t, n, "none"), "NATO", "ATOMAL", false, "a rule"); err == nil {
		t.Error("a demand is dropped by who is no officer")
	}
	if err := n.DemandBriefing(ctx, sato, "NATO", "ATOMAL", false, " "); err == nil {
		t.Error("a demand is dropped without a reason")
	}
	if err := n.DemandBriefing(ctx, sato, "NATO", "SKYLARK", true, "a rule"); err == nil {
		t.Error("an unknown value demands a briefing")
	}
	if err := n.DemandBriefing(ctx, sato, "NATO", "ATOMAL", false, "a rule"); err != nil {
		t.Fatal(err)
	}
	want("dropped", map[string]bool{"none": true, "briefed": true, "once": true, "other": true})
	if err := n.DemandBriefing(ctx, sato, "NATO", "ATOMAL", true, "another rule"); err != nil {
		t.Fatal(err)
	}
	want("demanded again", map[string]bool{"briefed": true})
	// It is the same after a restart.
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, n.Dir, c)
	want("after a restart", map[string]bool{"briefed": true})
	demands(t, n)
}

func labelled(t *testing.T, sensitivity string) *label.Label {
	l := secretForJapan(t)
	l.Categories = append(l.Categories, label.Category{Type: label.Restrictive, TagName: "Additional Sensitivity", TagOID: "1.3.26.1.4.1", Values: []string{sensitivity}})
	return l
}

// demands checks what is listed: the officer's word, and the default beside it.
func demands(t *testing.T, n *node.Node) {
	t.Helper()
	all, err := n.BriefingDemands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		switch {
		case d.Value == "ATOMAL" && (d.Assumed || !d.Demanded || d.Why != "another rule" || d.At.Equal(time.Time{})):
			t.Errorf("decided: %+v", d)
		case d.Value == "BOHEMIA" && (!d.Assumed || !d.Demanded):
			t.Errorf("by default: %+v", d)
		case d.PolicyOID == policies.Japan && d.Demanded:
			t.Errorf("of the Japanese policy: %+v", d)
		}
	}
}
