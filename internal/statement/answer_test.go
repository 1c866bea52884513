package statement

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAnswers: what could not be checked is unknown, never yes.
func TestAnswers(t *testing.T) {
	w := newWorld(t)
	is := func(r *Report) string {
		var out []string
		for _, a := range r.Answers {
			out = append(out, a.Ask+" "+a.Is)
		}
		return strings.Join(out, ", ")
	}
	for name, c := range map[string]struct {
		do   func(Files)
		at   time.Time
		want string
	}{
		"good":     {func(Files) {}, day.Add(time.Hour), "authentic yes, cosigned yes, current yes, log yes"},
		"page":     {func(f Files) { f["index.html"] = []byte("x") }, day.Add(time.Hour), "authentic no, cosigned yes, current yes, log yes"},
		"record":   {func(f Files) { f["s/"+uuid(2)[9:]+"/1/statement.json"] = []byte("x") }, day.Add(time.Hour), "authentic no, cosigned unknown, current unknown, log unknown"},
		"expired":  {func(Files) {}, day.AddDate(0, 5, 1), "authentic yes, cosigned yes, current no, log yes"},
		"no log":   {func(f Files) { delete(f, "tile/entries/000.p/5") }, day.Add(time.Hour), "authentic unknown, cosigned unknown, current unknown, log no"},
		"no clock": {func(Files) {}, time.Unix(0, 0), "authentic unknown, cosigned unknown, current no, log unknown"},
	} {
		f := Files{}
		for n, b := range w.files {
			f[n] = b
		}
		c.do(f)
		if got := is(Verify(f, VerifyOptions{Now: c.at, Policy: w.pinned()})); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	f := Files{}
	for n, b := range w.files {
		f[n] = b
	}
	f[metadataPath+".note"] = nil
	if got, want := is(Verify(f, VerifyOptions{Now: day.Add(time.Hour)})), "authentic no, cosigned unknown, current unknown, log unknown"; got != want {
		t.Errorf("keys of nobody: %s, want %s", got, want)
	}
	if len(Codes()) != len(CodeAsks) || slices.Contains(Codes(), "") {
		t.Error("a code has no question")
	}
}

// TestFind: words are found where they stand, and only there.
func TestFind(t *testing.T) {
	w := newWorld(t)
	if err := w.translate(t, w.translated(t, 1, "id", ReviewedTranslation, "a.example/statements")); err != nil {
		t.Fatal(err)
	}
	r := Verify(w.files, VerifyOptions{Now: day.Add(time.Hour), Policy: w.pinned()})
	if !r.OK() {
		t.Fatalf("%+v", r.Findings)
	}
	record := string(w.files[r.records[3].s.dir()+"statement.json"])
	for name, c := range map[string]struct{ words, want string }{
		"a line":            {"It places no  forces in the region\u00a0in 2026.", "line forces 1 v2 current"},
		"in Japanese":       {"部隊を配備しない。", "body 1 v2 current"},
		"a title":           {"What the cooperation is not", "title 1 v2 current"},
		"a part":            {"brings no forces under common", "part 1 v2 current"},
		"a translation":     {"Tidak ada pasukan.", "body 1 v2 current reviewed"},
		"other words":       {"It places all forces in the region in 2026.", ""},
		"too short a part":  {"no forces", ""},
		"the record":        {record, "record 1 v2 current"},
		"the record spaced": {strings.Replace(record, "{", "{ ", 1), "altered 1 v2 current"},
		"the record turned": {strings.Replace(record, "no forces", "some forces", 1), "altered 1 v2 current"},
		"another record":    {`{"id":"x"}`, ""},
	} {
		got := ""
		if f := r.Find(c.words); len(f) != 1 {
			t.Errorf("%s: %d paragraphs", name, len(f))
		} else if len(f[0].Matches) > 0 {
			// Statement 1 is the newest that is not withdrawn and says so first among its own.
			for _, m := range f[0].Matches {
				if m.ID == uuid(1) && m.Version == 2 {
					got = strings.Join(strings.Fields(m.Place+" "+m.Line+" 1 v2 "+m.Status+" "+m.Translation), " ")
					break
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := r.Find("It places no forces in the region in 2026.\n\nnothing of the kind\n"); len(got) != 2 || len(got[0].Matches) == 0 || len(got[1].Matches) != 0 {
		t.Errorf("two paragraphs: %+v", got)
	}
}
