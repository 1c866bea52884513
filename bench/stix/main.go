// Command stix measures how fast objects are read and judged, in processor
// time of one core, so that a busy machine does not change the figure.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"causeway/stix"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: stix FILE...   (bundles, plain or gzip)")
		os.Exit(2)
	}
	fmt.Println("| file | objects | bytes | read | read and MUSTs | with SHOULDs | scan the bundle and MUSTs |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, name := range os.Args[1:] {
		if err := measure(name); err != nil {
			fmt.Fprintln(os.Stderr, "stix:", err)
			os.Exit(1)
		}
	}
}

func measure(name string) error {
	text, err := read(name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	var objects [][]byte
	size := 0
	for it, err := range stix.Scan(bytes.NewReader(text), stix.Limits{}) {
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if it.Err == nil {
			objects = append(objects, it.Object.Raw())
			size += len(it.Object.Text())
		}
	}
	each := func(judge func(*stix.Object)) func() {
		return func() {
			for _, b := range objects {
				if o, err := stix.ParseObject(b); err == nil {
					judge(o)
				}
			}
		}
	}
	rate := func(f func()) string {
		return fmt.Sprintf("%d/s", int(float64(len(objects))/cpuOf(f).Seconds()))
	}
	fmt.Printf("| %s | %d | %d | %s | %s | %s | %s |\n", filepath.Base(name), len(objects), size,
		rate(each(func(*stix.Object) {})),
		rate(each(func(o *stix.Object) { stix.Broken(o) })),
		rate(each(func(o *stix.Object) { stix.Validate(o) })),
		rate(func() {
			for it := range stix.Scan(bytes.NewReader(text), stix.Limits{}) {
				if it.Object != nil {
					stix.Broken(it.Object)
				}
			}
		}))
	return nil
}

func read(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err != nil || len(b) < 2 || b[0] != 0x1f || b[1] != 0x8b {
		return b, err
	}
	zr, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zr)
}

// cpuOf is the processor time of one run, all threads together: the best of
// five batches of a fifth of a second or more.
func cpuOf(f func()) time.Duration {
	f()
	best := time.Hour
	for range 5 {
		runs, start := 0, cpu()
		for runs == 0 || cpu()-start < 200*time.Millisecond {
			f()
			runs++
		}
		best = min(best, (cpu()-start)/time.Duration(runs))
	}
	return best
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
