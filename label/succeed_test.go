package label_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"causeway/label"
)

// A successor takes the place of its label at its date and one step at a time;
// what was asked beside the label goes on being asked.
func TestSucceed(t *testing.T) {
	ps := twoPolicies(t)
	r, c, s := labelA("R"), labelA("C"), labelA("S")
	c.Successor = &label.Succession{At: day(9), Label: r}
	s.Successor = &label.Succession{At: day(5), Label: c}
	bad := labelA("S")
	ultra := labelA("ULTRA")
	bad.Successor = &label.Succession{At: day(5), Label: ultra}
	labels := map[string]*label.Label{"ultra": ultra, "r": r, "c": c, "s": s, "bad": bad, "k": labelA("S", category(label.Restrictive, "Key", []string{"K1"}))}
	parse := func(xml []byte) (*label.Label, error) {
		if l := labels[string(xml)]; l != nil {
			return l, nil
		}
		return nil, errors.New("it cannot be read")
	}
	write := func(l *label.Label) ([]byte, error) {
		for name, x := range labels {
			if x == l {
				return []byte(name), nil
			}
		}
		return nil, errors.New("it cannot be written")
	}
	rule := func(l *label.Label) label.Rule {
		r, err := ps.Rule(l)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	need, err := label.Need(label.Attribute{Scheme: "case", Tag: "id", Value: "lantern"})
	if err != nil {
		t.Fatal(err)
	}
	join := func(rs ...label.Rule) label.Rule {
		r, err := label.Join(rs...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, x := range []struct {
		name   string
		labels []string
		rule   label.Rule
		at     time.Time
		want   []string
		as     label.Rule
	}{
		{"not due", []string{"s"}, rule(s), day(5).Add(-1), nil, label.Rule{}},
		{"no time", []string{"s"}, rule(s), time.Time{}, nil, label.Rule{}},
		{"due", []string{"s"}, rule(s), day(5), []string{"c"}, rule(c)},
		{"two are due, one steps", []string{"s"}, rule(s), day(20), []string{"c"}, rule(c)},
		{"the next", []string{"c"}, rule(c), day(9), []string{"r"}, rule(r)},
		{"the last", []string{"r"}, rule(r), day(20), nil, label.Rule{}},
		{"need to know stays", []string{"s"}, join(rule(s), need), day(5), []string{"c"}, join(rule(c), need)},
		{"another label stays", []string{"s", "k"}, join(rule(s), rule(labels["k"])), day(5), []string{"c", "k"}, join(rule(c), rule(labels["k"]))},
		{"the labels say more than was decided", []string{"k", "s"}, rule(s), day(5), nil, label.Rule{}},
		{"a successor that is not understood", []string{"bad"}, rule(bad), day(5), nil, label.Rule{}},
		{"a label that cannot be read", []string{"x", "s"}, rule(s), day(5), nil, label.Rule{}},
		{"no label", nil, need, day(5), nil, label.Rule{}},
	} {
		before := label.Effective{Rule: x.rule, TLP: "green"}
		for _, l := range x.labels {
			before.Labels = append(before.Labels, []byte(l))
		}
		after, stepped, err := ps.Succeed(before, parse, write, x.at)
		if err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		if stepped != (x.want != nil) {
			t.Errorf("%s: stepped %v", x.name, stepped)
		}
		if !stepped {
			if string(after.Encode()) != string(before.Encode()) {
				t.Errorf("%s: changed to %v", x.name, after.Rule)
			}
			continue
		}
		var got []string
		for _, l := range after.Labels {
			got = append(got, string(l))
		}
		if !slices.Equal(got, x.want) || !after.Rule.Equal(x.as) || after.TLP != "green" {
			t.Errorf("%s: %v %v %s, want %v %v", x.name, got, after.Rule, after.TLP, x.want, x.as)
		}
	}
	lost := func(*label.Label) ([]byte, error) { return nil, errors.New("it cannot be written") }
	if _, stepped, err := ps.Succeed(label.Effective{Rule: rule(s), Labels: [][]byte{[]byte("s")}}, parse, lost, day(5)); err == nil || stepped {
		t.Error("a successor that cannot be written takes its place")
	}
}
