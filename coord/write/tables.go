// Package write puts a [coord.Result] into the files that causeway detect
// gives: CSV tables, summary.json, GraphML, GEXF and a printable report. Every
// writer is deterministic and streams.
package write

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"

	"causeway/coord"
)

// EdgeColumns are the columns of edges.csv. The first nine are a contract.
var EdgeColumns = []string{"account_a", "account_b", "weight", "distinct_objects", "posts_a", "posts_b", "mean_delta_s", "p_value", "q_value",
	"post_pairs", "shared_objects", "first_share_a", "p_sync", "q_sync", "p_overlap", "q_overlap", "signals", "declared", "community", "kinds"}

// Edges writes edges.csv, sorted by both accounts in byte order.
func Edges(w io.Writer, r *coord.Result) error {
	return table(w, EdgeColumns, func(row func(...string) error) error {
		for i := range r.Edges {
			e := &r.Edges[i]
			shared, first := "", ""
			if e.SharedObjects > 0 {
				shared = count(e.SharedObjects)
			}
			if !math.IsNaN(e.FirstShareA) {
				first = Float(e.FirstShareA)
			}
			if err := row(r.Nodes[e.A].Account, r.Nodes[e.B].Account, count(e.Weight), count(e.Objects), count(e.PostsA), count(e.PostsB), Float(e.MeanDelta),
				Float(e.P), Float(e.Q), count(e.PostPairs), shared, first, Float(e.PSync), Float(e.QSync), Float(e.POverlap), Float(e.QOverlap), e.Signals, e.Declared,
				community(r, e.A, e.B), e.Kinds); err != nil {
				return err
			}
		}
		return nil
	})
}

// community is the community both ends share, empty when they differ.
func community(r *coord.Result, a, b int) string {
	if c := r.Nodes[a].Community; c == r.Nodes[b].Community && c < len(r.Communities) {
		return r.Communities[c].ID
	}
	return ""
}

// NodeColumns are the columns of nodes.csv.
var NodeColumns = []string{"account", "posts", "degree", "strength", "community", "declared"}

// Nodes writes nodes.csv: the accounts that have an edge.
func Nodes(w io.Writer, r *coord.Result) error {
	return table(w, NodeColumns, func(row func(...string) error) error {
		for i := range r.Nodes {
			n := &r.Nodes[i]
			if err := row(n.Account, count(n.Posts), strconv.Itoa(n.Degree), count(n.Strength), community(r, i, i), n.Declared); err != nil {
				return err
			}
		}
		return nil
	})
}

// CommunityColumns are the columns of communities.csv.
var CommunityColumns = []string{"community", "accounts", "edges", "weight", "density", "members"}

// Communities writes communities.csv, largest first; members are separated by
// spaces, with spaces and percent signs inside a name percent-encoded.
func Communities(w io.Writer, r *coord.Result) error {
	escape := strings.NewReplacer("%", "%25", " ", "%20")
	return table(w, CommunityColumns, func(row func(...string) error) error {
		for i := range r.Communities {
			c := &r.Communities[i]
			n := float64(len(c.Members))
			density := math.NaN()
			if n > 1 {
				density = float64(c.Edges) / (n * (n - 1) / 2)
			}
			members := make([]string, len(c.Members))
			for j, m := range c.Members {
				members[j] = escape.Replace(r.Nodes[m].Account)
			}
			if err := row(c.ID, strconv.Itoa(len(c.Members)), strconv.Itoa(c.Edges), count(c.Weight), Float(density), strings.Join(members, " ")); err != nil {
				return err
			}
		}
		return nil
	})
}

// EvidenceColumns are the columns of evidence.csv.
var EvidenceColumns = []string{"account_a", "account_b", "kind", "object", "content_a", "time_a", "content_b", "time_b", "delta_s", "object_posts", "object_accounts", "p_object", "older"}

// Evidence writes evidence.csv: the coincidences behind every edge.
func Evidence(w io.Writer, r *coord.Result) error {
	return table(w, EvidenceColumns, func(row func(...string) error) error {
		for e, err := range r.AllEvidence() {
			if err != nil {
				return err
			}
			edge := &r.Edges[e.Edge]
			accounts, older := "", "a"
			if e.ObjectAccounts > 0 {
				accounts = count(e.ObjectAccounts)
			}
			if e.OlderB {
				older = "b"
			}
			if err := row(r.Nodes[edge.A].Account, r.Nodes[edge.B].Account, e.Kind.String(), e.Object, e.ContentA, Seconds(e.TimeA), e.ContentB, Seconds(e.TimeB),
				Seconds(e.TimeB-e.TimeA), count(e.ObjectPosts), accounts, Float(e.P), older); err != nil {
				return err
			}
		}
		return nil
	})
}

// Summary writes summary.json.
func Summary(w io.Writer, s coord.Summary) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

func table(w io.Writer, header []string, rows func(row func(...string) error) error) error {
	b := bufio.NewWriterSize(w, 1<<16)
	c := csv.NewWriter(b)
	if err := c.Write(header); err != nil {
		return err
	}
	if err := rows(func(f ...string) error { return c.Write(f) }); err != nil {
		return err
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return b.Flush()
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

// Float writes a number in the shortest form that reads back the same, and
// nothing for NaN.
func Float(f float64) string {
	if math.IsNaN(f) {
		return ""
	}
	if f != 0 && math.Abs(f) < 1e-5 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// Seconds writes microseconds as seconds, with a fraction only where there is
// one.
func Seconds(us int64) string {
	sign := ""
	if us < 0 {
		sign, us = "-", -us
	}
	s := sign + strconv.FormatInt(us/1e6, 10)
	if f := us % 1e6; f != 0 {
		frac := strconv.FormatInt(1e6+f, 10)[1:]
		s += "." + strings.TrimRight(frac, "0")
	}
	return s
}
