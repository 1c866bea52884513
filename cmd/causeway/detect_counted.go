package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"causeway/coord"
)

// counting is what a follower has counted of its log. It is kept in the file
// "counted", so a restart counts only what came after; the log alone decides
// what the results are, and without the file, or with a damaged one, it is
// counted from its beginning.
type counting struct {
	posts   *coord.Counted // nil: count from the beginning
	counted countedMark
	saved   int64 // length of the log that the file on disk is of
	useless bool  // the posts do not fit in memory: each look counts anew, out of core
}

// countedMark heads the file: what the counts are of.
type countedMark struct {
	Log   int64 `json:"log_bytes"`
	Posts int64 `json:"posts"` // in the log so far, those left out included
	Cut   int64 `json:"cut_us"`
	// Key is a digest of the pseudonyms' key, which the counted names depend on.
	Key string `json:"key,omitempty"`
}

// horizonSteps is in how many steps of the horizon the cut moves. When it
// moves, posts leave and the rest are counted anew, so it must not move at
// every look.
const horizonSteps = 16

// cut is the time before which posts are left out: the horizon before the
// newest post, rounded down to a sixteenth of the horizon.
func (f *follower) cut() int64 {
	h := f.cmd.Horizon.Microseconds()
	if h <= 0 || f.state.Posts == 0 {
		return math.MinInt64
	}
	step := max(h/horizonSteps, 1)
	oldest := f.state.Newest - h
	return oldest - ((oldest%step)+step)%step
}

// result counts what is new and analyses everything; counted is how many posts
// had to be counted.
func (f *follower) result(scratch coord.Scratch) (r *coord.Result, counted int64, err error) {
	if f.state.Texts || f.useless {
		return f.anew(scratch)
	}
	if f.posts == nil && f.saved == 0 {
		f.resume()
	}
	if f.posts == nil || f.counted.Cut != f.cut() {
		if f.posts, err = coord.NewCounted(f.options()); err != nil {
			return nil, 0, err
		}
		if f.counted, err = f.fresh(); err != nil {
			return nil, 0, err
		}
	}
	before := f.counted.Posts
	if err := f.count(); err != nil {
		f.posts = nil
		if errors.Is(err, coord.ErrMemory) {
			f.useless = true
			return f.anew(scratch)
		}
		return nil, 0, err
	}
	r, err = f.posts.Detect(f.p.ctx, scratch)
	return r, f.counted.Posts - before, err
}

// fresh is the mark of counts that have not begun.
func (f *follower) fresh() (countedMark, error) {
	mark := countedMark{Cut: f.cut()}
	if f.cmd.Pseudonyms == "" {
		return mark, nil
	}
	key, err := os.ReadFile(f.cmd.Pseudonyms)
	sum := sha256.Sum256(append([]byte("causeway follower key\n"), key...))
	mark.Key = hex.EncodeToString(sum[:8])
	return mark, err
}

func (f *follower) options() coord.Options {
	opt := f.opt
	opt.Advise = hugePages
	return opt
}

// count adds what is in the log beyond the counts.
func (f *follower) count() error {
	log, err := os.Open(f.path("posts"))
	if err != nil {
		return err
	}
	defer log.Close()
	part := f.part(log, f.counted)
	opt := f.options()
	src, err := f.cmd.wrapped(part, &opt)
	if err != nil {
		return err
	}
	if err := f.posts.Add(f.p.ctx, src); err != nil {
		return err
	}
	f.posts.Declare(opt.Declared, opt.Facts)
	f.counted.Log, f.counted.Posts = f.state.Log, f.state.Posts
	return nil
}

// part reads the log behind a mark.
func (f *follower) part(log io.ReaderAt, from countedMark) *partSource {
	part := newPartSource(io.NewSectionReader(log, from.Log, f.state.Log-from.Log))
	part.row, part.oldest = from.Posts, f.cut()
	return part
}

// anew reads the whole log, out of core where it must.
func (f *follower) anew(scratch coord.Scratch) (*coord.Result, int64, error) {
	log, err := os.Open(f.path("posts"))
	if err != nil {
		return nil, 0, err
	}
	defer log.Close()
	opt := f.options()
	opt.Scratch = scratch
	src, err := f.cmd.wrapped(f.part(log, countedMark{}), &opt)
	if err != nil {
		return nil, 0, err
	}
	r, err := coord.Detect(f.p.ctx, src, opt)
	return r, f.state.Posts, err
}

// resume takes up the counts of the file, if they can be used.
func (f *follower) resume() {
	file, err := os.Open(f.path("counted"))
	if err != nil {
		return
	}
	defer file.Close()
	b := bufio.NewReaderSize(file, 1<<18)
	line, err := b.ReadBytes('\n')
	var mark countedMark
	fresh, freshErr := f.fresh()
	if err != nil || freshErr != nil || json.Unmarshal(line, &mark) != nil || mark.Log > f.state.Log || mark.Cut != fresh.Cut || mark.Key != fresh.Key {
		return
	}
	posts, err := coord.LoadCounted(b, f.options())
	if err != nil {
		fmt.Fprintf(f.p.stderr, "causeway: counting from the beginning: %v\n", err)
		return
	}
	f.posts, f.counted, f.saved = posts, mark, mark.Log
}

// checkpoint replaces the file when the log has grown by more than least bytes
// since it was written. A failure costs a recount after a restart, no results.
func (f *follower) checkpoint(least int64) error {
	if f.posts == nil || f.counted.Log-f.saved <= least {
		return nil
	}
	head, err := json.Marshal(f.counted)
	if err != nil {
		return err
	}
	err = f.replace("counted", func(w io.Writer) error {
		if _, err := w.Write(append(head, '\n')); err != nil {
			return err
		}
		return f.posts.Save(w)
	})
	if err != nil {
		return fmt.Errorf("keep what was counted: %w", err)
	}
	f.saved = f.counted.Log
	return nil
}
