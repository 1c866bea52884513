// Package finding states a [coord.Result] as STIX 2.1 objects, with everything
// a partner needs to judge and to repeat it: the rules' version, parameters,
// digests of the input, counts, odds and the posts themselves.
//
// A finding is what a program computed. The objects say so, and never that
// somebody is inauthentic.
package finding

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"causeway/coord"
	"causeway/stix"
)

// Extension is the id of the property extension that carries a finding. Its
// properties on an incident: version, semantics, parameters, input, network,
// verdict, test; on an observed-data object: kind, object and posts.
var Extension = stix.FindingExtension

// Params are what the result itself does not know.
type Params struct {
	// Created stamps every object. Zero takes the time of the last post, so
	// that the same input gives the same bytes.
	Created   stix.Timestamp
	CreatedBy string   // identity id, may be empty
	Marks     []string // object_marking_refs
	// Platform is the account_type of the accounts, such as twitter; empty
	// leaves it out.
	Platform string
	// Salt, when set, goes into every id, those of accounts and addresses too.
	// Without it equal findings have equal ids, and the id of an account tells
	// its name to whoever guesses it (STIX 2.9): set it for what leaves the desk.
	Salt string
	// MaxObjects bounds the observed-data objects of one network, those in sync
	// on most edges first. Default 50. What is left out is counted.
	MaxObjects int
}

// Objects returns the STIX objects of the communities with these indexes, or
// of every community of at least two accounts when none is given. Ids are
// derived from input and parameters: the same finding has the same ids.
func Objects(r *coord.Result, p Params, communities ...int) ([]*stix.Object, error) {
	if len(communities) == 0 {
		for i := range r.Communities {
			if len(r.Communities[i].Members) > 1 {
				communities = append(communities, i)
			}
		}
	}
	if p.MaxObjects == 0 {
		p.MaxObjects = 50
	}
	b := &builder{r: r, p: p, key: p.Salt + key(r), accounts: map[int]string{}, have: map[string]bool{}, worst: worstOf(r), apart: apartOf(r)}
	if b.p.Created.IsZero() {
		text := r.Summary.Input.LastTime
		if text == "" {
			text = "1970-01-01T00:00:00Z"
		}
		created, err := stamp(text)
		if err != nil {
			return nil, err
		}
		b.p.Created = created
	}
	b.definition()
	evidence, err := b.evidence(communities)
	if err != nil {
		return nil, err
	}
	for _, c := range communities {
		if c < 0 || c >= len(r.Communities) {
			return nil, fmt.Errorf("state a finding: network %d of %d", c, len(r.Communities))
		}
		b.network(c, evidence[c])
	}
	return b.out, b.err
}

// key names the run: two runs of one version on the same input with the same
// parameters have the same key.
func key(r *coord.Result) string {
	s := &r.Summary
	var files []string
	for _, f := range s.Input.Files {
		files = append(files, f.SHA256)
	}
	slices.Sort(files)
	return fmt.Sprint(s.Version, s.Semantics, s.WindowSeconds, s.MinParticipation, s.MinWeight, s.FDR, s.Seed, files, s.Input.Rows, s.Input.FirstTime, s.Input.LastTime)
}

type builder struct {
	r        *coord.Result
	p        Params
	key      string
	out      []*stix.Object
	accounts map[int]string // id of the user-account of each node
	have     map[string]bool
	worst    []float64      // largest q-value inside each network
	apart    map[string]int // edges inside each network that are declared or set apart
	err      error
}

func (b *builder) add(x *stix.Builder) string {
	o, err := x.Object()
	if err != nil {
		b.err = cmp.Or(b.err, err)
		return ""
	}
	if !b.have[o.ID()] { // one address may be in sync in several networks
		b.have[o.ID()] = true
		b.out = append(b.out, o)
	}
	return o.ID()
}

func (b *builder) sdo(typ, name string) *stix.Builder {
	x := stix.New(typ, stix.NamedID(typ, stix.Namespace, b.key+"\x00"+name), b.p.Created).Ref("created_by_ref", b.p.CreatedBy)
	if len(b.p.Marks) > 0 {
		x.Mark(b.p.Marks...)
	}
	return x
}

// sco begins an observable: with its deterministic id, or a salted one.
func (b *builder) sco(typ, value string) *stix.Builder {
	id := ""
	if b.p.Salt != "" {
		id = stix.NamedID(typ, stix.Namespace, b.key+"\x00"+value)
	}
	return stix.New(typ, id, stix.Timestamp{})
}

// definition adds what every finding refers to.
func (b *builder) definition() {
	for _, id := range []string{stix.Project, Extension} {
		if o, ok := stix.Definition(id); ok {
			b.have[id] = true
			b.out = append(b.out, o)
		}
	}
}

func (b *builder) network(c int, coincidences []coincidence) {
	com := &b.r.Communities[c]
	name := fmt.Sprintf("Network %s: %d accounts sharing in sync", com.ID, len(com.Members))
	shown := coincidences[:min(len(coincidences), b.p.MaxObjects)]
	incident := b.add(b.sdo("incident", "incident "+com.ID).Set("name", name).Set("description", b.describe(com, b.worst[c], len(shown), len(coincidences))).
		Set("extensions", map[string]any{Extension: b.parameters(com, len(coincidences)-len(shown))}))
	infra := b.sdo("infrastructure", "infrastructure "+com.ID).Set("name", name).Set("infrastructure_types", []string{"amplification"})
	if first, last := span(coincidences); first > 0 || last > 0 {
		infra.Set("first_seen", micros(first)).Set("last_seen", micros(last+1))
	}
	infrastructure := b.add(infra)
	b.relate(incident, "related-to", infrastructure)
	for _, m := range com.Members {
		b.relate(infrastructure, "consists-of", b.account(m))
	}
	for i := range shown {
		b.relate(incident, "related-to", b.observed(com.ID, &shown[i]))
	}
}

func (b *builder) relate(from, kind, to string) {
	if from == "" || to == "" {
		return
	}
	b.add(b.sdo("relationship", from+" "+kind+" "+to).Set("relationship_type", kind).Ref("source_ref", from).Ref("target_ref", to))
}

func (b *builder) account(node int) string {
	if id, ok := b.accounts[node]; ok {
		return id
	}
	x := b.sco("user-account", b.r.Nodes[node].Account).Set("user_id", b.r.Nodes[node].Account)
	if b.p.Platform != "" {
		x.Set("account_type", b.p.Platform)
	}
	if len(b.p.Marks) > 0 {
		x.Mark(b.p.Marks...)
	}
	b.accounts[node] = b.add(x)
	return b.accounts[node]
}

func (b *builder) observed(community string, c *coincidence) string {
	var refs []string
	posts := make([]map[string]any, len(c.posts))
	for i, p := range c.posts {
		posts[i] = map[string]any{"account": b.r.Nodes[p.node].Account, "content": p.content, "time": micros(p.time).String()}
		refs = append(refs, b.account(p.node))
	}
	slices.Sort(refs)
	refs = slices.Compact(refs)
	if c.kind == coord.URL {
		u := b.sco("url", "https://"+c.object).Set("value", "https://"+c.object)
		if len(b.p.Marks) > 0 {
			u.Mark(b.p.Marks...)
		}
		refs = append(refs, b.add(u))
	}
	first, last := span([]coincidence{*c})
	return b.add(b.sdo("observed-data", "observed "+community+" "+c.kind.String()+" "+c.object).
		Set("first_observed", micros(first)).Set("last_observed", micros(last)).Set("number_observed", min(len(c.posts), 999_999_999)).Set("object_refs", refs).
		Set("extensions", map[string]any{Extension: map[string]any{"extension_type": "property-extension", "kind": c.kind.String(), "object": c.object, "posts": posts, "edges": c.edges}}))
}

func (b *builder) describe(com *coord.Community, worst float64, shown, all int) string {
	s := &b.r.Summary
	var t strings.Builder
	fmt.Fprintf(&t, "A program found %d accounts tied by %d edges that share the same objects within %g s of each other (%s semantics, %s). ", len(com.Members), com.Edges, s.WindowSeconds, s.Semantics, s.Version)
	if !math.IsNaN(worst) {
		fmt.Fprintf(&t, "Every edge has a false discovery rate of at most %.3g. ", worst)
	} else {
		t.WriteString("These semantics count and give no odds. ")
	}
	if apart := b.apart[com.ID]; apart > 0 {
		fmt.Fprintf(&t, "%d of the edges are explained by a common owner or a syndicated feed and are no findings by themselves. ", apart)
	}
	fmt.Fprintf(&t, "%d of %d coincidences are listed. ", shown, all)
	t.WriteString("This is a finding, not an assessment: shared interest, a common owner, a syndicated feed, schedulers or fans may explain it.")
	return t.String()
}

// worstOf is the largest q-value inside each network, NaN where nothing was
// tested.
func worstOf(r *coord.Result) []float64 {
	out := make([]float64, len(r.Communities))
	for i := range out {
		out[i] = math.NaN()
	}
	for i := range r.Edges {
		e := &r.Edges[i]
		if c := r.Nodes[e.A].Community; c == r.Nodes[e.B].Community && !math.IsNaN(e.Q) && !(out[c] >= e.Q) {
			out[c] = e.Q
		}
	}
	return out
}

// apartOf counts the edges inside each network that an owner or a feed
// explains.
func apartOf(r *coord.Result) map[string]int {
	out := map[string]int{}
	for i := range r.Edges {
		e := &r.Edges[i]
		if c := r.Nodes[e.A].Community; (e.Apart != "" || e.Declared != "") && c == r.Nodes[e.B].Community && c < len(r.Communities) {
			out[r.Communities[c].ID]++
		}
	}
	return out
}

func (b *builder) parameters(com *coord.Community, left int) map[string]any {
	s := &b.r.Summary
	out := map[string]any{
		"extension_type": "property-extension",
		"version":        s.Version, "semantics": s.Semantics, "window_s": s.WindowSeconds, "min_participation": s.MinParticipation,
		"min_weight": s.MinWeight, "seed": s.Seed, "verdict": s.Verdict, "reason": s.Reason,
		"posts": s.Input.Rows, "accounts": s.Input.Accounts, "objects": s.Input.Objects,
		"network": com.ID, "network_accounts": len(com.Members), "network_edges": com.Edges, "network_weight": com.Weight,
		"coincidences_not_listed": left,
	}
	if apart := b.apart[com.ID]; apart > 0 {
		out["edges_set_apart"] = apart
	}
	if s.Test != nil {
		out["fdr"], out["family_pairs"], out["p_cutoff"] = s.FDR, s.Test.Family, s.Test.Cutoff
	}
	if len(s.Input.Files) > 0 {
		out["input"] = s.Input.Files
	}
	return out
}

func stamp(text string) (stix.Timestamp, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return stix.Timestamp{}, err
	}
	return stix.ParseTimestamp(t.UTC().Format("2006-01-02T15:04:05.000Z"))
}

func micros(us int64) stix.Timestamp {
	t, err := stix.ParseTimestamp(time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.000000Z"))
	if err != nil {
		return stix.Timestamp{} // before year 0 or after 9999: the property is then missing and the object refused
	}
	return t
}
