package label_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/label"
	"causeway/label/policies"
)

func group(name string, epochs ...label.Epoch) label.DatedGroup {
	return label.DatedGroup{Name: name, Epochs: epochs}
}

func epoch(name string, from, to int, members ...string) label.Epoch {
	e := label.Epoch{Name: name, From: day(from), Members: members, Source: "test", Signer: "officer"}
	if to > 0 {
		e.To = day(to)
	}
	return e
}

func TestGroupsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		g    []label.DatedGroup
		ok   bool
	}{
		{"good", []label.DatedGroup{group("G", epoch("1", 1, 5, "JPN"), epoch("2", 5, 0, "JPN", "AUS")), group("H")}, true},
		{"a gap", []label.DatedGroup{group("G", epoch("1", 1, 5), epoch("2", 7, 0))}, true},
		{"no name", []label.DatedGroup{group("")}, false},
		{"a name with @", []label.DatedGroup{group("G@1")}, false},
		{"twice", []label.DatedGroup{group("G"), group("g")}, false},
		{"epoch without name", []label.DatedGroup{group("G", epoch("", 1, 0))}, false},
		{"epoch twice", []label.DatedGroup{group("G", epoch("1", 1, 5), epoch("1", 5, 0))}, false},
		{"no beginning", []label.DatedGroup{group("G", label.Epoch{Name: "1"})}, false},
		{"backwards", []label.DatedGroup{group("G", epoch("1", 5, 5))}, false},
		{"overlap", []label.DatedGroup{group("G", epoch("1", 1, 5), epoch("2", 4, 0))}, false},
		{"after one without end", []label.DatedGroup{group("G", epoch("1", 1, 0), epoch("2", 4, 0))}, false},
		{"members", []label.DatedGroup{group("G", epoch("1", 1, 0, "JP"))}, false},
		{"small letters", []label.DatedGroup{group("G", epoch("1", 1, 0, "jpn"))}, false},
		{"beyond Z", []label.DatedGroup{group("G", epoch("1", 1, 0, "JP["))}, false},
	} {
		if _, err := label.NewGroups(c.g...); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestGroupFile(t *testing.T) {
	g, err := label.NewGroups(policies.NATOGroup("officer"), policies.SevenNNN())
	if err != nil {
		t.Fatal(err)
	}
	b := label.EncodeGroups(g)
	again, err := label.ParseGroups(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(label.EncodeGroups(again), b) {
		t.Error("a table reads back as another")
	}
	nato, _ := again.Lookup("nato")
	first, ok := nato.Named("1949-08-24")
	if !ok || len(first.Members) != 12 || !first.To.Equal(time.Date(1952, 2, 18, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the first membership reads back as %+v", first)
	}
	last := nato.Epochs[len(nato.Epochs)-1]
	if !last.To.IsZero() || len(last.Members) != 32 || !last.Has("SWE") || last.Has("") {
		t.Errorf("the last membership reads back as %+v", last)
	}
	if _, ok := again.Lookup("EU"); ok {
		t.Error("a group that is not there is found")
	}
	if _, ok := nato.Named("2000"); ok {
		t.Error("an epoch that is not there is found")
	}
	for name, doc := range map[string]string{
		"not JSON":      "x",
		"unknown name":  `[{"name":"G","epochs":[],"more":1}]`,
		"more after":    `[] []`,
		"bad group":     `[{"name":"","epochs":[]}]`,
		"time":          `[{"name":"G","epochs":[{"name":"1","from":"2026","members":[],"source":""}]}]`,
		"one too large": `[{"name":"` + strings.Repeat("G", 4<<20) + `","epochs":[]}]`,
	} {
		if _, err := label.ParseGroups([]byte(doc)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}

// A label may name the epoch; without one it has that of its day, and only
// where its day is certain.
func TestEpochOfALabel(t *testing.T) {
	g, err := label.NewGroups(group("NATO", epoch("a", 3, 10, "BEL"), epoch("b", 10, 0, "BEL", "SWE")))
	if err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(g, policies.Shipped()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		context string
		created time.Time
		noZone  bool
		want    string // epoch; "" refused
	}{
		{"of its day", "NATO", day(5), false, "a"},
		{"first moment", "NATO", day(10), false, "b"},
		{"last moment", "NATO", day(10).Add(-1), false, "a"},
		{"before the group", "NATO", day(3).Add(-1), false, ""},
		{"named", "NATO@a", day(20), false, "a"},
		{"unknown epoch", "NATO@c", day(20), false, ""},
		{"no date", "NATO", time.Time{}, false, ""},
		{"no zone, far from a change", "NATO", day(5), true, "a"},
		{"no zone, shortly before", "NATO", day(10).Add(-13 * time.Hour), true, ""},
		{"no zone, shortly after", "NATO", day(10).Add(13 * time.Hour), true, ""},
		{"no zone, shortly after the beginning", "NATO", day(3).Add(13 * time.Hour), true, ""},
		{"an epoch of what is no group", "KFOR@a", day(20), false, ""},
	} {
		l := policies.NATOLabel("SECRET", c.created, day(25))
		l.Categories[0].Values[0], l.CreatedNoZone = c.context, c.noZone
		r, err := ps.Rule(l)
		if (err == nil) != (c.want != "") {
			t.Errorf("%s: %v, %v", c.name, r, err)
			continue
		}
		if err == nil && !strings.Contains(r.Key(), "Context/NATO@"+c.want+"&") {
			t.Errorf("%s: %v, want epoch %s", c.name, r, c.want)
		}
	}
	bare := policies.NATOLabel("SECRET", day(20), day(25))
	bare.Categories[0].Values = []string{"NATO", "NATO@b"}
	if _, err := ps.Rule(bare); err == nil {
		t.Error("one value twice, once by its epoch, is read")
	}
}

// Leaving closes everything; joining opens nothing old.
func TestStanding(t *testing.T) {
	g, err := label.NewGroups(group("NATO", epoch("a", 1, 5, "BEL", "FRA"), epoch("b", 5, 10, "BEL"), epoch("c", 10, 0, "BEL", "FRA")))
	if err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(g, policies.Shipped()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		nation string
		at     time.Time
		want   []string
	}{
		{"BEL", day(12), []string{"a", "b", "c"}},
		{"FRA", day(12), []string{"a", "c"}},
		{"FRA", day(7), nil},
		{"FRA", day(3), []string{"a", "c"}}, // what is labelled later is of a later epoch, and is not there yet
		{"FRA", time.Time{}, nil},
		{"", day(12), nil},
	} {
		cl, err := policies.NationalClearance("BEL", "SECRET")
		if err != nil {
			t.Fatal(err)
		}
		h, err := ps.Holdings(label.Holder{Kind: label.Partner, Nation: c.nation, At: c.at, Clearances: []*label.Clearance{cl}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range h.Atoms() {
			if _, e, ok := strings.Cut(a, "Context/NATO@"); ok {
				got = append(got, e)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s on %v stands in %v, want %v", c.nation, c.at, got, c.want)
		}
	}
}

// An addressee that includes a member whom Only excludes contradicts the label.
func TestContradiction(t *testing.T) {
	g, err := label.NewGroups(
		group("NATO", epoch("1", 1, 0, "BEL", "FRA", "DEU")),
		group("KFOR", epoch("1", 1, 0, "BEL", "AUT", "CHE")),
		group("EAPC", epoch("1", 1, 0, "AUT", "CHE")))
	if err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(g, policies.Shipped()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		only []string
		to   []string
		ok   bool
	}{
		{"an addressee outside", []string{"BEL"}, []string{"JPN"}, true},
		{"a group with an excluded member", []string{"FRA"}, []string{"KFOR"}, false},
		{"a group whose members Only has", []string{"BEL"}, []string{"KFOR"}, true},
		{"a group outside", []string{"FRA"}, []string{"AUT", "CHE"}, true},
		{"an excluded member by name", []string{"BEL"}, []string{"FRA"}, false},
		{"all Allies", []string{"NATO"}, []string{"KFOR"}, true},
		{"no Only", nil, []string{"KFOR"}, true},
		{"an empty Only", []string{}, []string{"KFOR"}, false},
	} {
		l := policies.NATOLabel("SECRET", day(2), day(9), c.to...)
		if c.only != nil {
			l.Categories = append(l.Categories, category(label.Permissive, "Only", c.only))
		}
		_, err := ps.Rule(l)
		if (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), "Only excludes") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
