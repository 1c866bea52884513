package stix

import (
	"slices"
	"strings"
	"sync"
)

// Project is the id of the identity that defines this project's extensions.
var Project = NamedID("identity", Namespace, "project")

// ownExtensions are the extensions this project defines: name and major
// version, the text a reader sees, the kinds. Their ids follow from the name
// (see ExtensionID) but for those fixed before the rule.
var ownExtensions = []struct {
	name, id, text string
	kinds          []string
}{
	{"label", LabelExtension, "The confidentiality label of a marking definition, as the XML text of STANAG 4774.", []string{"property-extension"}},
	{"alternative label", AlternativeExtension, "A label in the words of another policy, signed by its translator, beside the label that the object's marking carries.", []string{"property-extension"}},
	{"dependency", DependencyExtension, "Dependence of one economy on another for a product.", []string{"new-sdo"}},
	{"scenario", ScenarioExtension, "Measures of economic coercion on a baseline.", []string{"new-sdo"}},
	{"plan", PlanExtension, "Who covers whom with what in a joint answer to coercion.", []string{"new-sdo"}},
	{"coordination finding", FindingExtension, "What a program found in posts: rules, parameters, input digests, counts, odds, and the posts behind each coincidence.", []string{"property-extension"}},
	{"information-incident", "", "What an incident in the information environment has beside the incident suite.", []string{"property-extension"}},
	{"observation", "", "How and when something was captured.", []string{"property-extension"}},
	{"assessment", "", "What a person concluded, with alternatives, basis and dissent.", []string{"new-sdo"}},
	{"narrative", "", "A narrative's roles, claims, audiences and coding.", []string{"property-extension"}},
	{"claim", "", "One checkable claim, as said.", []string{"new-sdo"}},
	{"channel", "", "The conduit behind a channel, and who asserts whose it is.", []string{"property-extension"}},
	{"information-environment-impact", "", "Reach and measured effect in the information environment.", []string{"property-extension"}},
	{"playbook", "", "A countermeasure with its legal basis and evidence.", []string{"property-extension"}},
	{"candidate-match", "", "Two objects that may be one.", []string{"new-sdo"}},
	{"response", "", "A response, its legal basis and what followed.", []string{"property-extension"}},
	{"translation", "", "Who stands for a translation.", []string{"property-extension"}},
	{"statement", "", "A signed public statement.", []string{"new-sdo"}},
	{"perception-observation", "", "An observation of public opinion.", []string{"new-sdo"}},
	{"perception-estimate", "", "An estimate of public opinion, with its interval.", []string{"new-sdo"}},
}

// FindingExtension carries what a program found in posts (package coord/finding).
var FindingExtension = NamedID("extension-definition", Namespace, "coordination finding")

// AlternativeExtension carries an alternative label in a marking-definition
// that is marked with the label it stands beside: property "signed", the
// translator's signed document in base64.
var AlternativeExtension = ExtensionID("alternative label")

// ExtensionID is the id of the extension definition of that name, major
// version 1.
func ExtensionID(name string) string {
	return NamedID("extension-definition", Namespace, "extension|"+name+"|1")
}

// Definitions are the extension-definition objects of this project's own
// extensions, and first the identity that made them, TLP:CLEAR. What uses one of the
// extensions should travel with its definition (STIX 7.3). The schema is the
// text the validator itself is made from, where it judges the extension.
var Definitions = sync.OnceValue(func() []*Object {
	created, err := ParseTimestamp("2026-11-25T00:00:00.000Z")
	if err != nil {
		panic(err)
	}
	must := func(b *Builder) *Object {
		o, err := b.Mark(TLPClear).Object()
		if err != nil {
			panic("stix: a definition in the program text is broken: " + err.Error())
		}
		return o
	}
	out := []*Object{must(New("identity", Project, created).Set("name", "Causeway").Set("identity_class", "system"))}
	for _, e := range ownExtensions {
		id := e.id
		if id == "" {
			id = ExtensionID(e.name)
		}
		schema := schemaText(id)
		if schema == "" {
			schema = e.text
		}
		out = append(out, must(New("extension-definition", id, created).Set("created_by_ref", Project).
			Set("name", e.name).Set("description", e.text).Set("schema", schema).Set("version", "1.0.0").Set("extension_types", e.kinds)))
	}
	return out
})

// schemaText is what the specification texts say under an extension: its
// openings, and the parts they use.
func schemaText(id string) string {
	uuid := strings.TrimPrefix(id, "extension-definition--")
	var out, parts []string
	blocks := strings.Split(strings.ReplaceAll(strings.TrimSpace(specExtensions), "\n\n", "\n"), "\n")
	for take, i := false, 0; i < len(blocks); i++ {
		line := blocks[i]
		if line[0] != ' ' {
			words := strings.Fields(line)
			take = slices.Contains(words, uuid) || words[0] == "part" && slices.Contains(parts, words[1])
		}
		if !take {
			continue
		}
		out = append(out, line)
		if _, part, ok := strings.Cut(line, "of:"); ok {
			parts = append(parts, strings.TrimSuffix(part, "]"))
		}
	}
	return strings.Join(out, "\n")
}

// Definition is the definition of one of this project's extensions.
func Definition(id string) (*Object, bool) {
	for _, o := range Definitions() {
		if o.id == id {
			return o, true
		}
	}
	return nil, false
}
