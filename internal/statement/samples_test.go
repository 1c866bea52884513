package statement

import (
	"testing"
	"time"
)

// TestSamples: the shipped set keeps every rule, has its lines in both
// languages, and publishes and verifies like any other.
func TestSamples(t *testing.T) {
	w := newWorld(t)
	by := sample(1, "vision").Signatories
	set, err := Samples(day, by, Policy{Required: []string{"Ministry A"}, K: 2, Of: []string{"JP", "BE"}}, "Press office", "https://a.example/corrections")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"vision": 4, "cooperation-is": 8, "cooperation-is-not": 8}
	for _, s := range set {
		if !s.Sample || len(s.Lines) != want[s.Kind] || len(s.Texts["en"].Lines) != want[s.Kind] || len(s.Texts["ja"].Lines) != want[s.Kind] {
			t.Errorf("%s: %d lines, sample %v", s.Kind, len(s.Lines), s.Sample)
		}
	}
	w.files = Files{}
	w.publish(t, set...)
	if r := Verify(w.files, VerifyOptions{Now: day.Add(time.Hour), Policy: w.pinned()}); !r.OK() {
		t.Errorf("%+v", r.Findings)
	}
}
