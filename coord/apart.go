package coord

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Edges that a common owner or a syndicated feed explains are computed like
// all others and set apart: they carry the reason and are not counted as
// findings. That is no acquittal. Who runs twenty accounts from one script
// looks like who runs twenty outlets from one desk; a person tells them apart.

// What makes two accounts outlets of one feed: at least feedObjects objects in
// sync, which are feedShare of everything that either of them shared, with
// feedSteady of the delays as good as equal.
const (
	feedObjects = 10
	feedShare   = 0.8
	feedSteady  = 0.9
)

// creditTexts and creditShare: two accounts carry a news agency when so many
// texts in sync, and so large a part of them, name the same agency.
const (
	creditTexts = 5
	creditShare = 0.8
)

// CreditPrefix begins the id of a text that credits a news agency; the agency
// follows, then a colon.
const CreditPrefix = "wire:"

// factAccounts is the most accounts a fact may be shared by and still speak of
// one owner: beyond it, it is a service's (a registrar's privacy office, a
// hoster's analytics).
const factAccounts = 100

// setApart gives the edges their reason and counts them. rows are the
// coincidences of each edge.
func (p *posts) setApart(r *Result, runs []*kindPosts, reported []tested, store *objectEvidence) {
	facts, services := p.ownerFacts()
	counts := map[string]int{}
	for i := range r.Edges {
		e := &r.Edges[i]
		rows := store.rows[store.first[i]:store.first[i+1]]
		why := ""
		if f := commonFact(facts[r.Nodes[e.A].Account], facts[r.Nodes[e.B].Account]); f != "" {
			e.Apart, why = "same "+f, "a common owner"
		} else if e.Apart = p.credited(rows); e.Apart != "" {
			why = "an agency's texts"
		} else if e.Apart = p.oneFeed(runs, &reported[i], rows); e.Apart != "" {
			why = "one feed"
		}
		if why != "" && e.Declared == "" {
			counts[why]++
			r.Summary.Network.Apart++
		}
	}
	var parts []string
	for _, why := range []string{"a common owner", "an agency's texts", "one feed"} {
		if counts[why] > 0 {
			parts = append(parts, fmt.Sprintf("%d by %s", counts[why], why))
		}
	}
	if len(parts) > 0 {
		r.Summary.Notes = append(r.Summary.Notes, fmt.Sprintf("%d edges are set apart and not counted as findings: %s; the column apart of edges.csv gives the reason of each. It is no acquittal: one operator's accounts may look the same", r.Summary.Network.Apart, strings.Join(parts, ", ")))
	}
	if len(services) > 0 {
		r.Summary.Notes = append(r.Summary.Notes, fmt.Sprintf("%d facts are shared by more than %d accounts, as a service's are, and were not taken for a common owner: %s", len(services), factAccounts, strings.Join(services[:min(len(services), 5)], "; ")))
	}
}

// ownerFacts drops the facts that too many accounts share.
func (p *posts) ownerFacts() (facts map[string][]string, services []string) {
	count := map[string]int{}
	for _, fs := range p.opt.Facts {
		for _, f := range fs {
			count[f]++
		}
	}
	for f, n := range count {
		if n > factAccounts {
			services = append(services, f)
		}
	}
	slices.Sort(services)
	facts = map[string][]string{}
	for a, fs := range p.opt.Facts {
		fs = slices.DeleteFunc(slices.Clone(fs), func(f string) bool { return count[f] > factAccounts })
		slices.Sort(fs)
		facts[a] = fs
	}
	return facts, services
}

// commonFact is the first fact in both lists, which are sorted.
func commonFact(a, b []string) string {
	for _, f := range a {
		if _, ok := slices.BinarySearch(b, f); ok {
			return f
		}
	}
	return ""
}

// credited says which agency the texts in sync credit.
func (p *posts) credited(rows []coincidence) string {
	texts, most, agency := 0, 0, ""
	by := map[string]int{}
	for _, c := range rows {
		kind, object := p.objects.entry(c.object)
		if kind != Text {
			continue
		}
		texts++
		rest, ok := strings.CutPrefix(string(object), CreditPrefix)
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(rest, ":")
		if by[name]++; by[name] > most || by[name] == most && name < agency {
			most, agency = by[name], name
		}
	}
	if texts < creditTexts || float64(most) < creditShare*float64(texts) {
		return ""
	}
	return fmt.Sprintf("agency: %d of %d texts in sync credit %s", most, texts, agency)
}

// oneFeed says that the two share nearly everything at a steady delay.
func (p *posts) oneFeed(runs []*kindPosts, t *tested, rows []coincidence) string {
	for _, k := range runs {
		a, b := float64(k.objects[t.a]), float64(k.objects[t.b])
		var lags []int64
		for _, c := range rows {
			if kind, _ := p.objects.entry(c.object); kind == k.kind {
				lags = append(lags, c.timeB-c.timeA)
			}
		}
		n := float64(len(lags))
		if len(lags) < feedObjects || n < feedShare*math.Max(a, b) {
			continue
		}
		slices.Sort(lags)
		middle := lags[len(lags)/2]
		slack := max(2_000_000, int64(0.05*math.Abs(float64(middle))))
		steady := 0
		for _, l := range lags {
			if l >= middle-slack && l <= middle+slack {
				steady++
			}
		}
		if float64(steady) >= feedSteady*n {
			return fmt.Sprintf("one feed: %d objects in sync are %.0f %% and %.0f %% of all that each shared; the delay is %g s in %d of them", len(lags), 100*n/a, 100*n/b, math.Round(float64(middle)/1e5)/10, steady)
		}
	}
	return ""
}
