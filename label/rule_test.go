package label

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// genAtoms are few, so that drawn rules overlap.
func genClause() *rapid.Generator[[]atom] {
	return rapid.Custom(func(t *rapid.T) []atom {
		n := rapid.SliceOfNDistinct(rapid.IntRange(0, 7), 1, 4, rapid.ID[int]).Draw(t, "atoms")
		c := make([]atom, len(n))
		for i, k := range n {
			c[i] = testAtom(k)
		}
		return c
	})
}

func testAtom(k int) atom {
	a, err := intern(parts{"2.999", "2.999.1:Tag", fmt.Sprintf("v%d", k), ""}.text())
	if err != nil {
		panic(err)
	}
	return a
}

func genRule() *rapid.Generator[Rule] {
	return rapid.Custom(func(t *rapid.T) Rule {
		switch rapid.IntRange(0, 12).Draw(t, "kind") {
		case 0:
			return Rule{}
		case 1:
			return Everyone()
		}
		r, err := newRule(rapid.SliceOfN(genClause(), 1, 5).Draw(t, "clauses"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	})
}

// every holdings over the test atoms.
func everyHoldings() []*Holdings {
	var out []*Holdings
	for set := range 256 {
		held := []atom{everyone}
		for k := range 8 {
			if set>>k&1 == 1 {
				held = append(held, testAtom(k))
			}
		}
		out = append(out, newHoldings(held, nil))
	}
	return out
}

func join(t *rapid.T, rs ...Rule) Rule {
	r, err := Join(rs...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestJoinLaws(t *testing.T) {
	all := everyHoldings()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := genRule().Draw(t, "a"), genRule().Draw(t, "b"), genRule().Draw(t, "c")
		ab := join(t, a, b)
		if !join(t, a, a).Equal(a) {
			t.Fatal("join is not idempotent")
		}
		if !ab.Equal(join(t, b, a)) {
			t.Fatal("join is not commutative")
		}
		if !join(t, ab, c).Equal(join(t, a, join(t, b, c))) {
			t.Fatal("join is not associative")
		}
		if !ab.AtMost(a) || !ab.AtMost(b) {
			t.Fatal("a join admits more than a source")
		}
		same, fewer := true, true
		for _, h := range all {
			if Allows(ab, h) != (Allows(a, h) && Allows(b, h)) {
				t.Fatalf("%v with %v: readers of the join are not those of both sources", ab, h.Atoms())
			}
			same = same && Allows(a, h) == Allows(b, h)
			fewer = fewer && (!Allows(a, h) || Allows(b, h))
		}
		if same != (a.Key() == b.Key()) {
			t.Fatalf("keys %q and %q, but same readers: %v", a.Key(), b.Key(), same)
		}
		if fewer != a.AtMost(b) {
			t.Fatalf("%q at most %q: %v, by readers %v", a.Key(), b.Key(), a.AtMost(b), fewer)
		}
	})
}

func TestRuleKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := genRule().Draw(t, "rule")
		b, err := ParseRule(a.Key())
		if err != nil || !a.Equal(b) {
			t.Fatalf("%q reads back as %q, %v", a.Key(), b.Key(), err)
		}
	})
}

func TestZeroDenies(t *testing.T) {
	for _, h := range append(everyHoldings(), nil, &Holdings{}, Public) {
		if Allows(Rule{}, h) || Decide(Rule{}, h).Allow {
			t.Fatalf("the zero rule admits %v", h.Atoms())
		}
	}
	if Allows(Everyone(), nil) || Allows(Everyone(), &Holdings{}) {
		t.Fatal("a reader without holdings reads")
	}
	if !Allows(Everyone(), Public) {
		t.Fatal("the public may not read what everyone may")
	}
}
