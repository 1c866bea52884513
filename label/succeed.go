package label

import (
	"fmt"
	"time"
)

// Succeed gives what governs the data of before once every label of it that has
// a successor due at a trusted time has made one step (see [Due]). stepped is
// false where none is due, or where what was decided by the labels cannot be
// told from what was added to them: then nothing changes. write gives the XML of
// a successor, which takes the place of its predecessor's.
func (ps *Policies) Succeed(before Effective, parse func(xml []byte) (*Label, error), write func(*Label) ([]byte, error), trusted time.Time) (after Effective, stepped bool, err error) {
	var was, is []Effective
	for _, xml := range before.Labels {
		l, err := parse(xml)
		if err != nil {
			return before, false, nil
		}
		old, err := ps.Govern(l, xml)
		if err != nil {
			return before, false, nil
		}
		was = append(was, old)
		next, due := Due(l, trusted)
		if !due {
			is = append(is, old)
			continue
		}
		if xml, err = write(next); err != nil {
			return before, false, fmt.Errorf("write a successor: %w", err)
		}
		now, err := ps.Govern(next, xml)
		if err != nil {
			return before, false, nil // a successor that is not understood takes no place
		}
		is, stepped = append(is, now), true
	}
	if !stepped {
		return before, false, nil
	}
	old, err := JoinEffective(was...)
	if err != nil || !before.Originators().AtMost(old.Originators()) {
		return before, false, nil
	}
	if after, err = JoinEffective(is...); err != nil {
		return before, false, nil
	}
	after.TLP = before.TLP
	after, err = after.Narrow(before.Originators().Beyond(old.Originators()))
	return after, err == nil, err
}
