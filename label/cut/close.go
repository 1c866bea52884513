package cut

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"causeway/stix"
)

// newID makes the id of a cut: the same for one key and original, so that a
// later version of the cut has the same id, and not to be guessed without the
// key. It has the form of a random UUID (RFC 9562, version 4), also for SCOs:
// a deterministic id would be a hash of the value.
func newID(key []byte, original string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("causeway cut id\x00" + original))
	u := h.Sum(nil)[:16]
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	typ, _, _ := strings.Cut(original, "--")
	return fmt.Sprintf("%s--%x-%x-%x-%x-%x", typ, u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// identify gives every object its new id, creator, time and markings.
func (m *maker) identify() error {
	for _, d := range m.drafts {
		id := d.origin.ID()
		if !isID.MatchString(id) {
			return fmt.Errorf("%q is not a STIX id", id)
		}
		d.newID = newID(m.plan.Key, id)
		m.result.Origins[d.newID] = id
		d.body["id"] = d.newID
		for _, name := range []string{"created", "modified"} {
			if _, has := d.body[name]; has {
				d.body[name] = m.plan.At.String()
			}
		}
		if _, sdo := d.body["created"]; sdo {
			m.change(d, "created_by_ref", d.body["created_by_ref"], m.plan.Creator, "identity")
			d.body["created_by_ref"] = m.plan.Creator
		}
		if was, has := d.body["object_modified"]; has { // of language content: it would give the original's version away
			d.body["object_modified"] = m.plan.At.String()
			m.change(d, "object_modified", was, m.plan.At.String(), "identity")
		}
		if g, has := d.body["granular_markings"]; has {
			m.change(d, "granular_markings", g, nil, "marking")
			delete(d.body, "granular_markings")
		}
		m.change(d, "object_marking_refs", d.body["object_marking_refs"], m.plan.Markings, "marking")
		marks := make([]any, len(m.plan.Markings))
		for i, id := range m.plan.Markings {
			marks[i] = id
		}
		d.body["object_marking_refs"] = marks
	}
	return nil
}

var (
	isID   = regexp.MustCompile(`^` + idForm + `$`)
	findID = regexp.MustCompile(idForm)
)

const idForm = `[a-z0-9][a-z0-9-]*--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`

// close rewrites references to what is kept, and takes out those to what is
// not. An object that cannot be without one goes too, and so on until nothing
// dangles.
func (m *maker) close() error {
	for {
		var gone *draft
		for _, d := range m.drafts {
			body, _ := m.rewrite(d, "", maps.Clone(d.body), false).(map[string]any)
			probe := &draft{origin: d.origin, body: body, newID: d.newID}
			if err := valid(probe); err != nil {
				gone = d
				break
			}
		}
		if gone == nil {
			break
		}
		delete(m.result.Origins, gone.newID)
		m.drop(gone, "dangling")
	}
	for _, d := range m.drafts {
		d.body, _ = m.rewrite(d, "", d.body, true).(map[string]any)
	}
	return nil
}

// gap stands for a reference that is taken out.
type gap struct{}

// stays says whether an id outside the cut may stand in it.
func (m *maker) stays(id string) bool {
	return id == m.plan.Creator || slices.Contains(m.plan.Markings, id) || slices.Contains(m.plan.Keep, id)
}

// rewrite gives a copy of a value with its references rewritten. Ids inside
// longer text are rewritten too where the object is kept; one of an object that
// is not is left for Check to find, since only a person can reword a sentence.
func (m *maker) rewrite(d *draft, path string, v any, note bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			next := m.rewrite(d, join(path, name), v[name], note)
			if _, taken := next.(gap); !taken {
				out[name] = next
			}
		}
		if len(out) == 0 && len(v) > 0 {
			return gap{}
		}
		return out
	case []any:
		out := []any{}
		for i, e := range v {
			next := m.rewrite(d, fmt.Sprintf("%s[%d]", path, i), e, note)
			if _, taken := next.(gap); !taken {
				out = append(out, next)
			}
		}
		if len(out) == 0 && len(v) > 0 {
			return gap{}
		}
		return out
	case string:
		if path == "id" {
			return v
		}
		return m.rewriteString(d, path, v, note)
	}
	return v
}

func (m *maker) rewriteString(d *draft, path, s string, note bool) any {
	if isID.MatchString(s) {
		if m.stays(s) || strings.HasPrefix(s, "extension-definition--") {
			return s
		}
		if to := m.byID[s]; to != nil {
			if note {
				m.change(d, path, s, to.newID, "reference")
			}
			return to.newID
		}
		if note {
			m.change(d, path, s, nil, "dangling")
		}
		return gap{}
	}
	out := findID.ReplaceAllStringFunc(s, func(id string) string {
		if to := m.byID[id]; to != nil {
			return to.newID
		}
		return id
	})
	if out != s && note {
		m.change(d, path, s, out, "reference")
	}
	return out
}

// valid says whether the standard allows a draft; what was broken in the
// original already is not held against it.
func valid(d *draft) error {
	o, err := object(d)
	if err != nil {
		return err
	}
	was := map[string]bool{}
	for _, p := range stix.Validate(d.origin) {
		was[p.Path+" "+p.Code] = true
	}
	var errs []error
	for _, p := range stix.Validate(o) {
		if !p.Warning && !was[p.Path+" "+p.Code] {
			errs = append(errs, errors.New(p.String()))
		}
	}
	return errors.Join(errs...)
}

// object writes a draft: type, spec_version and id first, then by name.
func object(d *draft) (*stix.Object, error) {
	first := []string{"type", "spec_version", "id"}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(d.body)), func(n string) bool { return slices.Contains(first, n) })
	out := []byte{'{'}
	for _, name := range append(first, names...) {
		v, has := d.body[name]
		if !has {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, fmt.Errorf("write object: %w", err)
		}
		out = append(append(append(out, key...), ':'), text(v)...)
	}
	return stix.ParseObject(append(out, '}'))
}

// build writes the objects and fills the new ids into the changes.
func (m *maker) build() error {
	ids := map[string]string{}
	for _, d := range m.drafts {
		o, err := object(d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.origin.ID(), err)
		}
		m.result.Objects = append(m.result.Objects, o)
		ids[d.origin.ID()] = d.newID
	}
	for i := range m.result.Changes {
		m.result.Changes[i].NewID = ids[m.result.Changes[i].ID]
	}
	return nil
}
