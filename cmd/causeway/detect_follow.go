package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"causeway/coord"
	"causeway/coord/read"
)

// follower keeps the posts of a growing folder or file and detects anew when
// some arrive. What it has read is in a log beside the results: the log is
// extended and synced first, then the state that vouches for its length is
// replaced, so a restart reads nothing twice and misses nothing.
type follower struct {
	cmd   *detectCmd
	p     *process
	opt   coord.Options
	dir   string // out/.follow
	state followState
	counting
}

// followState is state.json of a follower.
type followState struct {
	Files  map[string]*followed `json:"files"`
	Log    int64                `json:"log_bytes"`
	Posts  int64                `json:"posts"`
	Newest int64                `json:"newest_us"`
	Late   int64                `json:"late_posts"` // came behind the horizon and were left out
	Priors []coord.Prior        `json:"networks"`
	Shown  int64                `json:"shown_log_bytes"` // length of the log the results are of
	// Texts says that there are texts or images: they gather around the first of
	// their like in order of time, so a late one may change what others are.
	Texts bool `json:"texts,omitempty"`
}

// followed is how far a file has been read.
type followed struct {
	Offset int64 `json:"offset"`
	Rows   int64 `json:"rows"`
	Whole  bool  `json:"whole,omitempty"` // compressed or Parquet: read once, whole
}

// follow runs until it is interrupted, or for Polls rounds.
func (c *detectCmd) follow(p *process, opt coord.Options, out string) error {
	if c.Engine != "local" {
		return usagef("--follow runs on the local engine")
	}
	f := &follower{cmd: c, p: p, opt: opt, dir: filepath.Join(out, ".follow")}
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return err
	}
	if err := f.load(); err != nil {
		return err
	}
	for round := 1; ; round++ {
		if err := f.poll(); err != nil {
			return err
		}
		if f.state.Log != f.state.Shown {
			if err := f.detect(out); err != nil {
				return err
			}
		}
		if round == c.Polls {
			return f.checkpoint(0)
		}
		select {
		case <-p.ctx.Done():
			return errors.Join(f.checkpoint(0), p.ctx.Err())
		case <-time.After(c.Every):
		}
	}
}

func (f *follower) path(name string) string { return filepath.Join(f.dir, name) }

// load reads the state and drops what a crash left behind it in the log.
func (f *follower) load() error {
	f.state.Files = map[string]*followed{}
	b, err := os.ReadFile(f.path("state.json"))
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(b, &f.state); err != nil {
			return fmt.Errorf("%s: %w; remove the folder %s to begin anew", f.path("state.json"), err, f.dir)
		}
	}
	log, err := os.OpenFile(f.path("posts"), os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer log.Close()
	if st, err := log.Stat(); err != nil || st.Size() < f.state.Log {
		return errors.Join(err, fmt.Errorf("%s is shorter than its state says; remove the folder %s to begin anew", f.path("posts"), f.dir))
	}
	return log.Truncate(f.state.Log)
}

func (f *follower) save() error {
	b, err := json.Marshal(f.state)
	if err != nil {
		return err
	}
	return f.replace("state.json", func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// replace puts a file in its place whole, or leaves the old one.
func (f *follower) replace(name string, to func(io.Writer) error) error {
	next := f.path(name + ".next")
	if err := writeResult(next, func(w io.Writer) error {
		if err := to(w); err != nil {
			return err
		}
		return w.(*os.File).Sync()
	}); err != nil {
		return err
	}
	return os.Rename(next, f.path(name))
}

// files lists the posts there are now; a folder gives every file in it.
func (f *follower) files() ([]string, error) {
	var out []string
	for _, name := range f.cmd.Posts {
		st, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if !st.IsDir() {
			out = append(out, name)
			continue
		}
		entries, err := os.ReadDir(name) // sorted by name
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
				out = append(out, filepath.Join(name, e.Name()))
			}
		}
	}
	return out, nil
}

// poll appends what is new in every file to the log.
func (f *follower) poll() error {
	names, err := f.files()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := f.p.ctx.Err(); err != nil {
			return err
		}
		at := f.state.Files[name]
		if at == nil {
			at = &followed{}
		}
		next := *at
		if err := f.extend(name, &next); err != nil {
			return err
		}
		if next != *at {
			f.state.Files[name] = &next
			if err := f.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// extend reads the whole rows behind at.Offset and moves it.
func (f *follower) extend(name string, at *followed) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil || at.Whole || st.Size() == at.Offset {
		return err
	}
	if st.Size() < at.Offset {
		return fmt.Errorf("%s has become shorter: followed files may only grow", name)
	}
	opt, err := f.cmd.reading(f.opt.Semantics)
	if err != nil {
		return err
	}
	opt.File = name
	var magic [4]byte
	file.ReadAt(magic[:], 0)
	if string(magic[:]) == "PAR1" || magic[0] == 0x1f && magic[1] == 0x8b || bytes.Equal(magic[:], []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		src, err := openPosts(f.p.ctx, file, file, opt)
		if err != nil {
			return err
		}
		at.Whole, at.Offset = true, st.Size()
		return f.append(src, at)
	}
	from, end, header, err := newRows(file, at.Offset, st.Size())
	if err != nil || end == from {
		return err
	}
	src, err := read.Open(f.p.ctx, io.MultiReader(bytes.NewReader(header), io.NewSectionReader(file, from, end-from)), opt)
	if err != nil {
		return err
	}
	at.Offset = end
	return f.append(src, at)
}

// newRows finds the whole rows from offset on: up to the last line end. The
// header of a CSV goes before the rows of a later part.
func newRows(file *os.File, offset, size int64) (from, end int64, header []byte, err error) {
	if offset > 0 {
		line, err := bufio.NewReader(io.NewSectionReader(file, 0, size)).ReadBytes('\n')
		if err != nil {
			return 0, 0, nil, err
		}
		if t := bytes.TrimLeft(line, "\ufeff \t"); len(t) > 0 && t[0] != '{' {
			header = line
		}
	}
	buf := make([]byte, 1<<16)
	for at := size; at > offset; {
		n := min(int64(len(buf)), at-offset)
		if _, err := file.ReadAt(buf[:n], at-n); err != nil {
			return 0, 0, nil, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return offset, at - n + int64(i) + 1, header, nil
		}
		at -= n
	}
	return offset, offset, nil, nil
}

// append adds a source's posts to the log and syncs it.
func (f *follower) append(src read.Source, at *followed) error {
	defer src.Close()
	log, err := os.OpenFile(f.path("posts"), os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := log.Truncate(f.state.Log); err != nil { // what an earlier bad row left
		return err
	}
	if _, err := log.Seek(f.state.Log, io.SeekStart); err != nil {
		return err
	}
	w := bufio.NewWriterSize(log, 1<<18)
	state := f.state
	var b coord.Batch
	var line []byte
	last := at.Rows
	for {
		err := src.Next(&b)
		for i := range b.Posts {
			x := &b.Posts[i]
			last = at.Rows + x.Row
			line = line[:0]
			for _, s := range [][]byte{x.Object, x.Account, x.Content} {
				line = append(base64.StdEncoding.AppendEncode(line, s), '\t')
			}
			line = strconv.AppendInt(line, x.Time, 10)
			line = append(append(append(line, '\t'), x.Kind.String()...), '\n')
			if _, err := w.Write(line); err != nil {
				return fmt.Errorf("keep the posts: %w", err)
			}
			state.Log += int64(len(line))
			state.Posts++
			state.Texts = state.Texts || x.Kind == coord.Text || x.Kind == coord.Image
			state.Newest = max(state.Newest, x.Time)
			if f.cmd.Horizon > 0 && x.Time < state.Newest-f.cmd.Horizon.Microseconds() {
				state.Late++
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *read.Error
		if errors.As(err, &bad) {
			bad.Row, bad.Line = bad.Row+at.Rows, 0
		}
		if err != nil {
			return fmt.Errorf("%w\nnothing of this part was taken; fix it, and follow again", err)
		}
	}
	if err := errors.Join(w.Flush(), log.Sync()); err != nil {
		return fmt.Errorf("keep the posts: %w", err)
	}
	at.Rows = last
	f.state = state
	return nil
}

// detect analyses all posts inside the horizon and replaces the results.
func (f *follower) detect(out string) error {
	start := time.Now()
	scratch := &scratchDir{parent: out}
	defer scratch.remove()
	r, counted, err := f.result(scratch)
	if err != nil {
		return err
	}
	defer r.Close()
	changes := r.Follow(f.state.Priors)
	if err := writeNetwork(out, r, newProgress(f.p), networkFile{"changes.csv", func(w io.Writer) error { return writeChanges(w, changes) }}); err != nil {
		return err
	}
	f.state.Priors, f.state.Shown = r.Priors(), f.state.Log
	if err := f.save(); err != nil {
		return err
	}
	fmt.Fprintf(f.p.stdout, "%d posts kept, %d late: %s; %d edges in %d networks", f.state.Posts, f.state.Late, r.Summary.Verdict, len(r.Edges), len(r.Communities))
	for _, c := range changes {
		if c.What != "same" {
			fmt.Fprintf(f.p.stdout, "; %s %s", c.ID, c.What)
		}
	}
	fmt.Fprintf(f.p.stdout, " (%d posts counted, %.2f s)\n", counted, time.Since(start).Seconds())
	return f.checkpoint(f.counted.Log / 4)
}

func writeChanges(w io.Writer, changes []coord.Change) error {
	rows := [][]string{{"network", "what", "before", "after", "from", "to"}}
	for _, c := range changes {
		rows = append(rows, []string{c.ID, c.What, strconv.Itoa(c.Before), strconv.Itoa(c.After), strings.Join(c.From, " "), strings.Join(c.To, " ")})
	}
	return csv.NewWriter(w).WriteAll(rows)
}
