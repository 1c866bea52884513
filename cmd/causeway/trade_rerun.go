package main

import (
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
		switch o.Type() {
		case exchange.ScenarioType:
			supply, err := supplyOf(byID, o)
			if err != nil {
				failed++
				fmt.Fprintf(p.stderr, "%s: %v\n", id, err)
				continue
			}
			r, err := exchange.Rerun(o, supply)
			if err != nil {
				failed++
				fmt.Fprintf(p.stderr, "%s: %v\n", id, err)
				continue
			}
			results[id] = r
			if !c.JSON {
				fmt.Fprintf(p.stdout, "runs %s: %d places are hit, %s withheld\n", id, len(r.Hits), formatFloat(r.Total))
			}
		case exchange.PlanType:
			if err := verifyPlan(byID, o); err != nil {
				failed++
				fmt.Fprintf(p.stderr, "%s: %v\n", id, err)
				continue
			}
			if !c.JSON {
				fmt.Fprintf(p.stdout, "same %s\n", id)
			}
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

// supplyOf finds the supply that a scenario was run on.
func supplyOf(byID map[string]*stix.Object, o *stix.Object) (*stix.Object, error) {
	ref := o.StringAt("dependency_ref")
	if ref == "" {
		return nil, fmt.Errorf("%s was run on files, not on a supply that travels with it", o.ID())
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
