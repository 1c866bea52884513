package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"causeway/coord"
)

// kernelCmd is what a cluster runs on each part of the posts. It is not for
// people: it reads lines on the standard input and writes lines.
type kernelCmd struct {
	Count  kernelCountCmd  `cmd:"" help:"First round on a part."`
	Plan   kernelPlanCmd   `cmd:"" help:"Merge the first round."`
	Pairs  kernelPairsCmd  `cmd:"" help:"Second round on a part."`
	Wanted kernelWantedCmd `cmd:"" help:"Accounts of the candidate pairs."`
	Posts  kernelPostsCmd  `cmd:"" help:"Third round on a part."`
}

type kernelOptions struct {
	Window           time.Duration `default:"60s"`
	MinParticipation int           `default:"2"`
	MinWeight        int
	Seed             uint64 `default:"1"`
	Memory           string `default:"1GiB"`
}

func (k kernelOptions) options() (coord.Options, error) {
	memory, err := parseBytes(k.Memory)
	return coord.Options{Window: k.Window, MinParticipation: k.MinParticipation, MinWeight: k.MinWeight, Seed: k.Seed, Memory: memory}, err
}

// run gives do its options and scratch space in the system's folder for it.
func (k kernelOptions) run(p *process, do func(coord.Options, io.Writer) error) error {
	opt, err := k.options()
	if err != nil {
		return usagef("--memory: %v", err)
	}
	scratch := &scratchDir{parent: os.TempDir()}
	defer scratch.remove()
	opt.Scratch = scratch
	w := bufio.NewWriterSize(p.stdout, 1<<16)
	if err := do(opt, w); err != nil {
		return err
	}
	return w.Flush()
}

type kernelCountCmd struct{ kernelOptions }

func (k *kernelCountCmd) Run(p *process) error {
	return k.run(p, func(o coord.Options, w io.Writer) error {
		return coord.ClusterCount(p.ctx, newPartSource(p.stdin), o, w)
	})
}

type kernelPlanCmd struct {
	kernelOptions
	Counts   string `arg:""`
	Contents string `arg:""`
}

func (k *kernelPlanCmd) Run(p *process) error {
	return k.run(p, func(o coord.Options, w io.Writer) error {
		counts, err := openLines(k.Counts)
		if err != nil {
			return err
		}
		defer counts.Close()
		contents, err := openLines(k.Contents)
		if err != nil {
			return err
		}
		defer contents.Close()
		return coord.ClusterPlan(counts, contents, o, w)
	})
}

type kernelPairsCmd struct {
	kernelOptions
	Plan string `arg:""`
}

func (k *kernelPairsCmd) Run(p *process) error {
	b, err := os.ReadFile(k.Plan)
	if err != nil {
		return err
	}
	var plan coord.Plan
	if err := json.Unmarshal(b, &plan); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	return k.run(p, func(o coord.Options, w io.Writer) error {
		return coord.ClusterPairs(p.ctx, newPartSource(p.stdin), plan, o, w)
	})
}

type kernelWantedCmd struct {
	Pairs string `arg:""`
}

func (k *kernelWantedCmd) Run(p *process) error {
	r, err := openLines(k.Pairs)
	if err != nil {
		return err
	}
	defer r.Close()
	return coord.ClusterWanted(r, p.stdout)
}

type kernelPostsCmd struct {
	kernelOptions
	Wanted string `arg:""`
}

func (k *kernelPostsCmd) Run(p *process) error {
	f, err := os.Open(k.Wanted)
	if err != nil {
		return err
	}
	defer f.Close()
	return k.run(p, func(o coord.Options, w io.Writer) error {
		return coord.ClusterPosts(p.ctx, newPartSource(p.stdin), f, o, w)
	})
}

// partSource reads lines of object, account, content (base64), microseconds and,
// if need be, kind.
type partSource struct {
	s      *bufio.Scanner
	row    int64
	oldest int64 // posts before it are left out
}

func newPartSource(r io.Reader) *partSource {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 1<<20), 64<<20)
	return &partSource{s: s, oldest: math.MinInt64}
}

func (s *partSource) Next(b *coord.Batch) error {
	b.Posts = b.Posts[:0]
	for len(b.Posts) < 4096 && s.s.Scan() {
		s.row++
		f := bytes.Split(s.s.Bytes(), []byte{'\t'})
		if len(f) != 4 && len(f) != 5 {
			return fmt.Errorf("row %d of a part: %d fields, want 4 or 5", s.row, len(f))
		}
		post := coord.Post{Row: s.row}
		if len(f) == 5 {
			if err := post.Kind.UnmarshalText(f[4]); err != nil {
				return fmt.Errorf("row %d of a part: %w", s.row, err)
			}
		}
		for i, to := range []*[]byte{&post.Object, &post.Account, &post.Content} {
			*to = make([]byte, base64.StdEncoding.DecodedLen(len(f[i])))
			n, err := base64.StdEncoding.Decode(*to, f[i])
			if err != nil {
				return fmt.Errorf("row %d of a part: %w", s.row, err)
			}
			*to = (*to)[:n]
		}
		t, err := strconv.ParseInt(string(f[3]), 10, 64)
		if err != nil {
			return fmt.Errorf("row %d of a part: %w", s.row, err)
		}
		if post.Time = t; t < s.oldest {
			continue
		}
		b.Posts = append(b.Posts, post)
	}
	if len(b.Posts) == 0 {
		if err := s.s.Err(); err != nil {
			return fmt.Errorf("read a part: %w", err)
		}
		return io.EOF
	}
	return nil
}
