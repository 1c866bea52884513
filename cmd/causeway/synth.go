package main

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"causeway/coord/synth"
)

type synthCmd struct {
	Posts synthPostsCmd `cmd:"" help:"Posts with or without planted networks, and the truth about them."`
}

type synthPostsCmd struct {
	N        int      `name:"n" default:"100000" help:"Number of posts, planted ones included."`
	Seed     uint64   `default:"1" help:"Same seed and options, same posts."`
	World    string   `default:"bursty" help:"Rhythm of the ordinary posts: rates, bursty, homophily, dense, shifts or viral."`
	Accounts int      `help:"Ordinary accounts; default N/20."`
	Days     int      `default:"30" help:"Length of the period."`
	Viral    []int    `help:"Extra objects of so many shares each."`
	Plant    []string `placeholder:"KIND:GROUPSxSIZE" help:"Networks to plant: private:3x10 or piggyback:2x20, then bursts=, spread=, join=, camouflage= after colons."`
	Truth    string   `placeholder:"FILE" help:"Where the planted accounts are written; default FILE.truth.csv beside --out."`
	Out      string   `short:"o" placeholder:"FILE" help:"Where the posts are written; default the standard output."`
}

func (c *synthPostsCmd) Run(p *process) error {
	w := synth.World{Posts: c.N, Seed: c.Seed, Shape: synth.Shape(c.World), Accounts: c.Accounts, Days: c.Days, Viral: c.Viral}
	for _, s := range c.Plant {
		plant, err := parsePlant(s)
		if err != nil {
			return usagef("--plant %s: %v", s, err)
		}
		w.Plants = append(w.Plants, plant)
	}
	truth, posts, err := synth.Make(w)
	if err != nil {
		return usagef("%v", err)
	}
	if c.Truth == "" && c.Out != "" {
		c.Truth = strings.TrimSuffix(c.Out, ".csv") + ".truth.csv"
	}
	if c.Truth != "" {
		if err := writeFile(c.Truth, func(w io.Writer) error { return writeTruth(w, truth) }); err != nil {
			return err
		}
	}
	bar := newProgress(p)
	defer bar.clear()
	write := func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 1<<20)
		b.WriteString("object_id,account_id,content_id,timestamp_share\n")
		n := int64(0)
		var line []byte
		for x := range posts {
			line = append(line[:0], x.Object...)
			line = append(append(line, ','), x.Account...)
			line = append(append(line, ','), x.Content...)
			line = strconv.AppendInt(append(line, ','), x.Time, 10)
			if _, err := b.Write(append(line, '\n')); err != nil {
				return err
			}
			if n++; n&0xffff == 0 {
				if err := p.ctx.Err(); err != nil {
					return err
				}
				bar.show("posts", n, int64(c.N))
			}
		}
		return b.Flush()
	}
	if c.Out == "" {
		return write(p.stdout)
	}
	part := c.Out + ".incomplete"
	if err := writeResult(part, write); err != nil {
		os.Remove(part)
		return err
	}
	return os.Rename(part, c.Out)
}

func writeTruth(w io.Writer, truth []synth.Member) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"account_id", "network", "kind"}}
	for _, m := range truth {
		rows = append(rows, []string{m.Account, strconv.Itoa(m.Group), m.Kind})
	}
	return c.WriteAll(rows)
}

// parsePlant reads KIND:GROUPSxSIZE[:name=value...]; KIND may be left out.
func parsePlant(s string) (synth.Plant, error) {
	var p synth.Plant
	for i, part := range strings.Split(s, ":") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			groups, size, sized := strings.Cut(part, "x")
			n, err := strconv.Atoi(groups)
			switch {
			case err != nil && i == 0:
				p.Kind = part
			case err != nil:
				return p, fmt.Errorf("%q: want GROUPSxSIZE", part)
			default:
				p.Groups = n
				if sized {
					if p.Size, err = strconv.Atoi(size); err != nil {
						return p, fmt.Errorf("%q: want GROUPSxSIZE", part)
					}
				}
			}
			continue
		}
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return p, fmt.Errorf("%s: %q is not a number", name, value)
		}
		switch name {
		case "bursts":
			p.Bursts = int(f)
		case "spread":
			p.Spread = f
		case "join":
			p.Join = f
		case "camouflage":
			p.Camouflage = int(f)
		default:
			return p, fmt.Errorf("unknown setting %q: want bursts, spread, join or camouflage", name)
		}
	}
	return p, nil
}
