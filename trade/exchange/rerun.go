package exchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"causeway/stix"
	"causeway/trade/answer"
	"causeway/trade/scenario"
)

// InputOf names an object as the input of a scenario, with the digest of the
// very bytes that its producer sent.
func InputOf(o *stix.Object) scenario.Input {
	digest := sha256.Sum256(o.Raw())
	return scenario.Input{Name: o.ID(), SHA256: hex.EncodeToString(digest[:])}
}

// OtherDataError says that a scenario names other data than it is given.
type OtherDataError struct {
	Want, Got scenario.Input
}

func (e *OtherDataError) Error() string {
	if e.Want.Name != e.Got.Name {
		return fmt.Sprintf("rerun scenario: it rests on %s, not on %s", e.Want.Name, e.Got.Name)
	}
	return fmt.Sprintf("rerun scenario: it rests on other bytes of %s (SHA-256 %s, here %s)", e.Want.Name, e.Want.SHA256, e.Got.SHA256)
}

// Rerun runs the scenario that an object states on the supply that another
// object states. The scenario must name that supply as its input, with its
// digest.
func Rerun(scenarioObject, supplyObject *stix.Object) (*answer.Result, error) {
	s, err := ReadScenario(scenarioObject)
	if err != nil {
		return nil, err
	}
	got := InputOf(supplyObject)
	if len(s.Inputs) != 1 {
		return nil, fmt.Errorf("rerun scenario: %s names %d inputs; want the one supply it was run on", scenarioObject.ID(), len(s.Inputs))
	}
	if s.Inputs[0] != got {
		return nil, &OtherDataError{s.Inputs[0], got}
	}
	supply, err := ReadWorld(supplyObject)
	if err != nil {
		return nil, err
	}
	return answer.Run(s, supply.World, supply.Unit)
}

// Verify reruns the scenario that a plan answers and states the plan anew with
// what the object says of itself. It reports whether the bytes are the same:
// then the plan follows from the scenario and the supply, and from nothing
// else.
func Verify(planObject, scenarioObject, supplyObject *stix.Object) (same bool, err error) {
	if planObject.Type() != PlanType {
		return false, fmt.Errorf("verify plan: %s is a %s", planObject.ID(), planObject.Type())
	}
	if ref := planObject.StringAt("scenario_ref"); ref != scenarioObject.ID() {
		return false, fmt.Errorf("verify plan: it answers %q, not %s", ref, scenarioObject.ID())
	}
	r, err := Rerun(scenarioObject, supplyObject)
	if err != nil {
		return false, err
	}
	if r.Plan == nil {
		return false, nil
	}
	p, err := paramsOf(planObject)
	if err != nil {
		return false, err
	}
	again, err := Plan(r.Plan, planObject.StringAt("name"), scenarioObject.ID(), p)
	if err != nil {
		return false, err
	}
	return bytes.Equal(again.Raw(), planObject.Raw()), nil
}

// paramsOf reads what an object says of itself.
func paramsOf(o *stix.Object) (Params, error) {
	p := Params{CreatedBy: o.StringAt("created_by_ref"), Salt: o.StringAt("salt"), Marks: o.MarkingRefs()}
	var err error
	if p.Created, err = stix.ParseTimestamp(o.StringAt("created")); err != nil {
		return p, fmt.Errorf("read %s: %w", o.ID(), err)
	}
	var body struct {
		Inputs []scenario.Input `json:"inputs"`
	}
	if err := json.Unmarshal(o.Raw(), &body); err != nil {
		return p, fmt.Errorf("read %s: %w", o.ID(), err)
	}
	p.Inputs = body.Inputs
	return p, nil
}
