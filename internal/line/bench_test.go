//go:build unix

package line

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"causeway/internal/vault"
)

// BenchmarkCatchUp delivers 20,000 objects that waited through an outage.
// Both nodes, their stores and their logs are on this machine.
func BenchmarkCatchUp(b *testing.B) {
	const each = 20_000
	var spent, cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		x, y := newTestNode(b, "BEL", true), newTestNode(b, "JPN", true)
		x.limits.Checkpoint, y.limits.Checkpoint = 0, 0
		for _, n := range []*testNode{x, y} {
			n.close()
			n.open()
		}
		befriend(b, x, y, "SECRET")
		for i := 0; i < each; i += 1000 {
			x.release(Routine, x.effective("SECRET", "JPN"), x.objects(i, 1000), y.name())
		}
		y.start()
		b.StartTimer()
		start, used := time.Now(), cpuTime(b)
		x.start()
		for x.status(y.name()).Held < each {
			time.Sleep(100 * time.Millisecond)
		}
		spent += time.Since(start)
		cpu += cpuTime(b) - used
		b.StopTimer()
		x.close()
		y.close()
		b.StartTimer()
	}
	b.ReportMetric(float64(each*b.N)/spent.Seconds(), "objects/s")
	b.ReportMetric(float64(each*b.N)/cpu.Seconds(), "objects/cpu-s")
}

// cpuTime is what this process has used of all cores: of both nodes, so that
// the figure stands on a machine that is busy with other things.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFlash measures a FLASH release, from the act to the partner's
// store, while 100,000 ROUTINE objects wait and flow.
func BenchmarkFlash(b *testing.B) {
	x, y := newTestNode(b, "BEL", true), newTestNode(b, "JPN", true)
	x.limits.Checkpoint, y.limits.Checkpoint = 0, 0
	for _, n := range []*testNode{x, y} {
		n.close()
		n.open()
	}
	befriend(b, x, y, "SECRET")
	for i := 0; i < 100_000; i += 1000 {
		x.release(Routine, x.effective("SECRET", "JPN"), x.objects(i, 1000), y.name())
	}
	y.start()
	x.start()
	var took []time.Duration
	serial := 1 << 30
	for b.Loop() {
		objs := x.objects(serial, 1)
		serial++
		start := time.Now()
		x.release(Flash, x.effective("SECRET", "JPN"), objs, y.name())
		for {
			if _, err := y.vault.As(y.reader()).Get(b.Context(), objs[0].ID()); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
	b.ReportMetric(float64(x.status(y.name()).Waiting), "routine-left")
	if testing.Verbose() {
		fmt.Println(took)
	}
}

// BenchmarkThousandPartners states what a node with 1,000 partners costs: the
// memory its line takes while it runs, and the time of one status.
func BenchmarkThousandPartners(b *testing.B) {
	n := newTestNode(b, "BEL", true)
	const partners = 1_000
	_, err := n.vault.Act(b.Context(), auditOf("test"), func(tx *vault.Tx) error {
		for i := range partners {
			k, err := generate(Identity{V: 1, Nation: "JPN", Name: fmt.Sprint("Agency ", i), Generation: 1, Issued: 1}, nil)
			if err != nil {
				return err
			}
			p := &partnerRecord{V: 1, Node: k.Identity.Node, Keys: []SignedIdentity{k.Signed}, Address: "127.0.0.1:1", State: Active, Knows: 1, Versions: [2]int{1, 1}}
			if err := savePartner(tx, p, true); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n.start()
	time.Sleep(3 * time.Second)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		if all, err := n.line.Status(b.Context()); err != nil || len(all) != partners {
			b.Fatal(len(all), err)
		}
	}
	b.ReportMetric(float64(after.HeapInuse+after.StackInuse-before.HeapInuse-before.StackInuse)/(1<<20), "MiB")
	b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
}

// BenchmarkBlindMatch matches 100,000 indicators against 100,000 of which
// 50,000 are common, with both nodes in this process and the line between
// them: consent (the holder's set), and the run.
func BenchmarkBlindMatch(b *testing.B) {
	const each = 100_000
	x, y := newTestNode(b, "BEL", true), newTestNode(b, "JPN", true)
	x.limits.Matches, y.limits.Matches = 1<<40, 1<<40
	for _, n := range []*testNode{x, y} {
		n.close()
		n.open()
	}
	befriend(b, x, y, "SECRET")
	x.start()
	y.start()
	for at, n := range map[int]*testNode{0: x, each / 2: y} {
		for i := 0; i < each; i += 1000 {
			values := make([]string, 1000)
			for j := range values {
				values[j] = fmt.Sprintf("n%d.example", at+i+j)
			}
			n.domains(n.effective("SECRET", "JPN"), values...)
		}
	}
	used, found := cpuTime(b), 0
	for b.Loop() {
		m, err := x.line.ProposeMatch(b.Context(), "person:a", y.name(), Terms{Kinds: []string{"domain"}}, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := y.line.AnswerMatch(b.Context(), "person:b", m.Run, true, nil); err != nil {
			b.Fatal(err)
		}
		done, err := x.line.Match(b.Context(), "person:a", m.Run, nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		found = len(done.Found)
	}
	if found != each/2 {
		b.Fatalf("%d found, want %d", found, each/2)
	}
	b.ReportMetric((cpuTime(b)-used).Seconds()/float64(b.N), "cpu-s/op")
}
