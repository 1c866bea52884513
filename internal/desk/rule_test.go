package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/stix"
)

func secret(to ...string) *label.Label {
	now := time.Now().UTC().Truncate(time.Second)
	return policies.NATOLabel("SECRET", now, now.AddDate(5, 0, 0), to...)
}

// bring stores one campaign under a label and gives its id.
func bring(t *testing.T, n *node.Node, name string, l *label.Label) string {
	t.Helper()
	id := stix.NewID("campaign")
	o, err := stix.ParseObject(fmt.Appendf(nil, `{"type":"campaign","spec_version":"2.1","id":%q,"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":%q}`, id, name))
	if err != nil {
		t.Fatal(err)
	}
	own, err := n.OwnReader()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := n.Desk.Import(t.Context(), own, []stix.Item{{Object: o}}, l, func(int, int) {}); err != nil || got.Stored != 1 {
		t.Fatalf("import %s: %v, %+v", name, err, got)
	}
	return id
}

// second registers another release officer of Tokyo.
func second(t *testing.T, n *node.Node) people.Person {
	t.Helper()
	if err := n.Found(t.Context(), people.Person{ID: "yuki", Name: "Yuki", Nation: "JPN", Roles: []people.Role{people.ReleaseOfficer}}, ""); err != nil {
		t.Fatal(err)
	}
	return person(t, n, "yuki")
}

func reads(t *testing.T, n *node.Node, p line.Partner, id string) bool {
	t.Helper()
	_, err := n.Vault.As(n.Line.Reader(p)).Get(t.Context(), id)
	if err != nil && !errors.Is(err, vault.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestRuleReleasesWhatComesAfterItIsOn(t *testing.T) {
	n := found(t)
	aiko, kenji, yuki := person(t, n, "aiko"), person(t, n, "kenji"), second(t, n)
	brussels, canberra := partner(t, n, "Brussels"), partner(t, n, "Canberra")
	past := bring(t, n, "Port past", restricted("JPN"))
	bring(t, n, "Other past", restricted("JPN"))
	rule := desk.ReleaseRule{Name: "ports", Types: []string{"campaign"}, Text: "port", Source: "local",
		AtMost: desk.Ceiling{Policy: policies.NATO, Classification: "RESTRICTED"}, To: []string{brussels.NodeID, canberra.NodeID}, Precedence: line.Priority}
	if err := n.Desk.AddRule(t.Context(), aiko, rule); !errors.Is(err, people.ErrForbidden) {
		t.Error("an analyst writes a rule:", err)
	}
	for name, change := range map[string]func(*desk.ReleaseRule){
		"name":    func(r *desk.ReleaseRule) { r.Name = "Ports!" },
		"ceiling": func(r *desk.ReleaseRule) { r.AtMost.Classification = "ULTRA" },
		"nobody":  func(r *desk.ReleaseRule) { r.To = nil },
		"partner": func(r *desk.ReleaseRule) { r.To = []string{"nobody.here"} },
		"source":  func(r *desk.ReleaseRule) { r.Source = "elsewhere" },
	} {
		bad := rule
		change(&bad)
		if err := n.Desk.AddRule(t.Context(), kenji, bad); err == nil {
			t.Errorf("a rule with a bad %s is stored", name)
		}
	}
	if err := n.Desk.AddRule(t.Context(), kenji, rule); err != nil {
		t.Fatal(err)
	}
	if err := n.Desk.SwitchOn(t.Context(), kenji, "ports"); err == nil {
		t.Error("a rule that was never tested is switched on")
	}
	hits, looked, err := n.Desk.TestRule(t.Context(), kenji, "ports", 10)
	if err != nil || len(hits) != 1 || looked != 1 || hits[0].Row.ID != past || len(hits[0].To) != 1 || len(hits[0].Withheld) != 1 {
		t.Fatalf("the test gives %+v, looked at %d, %v; want the one past object, for Brussels and not for Canberra", hits, looked, err)
	}
	if reads(t, n, brussels, past) {
		t.Error("a test released something")
	}
	if err := n.Desk.SwitchOn(t.Context(), kenji, "ports"); err != nil {
		t.Fatal(err)
	}
	now, above, other := bring(t, n, "Port now", restricted("JPN")), bring(t, n, "Port above", secret("JPN")), bring(t, n, "Sea now", restricted("JPN"))
	for run, want := range []int{1, 0} {
		if made, err := n.Desk.RunRules(t.Context()); err != nil || made != want {
			t.Errorf("run %d of the rules: %d releases, %v, want %d", run, made, err, want)
		}
	}
	for id, want := range map[string]bool{now: true, past: false, above: false, other: false} {
		if got := reads(t, n, brussels, id); got != want {
			t.Errorf("Brussels reads %s: %v, want %v", id, got, want)
		}
	}
	if reads(t, n, canberra, now) {
		t.Error("the rule released past the label")
	}
	holders, err := n.Vault.Holders(t.Context(), now)
	if err != nil || len(holders) != 1 || !strings.HasPrefix(holders[0].Rule, "release rule ports; ") || holders[0].By != kenji.ReaderID() {
		t.Errorf("holders %+v, %v; want the rule named as what decided", holders, err)
	}

	// An officer who is one no longer takes the rule with them.
	if err := n.People.SetRoles(t.Context(), "node", "kenji", []people.Role{people.Analyst}); err != nil {
		t.Fatal(err)
	}
	late := bring(t, n, "Port late", restricted("JPN"))
	if made, err := n.Desk.RunRules(t.Context()); !errors.Is(err, people.ErrForbidden) || made != 0 || reads(t, n, brussels, late) {
		t.Errorf("a rule of who is no release officer made %d releases, %v", made, err)
	}
	if err := n.Desk.RemoveRule(t.Context(), yuki, "ports"); err == nil {
		t.Error("a rule that is on is removed")
	}
	if err := n.Desk.SwitchOff(t.Context(), yuki, "ports"); err != nil {
		t.Fatal(err)
	}
	if err := n.Desk.RemoveRule(t.Context(), yuki, "ports"); err != nil {
		t.Error(err)
	}
}

func TestSecretTakesTwoOfficers(t *testing.T) {
	n := found(t)
	kenji, aiko, yuki := person(t, n, "kenji"), person(t, n, "aiko"), second(t, n)
	brussels := partner(t, n, "Brussels")
	id := bring(t, n, "Kept close", secret("JPN"))
	ask := func() string {
		t.Helper()
		_, err := n.Desk.Release(t.Context(), kenji, id, []string{brussels.NodeID}, line.Flash)
		var waits *desk.WaitsError
		if !errors.As(err, &waits) {
			t.Fatalf("one officer releases SECRET: %v", err)
		}
		return waits.Request.ID
	}
	request := ask()
	if reads(t, n, brussels, id) {
		t.Fatal("it left before a second officer saw it")
	}
	for name, by := range map[string]people.Person{"who asked": kenji, "an analyst": aiko} {
		if err := n.Desk.ApproveRelease(t.Context(), by, request); !errors.Is(err, people.ErrForbidden) {
			t.Errorf("%s approves: %v", name, err)
		}
	}
	if err := n.Desk.RefuseRelease(t.Context(), yuki, request, "not yet"); err != nil {
		t.Fatal(err)
	}
	if err := n.Desk.ApproveRelease(t.Context(), yuki, request); err == nil || reads(t, n, brussels, id) {
		t.Error("a refused request is approved:", err)
	}
	if err := n.Desk.ApproveRelease(t.Context(), yuki, ask()); err != nil {
		t.Fatal(err)
	}
	if !reads(t, n, brussels, id) {
		t.Error("an approved release did not leave")
	}
	if err := n.Desk.SetLevel(t.Context(), kenji, policies.NATO, "RESTRICTED"); !errors.Is(err, people.ErrForbidden) {
		t.Error("a release officer sets the level:", err)
	}
	security := kenji
	security.Roles = []people.Role{people.SecurityOfficer}
	if err := n.Desk.SetLevel(t.Context(), security, policies.NATO, "RESTRICTED"); err != nil {
		t.Fatal(err)
	}
	low := bring(t, n, "Low", restricted("JPN"))
	var waits *desk.WaitsError
	if _, err := n.Desk.Release(t.Context(), kenji, low, []string{brussels.NodeID}, line.Routine); !errors.As(err, &waits) {
		t.Error("one officer releases at the level that was set:", err)
	}
}

// A lower label, or a cut with one, is no way around the second officer.
func TestLoweringIsNoWayAroundTheSecondOfficer(t *testing.T) {
	n := found(t)
	kenji, yuki := person(t, n, "kenji"), second(t, n)
	brussels := partner(t, n, "Brussels")
	id := bring(t, n, "Kept close", secret("JPN"))
	var waits *desk.WaitsError
	if _, err := n.Desk.Relabel(t.Context(), kenji, id, restricted("JPN"), "no longer sensitive"); !errors.As(err, &waits) {
		t.Fatal("one officer lowers SECRET:", err)
	}
	if err := n.Desk.ApproveRelease(t.Context(), yuki, waits.Request.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Desk.Release(t.Context(), kenji, id, []string{brussels.NodeID}, line.Routine); err != nil {
		t.Error("what two lowered is still above the level:", err)
	}
	other := bring(t, n, "Kept close too", secret("JPN"))
	made, err := n.Desk.MakeCut(t.Context(), kenji, desk.CutRequest{Root: other}, restricted("JPN"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Desk.Release(t.Context(), kenji, made.NewRoot, []string{brussels.NodeID}, line.Routine); !errors.As(err, &waits) {
		t.Error("one officer releases a cut of SECRET:", err)
	}
}

func TestRelabelReachesPollersAndRecalls(t *testing.T) {
	n := found(t)
	aiko, kenji := person(t, n, "aiko"), person(t, n, "kenji")
	brussels, canberra := partner(t, n, "Brussels"), partner(t, n, "Canberra")
	id := finding(t, n, aiko, restricted("JPN", "AUS"))
	both := []string{brussels.NodeID, canberra.NodeID}
	if _, err := n.Desk.Release(t.Context(), kenji, id, both, line.Routine); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Desk.Relabel(t.Context(), aiko, id, restricted("JPN"), "narrower"); !errors.Is(err, people.ErrForbidden) {
		t.Error("an analyst changes a label:", err)
	}
	r, err := n.Desk.Relabel(t.Context(), kenji, id, restricted("JPN"), "a source would be at risk")
	if err != nil {
		t.Fatal(err)
	}
	if !r.Narrower || r.Wider || len(r.Lose) != 1 || r.Lose[0] != canberra.NodeID {
		t.Fatalf("narrowing gives %+v", r)
	}
	if reads(t, n, canberra, id) || !reads(t, n, brussels, id) {
		t.Error("after narrowing Canberra reads it, or Brussels does not")
	}
	view := n.Vault.As(n.Line.Reader(brussels))
	row, err := view.Get(t.Context(), id)
	if err != nil || row.Version != r.Version {
		t.Errorf("Brussels reads version %s, %v, want %s, which carries the label", row.Version, err, r.Version)
	}
	if versions, err := view.Versions(t.Context(), id); err != nil || len(versions) != 1 {
		t.Errorf("Brussels still reads %d versions, %v; the one with the wider marking was to go", len(versions), err)
	}

	// Wider again: a partner that only polls finds it after where it was.
	poll := n.Vault.As(n.Line.Reader(canberra))
	page, err := poll.Page(t.Context(), vault.Query{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var after int64
	for _, row := range page.Rows {
		after = max(after, row.Seq)
	}
	if r, err = n.Desk.Relabel(t.Context(), kenji, id, restricted("JPN", "AUS"), "the source is safe"); err != nil || !r.Wider {
		t.Fatalf("widening: %+v, %v", r, err)
	}
	if _, err := n.Desk.Release(t.Context(), kenji, id, both, line.Routine); err != nil {
		t.Fatal(err)
	}
	if page, err = poll.Page(t.Context(), vault.Query{After: after, Limit: 1000}); err != nil {
		t.Fatal(err)
	}
	got := false
	for _, row := range page.Rows {
		got = got || row.ID == id && row.Version == r.Version
	}
	if !got {
		t.Error("a poller does not find what became available to it late")
	}
}

// An object that is not this agency's to version is held under the label.
func TestRelabelOfWhatOthersCreated(t *testing.T) {
	n := found(t)
	kenji, brussels, canberra := person(t, n, "kenji"), partner(t, n, "Brussels"), partner(t, n, "Canberra")
	id := bring(t, n, "Theirs", restricted("JPN", "AUS"))
	if _, err := n.Desk.Release(t.Context(), kenji, id, []string{brussels.NodeID, canberra.NodeID}, line.Routine); err != nil {
		t.Fatal(err)
	}
	r, err := n.Desk.Relabel(t.Context(), kenji, id, restricted("JPN"), "narrower")
	if err != nil || r.Version != "" {
		t.Fatalf("%+v, %v", r, err)
	}
	if reads(t, n, canberra, id) || !reads(t, n, brussels, id) {
		t.Error("after narrowing Canberra reads it, or Brussels does not")
	}
}
