// Package exchange states dependencies, scenarios and plans as STIX 2.1
// objects, so that they travel over the line under a label, get cut and
// recalled like any other object.
//
// Each kind is an object type of its own, defined by an extension definition
// whose id is fixed in package stix. Ids are made from the content: the same
// input gives the same object, byte for byte, and a partner who reruns a
// scenario on the inputs it names can compare.
package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"causeway/stix"
	"causeway/trade/dependency"
	"causeway/trade/scenario"
	"causeway/trade/sharing"
)

// Object types.
const (
	DependencyType = "x-causeway-dependency"
	ScenarioType   = "x-causeway-scenario"
	PlanType       = "x-causeway-plan"
)

// Version is the version of the engines whose results the objects carry. It
// changes whenever the same input may give another result.
const Version = "causeway-trade/1"

// Params are what a result does not know.
type Params struct {
	Created   stix.Timestamp // of every object
	CreatedBy string         // identity id, may be empty
	Marks     []string       // object_marking_refs, the label among them
	// Salt, when set, goes into every id, and stands in the object: without it
	// an id tells its content to whoever can guess it. Set it for what leaves
	// the desk under a label.
	Salt   string
	Inputs []scenario.Input // digests of the files the result rests on
}

// build makes one object: the type's common properties, then the content under
// one property named after the kind.
func build(typ, extension, name, property string, content any, refs map[string]string, p Params) (*stix.Object, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", property, err)
	}
	inputs, err := json.Marshal(p.Inputs)
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", property, err)
	}
	id := stix.NamedID(typ, stix.Namespace, p.Salt+"\x00"+Version+"\x00"+string(body)+"\x00"+string(inputs))
	b := stix.New(typ, id, p.Created)
	b.Ref("created_by_ref", p.CreatedBy)
	b.Set("name", name)
	for _, property := range slices.Sorted(maps.Keys(refs)) {
		b.Ref(property, refs[property])
	}
	b.Set("engine", Version)
	if len(p.Inputs) > 0 {
		in := make([]any, len(p.Inputs))
		for i, x := range p.Inputs {
			in[i] = map[string]any{"name": x.Name, "sha256": x.SHA256}
		}
		b.Set("inputs", in)
	}
	if p.Salt != "" {
		b.Set("salt", p.Salt)
	}
	b.Set(property, json.RawMessage(body))
	b.Set("extensions", map[string]any{extension: map[string]any{"extension_type": "new-sdo"}})
	if len(p.Marks) > 0 {
		b.Mark(p.Marks...)
	}
	o, err := b.Object()
	if err != nil {
		return nil, fmt.Errorf("state %s: %w", property, err)
	}
	return o, nil
}

// Dependency states one indicator.
func Dependency(ind dependency.Indicator, p Params) (*stix.Object, error) {
	name := fmt.Sprintf("Imports of %s by %s in %d", ind.Product, ind.Importer, ind.Year)
	return build(DependencyType, stix.DependencyExtension, name, "dependency", ind, nil, p)
}

// Scenario states a scenario with the measures, parameters and inputs that let
// a partner rerun it.
func Scenario(s *scenario.Scenario, p Params) (*stix.Object, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	refs := map[string]string{}
	if len(s.Inputs) == 1 && strings.HasPrefix(s.Inputs[0].Name, DependencyType+"--") {
		refs["dependency_ref"] = s.Inputs[0].Name // the supply it was run on travels as an object too
	}
	return build(ScenarioType, stix.ScenarioExtension, s.Title, "scenario", s, refs, p)
}

// Plan states a plan that answers the scenario with the id scenarioRef ("" for
// none).
func Plan(plan *sharing.Plan, title, scenarioRef string, p Params) (*stix.Object, error) {
	return build(PlanType, stix.PlanExtension, title, "plan", plan, map[string]string{"scenario_ref": scenarioRef}, p)
}

// ReadDependency reads what Dependency states.
func ReadDependency(o *stix.Object) (dependency.Indicator, error) {
	var ind dependency.Indicator
	return ind, read(o, DependencyType, "dependency", &ind)
}

// ReadScenario reads what Scenario states, and checks it.
func ReadScenario(o *stix.Object) (*scenario.Scenario, error) {
	s := &scenario.Scenario{}
	if err := read(o, ScenarioType, "scenario", s); err != nil {
		return nil, err
	}
	return s, s.Check()
}

// ReadPlan reads what Plan states.
func ReadPlan(o *stix.Object) (*sharing.Plan, error) {
	p := &sharing.Plan{}
	return p, read(o, PlanType, "plan", p)
}

func read(o *stix.Object, typ, property string, into any) error {
	if o.Type() != typ {
		return fmt.Errorf("read %s: %s is a %s", property, o.ID(), o.Type())
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(o.Raw(), &all); err != nil {
		return fmt.Errorf("read %s: %w", property, err)
	}
	body, ok := all[property]
	if !ok {
		return fmt.Errorf("read %s: %w", property, errors.New(o.ID()+" does not carry it"))
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("read %s: %w", property, err)
	}
	return nil
}
