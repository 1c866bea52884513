package vault_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/internal/vault/vaulttest"
	"causeway/stix"
)

// The sizes of the benchmarks: versions stored, of which the measured reader
// sees one in benchShare, under so many distinct labels, with so many readers
// whose feeds are kept.
var (
	benchVersions = env("VAULT_BENCH_VERSIONS", 100_000)
	benchLabels   = env("VAULT_BENCH_LABELS", 1_000)
	benchReaders  = env("VAULT_BENCH_READERS", 4)
	benchBatch    = env("VAULT_BENCH_BATCH", 2_000)
	benchShare    = env("VAULT_BENCH_SHARE", 20)
)

func env(name string, other int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return other
}

// cpu is the processor time that the process has used: on a busy machine it
// says more than the clock.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchOpen opens a new store, or the one that VAULT_BENCH_DIR keeps from run
// to run; filled says that it holds something.
func benchOpen(b *testing.B) (v *vault.Vault, filled bool) {
	b.Helper()
	cfg := vault.Config{Dir: b.TempDir()}
	if dir := os.Getenv("VAULT_BENCH_DIR"); dir != "" {
		cfg.Dir = dir
	}
	if url := os.Getenv("VAULT_BENCH_POSTGRES"); url != "" {
		cfg = vault.Config{Postgres: string(newSchema(b, url))}
	}
	v, err := vault.Open(context.Background(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { v.Close() })
	n, err := v.LogSize(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return v, n > 0
}

// benchReadersOf gives readers who each hold one label in benchShare.
func benchReadersOf(b *testing.B, s *vaulttest.Scheme) (rs []vault.Reader) {
	b.Helper()
	for r := range benchReaders {
		var cs []int
		for c := r % benchShare; c < benchLabels; c += benchShare {
			cs = append(cs, c)
		}
		rs = append(rs, vault.Reader{ID: fmt.Sprintf("person:%d", r), Kind: vault.Person, Holdings: s.Holdings(b, cs...)})
	}
	return rs
}

func benchObject(b *testing.B, n int) *stix.Object {
	o, err := stix.ParseObject(fmt.Appendf(nil, `{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-0000-4000-8000-%012x","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Beacon %d of the ferry operation","description":"Domain seen in posts of the campaign, registered through the same reseller as the others and answering with the same certificate.","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'host-%d.example.net']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","created_by_ref":"identity--00000000-0000-4000-8000-000000000001","object_marking_refs":["marking-definition--00000000-0000-4000-8000-%012d"]}`,
		n*2654435761&0xffffffff, n, n, n, n%benchLabels))
	if err != nil {
		b.Fatal(err)
	}
	return o
}

func benchFill(b *testing.B, v *vault.Vault, s *vaulttest.Scheme, from, n int, each func(i int, p *vault.Put)) {
	b.Helper()
	type batch []vault.Put
	parsed := make(chan batch, 2)
	go func() {
		defer close(parsed)
		for i := 0; i < n; i += benchBatch {
			var ps batch
			for j := i; j < min(n, i+benchBatch); j++ {
				p := vault.Put{Object: benchObject(b, from+j), Effective: s.Label(b, (from+j)%benchLabels), Source: "local"}
				if each != nil {
					each(j, &p)
				}
				ps = append(ps, p)
			}
			parsed <- ps
		}
	}()
	for ps := range parsed {
		if _, err := v.Act(context.Background(), audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
			_, err := tx.Put(ps...)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIngest stores objects durably, parsed beforehand on another core.
func BenchmarkIngest(b *testing.B) {
	for b.Loop() {
		s := vaulttest.NewScheme(b, benchLabels)
		v, _ := benchOpen(b)
		if err := v.SetReaders(context.Background(), benchReadersOf(b, s)); err != nil {
			b.Fatal(err)
		}
		start, spent := time.Now(), cpu()
		benchFill(b, v, s, 0, benchVersions, nil)
		b.ReportMetric(float64((cpu()-spent).Microseconds())/float64(benchVersions), "cpu-us/object")
		b.ReportMetric(float64(benchVersions)/time.Since(start).Seconds(), "objects/s")
	}
}

// benchRelease releases the first 5,000 objects of the first reader's share.
func benchRelease(b *testing.B, v *vault.Vault, partner vault.Reader) {
	b.Helper()
	if _, err := v.Act(context.Background(), audit.Act{Actor: "node", Verb: "release"}, func(tx *vault.Tx) error {
		for i := 0; i < min(benchVersions, 5_000*benchShare); i += benchShare {
			if err := tx.Release(benchObject(b, i).ID(), "", []string{partner.ID}, "bench"); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}

// walk reads page after page, so that none finds its rows in memory because
// it was read just before, and begins again at the end.
func walk(v *vault.View) func(int) error {
	cursor := ""
	return func(int) error {
		p, err := v.Page(context.Background(), vault.Query{Limit: 1000, Cursor: cursor})
		if err == nil && len(p.Rows) == 0 {
			err = errors.New("empty page")
		}
		if cursor = p.Next; !p.More {
			cursor = ""
		}
		return err
	}
}

// rate does something with n objects once and reports how fast it went.
func rate(b *testing.B, name string, n int, do func() error) {
	start, spent := time.Now(), cpu()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	took := time.Since(start)
	spent = cpu() - spent
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(0, "ns/op") // what was measured is over
		b.ReportMetric(float64(spent.Microseconds())/float64(n), "cpu-us/object")
		b.ReportMetric(float64(n)/took.Seconds(), "objects/s")
	})
}

// BenchmarkRead measures pages, counts and polls at the size, for a person
// cleared for one version in benchShare and for a partner who was released
// 5,000; and on the way how fast the store was filled and indexed.
func BenchmarkRead(b *testing.B) {
	ctx := context.Background()
	s := vaulttest.NewScheme(b, benchLabels)
	v, filled := benchOpen(b)
	readers := benchReadersOf(b, s)
	partner := vault.Reader{ID: "partner:b", Kind: vault.Partner, Holdings: readers[0].Holdings}
	if err := v.SetReaders(ctx, append(readers, partner)); err != nil {
		b.Fatal(err)
	}
	index := func() error {
		_, err := v.As(readers[0]).Find(ctx, "ferry", vault.Query{Limit: 1})
		return err
	}
	if !filled {
		rate(b, "fill", benchVersions, func() error { benchFill(b, v, s, 0, benchVersions, nil); return nil })
		benchRelease(b, v, partner)
		rate(b, "restOfIndex", benchVersions, index)
	} else if err := index(); err != nil {
		b.Fatal(err)
	}
	person := v.As(readers[0])
	for _, c := range []struct {
		name string
		do   func(i int) error
	}{
		{"page1000", walk(person)},
		{"page1000partner", walk(v.As(partner))},
		{"emptypoll", func(int) error { _, err := person.Page(ctx, vault.Query{After: 1 << 60}); return err }},
		{"emptypollpartner", func(int) error { _, err := v.As(partner).Page(ctx, vault.Query{After: 1 << 60}); return err }},
		{"get", func(i int) error {
			_, err := person.Get(ctx, benchObject(b, i*benchShare%benchVersions).ID())
			return err
		}},
		{"count", func(int) error { _, err := person.Count(ctx, vault.Match{}); return err }},
		{"find", func(i int) error {
			_, err := person.Find(ctx, fmt.Sprintf("beacon %d", i*benchShare%benchVersions), vault.Query{Limit: 20})
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took, used []time.Duration
			spent := cpu()
			for i := 0; b.Loop(); i++ {
				start, before := time.Now(), cpu()
				if err := c.do(i); err != nil {
					b.Fatal(err)
				}
				took, used = append(took, time.Since(start)), append(used, cpu()-before)
			}
			b.ReportMetric(float64((cpu()-spent).Microseconds())/float64(len(took)), "cpu-us/op")
			slices.Sort(took)
			slices.Sort(used)
			b.ReportMetric(float64(used[len(used)*99/100].Microseconds()), "p99-cpu-us")
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}
