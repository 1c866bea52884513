package stix

import "causeway/stix/pattern"

// Observe makes an observed-data object ready for patterns: its observables by
// id, and those they refer to. lookup finds an object by id; what it does not
// have is left out. It is false when o is no observed-data or lacks its times.
func Observe(o *Object, lookup func(id string) (*Object, bool)) (pattern.Observation, bool) {
	first, err := ParseTimestamp(o.StringAt("first_observed"))
	last, err2 := ParseTimestamp(o.StringAt("last_observed"))
	if o.Type() != "observed-data" || err != nil || err2 != nil {
		return pattern.Observation{}, false
	}
	number, _ := o.Get("number_observed")
	n, _ := number.(int64)
	obs := pattern.Observation{First: first.Time(), Last: last.Time(), Number: n, Objects: map[string]map[string]any{}}
	o.get("objects").members(func(key string, v value) bool {
		if m, ok := v.decode().(map[string]any); ok {
			obs.Objects[key] = m
		}
		return true
	})
	var add func(id string)
	add = func(id string) {
		if _, have := obs.Objects[id]; have {
			return
		}
		sco, ok := lookup(id)
		if !ok {
			return
		}
		m, ok := sco.root().decode().(map[string]any)
		if !ok {
			return
		}
		obs.Objects[id] = m
		if _, isSCO := contributing[sco.Type()]; isSCO {
			for _, r := range sco.Refs() {
				if r.Property != "object_marking_refs" {
					add(r.ID)
				}
			}
		}
	}
	for _, id := range o.get("object_refs").strings() {
		add(id)
	}
	return obs, true
}
