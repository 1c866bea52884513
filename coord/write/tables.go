// Package write puts a [coord.Result] into the files that causeway detect
// gives: CSV tables, summary.json, GraphML, GEXF and a printable report. Every
// writer is deterministic and streams.
package write

import (
	"encoding/json"
	"io"
	"math"
	"strings"

	"causeway/coord"
)

// EdgeColumns are the columns of edges.csv. The first nine are a contract.
var EdgeColumns = []string{"account_a", "account_b", "weight", "distinct_objects", "posts_a", "posts_b", "mean_delta_s", "p_value", "q_value",
	"post_pairs", "shared_objects", "first_share_a", "p_sync", "q_sync", "p_overlap", "q_overlap", "signals", "declared", "community", "kinds", "apart"}

// Edges writes edges.csv, sorted by both accounts in byte order.
func Edges(w io.Writer, r *coord.Result) error {
	return table(w, EdgeColumns, func(row *row) error {
		for i := range r.Edges {
			e := &r.Edges[i]
			row.text(r.Nodes[e.A].Account).text(r.Nodes[e.B].Account)
			if err := edgeFields(row, e).text(e.Declared).text(community(r, e.A, e.B)).text(e.Kinds).text(e.Apart).end(); err != nil {
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
	return table(w, NodeColumns, func(row *row) error {
		for i := range r.Nodes {
			n := &r.Nodes[i]
			if err := row.text(n.Account).count(n.Posts).count(int64(n.Degree)).count(n.Strength).text(community(r, i, i)).text(n.Declared).end(); err != nil {
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
	return table(w, CommunityColumns, func(row *row) error {
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
			if err := row.text(c.ID).count(int64(len(c.Members))).count(int64(c.Edges)).count(c.Weight).float(density).text(strings.Join(members, " ")).end(); err != nil {
				return err
			}
		}
		return nil
	})
}

// EvidenceColumns are the columns of evidence.csv.
var EvidenceColumns = []string{"account_a", "account_b", "kind", "object", "content_a", "time_a", "content_b", "time_b", "delta_s", "object_posts", "object_accounts", "p_object", "older"}

// Evidence writes evidence.csv: the coincidences behind every edge. The digest
// is for [Report].
func Evidence(w io.Writer, r *coord.Result) (*Digest, error) {
	d := &Digest{objects: map[objectKey]*digested{}}
	return d, table(w, EvidenceColumns, func(row *row) error {
		for e, err := range r.AllEvidence() {
			if err != nil {
				return err
			}
			d.add(&e)
			edge := &r.Edges[e.Edge]
			older := "a"
			if e.OlderB {
				older = "b"
			}
			row.text(r.Nodes[edge.A].Account).text(r.Nodes[edge.B].Account).text(e.Kind.String()).text(e.Object).text(e.ContentA).seconds(e.TimeA).text(e.ContentB).seconds(e.TimeB)
			if err := row.seconds(e.TimeB - e.TimeA).count(e.ObjectPosts).some(e.ObjectAccounts).float(e.P).text(older).end(); err != nil {
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
