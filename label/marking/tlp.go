package marking

import (
	"encoding/json"
	"fmt"

	"causeway/label"
	"causeway/stix"
)

// tlpColours are the marking ids of TLP 2.0 and 1.0. Colours of version 1 are
// read on the safe side: white is CLEAR, amber is AMBER+STRICT.
var tlpColours = map[string]string{
	stix.TLPClear:       label.TLPClear,
	stix.TLPGreen:       label.TLPGreen,
	stix.TLPAmber:       label.TLPAmber,
	stix.TLPAmberStrict: label.TLPAmberStrict,
	stix.TLPRed:         label.TLPRed,
	stix.TLPWhite:       label.TLPClear,
	stix.TLP1Green:      label.TLPGreen,
	stix.TLP1Amber:      label.TLPAmberStrict,
	stix.TLP1Red:        label.TLPRed,
}

// tlp1 are the words of the version 1 definitions (STIX 7.2.1.4).
var tlp1 = map[string]string{
	stix.TLPWhite: "white", stix.TLP1Green: "green", stix.TLP1Amber: "amber", stix.TLP1Red: "red",
}

// tlp2 are the ids and names of the version 2 definitions (FIRST; the OASIS
// extension definition TLP2Extension).
var tlp2 = []struct{ colour, id, name string }{
	{label.TLPClear, stix.TLPClear, "TLP:CLEAR"},
	{label.TLPGreen, stix.TLPGreen, "TLP:GREEN"},
	{label.TLPAmber, stix.TLPAmber, "TLP:AMBER"},
	{label.TLPAmberStrict, stix.TLPAmberStrict, "TLP:AMBER+STRICT"},
	{label.TLPRed, stix.TLPRed, "TLP:RED"},
}

// strictness orders the colours for display.
var strictness = map[string]int{
	"": 0, label.TLPClear: 1, label.TLPGreen: 2, label.TLPAmber: 3, label.TLPAmberStrict: 4, label.TLPRed: 5,
}

func (r *resolver) colour(c string) error {
	rule, err := r.policies.TLP(c)
	if err != nil {
		return err
	}
	if strictness[c] > strictness[r.tlp] {
		r.tlp = c
	}
	r.found = append(r.found, label.Effective{Rule: rule})
	return nil
}

// agrees checks that a definition under a TLP id says what that id means and
// nothing else: the id is looked at first, but one that carries other content
// is a trap.
func agrees(d *stix.Object, colour string) error {
	differs := fmt.Errorf("the marking %s has the id of a TLP colour and other content", d.ID())
	extensions := d.Extensions()
	if word, old := tlp1[d.ID()]; old {
		t, _ := d.Get("definition_type")
		w, _ := d.Get("definition", "tlp")
		if t != "tlp" || w != word || len(extensions) > 0 {
			return differs
		}
		return nil
	}
	var body struct {
		ExtensionType string `json:"extension_type"`
		Colour        string `json:"tlp_2_0"`
	}
	raw, ok := d.Extension(stix.TLP2Extension)
	if !ok || len(extensions) != 1 || strict(raw, &body) != nil || body.Colour != colour {
		return differs
	}
	if _, has := d.Get("definition_type"); has {
		return differs
	}
	return nil
}

// TLPDefinition is the marking definition of a TLP 2.0 colour, as its
// extension definition fixes it.
func TLPDefinition(colour string) (*stix.Object, error) {
	for _, c := range tlp2 {
		if c.colour != colour {
			continue
		}
		b, err := json.Marshal(map[string]any{
			"type": "marking-definition", "spec_version": "2.1", "id": c.id,
			"created": "2022-10-01T00:00:00.000Z", "name": c.name,
			"extensions": map[string]any{stix.TLP2Extension: map[string]any{
				"extension_type": "property-extension", "tlp_2_0": c.colour,
			}},
		})
		if err != nil {
			return nil, fmt.Errorf("write TLP definition: %w", err)
		}
		return stix.ParseObject(b)
	}
	return nil, fmt.Errorf("unknown TLP colour %q", colour)
}

// TLPID gives the marking id of a TLP 2.0 colour.
func TLPID(colour string) (string, bool) {
	for _, c := range tlp2 {
		if c.colour == colour {
			return c.id, true
		}
	}
	return "", false
}
