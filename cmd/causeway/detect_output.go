package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"causeway/coord"
	"causeway/coord/finding"
	"causeway/coord/write"
	"causeway/stix"

	"golang.org/x/term"
)

// networkFiles are the results in the order they appear: summary.json is last,
// so a folder with one is complete.
func networkFiles(r *coord.Result) []networkFile {
	drawn, left := r.Drawn()
	at := drawn.Layout(r.Summary.Seed)
	stated, unstated := statedNetworks(r)
	for _, note := range []string{left, unstated} {
		if note != "" {
			r.Summary.Notes = append(r.Summary.Notes, note)
		}
	}
	var digest *write.Digest
	return []networkFile{
		{"edges.csv", func(w io.Writer) error { return write.Edges(w, r) }},
		{"nodes.csv", func(w io.Writer) error { return write.Nodes(w, r) }},
		{"communities.csv", func(w io.Writer) error { return write.Communities(w, r) }},
		{"evidence.csv", func(w io.Writer) (err error) { digest, err = write.Evidence(w, r); return err }},
		{"candidates.csv", func(w io.Writer) error { return write.Candidates(w, r) }},
		{"network.graphml", func(w io.Writer) error { return write.GraphML(w, r) }},
		{"network.gexf", func(w io.Writer) error { return write.GEXF(w, drawn, at) }},
		{"report.html", func(w io.Writer) error { return write.Report(w, r, drawn, at, digest) }},
		{"network.stix.json", func(w io.Writer) error { return writeFinding(w, r, stated) }},
		{"summary.json", func(w io.Writer) error { return write.Summary(w, r.Summary) }},
	}
}

// Limits of network.stix.json. A partner reads what it states; ten thousand
// pairs of strangers are not that.
const (
	networksStated = 1000
	accountsStated = 20_000
)

// statedNetworks are the networks that network.stix.json states, the largest
// first, and in words how many it leaves out.
func statedNetworks(r *coord.Result) (stated []int, left string) {
	all, accounts := 0, 0
	for i := range r.Communities {
		n := len(r.Communities[i].Members)
		if n < 2 {
			continue
		}
		all++
		if len(stated) == i && len(stated) < networksStated && (i == 0 || accounts+n <= accountsStated) {
			stated = append(stated, i)
			accounts += n
		}
	}
	if len(stated) < all {
		left = fmt.Sprintf("network.stix.json states the %d largest of %d networks; communities.csv lists them all", len(stated), all)
	}
	return stated, left
}

// writeFinding writes the networks that are stated as a STIX bundle.
func writeFinding(w io.Writer, r *coord.Result, stated []int) error {
	objects, err := finding.Objects(r, finding.Params{}, stated...)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	id := stix.NamedID("bundle", stix.Namespace, objects[len(objects)-1].ID())
	err = stix.WriteBundle(b, id, func(yield func(*stix.Object, error) bool) {
		for _, o := range objects {
			if !yield(o, nil) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return b.Flush()
}

type networkFile struct {
	name string
	to   func(io.Writer) error
}

// writeNetwork writes every file beside its place, then moves them in: an old
// summary.json goes first and the new one comes last, so an interrupted run
// never leaves a folder that looks complete.
func writeNetwork(dir string, r *coord.Result, bar *progress, more ...networkFile) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	part, err := os.MkdirTemp(dir, ".incomplete-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	files := append(more, networkFiles(r)...)
	for i, f := range files {
		bar.show("write", int64(i), int64(len(files)))
		if err := writeResult(filepath.Join(part, f.name), f.to); err != nil {
			return fmt.Errorf("write %s: %w; no results were put in %s", f.name, err, dir)
		}
	}
	if err := os.Remove(filepath.Join(dir, "summary.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(part, f.name), filepath.Join(dir, f.name)); err != nil {
			return err
		}
	}
	return nil
}

func writeResult(name string, to func(io.Writer) error) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return to(f)
}

// scratchDir gives scratch files inside a hidden folder of parent, made at the
// first need and removed at the end of the run.
type scratchDir struct {
	parent, dir string
}

func (s *scratchDir) Create() (coord.ScratchFile, error) {
	if s.dir == "" {
		if err := os.MkdirAll(s.parent, 0o777); err != nil {
			return nil, err
		}
		dir, err := os.MkdirTemp(s.parent, ".scratch-")
		if err != nil {
			return nil, err
		}
		s.dir = dir
	}
	f, err := os.CreateTemp(s.dir, "run-")
	if err != nil {
		return nil, err
	}
	return scratchFile{f}, nil
}

func (s *scratchDir) remove() {
	if s.dir != "" {
		os.RemoveAll(s.dir)
	}
}

type scratchFile struct{ *os.File }

func (f scratchFile) Close() error {
	return errors.Join(f.File.Close(), os.Remove(f.Name()))
}

// progress draws one line on a terminal and is silent elsewhere.
type progress struct {
	w     io.Writer
	drawn bool
	last  time.Time
	stage string
}

func newProgress(p *process) *progress {
	if f, ok := p.stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &progress{w: f}
	}
	return &progress{}
}

func (b *progress) show(stage string, done, total int64) {
	if b.w == nil || stage == b.stage && time.Since(b.last) < 100*time.Millisecond {
		return
	}
	b.stage, b.last, b.drawn = stage, time.Now(), true
	if total <= 0 {
		fmt.Fprintf(b.w, "\r\x1b[K%-10s %d", stage, done)
		return
	}
	const width = 40
	share := min(float64(done)/float64(total), 1)
	bar := make([]byte, width)
	for i := range bar {
		bar[i] = ' '
		if float64(i) < share*width {
			bar[i] = '#'
		}
	}
	fmt.Fprintf(b.w, "\r\x1b[K%-10s [%s] %3.0f %%", stage, bar, 100*share)
}

func (b *progress) clear() {
	if b.drawn {
		fmt.Fprint(b.w, "\r\x1b[K")
		b.drawn = false
	}
}

// openPage shows a file in the person's browser; where that cannot be done the
// path that was printed is enough.
func openPage(ctx context.Context, path string) error {
	for _, opener := range [][]string{{"xdg-open"}, {"open"}, {"rundll32", "url.dll,FileProtocolHandler"}} {
		program, err := exec.LookPath(opener[0])
		if err != nil {
			continue
		}
		return exec.CommandContext(ctx, program, append(opener[1:], path)...).Run()
	}
	return errors.New("no program to open a page with was found")
}
