package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/internal/demo"
	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/stix"
)

// found gives Tokyo's node, with Brussels and Canberra as its partners.
func found(t *testing.T) *node.Node {
	t.Helper()
	nodes, err := demo.Found(t.Context(), t.TempDir(), "127.0.0.1:8443", demo.Places()[:3], nil)
	t.Cleanup(func() {
		for _, n := range nodes {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return nodes[0]
}

func person(t *testing.T, n *node.Node, id string) people.Person {
	t.Helper()
	p, err := n.People.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func partner(t *testing.T, n *node.Node, name string) line.Partner {
	t.Helper()
	p, err := n.Line.Partner(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// posts are five accounts that share six things, each within four seconds.
func posts() *strings.Reader {
	var b strings.Builder
	b.WriteString("object_id,account_id,content_id,timestamp_share\n")
	for object := range 6 {
		for account := range 5 {
			fmt.Fprintf(&b, "o%d,a%d,c%d-%d,%d\n", object, account, object, account, 1_700_000_000+90_000*object+account)
		}
	}
	return strings.NewReader(b.String())
}

func restricted(to ...string) *label.Label {
	now := time.Now().UTC().Truncate(time.Second)
	return policies.NATOLabel("RESTRICTED", now, now.AddDate(5, 0, 0), to...)
}

// finding makes a finding of the posts under a label.
func finding(t *testing.T, n *node.Node, by people.Person, l *label.Label) string {
	t.Helper()
	run, err := n.Desk.StartRun(t.Context(), by, desk.RunRequest{Title: "test", File: "dir/posts.csv", Window: time.Minute, Semantics: "coortweet"}, posts())
	if err != nil {
		t.Fatal(err)
	}
	if run, err = n.Desk.Await(t.Context(), by, run.ID); err != nil {
		t.Fatal(err)
	}
	if run.State() != "done" || run.Summary.Network.Edges != 10 {
		t.Fatalf("run %+v, want 10 edges", run)
	}
	id, err := n.Desk.Finding(t.Context(), by, desk.FindingRequest{Run: run.ID, Community: 1, Title: "Five accounts"}, l)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestReleaseReachesWhomTheLabelAdmits(t *testing.T) {
	n := found(t)
	aiko, kenji := person(t, n, "aiko"), person(t, n, "kenji")
	brussels, canberra := partner(t, n, "Brussels"), partner(t, n, "Canberra")
	id := finding(t, n, aiko, restricted("JPN"))

	p, err := n.Desk.Preview(t.Context(), kenji, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Partners {
		if want := r.Name == "Brussels"; r.Allow != want {
			t.Errorf("preview: %s allow %v, want %v", r.Name, r.Allow, want)
		}
		if !r.Allow && (len(r.Withheld) == 0 || r.Why() == "") {
			t.Errorf("preview: %s is told no reason", r.Name)
		}
	}
	if _, err := n.Desk.Release(t.Context(), aiko, id, []string{brussels.NodeID}, line.Routine); !errors.Is(err, people.ErrForbidden) {
		t.Error("an analyst releases:", err)
	}
	if _, err := n.Desk.Release(t.Context(), kenji, id, []string{brussels.NodeID, canberra.NodeID}, line.Routine); !errors.Is(err, people.ErrForbidden) {
		t.Error("a release to one who may not read goes through:", err)
	}
	if _, err := n.Vault.As(n.Line.Reader(brussels)).Get(t.Context(), id); !errors.Is(err, vault.ErrNotFound) {
		t.Error("a refused release released to the other partner:", err)
	}
	if _, err := n.Desk.Release(t.Context(), kenji, id, []string{brussels.NodeID}, line.Routine); err != nil {
		t.Fatal(err)
	}
	for _, item := range p.Items {
		if _, err := n.Vault.As(n.Line.Reader(brussels)).GetVersion(t.Context(), item.ID, item.Version); err != nil {
			t.Errorf("Brussels cannot read %s, on which the finding rests: %v", item.ID, err)
		}
		if _, err := n.Vault.As(n.Line.Reader(canberra)).Get(t.Context(), item.ID); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Canberra reads %s: %v", item.ID, err)
		}
	}
	if err := n.Desk.Recall(t.Context(), kenji, id, []string{brussels.NodeID}, ""); err == nil {
		t.Error("a recall without a reason")
	}
	if err := n.Desk.Recall(t.Context(), kenji, id, []string{brussels.NodeID}, "wrong account"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Vault.As(n.Line.Reader(brussels)).Get(t.Context(), id); !errors.Is(err, vault.ErrNotFound) {
		t.Error("a recalled object is still available:", err)
	}
}

func TestFindingsShareNoObject(t *testing.T) {
	n := found(t)
	aiko := person(t, n, "aiko")
	ids := map[string]bool{}
	for range 2 {
		p, err := n.Desk.Preview(t.Context(), aiko, finding(t, n, aiko, restricted("JPN")))
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range p.Items {
			public := item.Effective.Rule.Everyone()
			if ids[item.ID] && !public {
				t.Errorf("%s is in both findings", item.ID)
			}
			ids[item.ID] = true
			o, err := stix.ParseObject(item.Raw)
			if err != nil {
				t.Fatal(err)
			}
			if item.Type != "user-account" {
				continue
			}
			guess, err := stix.SCOID("user-account", map[string]any{"user_id": o.StringAt("user_id")})
			if err != nil || guess == item.ID {
				t.Errorf("the id of %s gives the account away", item.ID)
			}
		}
	}
}

func TestRunsAreTheirOwners(t *testing.T) {
	n := found(t)
	aiko, rin, kenji := person(t, n, "aiko"), person(t, n, "rin"), person(t, n, "kenji")
	run, err := n.Desk.StartRun(t.Context(), aiko, desk.RunRequest{Title: "mine", File: "p.csv", Window: time.Minute, Semantics: "coortweet"}, posts())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Desk.Run(t.Context(), rin, run.ID); !errors.Is(err, desk.ErrRun) {
		t.Error("another analyst sees the run:", err)
	}
	if _, err := n.Desk.Run(t.Context(), rin, "0000000000000000"); !errors.Is(err, desk.ErrRun) {
		t.Error("a run that is not differs from one that is another's:", err)
	}
	if _, err := n.Desk.StartRun(t.Context(), kenji, desk.RunRequest{Window: time.Minute}, posts()); !errors.Is(err, people.ErrForbidden) {
		t.Error("a release officer starts a run:", err)
	}
	bad, err := n.Desk.StartRun(t.Context(), aiko, desk.RunRequest{Title: "bad", File: "bad.csv", Window: time.Minute}, strings.NewReader("a,b\n1,2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if bad, err = n.Desk.Await(t.Context(), aiko, bad.ID); err == nil || bad.State() != "failed" || !strings.Contains(err.Error(), "bad.csv") {
		t.Errorf("a file without the columns: %v, %s", err, bad.State())
	}
}

func TestAssessmentNamesOnlyWhatItsAuthorSees(t *testing.T) {
	n := found(t)
	aiko := person(t, n, "aiko")
	id := finding(t, n, aiko, restricted("JPN"))
	a := desk.Assessment{
		Subjects: []string{id}, Kind: "other", Judgement: "Test.", Likelihood: "likely", Confidence: "low", Basis: []string{"observed-data--00000000-0000-4000-8000-000000000000"},
		Alternatives: []desk.Alternative{{Label: "chance", Status: "plausible", Reason: "test"}}, Expires: time.Now().AddDate(1, 0, 0),
	}
	if _, err := n.Desk.Assess(t.Context(), aiko, a, restricted("JPN")); !errors.Is(err, vault.ErrNotFound) {
		t.Error("an assessment rests on what is not there:", err)
	}
	a.Basis = []string{id}
	got, err := n.Desk.Assess(t.Context(), aiko, a, restricted("JPN"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := n.Desk.Preview(t.Context(), aiko, got)
	if err != nil {
		t.Fatal(err)
	}
	defined := false
	for _, item := range p.Items {
		defined = defined || item.ID == desk.AssessmentExtension
	}
	if !defined {
		t.Error("the definition of the assessment's extension does not go with it")
	}
}

func TestLabelForm(t *testing.T) {
	n := found(t)
	good := desk.LabelForm{PolicyOID: policies.NATO, Classification: "RESTRICTED",
		Values: map[string][]string{"Context": {"NATO", "Releasable"}, "Releasable To": {"NATO", "JPN"}}}
	if _, err := n.Desk.Label(good); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]desk.LabelForm{
		"policy":         {PolicyOID: "1.2.3", Classification: "SECRET"},
		"classification": {PolicyOID: policies.NATO, Classification: "ULTRA", Values: good.Values},
		"value":          {PolicyOID: policies.NATO, Classification: "SECRET", Values: map[string][]string{"Context": {"NATO"}, "Releasable To": {"XXX"}}},
		"no context":     {PolicyOID: policies.NATO, Classification: "SECRET"},
	} {
		if _, err := n.Desk.Label(f); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}
