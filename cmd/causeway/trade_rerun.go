package main

import (
	"errors"
	"fmt"
	"slices"

	"causeway/stix"
	"causeway/trade/exchange"
)

// tradeRerunCmd checks what a partner sent: scenarios against the supplies they
// name, plans against the scenarios they answer.
type tradeRerunCmd struct {
	Files []string `arg:"" help:"Files of STIX objects: single ones, arrays, bundles or one a line. Among them plans, their scenarios and the supplies these were run on."`
	JSON  bool     `help:"JSON with the result of every scenario."`
}

func (c tradeRerunCmd) Run(p *process) error {
	byID := map[string]*stix.Object{}
	var ids []string
	for _, path := range c.Files {
		in, err := openText(p, path)
		if err != nil {
			return fmt.Errorf("open objects: %w", err)
		}
		items, err := scanAll(in)
		in.Close()
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		for _, item := range items {
			if item.Err != nil {
				return fmt.Errorf("read %s line %d: %w", path, item.Line, item.Err)
			}
			if byID[item.Object.ID()] == nil {
				ids = append(ids, item.Object.ID())
			}
			byID[item.Object.ID()] = item.Object
		}
	}
	slices.Sort(ids)
	failed := 0
	results := map[string]any{}
	for _, id := range ids {
		o := byID[id]
		said, result, err := rerunObject(byID, o)
		switch {
		case errors.Is(err, errRunOnFiles):
			said = fmt.Sprintf("skip %s: %v", id, err)
		case err != nil:
			failed++
			fmt.Fprintf(p.stderr, "%s: %v\n", id, err)
			continue
		case said == "":
			continue // neither a scenario nor a plan
		}
		if result != nil {
			results[id] = result
		}
		if !c.JSON {
			fmt.Fprintln(p.stdout, said)
		}
	}
	if c.JSON {
		if err := writeJSON(p, results); err != nil {
			return err
		}
	}
	if failed > 0 {
		return errCheckFailed
	}
	return nil
}

// errRunOnFiles says that a scenario names no supply that travels with it.
var errRunOnFiles = errors.New("it was run on files, which its author has")

// rerunObject runs a scenario or a plan again; said is "" for every other
// object.
func rerunObject(byID map[string]*stix.Object, o *stix.Object) (said string, result any, err error) {
	switch o.Type() {
	case exchange.ScenarioType:
		supply, err := supplyOf(byID, o)
		if err != nil {
			return "", nil, err
		}
		r, err := exchange.Rerun(o, supply)
		if err != nil {
			return "", nil, err
		}
		return fmt.Sprintf("runs %s: %d places are hit, %.6g withheld", o.ID(), len(r.Hits), r.Total), r, nil
	case exchange.PlanType:
		return "same " + o.ID(), nil, verifyPlan(byID, o)
	}
	return "", nil, nil
}

// supplyOf finds the supply that a scenario was run on.
func supplyOf(byID map[string]*stix.Object, o *stix.Object) (*stix.Object, error) {
	ref := o.StringAt("dependency_ref")
	if ref == "" {
		return nil, errRunOnFiles
	}
	supply := byID[ref]
	if supply == nil {
		return nil, fmt.Errorf("the supply %s is not among the files", ref)
	}
	return supply, nil
}

// verifyPlan states a plan anew and compares the bytes.
func verifyPlan(byID map[string]*stix.Object, o *stix.Object) error {
	s := byID[o.StringAt("scenario_ref")]
	if s == nil {
		return fmt.Errorf("its scenario %q is not among the files", o.StringAt("scenario_ref"))
	}
	supply, err := supplyOf(byID, s)
	if err != nil {
		return err
	}
	same, err := exchange.Verify(o, s, supply)
	if err == nil && !same {
		err = fmt.Errorf("its scenario gives another plan")
	}
	return err
}
