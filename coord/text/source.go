package text

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"

	"causeway/coord"
)

// Source replaces the texts of another source by the clusters they fall into.
// Posts of every other kind pass through at once; texts are held until the end,
// since clusters gather in order of time, and then follow. The object of a text
// is "like:" and the content id of the cluster's first post, or "wire:", a news
// agency and that id where the first post credits one.
func Source(src coord.Source, exclude ...string) coord.Source {
	return &source{src: src, clusters: NewClusters(), exclude: exclude}
}

type source struct {
	src      coord.Source
	clusters *Clusters
	exclude  []string
	held     []held
	out      []coord.Post
	done     bool
}

type held struct {
	text, account, content string
	time, row              int64
}

func (s *source) Next(b *coord.Batch) error {
	if s.done {
		return s.emit(b)
	}
	err := s.src.Next(b)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	b.Posts = slices.DeleteFunc(b.Posts, func(p coord.Post) bool {
		if p.Kind != coord.Text {
			return false
		}
		if len(p.Object) > 0 {
			s.held = append(s.held, held{string(p.Object), string(p.Account), string(p.Content), p.Time, p.Row})
		}
		return len(p.Object) > 0
	})
	if err == nil {
		return nil
	}
	s.done = true
	s.cluster()
	if len(b.Posts) > 0 || len(s.out) > 0 {
		return nil
	}
	return io.EOF
}

// cluster runs through the held texts in order of time. Texts like an excluded
// one, such as our own statements and known fact-checks, are no trace.
func (s *source) cluster() {
	slices.SortFunc(s.held, func(a, b held) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.content, b.content)) })
	var first []string // object of each cluster, "" for an excluded one
	for _, t := range s.exclude {
		if _, founded := s.clusters.Add(t); founded {
			first = append(first, "")
		}
	}
	for _, h := range s.held {
		c, founded := s.clusters.Add(h.text)
		if founded {
			first = append(first, named(h.text, h.content))
		}
		if c < 0 || first[c] == "" {
			continue
		}
		s.out = append(s.out, coord.Post{Kind: coord.Text, Object: []byte(first[c]), Account: []byte(h.account), Content: []byte(h.content), Time: h.time, Row: h.row})
	}
	s.held = nil
}

func (s *source) emit(b *coord.Batch) error {
	n := min(len(s.out), 4096)
	b.Posts = append(b.Posts[:0], s.out[:n]...)
	s.out = s.out[n:]
	if n == 0 {
		return io.EOF
	}
	return nil
}

// Lines splits a file of texts to exclude, one a line.
func Lines(b []byte) []string {
	var out []string
	for l := range bytes.SplitSeq(b, []byte{'\n'}) {
		if l = bytes.TrimSpace(l); len(l) > 0 {
			out = append(out, string(l))
		}
	}
	return out
}
