package statement

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCoverPicture: a narrative before, while and after an answer was in
// force, one nobody answers, one whose answer was retracted.
func TestCoverPicture(t *testing.T) {
	w := newWorld(t)
	w.files = Files{}
	until := day.AddDate(0, 0, 20)
	rebuttal := sample(11, "rebuttal")
	rebuttal.Narratives, rebuttal.ValidUntil = []string{"n-bases"}, &until
	gone := sample(12, "rebuttal")
	gone.Narratives = []string{"n-member", "n-quiet"}
	w.publish(t, rebuttal, gone)
	records, _, err := Load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	next, err := Next(records, uuid(12), Correction{"2026-03-01", "body", "all", "none", "it was wrong"}, func(s *Statement) error {
		s.Kind, s.ValidUntil = "retraction", nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.publish(t, next)
	records, m, err := Load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	at := func(days int) time.Time { return day.AddDate(0, 0, days) }
	p, err := Cover([]Sighting{
		{"n-bases", "IDN", at(-14), 3}, {"n-bases", "IDN", at(2), 5}, {"n-bases", "IDN", at(2), 1}, {"n-bases", "PHL", at(40), 7},
		{"n-other", "IDN", at(2), 2}, {"n-member", "THA", at(10), 4},
	}, records, m, 7*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range p.Cells {
		got[c.Narrative+" "+c.Country+" "+c.Week] = c.State
	}
	want := map[string]string{
		"n-bases IDN 2026-W07": Unanswered, "n-bases IDN 2026-W10": AnsweredLate, "n-bases PHL 2026-W15": AnswerEnded,
		"n-other IDN 2026-W10": Unanswered, "n-member THA 2026-W11": AnswerGone,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if top := p.Narratives[0]; top.Narrative != "n-bases" || top.Seen != 16 || top.Open != 10 || *top.Days != 14 {
		t.Errorf("first row %+v", top)
	}
	if d := cmp.Diff([]string{"n-quiet"}, p.Unseen); d != "" {
		t.Errorf("unseen (-want +got):\n%s", d)
	}
	if _, err := Cover([]Sighting{{"n", "IDN", day, 0}}, records, m, 0); err == nil {
		t.Error("a sighting without a count was taken")
	}
}
