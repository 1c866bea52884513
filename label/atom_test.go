package label

import (
	"slices"
	"testing"
)

func TestEscape(t *testing.T) {
	for s, want := range map[string]string{
		"SECRET": "SECRET", "a b": "a b", "極秘": "極秘", "~": "~",
		"a/b": "a%2Fb", "a%b": "a%25b", "a:b": "a%3Ab", "a@b": "a%40b", "a|b&c": "a%7Cb%26c",
		"a\x00b": "a%00b", "a\x1fb\x7f": "a%1Fb%7F", "\x7f": "%7F", "a b/": "a b%2F", "\x7f~/": "%7F~%2F",
	} {
		if got := escape(s); got != want {
			t.Errorf("%q is escaped as %q, want %q", s, got, want)
		}
		if got := unescape(want); got != s {
			t.Errorf("%q is unescaped as %q, want %q", want, got, s)
		}
	}
	for s, want := range map[string]string{"%": "%", "a%2": "a%2", "%G0": "%G0", "%0G": "%0G", "%2f": "%2f", "%/0": "%/0", "%:0": "%:0", "%@0": "%@0", "%41": "A"} {
		if got := unescape(s); got != want {
			t.Errorf("%q is unescaped as %q, want %q", s, got, want)
		}
	}
}

func TestParseRuleRefused(t *testing.T) {
	a, b := parts{"2.999", "class", "A", ""}.text(), parts{"2.999", "class", "B", ""}.text()
	for _, key := range []string{"", "nobody&" + a, "everyone|" + a, a + "|" + a, b + "|" + a, b + "&" + a, a + "&" + a, a + "&" + a + "|" + b, a + "&", "|" + a,
		"2.999/class", "2.999/class/A/B", "/class/A", "2.999//A", "2.999/class/", "2.999/class/A@", "2.999/class/%41", "2.999/class/%2f", "2.999/class/\xff"} {
		if r, err := ParseRule(key); err == nil || !r.Nobody() {
			t.Errorf("%q reads as %v, %v", key, r, err)
		}
	}
	for _, key := range []string{"nobody", "everyone", a, a + "|" + b, a + "&" + b, "2.999/1.2:Tag %2F/A@2022"} {
		if r, err := ParseRule(key); err != nil || r.Key() != key {
			t.Errorf("%q reads as %v, %v", key, r, err)
		}
	}
}

func TestRuleBounds(t *testing.T) {
	var many, large [][]atom
	var clause []atom
	for i := range MaxAtoms + 1 {
		a := testAtom(1000 + i)
		clause = append(clause, a)
		if i <= MaxClauses {
			many = append(many, []atom{a})
		}
	}
	large = append(large, clause)
	for name, clauses := range map[string][][]atom{"clauses": many, "atoms": large} {
		if r, err := newRule(clauses); err == nil || !r.Nobody() {
			t.Errorf("too many %s: %d clauses, %v", name, len(r.clauses), err)
		}
	}
	var wide [][]atom
	for i := range MaxSize/64 + 1 {
		var c []atom
		for j := range 64 {
			c = append(c, testAtom(10_000+64*i+j))
		}
		wide = append(wide, c)
	}
	if r, err := newRule(wide); err == nil || !r.Nobody() {
		t.Errorf("too many atoms in all: %v", err)
	}
	whole, err := newRule(wide[:MaxSize/64])
	if err != nil {
		t.Error(err)
	}
	if again, err := ParseRule(whole.Key()); err != nil || !again.Equal(whole) {
		t.Errorf("the largest rule does not read back: %v", err)
	}
	before := len(atoms.text)
	if _, err := ParseRule(whole.Key() + "&2.999/class/never-seen"); err == nil || len(atoms.text) != before {
		t.Error("a rule that is too large is read, or grows the table of atoms")
	}
	if _, err := newRule(many[:MaxClauses]); err != nil {
		t.Error(err)
	}
	if _, err := newRule([][]atom{clause[:MaxAtoms]}); err != nil {
		t.Error(err)
	}
	if _, err := Join(); err == nil {
		t.Error("the join of nothing is a rule")
	}
}

func TestRuleWords(t *testing.T) {
	a, err := newRule([][]atom{{testAtom(1)}})
	if err != nil {
		t.Fatal(err)
	}
	two, err := newRule([][]atom{{testAtom(1)}, {testAtom(2), testAtom(3)}})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := newRule([][]atom{{testAtom(2), testAtom(3)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		r                Rule
		nobody, everyone bool
		text             []string
	}{
		{Rule{}, true, false, []string{"admits nobody"}},
		{Everyone(), false, true, []string{"needs everyone"}},
		{a, false, false, []string{"needs Tag v1"}},
		{pair, false, false, []string{"needs one of Tag v2, Tag v3"}},
		{two, false, false, []string{"needs Tag v1", "needs one of Tag v2, Tag v3"}},
	} {
		if c.r.Nobody() != c.nobody || c.r.Everyone() != c.everyone || !slices.Equal(Describe(c.r), c.text) {
			t.Errorf("%v: nobody %v, everyone %v, %q", c.r, c.r.Nobody(), c.r.Everyone(), Describe(c.r))
		}
	}
	for text, want := range map[string][2]string{
		"2.999/class/S":                     {"classification", "needs classification S"},
		"2.999/2.999.1:For/AAA":             {"category", "needs For AAA"},
		"2.999/2.999.1:For/AAA@2022":        {"category", "needs For AAA (members of 2022)"},
		"tlp/reader/node:x":                 {"category", "needs audience node:x"},
		"case/id/lantern":                   {"category", "needs case id lantern"},
		"2.999/class/S|2.999/class/T":       {"classification", "needs one of classification S, classification T"},
		"2.999/2.999.1:For/A|2.999/class/S": {"category", "needs one of For A, classification S"},
	} {
		if text == "tlp/reader/node:x" {
			text = "tlp/reader/node%3Ax"
		}
		r, err := ParseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		if code, words := describeClause(r.clauses[0]); code != want[0] || words != want[1] {
			t.Errorf("%s is described as %s, %q", text, code, words)
		}
		d := Decide(r, Public)
		if d.Allow || d.Reasons[0].Code != want[0] {
			t.Errorf("%s: %+v", text, d)
		}
	}
	if d := Decide(Everyone(), Public); !d.Allow || d.Reasons[0].Code != "everyone" {
		t.Errorf("%+v", d)
	}
	if d := Decide(Everyone(), nil); d.Allow || d.Reasons[0].Code != "no-holdings" {
		t.Errorf("%+v", d)
	}
}

func TestOID(t *testing.T) {
	for s, want := range map[string]bool{"1.2": true, "2.999.0": true, "0.9.10": true, "": false, "1": false, "3.1": false, "9.1": false, "10.1": false, "1.": false,
		".1": false, "1..2": false, "1.02": false, "1.2a": false, "1.2.": false, "1-2": false} {
		if IsOID(s) != want {
			t.Errorf("%q is an OID: %v", s, !want)
		}
	}
}

func TestFoldASCII(t *testing.T) {
	for s, want := range map[string]string{" a  b\t\n": "A B", "": "", "ａ": "ａ", "é": "é", "az{`": "AZ{`", "\r\n x": "X"} {
		if got := foldASCII(s); got != want {
			t.Errorf("%q folds to %q, want %q", s, got, want)
		}
	}
}
