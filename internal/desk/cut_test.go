package desk_test

import (
	"crypto/sha256"
	"encoding/hex"
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
	"causeway/label/cut"
	"causeway/label/policies"
	"causeway/stix"
)

const (
	heron    = "threat-actor--11111111-1111-4111-8111-111111111111"
	campaign = "campaign--33333333-3333-4333-8333-333333333333"
	address  = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"
	uses     = "relationship--44444444-4444-4444-8444-444444444444"
	ports    = "report--66666666-6666-4666-8666-666666666666"
)

// report imports a report on a campaign under a label.
func report(t *testing.T, n *node.Node, l *label.Label) {
	t.Helper()
	head := func(typ, id string) string {
		return fmt.Sprintf(`{"type":%q,"spec_version":"2.1","id":%q,"created":"2026-01-01T00:00:00.000Z","modified":"2026-02-02T00:00:00.000Z"`, typ, id)
	}
	var items []stix.Item
	for _, s := range []string{
		head("threat-actor", heron) + `,"name":"Crimson Heron","aliases":["Unit 71044"]}`,
		`{"type":"ipv4-addr","spec_version":"2.1","id":"` + address + `","value":"198.51.100.3"}`,
		head("campaign", campaign) + `,"name":"Paper Lantern","description":"Run by Crimson Heron against ports.","objective":"Slow the ports","external_references":[{"source_name":"cable","description":"Cable 4471-B"},{"source_name":"press","url":"https://news.example/ports"}]}`,
		head("relationship", uses) + `,"relationship_type":"attributed-to","source_ref":"` + campaign + `","target_ref":"` + heron + `"}`,
		head("report", ports) + `,"name":"Ports","published":"2026-02-02T00:00:00Z","object_refs":["` + campaign + `","` + heron + `","` + address + `","` + uses + `"]}`,
	} {
		o, err := stix.ParseObject([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, stix.Item{Object: o})
	}
	own, err := n.OwnReader()
	if err != nil {
		t.Fatal(err)
	}
	got, err := n.Desk.Import(t.Context(), own, items, l, func(int, int) {})
	if err != nil || got.Stored != len(items) {
		t.Fatalf("import: %v, %+v", err, got)
	}
}

// tearline leaves the actor and the address out, and the cable.
func tearline() desk.CutRequest {
	return desk.CutRequest{Root: ports, Whole: true,
		Omit:   []cut.Place{{ID: heron}, {ID: address}, {ID: campaign, Path: "external_references[0]"}},
		Reword: []cut.Rewording{{ID: campaign, Path: "description", Value: "Against ports."}}}
}

// secrets are what the tearline withholds, as it might be found again: words,
// ids, and digests of them (leak classes L24 and L25 of the reference).
func secrets() []string {
	out := []string{"crimson", "heron", "71044", "4471", "198.51.100.3", "198[.]51"}
	for _, id := range []string{heron, campaign, address, uses, ports} {
		_, uuid, _ := strings.Cut(id, "--")
		out = append(out, uuid)
	}
	for _, token := range []string{"Crimson Heron", "198.51.100.3", address} {
		sum := sha256.Sum256([]byte(token))
		out = append(out, hex.EncodeToString(sum[:]))
	}
	return out
}

func TestCutHoldsNothingOfWhatIsWithheld(t *testing.T) {
	n := found(t)
	kenji, canberra := person(t, n, "kenji"), partner(t, n, "Canberra")
	report(t, n, restricted("JPN"))
	made, err := n.Desk.MakeCut(t.Context(), kenji, tearline(), restricted("JPN", "AUS"))
	if err != nil {
		t.Fatal(err)
	}
	if !made.Wider {
		t.Error("a cut for one more nation is not called wider")
	}
	if _, err := n.Desk.Release(t.Context(), kenji, ports, []string{canberra.NodeID}, line.Routine); !errors.Is(err, people.ErrForbidden) {
		t.Error("the original may be released to Canberra; the test tests nothing:", err)
	}
	if _, err := n.Desk.Release(t.Context(), kenji, made.NewRoot, []string{canberra.NodeID}, line.Routine); err != nil {
		t.Fatal(err)
	}
	view := n.Vault.As(n.Line.Reader(canberra))
	page, err := view.Page(t.Context(), vault.Query{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]int{}
	for _, row := range page.Rows {
		types[row.Type]++
		for _, s := range secrets() {
			if strings.Contains(strings.ToLower(string(row.Raw)), s) {
				t.Errorf("%s, which Canberra reads, holds %q:\n%s", row.ID, s, row.Raw)
			}
		}
	}
	if types["report"] != 1 || types["campaign"] != 1 || types["relationship"] != 0 || types["threat-actor"] != 0 {
		t.Errorf("Canberra reads %v, want the report and the campaign alone", types)
	}
	// A receiver finds no way back.
	for _, id := range []string{ports, campaign, heron} {
		if _, err := view.Get(t.Context(), id); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Canberra reads %s: %v", id, err)
		}
	}
	if rows, err := view.Neighbours(t.Context(), made.NewRoot, 100); err != nil || len(rows) == 0 {
		t.Errorf("neighbours of the cut: %v, %v", rows, err)
	}
	before, err := n.Vault.As(n.Line.Reader(canberra)).Count(t.Context(), vault.Match{Text: "Crimson"})
	if err != nil || before != 0 {
		t.Errorf("a search for the withheld finds %d, %v", before, err)
	}
}

func TestCutIsRefusedWhileAnythingIsLeft(t *testing.T) {
	n := found(t)
	aiko, kenji := person(t, n, "aiko"), person(t, n, "kenji")
	report(t, n, restricted("JPN"))
	careless := tearline()
	careless.Reword = nil
	p, err := n.Desk.PreviewCut(t.Context(), aiko, careless, restricted("JPN", "AUS"))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Findings) == 0 || p.Findings[0].ID != campaign {
		t.Fatalf("the preview finds %v, want the actor's name in the campaign", p.Findings)
	}
	size, err := n.Vault.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var left *cut.LeftoverError
	if _, err := n.Desk.MakeCut(t.Context(), kenji, careless, restricted("JPN", "AUS")); !errors.As(err, &left) {
		t.Errorf("made with the name left in it: %v", err)
	}
	if _, err := n.Desk.MakeCut(t.Context(), aiko, tearline(), restricted("JPN", "AUS")); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an analyst labels wider than the original: %v", err)
	}
	if after, err := n.Vault.LogSize(t.Context()); err != nil || after != size {
		t.Errorf("a refused cut left %d entries in the log, %v", after-size, err)
	}
	for _, f := range p.Findings {
		careless.Accept = append(careless.Accept, f.Key())
	}
	if _, err := n.Desk.MakeCut(t.Context(), kenji, careless, restricted("JPN", "AUS")); err != nil {
		t.Errorf("what a person looked at and accepts is refused: %v", err)
	}
	if _, err := n.Desk.MakeCut(t.Context(), aiko, tearline(), restricted("JPN")); err != nil {
		t.Errorf("an analyst cuts under the original's label: %v", err)
	}
	bad := tearline()
	bad.Omit = append(bad.Omit, cut.Place{Path: "no_such_property"})
	if _, err := n.Desk.MakeCut(t.Context(), kenji, bad, restricted("JPN")); err == nil || !strings.Contains(err.Error(), "no_such_property") {
		t.Errorf("a path that is not there: %v", err)
	}
}

func TestOnlyWhoSeesTheOriginalFindsTheEdge(t *testing.T) {
	n := found(t)
	kenji := person(t, n, "kenji")
	report(t, n, restricted("JPN"))
	if err := n.People.Add(t.Context(), "node", people.Person{ID: "eve", Name: "Eve", Nation: "JPN", Roles: []people.Role{people.Analyst}}, ""); err != nil {
		t.Fatal(err)
	}
	eve := person(t, n, "eve")
	now := time.Now().UTC().Truncate(time.Second)
	var made [2]*desk.Cut
	for i := range made {
		var err error
		if made[i], err = n.Desk.MakeCut(t.Context(), kenji, tearline(), policies.PublicLabel(now, now.AddDate(5, 0, 0))); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range made[0].Objects {
		for _, b := range made[1].Objects {
			if a.ID() == b.ID() {
				t.Errorf("two cuts share %s", a.ID())
			}
		}
	}
	id := made[0].NewRoot
	if e, err := n.Desk.OriginOf(t.Context(), kenji, id); err != nil || e.ID != ports {
		t.Errorf("the origin of the cut: %v, %v", e, err)
	}
	if cuts, err := n.Desk.CutsOf(t.Context(), kenji, ports); err != nil || len(cuts) != 2 {
		t.Errorf("the cuts of the report: %v, %v", cuts, err)
	}
	reader, err := n.People.Reader(eve)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Vault.As(reader).Get(t.Context(), id); err != nil {
		t.Fatal("Eve does not see the cut; the test tests nothing:", err)
	}
	if _, err := n.Desk.OriginOf(t.Context(), eve, id); !errors.Is(err, vault.ErrNotFound) {
		t.Error("Eve finds the original:", err)
	}
	if _, err := n.Desk.CutsOf(t.Context(), eve, ports); !errors.Is(err, vault.ErrNotFound) {
		t.Error("Eve lists the cuts of what she does not see:", err)
	}
	entries, _, err := n.Vault.As(reader).AuditEntries(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Act.Verb == "cut" {
			t.Errorf("the log tells Eve of the cut: %+v", e.Act)
		}
	}
}

func TestCutOfOneObjectLeavesItsNeighboursBehind(t *testing.T) {
	n := found(t)
	kenji := person(t, n, "kenji")
	report(t, n, restricted("JPN"))
	got, err := n.Desk.PreviewCut(t.Context(), kenji, desk.CutRequest{Root: uses, Omit: nil}, restricted("JPN"))
	if err == nil {
		t.Errorf("a relationship without its ends is a cut: %v", got.Objects)
	}
	got, err = n.Desk.PreviewCut(t.Context(), kenji, desk.CutRequest{Root: campaign, Omit: []cut.Place{{Path: "objective"}}}, restricted("JPN"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Objects) != 1 || len(got.Findings) > 0 {
		t.Fatalf("objects %v, findings %v", got.Objects, got.Findings)
	}
}
