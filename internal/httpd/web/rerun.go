package web

import (
	"errors"
	"fmt"
	"math"
	"net/url"

	"causeway/internal/vault"
	"causeway/stix"
	"causeway/trade/exchange"
	"causeway/trade/scenario"
)

// rerunView says whether what an object states follows again from what it
// names, and where to go on from it.
type rerunView struct {
	State string // class of the state: good, care, bad
	Words string
	Build string // the builder with these measures; "" where it cannot be opened
}

// rerun runs a scenario or a plan again from the bytes that it names, as far as
// the reader may see them; nil for every other object and for those that name
// none.
func (q *request) rerun(o *stix.Object) (*rerunView, error) {
	stated := o
	if o.Type() == exchange.PlanType {
		row, err := q.view().Get(q.ctx(), o.StringAt("scenario_ref"))
		if errors.Is(err, vault.ErrNotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		q.mark(row.Effective)
		if stated, err = objectOf(row); err != nil {
			return nil, err
		}
	}
	if stated.Type() != exchange.ScenarioType {
		return nil, nil
	}
	s, err := exchange.ReadScenario(stated)
	if err != nil || len(s.Inputs) != 1 || typeOf(s.Inputs[0].Name) != dependencyType {
		return nil, nil // run on files, which only its author has
	}
	row, err := q.view().Get(q.ctx(), s.Inputs[0].Name)
	if errors.Is(err, vault.ErrNotFound) {
		return &rerunView{State: "idle", Words: q.say("rerun.no-data")}, nil
	} else if err != nil {
		return nil, err
	}
	q.mark(row.Effective)
	supply, err := objectOf(row)
	if err != nil {
		return nil, err
	}
	v := &rerunView{State: "good", Words: q.say("rerun.scenario"), Build: builderOf(s)}
	var other *exchange.OtherDataError
	if o.Type() == exchange.ScenarioType {
		_, err = exchange.Rerun(o, supply)
	} else {
		var same bool
		if same, err = exchange.Verify(o, stated, supply); err == nil {
			if v.Words = q.say("rerun.same"); !same {
				v.State, v.Words = "bad", q.say("rerun.differs")
			}
		}
	}
	switch {
	case errors.As(err, &other):
		v.State, v.Words = "care", q.say("rerun.other-data")
	case err != nil:
		v.State, v.Words = "care", q.say("rerun.failed", err.Error())
	}
	return v, nil
}

// builderOf is the address of the builder with the measure of a scenario set,
// "" where the builder cannot say it.
func builderOf(s *scenario.Scenario) string {
	m := s.Measures[0]
	if len(s.Measures) != 1 || !m.Kind.Exports() || !m.Withheld.IsKnown() || s.Engines == nil {
		return ""
	}
	whole := func(v float64) string { return fmt.Sprintf("%.0f", math.Round(100*v)) }
	v := url.Values{"by": {m.Actor}, "withheld": {whole(m.Withheld.Value)}, "accessible": {whole(s.Engines.StockShare())}, "member": s.Engines.Members,
		"cost": {fmt.Sprint(100 * s.Engines.CostShare)}, "low": {fmt.Sprint(s.Elasticity.Low)}, "high": {fmt.Sprint(s.Elasticity.High)}}
	for _, t := range m.Targets {
		if t != "*" {
			v.Add("against", t)
		}
	}
	return address("economy", s.Inputs[0].Name, "scenario") + "?" + v.Encode()
}
