package registry

import (
	"strings"
	"testing"
	"time"

	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

func day(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

func clearanceXML(t *testing.T, nation, level string) string {
	t.Helper()
	c, err := policies.NationalClearance(nation, level)
	if err != nil {
		t.Fatal(err)
	}
	b, err := stanag4774.WriteClearance(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func grant(t *testing.T, id string) Entry {
	t.Helper()
	return Entry{V: 1, ID: id, Clearance: id, Act: Grant, At: day(1), By: "sato", Second: "suzuki", Holder: "person:aiko", Kind: label.Person,
		Nation: "JPN", XML: clearanceXML(t, "JPN", "SECRET"), Basis: "JP-27-2024", Consent: true, NotBefore: day(2), NotAfter: day(2).AddDate(10, 0, 0)}
}

func TestGrantRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Entry)
		fails  string
	}{
		{"as it is", func(*Entry) {}, ""},
		{"one officer", func(e *Entry) { e.Second = "" }, "second officer"},
		{"one officer twice", func(e *Entry) { e.Second = e.By }, "second officer"},
		{"to oneself", func(e *Entry) { e.Holder = e.By }, "grants to itself"},
		{"to the second officer", func(e *Entry) { e.Holder = e.Second }, "grants to itself"},
		{"for nobody", func(e *Entry) { e.Kind = label.Nobody }, "neither"},
		{"eleven years", func(e *Entry) { e.NotAfter = e.NotAfter.Add(1) }, "at most 10 years"},
		{"no end", func(e *Entry) { e.NotAfter = time.Time{} }, "end later"},
		{"backwards", func(e *Entry) { e.NotAfter = e.NotBefore }, "end later"},
		{"no consent", func(e *Entry) { e.Consent = false }, "consent"},
		{"unknown basis", func(e *Entry) { e.Basis = "custom" }, "legal basis"},
		{"nation", func(e *Entry) { e.Nation = "JP" }, "three-letter"},
		{"clearance that is none", func(e *Entry) { e.XML = "<a/>" }, "read clearance"},
		{"another clearance", func(e *Entry) { e.Clearance = "x" }, "its own clearance"},
		{"no time", func(e *Entry) { e.At = time.Time{} }, "are needed"},
		{"another version", func(e *Entry) { e.V = 2 }, "are needed"},
	} {
		e := grant(t, "c1")
		c.change(&e)
		err := Check(nil, e)
		if c.fails == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want %q", c.name, err, c.fails)
		}
	}
}

func TestLifeOfAClearance(t *testing.T) {
	var entries []Entry
	add := func(e Entry, fails string) {
		t.Helper()
		err := Check(entries, e)
		if fails == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), fails) {
			t.Fatalf("%s %s: %v, want %q", e.Act, e.ID, err, fails)
		}
		if err == nil {
			entries = append(entries, e)
		}
	}
	act := func(id string, a Act, at int) Entry {
		return Entry{V: 1, ID: id, Clearance: "c1", Act: a, At: day(at), By: "sato", Second: "suzuki", Why: "reason"}
	}
	add(act("e0", Suspend, 1), "no such grant")
	add(grant(t, "c1"), "")
	add(grant(t, "c1"), "there already")
	add(act("e1", Resume, 3), "not suspended")
	add(act("e2", Suspend, 5), "")
	add(act("e3", Suspend, 6), "suspended already")
	add(act("e4", Brief, 2), "older than")
	alone := act("e5", Resume, 7)
	alone.Second = ""
	add(alone, "second officer")
	silent := act("e6", Resume, 7)
	silent.Why = ""
	add(silent, "reason")
	add(act("e7", Resume, 7), "")
	add(act("e8", Brief, 7), "not named")
	brief := act("e9", Brief, 7)
	brief.Briefing = &label.Briefing{PolicyOID: label.NATO, TagOID: "1.3.26.1.4.1", Value: "BOHEMIA"}
	add(brief, "")
	add(act("e10", "promote", 8), "unknown")
	add(act("e11", Revoke, 9), "")
	add(act("e12", Resume, 10), "revoked")

	for _, c := range []struct {
		at       time.Time
		in       bool
		why      string
		briefing int
	}{
		{day(1), false, "not yet in force", 0},
		{day(2), true, "", 0},
		{day(5), false, "suspend", 0},
		{day(8), true, "", 1},
		{day(9), false, "revoke", 1},
	} {
		s := Standings(entries, "person:aiko", c.at)
		if len(s) != 1 || s[0].InForce != c.in || s[0].Why != c.why || len(s[0].Briefings) != c.briefing {
			t.Errorf("on %v: %+v", c.at, s)
		}
		h, err := Holder(entries, "person:aiko", label.Person, c.at)
		if err != nil || (len(h.Clearances) == 1) != c.in {
			t.Errorf("on %v: %+v, %v", c.at, h, err)
		}
	}
	if s := Standings(entries[:1], "person:aiko", day(2).AddDate(10, 0, 0)); s[0].InForce || s[0].Why != "expired" {
		t.Errorf("after ten years: %+v", s)
	}
	if len(Standings(entries, "person:ben", day(3))) != 0 {
		t.Error("another person has the clearance")
	}
	if h, err := Holder(entries, "person:aiko", label.Partner, day(3)); err != nil || len(h.Clearances) != 0 {
		t.Error("a person's clearance makes a partner")
	}
	again, err := Decode(entries[0].Encode())
	if err != nil || again.ID != "c1" {
		t.Error(err)
	}
	if _, err := Decode([]byte(`{"v":1,"ID":"c1"}`)); err == nil {
		t.Error("another spelling is read")
	}
}

const serial = "0123456789abcdef"

func attest(t *testing.T, s Standing, until time.Time) Attestation {
	t.Helper()
	c, err := s.Cleared()
	if err != nil {
		t.Fatal(err)
	}
	a, err := Attest(Attestation{Serial: serial, Issuer: "node:tokyo", For: "node:bru", Pseudonym: "p-" + strings.Repeat("a", 24), Nation: "JPN", Issued: day(3), NotAfter: until}, c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAttestation(t *testing.T) {
	ps, err := policies.Set("officer")
	if err != nil {
		t.Fatal(err)
	}
	g := grant(t, "c1")
	key := []byte(strings.Repeat("k", 32))
	name, err := Pseudonym(key, "node:bru", g.Holder)
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := Pseudonym(key, "node:can", g.Holder); other == name || strings.Contains(name, "aiko") {
		t.Error("two partners can compare pseudonyms, or read them")
	}
	s := Standings([]Entry{g}, g.Holder, day(3))[0]
	a := attest(t, s, day(30))
	a.Pseudonym = name
	if again, _, err := DecodeWord(a.Encode()); err != nil || again == nil || again.Serial != serial {
		t.Error(err)
	}
	r := Revocation{V: 1, Serial: serial, Issuer: "node:tokyo", For: "node:bru", Revoked: day(4)}
	if none, again, err := DecodeWord(r.Encode()); err != nil || none != nil || *again != r {
		t.Error(none, again, err)
	}
	for name, text := range map[string]string{
		"two readings": `{"v":1,` + string(a.Encode())[1:], "neither": "{}", "more": string(a.Encode()) + " ",
		"no serial": strings.Replace(string(r.Encode()), serial, "", 1), "to itself": strings.Replace(string(r.Encode()), "node:bru", "node:tokyo", 1),
	} {
		if _, _, err := DecodeWord([]byte(text)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	c, err := policies.NationalClearance("JPN", "CONFIDENTIAL")
	if err != nil {
		t.Fatal(err)
	}
	issuer := label.Holder{Kind: label.Partner, Nation: "JPN", Clearances: []*label.Clearance{c}}
	for _, x := range []struct {
		name    string
		change  func(*Attestation)
		revoked []Revocation
		by      string
		at      time.Time
		fails   string
	}{
		{"as it is", func(*Attestation) {}, nil, "node:tokyo", day(4), ""},
		{"for another", func(a *Attestation) { a.For = "node:can" }, nil, "node:tokyo", day(4), "it is for"},
		{"signed by another", func(*Attestation) {}, nil, "node:can", day(4), "signed what"},
		{"of another nation", func(a *Attestation) { a.Nation = "AUS" }, nil, "node:tokyo", day(4), "speaks for"},
		{"too early", func(*Attestation) {}, nil, "node:tokyo", day(3).Add(-1), "not in force"},
		{"too late", func(*Attestation) {}, nil, "node:tokyo", day(30), "not in force"},
		{"revoked", func(*Attestation) {}, []Revocation{{1, serial, "node:tokyo", "node:bru", day(4)}}, "node:tokyo", day(4), "revoked"},
		{"revoked later", func(*Attestation) {}, []Revocation{{1, serial, "node:tokyo", "node:bru", day(5)}}, "node:tokyo", day(4), ""},
		{"revoked by another", func(*Attestation) {}, []Revocation{{1, serial, "node:can", "node:bru", day(4)}}, "node:tokyo", day(4), ""},
		{"for years", func(a *Attestation) { a.NotAfter = a.Issued.AddDate(2, 0, 0) }, nil, "node:tokyo", day(4), "within"},
		{"of nothing", func(a *Attestation) { a.Clearances, a.Basis = nil, nil }, nil, "node:tokyo", day(4), "1 to 16"},
		{"on no basis", func(a *Attestation) { a.Basis = nil }, nil, "node:tokyo", day(4), "legal basis"},
		{"of what is no clearance", func(a *Attestation) { a.Clearances = []string{"<a/>"} }, nil, "node:tokyo", day(4), "read clearance"},
		{"under a name", func(a *Attestation) { a.Pseudonym = "Mori Aiko" }, nil, "node:tokyo", day(4), "pseudonym"},
		{"of another policy", func(a *Attestation) {
			b, err := stanag4774.WriteClearance(policies.JapanClearance("JPN", []string{"HI"}, nil))
			if err != nil {
				t.Fatal(err)
			}
			a.Clearances = []string{string(b)}
		}, nil, "node:tokyo", day(4), "no clearance of that policy"},
	} {
		b := a
		x.change(&b)
		h, err := Accept(b, x.revoked, issuer, "node:bru", x.by, x.at)
		if x.fails == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), x.fails) {
			t.Errorf("%s: %v, want %q", x.name, err, x.fails)
			continue
		}
		if err != nil {
			continue
		}
		held, err := ps.Holdings(h)
		if err != nil {
			t.Fatal(err)
		}
		for class, want := range map[string]bool{"CONFIDENTIAL": true, "SECRET": false} {
			r, err := ps.Rule(policies.NATOLabel(class, day(1), day(2), "JPN"))
			if err != nil {
				t.Fatal(err)
			}
			if label.Allows(r, held) != want {
				t.Errorf("%s: the person reads %s: %v; its node is cleared to CONFIDENTIAL", x.name, class, !want)
			}
		}
	}
	s.InForce = false
	if _, err := s.Cleared(); err == nil {
		t.Error("a clearance that is not in force is attested")
	}
}

func TestTwoClearances(t *testing.T) {
	first, second := grant(t, "c1"), grant(t, "c2")
	second.NotAfter = day(2).AddDate(1, 0, 0)
	for _, entries := range [][]Entry{{first, second}, {second, first}} {
		h, err := Holder(entries, first.Holder, label.Person, day(3))
		if err != nil || len(h.Clearances) != 2 || !h.NotAfter.Equal(second.NotAfter) || h.Nation != "JPN" {
			t.Errorf("%+v, %v", h, err)
		}
	}
	second.Nation = "AUS"
	if _, err := Holder([]Entry{first, second}, first.Holder, label.Person, day(3)); err == nil {
		t.Error("one holder has two nations")
	}
}

func TestAttestationDates(t *testing.T) {
	g := grant(t, "c1")
	b := label.Briefing{PolicyOID: label.NATO, TagOID: "1.3.26.1.4.1", Value: "BOHEMIA"}
	past, future := b, b
	past.Until, future.Until = day(3), day(4)
	s := Standings([]Entry{g}, g.Holder, day(3))[0]
	s.Briefings = []label.Briefing{b, past, future}
	a := attest(t, s, day(30))
	if len(a.Briefings) != 2 || a.Briefings[0] != b || a.Briefings[1] != future {
		t.Errorf("%+v", a)
	}
	s.Grant.NotAfter = day(9)
	if a = attest(t, s, day(30)); !a.NotAfter.Equal(day(9)) {
		t.Errorf("an attestation outlives its clearance: %+v", a)
	}
	c, err := stanag4774.ParseClearance([]byte(g.XML))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ issuer, want time.Time }{{time.Time{}, day(9)}, {day(7), day(7)}, {day(20), day(9)}} {
		h, err := Accept(a, nil, label.Holder{Kind: label.Partner, Nation: "JPN", NotAfter: x.issuer, Clearances: []*label.Clearance{c}}, "node:bru", "node:tokyo", day(4))
		if err != nil || !h.NotAfter.Equal(x.want) {
			t.Errorf("issuer until %v: %v, %v", x.issuer, h.NotAfter, err)
		}
	}
}
