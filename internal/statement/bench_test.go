//go:build unix

package statement

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// stopwatch measures wall and processor time: the machine is often shared.
type stopwatch struct {
	at  time.Time
	cpu time.Duration
}

func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func start() stopwatch { return stopwatch{time.Now(), processor()} }

func (s stopwatch) report(b *testing.B, what string) {
	b.ReportMetric(time.Since(s.at).Seconds(), "s-"+what)
	b.ReportMetric((processor() - s.cpu).Seconds(), "cpu-s-"+what)
}

// BenchmarkVerify10000 verifies 10,000 statements, their log and every page.
func BenchmarkVerify10000(b *testing.B) {
	w := newWorld(b)
	w.files = Files{}
	p := w.round()
	for i := range 10_000 {
		p.Drafts = append(p.Drafts, w.draft(b, sample(i, "cooperation-is-not"), "a.example/statements", "b.example/statements"))
	}
	watch := start()
	files, err := p.Publish()
	if err != nil {
		b.Fatal(err)
	}
	watch.report(b, "publish")
	for b.Loop() {
		watch = start()
		if r := Verify(Files(files), VerifyOptions{Now: day.Add(time.Hour)}); !r.OK() {
			b.Fatal(r.Findings[0])
		}
		watch.report(b, "verify")
	}
}

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
		watch := start()
		var err error
		if files, err = p.Publish(); err != nil {
			b.Fatal(err)
		}
		watch.report(b, "publish")
	}
	b.StopTimer()
	f := Folder(b.TempDir())
	for _, name := range []string{"a.example/statements", "b.example/statements", "a.example/log", "a.example/metadata", "w1.example/w", "w2.example/w", "w3.example/w"} {
		s := w.secrets[name]
		if _, err := f.AddKey(&s, day.AddDate(0, -1, 0)); err != nil {
			b.Fatal(err)
		}
	}
	watch := start()
	if _, err := f.writeSite(files); err != nil {
		b.Fatal(err)
	}
	watch.report(b, "write")
	file, _, err := f.Freeze(sample(5000, "rebuttal"))
	if err != nil {
		b.Fatal(err)
	}
	for _, k := range []string{"a.example/statements", "b.example/statements"} {
		if _, err := f.Sign(file, k); err != nil {
			b.Fatal(err)
		}
	}
	watch = start()
	done, err := f.Publish(Round{Now: day, Verifier: p.Verifier, Metadata: Metadata{Witnesses: WitnessPolicy{K: 3, Nations: 3}}})
	if err != nil {
		b.Fatal(err)
	}
	watch.report(b, "one-more")
	b.ReportMetric(float64(done.Written), "files-written-then")
}
