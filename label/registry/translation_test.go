package registry

import (
	"strings"
	"testing"
	"time"

	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

// made is a translation by a table from NATO to Japan.
func made(t *testing.T, until time.Time, at time.Time) (Translation, error) {
	t.Helper()
	ps, err := policies.Set("x")
	if err != nil {
		t.Fatal(err)
	}
	tv := func(set, v string) label.TableValue {
		return label.TableValue{SetOID: set, Type: label.Permissive, Value: v}
	}
	table := label.Table{Name: "t", Version: "1", From: policies.NATO, To: policies.Japan, ValidFrom: day(1), ValidTo: until, Signer: "x", Source: "a treaty",
		Classes: []label.ClassPair{{From: "SECRET", To: "GOKUHI"}},
		Values:  []label.ValuePair{{From: tv("1.3.26.1.4.2", "JPN"), To: []label.TableValue{tv(policies.Japan+".2", "JPN")}}}}
	l := policies.NATOLabel("SECRET", day(1), day(9), "JPN")
	xml, err := stanag4774.WriteLabel(l)
	if err != nil {
		t.Fatal(err)
	}
	return Translate(ps, &table, l, xml, "here", at)
}

func TestTranslation(t *testing.T) {
	tr, err := made(t, day(9), day(2))
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeTranslation(tr.Encode())
	if err != nil || string(got.Encode()) != string(tr.Encode()) || got.TableKey() != "t@1" || !got.Until.Equal(day(9)) || !got.Made.Equal(day(2)) {
		t.Fatalf("read %+v, %v", got, err)
	}
	if l, err := got.Label(); err != nil || l.Classification != "GOKUHI" {
		t.Errorf("label %+v, %v", l, err)
	}
	if _, err := made(t, day(9), day(9)); err == nil {
		t.Error("translated at the table's end")
	}
	if _, err := made(t, time.Time{}, day(20)); err != nil {
		t.Errorf("a table without an end: %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(*Translation)
		fails  string
	}{
		{"version", func(t *Translation) { t.V = 2 }, "are needed"},
		{"no translator", func(t *Translation) { t.Translator = "" }, "are needed"},
		{"no table", func(t *Translation) { t.Table = "" }, "are needed"},
		{"no version of the table", func(t *Translation) { t.Version = "" }, "are needed"},
		{"an @ in the name", func(t *Translation) { t.Table = "t@1" }, "are needed"},
		{"no label is named", func(t *Translation) { t.Of = "" }, "names no label"},
		{"no policy", func(t *Translation) { t.From = "NATO" }, "no two policies"},
		{"no other policy", func(t *Translation) { t.To = "JPN" }, "no two policies"},
		{"one policy", func(t *Translation) { t.From = t.To }, "no two policies"},
		{"made at no time", func(t *Translation) { t.Made = time.Time{} }, "made at no time"},
		{"made as its table ended", func(t *Translation) { t.Until = t.Made }, "after its table ended"},
		{"not a label", func(t *Translation) { t.XML = "<a/>" }, "translation:"},
		{"an originator's label", func(t *Translation) {
			t.XML = strings.ReplaceAll(t.XML, "alternativeConfidentialityLabel", "originatorConfidentialityLabel")
		}, "translation:"},
		{"a label of another policy", func(t *Translation) { t.To = policies.Public }, "is of the policy"},
	} {
		bad := tr
		c.change(&bad)
		if _, err := DecodeTranslation(bad.Encode()); err == nil || !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want %q", c.name, err, c.fails)
		}
	}
	for _, text := range []string{"", "[", string(tr.Encode()) + " ", strings.Replace(string(tr.Encode()), `"v":1`, `"v":1,"v":1`, 1)} {
		if _, err := DecodeTranslation([]byte(text)); err == nil {
			t.Errorf("read %q", text)
		}
	}
}
