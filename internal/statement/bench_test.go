package statement

import (
	"fmt"
	"testing"
	"time"
)

// tenLanguages are the minimum public set; the first two are authentic.
var tenLanguages = []string{"id", "ms", "vi", "th", "fil", "km", "lo", "my"}

// BenchmarkPublish1000 publishes 1,000 statements in ten languages, two
// authentic and eight reviewed translations, and then one more.
func BenchmarkPublish1000(b *testing.B) {
	w := newWorld(b)
	w.files = Files{}
	p := w.round()
	key := w.secrets["a.example/statements"]
	for i := range 1000 {
		s := sample(i, "cooperation-is-not")
		d := w.draft(b, s, "a.example/statements", "b.example/statements")
		p.Drafts = append(p.Drafts, d)
		for _, lang := range tenLanguages {
			x, err := NewTranslated(&Translation{Statement: Digest(d.JSON), Lang: lang, Status: ReviewedTranslation, Translator: "language office",
				Text: Text{Title: "Bukan", Body: "Tidak ada pasukan.", Lines: []TextLine{{"forces", fmt.Sprintf("Tidak menempatkan pasukan %d.", i)}}}})
			if err != nil {
				b.Fatal(err)
			}
			if err := x.Sign(&key); err != nil {
				b.Fatal(err)
			}
			p.Translate = append(p.Translate, x)
		}
	}
	var files Files
	for b.Loop() {
		var err error
		if files, err = p.Publish(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	f := Folder(b.TempDir())
	for _, name := range []string{"a.example/statements", "b.example/statements", "a.example/log", "a.example/metadata", "w1.example/w", "w2.example/w", "w3.example/w"} {
		s := w.secrets[name]
		if _, err := f.AddKey(&s, day.AddDate(0, -1, 0)); err != nil {
			b.Fatal(err)
		}
	}
	start := time.Now()
	if _, err := f.writeSite(files); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(start).Seconds(), "s-to-write")
	file, _, err := f.Freeze(sample(5000, "rebuttal"))
	if err != nil {
		b.Fatal(err)
	}
	for _, k := range []string{"a.example/statements", "b.example/statements"} {
		if _, err := f.Sign(file, k); err != nil {
			b.Fatal(err)
		}
	}
	start = time.Now()
	done, err := f.Publish(Round{Now: day, Verifier: p.Verifier, Metadata: Metadata{Witnesses: WitnessPolicy{K: 3, Nations: 3}}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(start).Seconds(), "s-one-more")
	b.ReportMetric(float64(done.Written), "files-written-then")
}
