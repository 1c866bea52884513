// Command detect measures what the odds of causeway detect are worth, on
// worlds whose truth is known, and prints Markdown.
//
//	go run ./bench/detect nulls [-posts 60000] [-seeds 20] [-window 60s]   worlds without coordination
//	go run ./bench/detect grid  [-posts 60000] [-seeds 3]                  planted networks of growing strength
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"causeway/coord"
	"causeway/coord/synth"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "detect:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("want nulls or grid")
	}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	posts := f.Int("posts", 60000, "posts of a world")
	seeds := f.Int("seeds", 20, "worlds of each shape")
	window := f.Duration("window", time.Minute, "window")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "nulls":
		return nulls(*posts, *seeds, *window)
	case "grid":
		return grid(*posts, *seeds, *window)
	}
	return fmt.Errorf("unknown measurement %q: want nulls or grid", args[0])
}

// worldSource gives a world's posts to the detector.
type worldSource struct {
	next func() (synth.Post, bool)
}

func (s *worldSource) Next(b *coord.Batch) error {
	b.Posts = b.Posts[:0]
	for len(b.Posts) < 4096 {
		p, ok := s.next()
		if !ok {
			break
		}
		b.Posts = append(b.Posts, coord.Post{Object: []byte(p.Object), Account: []byte(p.Account), Content: []byte(p.Content), Time: p.Time * 1e6})
	}
	if len(b.Posts) == 0 {
		return io.EOF
	}
	return nil
}

// detect runs one world and returns the result and the truth by account.
func detect(w synth.World, window time.Duration) (*coord.Result, map[string]synth.Member, error) {
	truth, posts, err := synth.Make(w)
	if err != nil {
		return nil, nil, err
	}
	var all []synth.Post
	for p := range posts {
		all = append(all, p)
	}
	i := 0
	r, err := coord.Detect(context.Background(), &worldSource{func() (synth.Post, bool) {
		if i == len(all) {
			return synth.Post{}, false
		}
		i++
		return all[i-1], true
	}}, coord.Options{Window: window, Seed: w.Seed})
	members := map[string]synth.Member{}
	for _, m := range truth {
		members[m.Account] = m
	}
	return r, members, err
}

func nulls(posts, seeds int, window time.Duration) error {
	fmt.Printf("| world | runs of %d posts, window %v | with any edge | edges in all | null replicates with any edge |\n|---|---|---|---|---|\n", posts, window)
	for _, shape := range synth.Shapes {
		runs, edges, replicates := 0, 0, 0
		for seed := range seeds {
			r, _, err := detect(synth.World{Posts: posts, Seed: uint64(seed + 1), Shape: shape}, window)
			if err != nil {
				return err
			}
			if len(r.Edges) > 0 {
				runs++
			}
			edges += len(r.Edges)
			if r.Summary.Test.NullEdges > 0 {
				replicates++
			}
			r.Close()
		}
		fmt.Printf("| %s | %d | %d | %d | %d |\n", shape, seeds, runs, edges, replicates)
	}
	return nil
}

// grid plants two groups of one kind in a homophilous world.
func grid(posts, seeds int, window time.Duration) error {
	fmt.Printf("| planted, in a world of %d posts with topics | bursts | recall of pairs in sync twice | recall of all pairs | false discovery proportion |\n|---|---|---|---|---|\n", posts)
	for _, p := range []synth.Plant{{Kind: synth.Private, Groups: 2, Size: 10}, {Kind: synth.Piggyback, Groups: 2, Size: 20}} {
		for _, bursts := range []int{2, 3, 4, 6, 9, 12, 24, 48} {
			if p.Kind == synth.Private && bursts > 12 {
				continue
			}
			p.Bursts = bursts
			var found, pairs, able, wrong, edges int
			for seed := range seeds {
				r, members, err := detect(synth.World{Posts: posts, Seed: uint64(seed + 1), Shape: synth.Homophily, Plants: []synth.Plant{p}}, window)
				if err != nil {
					return err
				}
				same := func(a, b string) bool { return members[a].Group > 0 && members[a].Group == members[b].Group }
				for _, e := range r.Edges {
					edges++
					if same(r.Nodes[e.A].Account, r.Nodes[e.B].Account) {
						found++
						able++
					} else {
						wrong++
					}
				}
				for _, c := range r.Candidates {
					if same(c.AccountA, c.AccountB) {
						able++
					}
				}
				pairs += p.Groups * p.Size * (p.Size - 1) / 2
				r.Close()
			}
			share := func(a, b int) string {
				if b == 0 {
					return "-"
				}
				return fmt.Sprintf("%.1f %%", 100*float64(a)/float64(b))
			}
			fmt.Printf("| %s, groups of %d | %d | %s | %s | %s |\n", p.Kind, p.Size, bursts, share(found, able), share(found, pairs), share(wrong, edges))
		}
	}
	return nil
}
