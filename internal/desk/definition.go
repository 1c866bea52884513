package desk

import (
	"fmt"

	"causeway/coord/finding"
	"causeway/stix"
	"causeway/trade/exchange"
)

// project is who defines causeway's extensions: the same identity on every
// node, as the definitions are the same.
var project = stix.NamedID("identity", stix.Namespace, "causeway project")

// definitions gives the definitions of the extensions that the desk writes
// (STIX 7.3), and who made them. They are public, go with every release that
// uses them, and are stored when the node is founded: if they came with their
// first use, they would tell everybody of it.
func definitions() ([]*stix.Object, error) {
	created, err := stix.ParseTimestamp("2026-11-25T00:00:00.000Z")
	if err != nil {
		return nil, err
	}
	builders := []*stix.Builder{
		stix.New("extension-definition", AssessmentExtension, created).
			Ref("created_by_ref", project).
			Set("name", "assessment").
			Set("description", "What a person concludes from observations: the judgement, how likely it is, how good the basis is, the alternatives considered, and dissent.").
			Set("schema", "docs/operate/assess.md of causeway describes every property").
			Set("version", "1.0.0").
			Set("extension_types", []string{"new-sdo"}),
		stix.New("extension-definition", stix.LabelExtension, created).
			Ref("created_by_ref", project).
			Set("name", "confidentiality label").
			Set("description", "A marking definition that carries a STANAG 4774 confidentiality label as XML text.").
			Set("schema", "property stanag4774: the originatorConfidentialityLabel").
			Set("version", "1.0.0").
			Set("extension_types", []string{"property-extension"}),
	}
	out, err := exchange.Definitions()
	if err != nil {
		return nil, err
	}
	found, err := finding.Definitions()
	if err != nil {
		return nil, err
	}
	out = append(out, found...)
	for _, b := range builders {
		o, err := b.Mark(stix.TLPClear).Object()
		if err != nil {
			return nil, fmt.Errorf("define causeway's extensions: %w", err)
		}
		out = append(out, o)
	}
	return out, nil
}
