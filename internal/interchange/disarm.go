package interchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"causeway/stix"
)

// TaxonomyNamespace is the UUID namespace of taxonomy objects: the ids of
// techniques are UUIDv5 of "disarm|<framework key>|<external id>" in it, since
// the upstream ids of one technique change between releases and the numbers
// are re-used with other meanings.
var TaxonomyNamespace = stix.NamedUUID(stix.Namespace, "taxonomy")

// framework is one published version of DISARM.
type framework struct {
	key      string
	released string // created and modified of its objects: upstream makes new times at every build
	url      string // pinned to the commit
	pages    string // of one object: the folder of the external id, "" when there are none
	sha256   string // of the STIX bundle, "" when there is none
}

var frameworks = []framework{
	{"1.6", "2024-11-22T16:43:58.000Z", "https://github.com/DISARMFoundation/DISARMframeworks/tree/49df5f649e16dfbf11e3859913c256c875c02692",
		"https://github.com/DISARMFoundation/DISARMframeworks/blob/49df5f649e16dfbf11e3859913c256c875c02692/generated_pages/",
		"f372a5b70e540022c5ffae41d1e1bd04fb79dd6b94aa0ea2fcce4712d600bf3f"},
	{"1.7", "2026-01-21T15:49:22.000Z", "https://github.com/DISARMFoundation/disarm-stix-17/tree/6a75d2d5b16b2d088e6406cc786d5b95af8a2359", "",
		"7f4a517b65327907833b23e98e198a26f3a9f12bd973488de6c65af969e3540e"},
	{"2.0-obs-2025-07-03", "2025-07-03T00:00:00.000Z", "https://github.com/DISARMFoundation/disarm-navigator-20-observable/tree/3626444", "", ""},
	{"2.0-obs-2026-07-19", "2026-07-19T00:00:00.000Z", "https://github.com/DISARMFoundation/DISARMframeworks-20-observable/tree/bdbee91", "", ""},
	{"2.0-asm-2026-07-20", "2026-07-20T00:00:00.000Z", "https://github.com/DISARMFoundation/DISARMframeworks-20-assessments/tree/093baa0", "", ""},
}

func frameworkKeys() string {
	keys := make([]string, len(frameworks))
	for i, f := range frameworks {
		keys[i] = f.key
	}
	return strings.Join(keys, ", ")
}

// frameworkOf finds the version: the key given, else that of a known checksum.
// An id without its version says nothing, so a file of no known version is
// refused.
func frameworkOf(key string, text []byte) (framework, error) {
	sum := sha256.Sum256(text)
	for _, f := range frameworks {
		if key == f.key || key == "" && f.sha256 == hex.EncodeToString(sum[:]) {
			return f, nil
		}
	}
	if key != "" {
		return framework{}, fmt.Errorf("there is no DISARM version %q; there are %s", key, frameworkKeys())
	}
	return framework{}, fmt.Errorf("the version of DISARM cannot be told from this file; name one of %s", frameworkKeys())
}

// TechniqueID is the id here of a DISARM technique.
func TechniqueID(key, externalID string) string {
	return stix.NamedID("attack-pattern", TaxonomyNamespace, "disarm|"+key+"|"+externalID)
}

// disarmReader rewrites one version of the framework.
type disarmReader struct {
	framework
	opt     Options
	t       taker
	created stix.Timestamp
	marking string            // id of the licence statement made here
	ids     map[string]string // upstream id -> ours
}

func readDISARM(r io.Reader, opt Options, t taker) error {
	text, err := readAll(r, opt.limit())
	if err != nil {
		return err
	}
	f, err := frameworkOf(opt.Framework, text)
	if err != nil {
		return err
	}
	d := &disarmReader{framework: f, opt: opt, t: t, ids: map[string]string{}}
	if d.created, err = stix.ParseTimestamp(f.released); err != nil {
		return err
	}
	if err := d.licence(); err != nil {
		return err
	}
	if head := bytes.TrimLeft(text, " \t\r\n\ufeff"); len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		return d.bundle(text)
	}
	return d.table(text)
}

// licence makes the statement that goes with every object: the work is under a
// share-alike licence and was changed.
func (d *disarmReader) licence() error {
	d.marking = stix.NamedID("marking-definition", TaxonomyNamespace, "disarm|licence")
	fixed, err := stix.ParseTimestamp("2024-11-22T16:43:58.000Z")
	if err != nil {
		return err
	}
	_, err = d.t.built("licence", stix.New("marking-definition", d.marking, fixed).
		Set("name", "DISARM Foundation").
		Set("definition_type", "statement").
		Set("definition", map[string]string{"statement": "DISARM Framework, DISARM Foundation, CC-BY-SA-4.0. Changed: ids, times, kill chain name, references; platforms left out."}))
	return err
}

func (d *disarmReader) note(b *stix.Builder) *stix.Builder {
	b.Set("object_marking_refs", append([]string{d.marking}, d.opt.Markings...))
	if d.opt.Creator != "" {
		return b.Set("created_by_ref", d.opt.Creator)
	}
	return b.Drop("created_by_ref")
}

// references say which version the number is of, where it comes from, and what
// the object is called upstream.
func (d *disarmReader) references(externalID, folder, upstream string) []map[string]string {
	url := d.url
	if d.pages != "" {
		url = d.pages + folder + "/" + externalID + ".md"
	}
	refs := []map[string]string{{"source_name": "disarm", "external_id": externalID, "description": "DISARM version " + d.key, "url": url}}
	if upstream != "" {
		refs = append(refs, map[string]string{"source_name": "disarm-upstream", "external_id": upstream})
	}
	return refs
}

// bundle rewrites the STIX form. A first pass learns the new ids, so that
// references can be followed whichever way they point.
func (d *disarmReader) bundle(text []byte) error {
	var objects []*stix.Object
	for it, err := range stix.Scan(bytes.NewReader(text), stix.Limits{}) {
		if err != nil {
			return err
		}
		place := fmt.Sprintf("line %d", it.Line)
		if it.Err != nil {
			d.t.report.refuse(place, "", "unreadable", it.Err.Error())
			continue
		}
		o := it.Object
		if problems := stix.Broken(o); len(problems) > 0 {
			d.t.report.refuse(place, o.ID(), "breaks the standard", problemText(problems))
			continue
		}
		switch number := o.StringAt("external_references", "0", "external_id"); o.Type() {
		case "attack-pattern":
			if number == "" {
				d.t.report.refuse(place, o.ID(), "a technique without a number", "its id here is made from the number")
				continue
			}
			d.ids[o.ID()] = TechniqueID(d.key, number)
		case "x-mitre-tactic", "x-mitre-matrix":
			if number == "" {
				number = "matrix"
			}
			d.ids[o.ID()] = stix.NamedID(o.Type(), TaxonomyNamespace, "disarm|"+d.key+"|"+number)
		case "relationship":
		case "identity", "marking-definition":
			d.t.report.change(place, o.ID(), "the publisher's "+o.Type(), "replaced by the licence statement: upstream gives it another creation time at every build")
			continue
		default:
			d.t.report.refuse(place, o.ID(), "a "+o.Type(), "is no part of the framework")
			continue
		}
		objects = append(objects, o)
	}
	for _, o := range objects {
		if err := d.rewrite(o); err != nil {
			return err
		}
	}
	if len(objects) > 0 {
		d.t.report.change("every object", "", "upstream ids, times and the source name mitre-attack",
			"ids are made from version and number, times are those of the release, the source is disarm; the upstream id stands in the second reference")
	}
	return nil
}

func (d *disarmReader) rewrite(o *stix.Object) error {
	b := stix.From(o).Set("created", d.created).Set("modified", d.created).Drop("x_mitre_platforms")
	number := o.StringAt("external_references", "0", "external_id")
	switch o.Type() {
	case "attack-pattern":
		b.Set("id", d.ids[o.ID()]).Set("external_references", d.references(number, "techniques", o.ID()))
		if phase := o.StringAt("kill_chain_phases", "0", "phase_name"); phase != "" {
			b.Set("kill_chain_phases", []map[string]string{{"kill_chain_name": "disarm", "phase_name": phase}})
		}
	case "x-mitre-tactic":
		b.Set("id", d.ids[o.ID()]).Set("external_references", d.references(number, "tactics", o.ID()))
	case "x-mitre-matrix":
		if d.key == "1.7" {
			d.t.report.change("matrix", o.ID(), o.Name(), "upstream calls the matrix of 1.7 by the name of another version")
			b.Set("name", "DISARM Framework 1.7").Drop("description")
		}
		b.Set("id", d.ids[o.ID()]).Set("external_references", []map[string]string{
			{"source_name": "disarm", "external_id": "DISARM", "description": "DISARM version " + d.key, "url": d.url},
			{"source_name": "disarm-upstream", "external_id": o.ID()}})
		var tactics []string
		for _, r := range o.Refs() {
			if r.Property == "tactic_refs" {
				tactics = append(tactics, d.ids[r.ID])
			}
		}
		b.Set("tactic_refs", tactics)
	case "relationship":
		source, ok := d.ids[o.StringAt("source_ref")]
		target, ok2 := d.ids[o.StringAt("target_ref")]
		if !ok || !ok2 {
			d.t.report.refuse("relationship", o.ID(), "an end that is not in the file", "the relationship cannot be rewritten")
			return nil
		}
		verb := o.StringAt("relationship_type")
		b.Set("id", stix.NamedID("relationship", TaxonomyNamespace, "disarm|"+d.key+"|"+source+"|"+verb+"|"+target)).
			Set("source_ref", source).Set("target_ref", target)
		if o.StringAt("description") == "" {
			b.Drop("description")
		}
	}
	_, err := d.t.built(o.ID(), d.note(b))
	return err
}

// table reads a CSV form: techniques or tactics, told by their columns.
func (d *disarmReader) table(text []byte) error {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("read the column names: %w", err)
	}
	column := map[string]int{}
	for i, name := range header {
		column[strings.TrimSpace(name)] = i
	}
	_, tactic := column["tactic_id"]
	_, phase := column["phase_id"]
	if _, ok := column["disarm_id"]; !ok || !tactic && !phase {
		return errors.New("this is no table of DISARM techniques or tactics: they have the columns disarm_id, name and tactic_id or phase_id")
	}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a row: %w", err)
		}
		line, _ := r.FieldPos(0)
		cell := func(name string) string {
			if i, ok := column[name]; ok && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		if err := d.row(fmt.Sprintf("line %d", line), cell, tactic); err != nil {
			return err
		}
	}
}

func (d *disarmReader) row(place string, cell func(string) string, technique bool) error {
	number, name := cell("disarm_id"), cell("name")
	if number == "" || name == "" {
		d.t.report.refuse(place, "", "a row without disarm_id or name", "nothing can be made of it")
		return nil
	}
	typ, folder, id := "attack-pattern", "techniques", TechniqueID(d.key, number)
	if !technique {
		typ, folder = "x-mitre-tactic", "tactics"
		id = stix.NamedID(typ, TaxonomyNamespace, "disarm|"+d.key+"|"+number)
	}
	b := stix.New(typ, id, d.created).Set("name", name).Set("external_references", d.references(number, folder, ""))
	if s := cell("summary"); s != "" {
		b.Set("description", s)
	}
	if t := cell("tactic_id"); technique && t != "" {
		b.Set("kill_chain_phases", []map[string]string{{"kill_chain_name": "disarm", "phase_name": strings.ToLower(t)}})
		b.Set("x_mitre_is_subtechnique", strings.Contains(number, "."))
	}
	_, err := d.t.built(place, d.note(b))
	return err
}
