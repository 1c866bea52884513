package web

import (
	"encoding/json"
	"strings"

	"causeway/trade/episode"
	"causeway/trade/scenario"
)

// episodeView is one case of the record as the page shows it.
type episodeView struct {
	episode.Episode
	By, Against string
	Measures    []episodeMeasure
	Sources     []scenario.Source // of the case, its measures and what was observed, each once
}

type episodeMeasure struct {
	scenario.Measure
	Kind, Products string
}

// episodes shows the shipped record of coercion, which is public; with
// ?scenario=ID it gives the scenario of one episode as a file.
func (q *request) episodes() error {
	if id := q.URL.Query().Get("scenario"); id != "" {
		return q.episodeScenario(id)
	}
	var out []episodeView
	for _, e := range episode.All() {
		v := episodeView{Episode: e, By: q.country(e.Actor), Against: q.targets(e.Targets)}
		seen := map[string]bool{}
		add := func(sources []scenario.Source) {
			for _, s := range sources {
				if key := s.Title + s.Date; !seen[key] {
					seen[key] = true
					v.Sources = append(v.Sources, s)
				}
			}
		}
		add(e.Sources)
		for _, m := range e.Scenario.Measures {
			var products []string
			for _, p := range m.Products {
				products = append(products, p.Code+" "+p.Text)
			}
			v.Measures = append(v.Measures, episodeMeasure{Measure: m, Kind: q.word("measure", string(m.Kind)), Products: strings.Join(products, "; ")})
			add(m.Sources)
		}
		for _, o := range e.Observed {
			add(o.Sources)
		}
		out = append(out, v)
	}
	return q.render("episodes", "place.economy", q.say("episodes.title"), out)
}

// episodeScenario gives the scenario of an episode as the file that
// causeway trade scenario reads.
func (q *request) episodeScenario(id string) error {
	e, err := episode.Find(id)
	if err != nil {
		return errNotFound
	}
	body, err := json.MarshalIndent(e.Scenario, "", "  ")
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="`+fileName(e.ID)+`.json"`)
	_, _ = q.w.Write(append(body, '\n')) // the reader has gone away
	return nil
}

// targets names whom a measure is against.
func (q *request) targets(codes []string) string {
	var out []string
	for _, c := range codes {
		if c == "*" {
			return q.say("scenario.everyone")
		}
		out = append(out, q.country(c))
	}
	return strings.Join(out, ", ")
}
