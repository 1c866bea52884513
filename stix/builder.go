package stix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// Builder makes an object. Properties stand in the text in the order they were
// set, after type, spec_version, id, created and modified. The first error
// sticks and comes out of Object.
type Builder struct {
	typ, id string
	names   []string
	values  map[string]any
	err     error
}

// New begins an object of the type. Without id it gets one: for an SCO the
// deterministic one (see SCOID), else a random one. Objects other than SCOs get
// created and, except marking definitions, modified.
func New(typ, id string, created Timestamp) *Builder {
	b := &Builder{typ: typ, id: id, values: map[string]any{}}
	_, sco := contributing[typ]
	if id == "" && !sco {
		b.id = NewID(typ)
	}
	b.Set("type", typ).Set("spec_version", "2.1").Set("id", b.id)
	if !sco && !created.IsZero() {
		b.Set("created", created)
		if typ != "marking-definition" {
			b.Set("modified", created)
		}
	}
	return b
}

// From begins an object with every property of o, each with its producer's
// text. What is changed is a new object and needs a new id (STIX 3.5): set one.
func From(o *Object) *Builder {
	b := &Builder{typ: o.typ, id: o.id, values: map[string]any{}}
	o.root().members(func(name string, v value) bool {
		b.names = append(b.names, name)
		b.values[name] = json.RawMessage(v.raw())
		return true
	})
	return b
}

// Drop takes a property away.
func (b *Builder) Drop(name string) *Builder {
	b.names = slices.DeleteFunc(b.names, func(n string) bool { return n == name })
	delete(b.values, name)
	return b
}

// Set sets a property; setting it again replaces it in place. Strings,
// booleans, numbers, Timestamps, maps and slices of these, and
// json.RawMessage are taken; empty lists, empty maps and nil leave the
// property out, as STIX has neither.
func (b *Builder) Set(name string, v any) *Builder {
	if t, ok := v.(Timestamp); ok {
		v = t.String()
	}
	text, err := marshal(v)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("set %s: %w", name, err)
	}
	switch string(text) {
	case "null", "[]", "{}":
		return b
	}
	if _, again := b.values[name]; !again {
		b.names = append(b.names, name)
	}
	b.values[name] = json.RawMessage(text)
	return b
}

// Ref sets a reference, or leaves it out when id is "".
func (b *Builder) Ref(name, id string) *Builder {
	if id == "" {
		return b
	}
	return b.Set(name, id)
}

// Mark adds marking definitions to object_marking_refs.
func (b *Builder) Mark(ids ...string) *Builder {
	var have []string
	if raw, ok := b.values["object_marking_refs"].(json.RawMessage); ok {
		json.Unmarshal(raw, &have)
	}
	return b.Set("object_marking_refs", append(have, ids...))
}

// Object checks what was set against the standard and gives the object. Its
// error names every MUST that is broken.
func (b *Builder) Object() (*Object, error) {
	if b.err != nil {
		return nil, fmt.Errorf("build an object of type %s: %w", b.typ, b.err)
	}
	if b.id == "" {
		id, err := SCOID(b.typ, b.values)
		if err != nil {
			return nil, fmt.Errorf("build an object of type %s: %w", b.typ, err)
		}
		b.Set("id", id)
	}
	var text bytes.Buffer
	for i, name := range b.names {
		key, _ := marshal(name)
		text.WriteByte("{,"[min(i, 1)])
		text.Write(key)
		text.WriteByte(':')
		text.Write(b.values[name].(json.RawMessage))
	}
	text.WriteByte('}')
	o, err := ParseObject(text.Bytes())
	if err != nil {
		return nil, fmt.Errorf("build an object of type %s: %w", b.typ, err)
	}
	var broken []string
	for _, p := range Broken(o) {
		broken = append(broken, p.String())
	}
	if len(broken) > 0 {
		return nil, fmt.Errorf("build an object of type %s: %s", b.typ, strings.Join(broken, "; "))
	}
	return o, nil
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// WriteBundle writes a bundle of the objects (STIX 8), each with its
// producer's bytes, as they come. Without id it gets a random one. It stops at
// the first error of objs, which it returns, and then the bundle is not whole.
func WriteBundle(w io.Writer, id string, objs iter.Seq2[*Object, error]) error {
	if id == "" {
		id = NewID("bundle")
	}
	if _, err := fmt.Fprintf(w, "{\"type\":\"bundle\",\"id\":%q", id); err != nil {
		return fmt.Errorf("write a bundle: %w", err)
	}
	before, end := ",\"objects\":[\n", "}\n"
	for o, err := range objs {
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, before+o.text); err != nil {
			return fmt.Errorf("write a bundle: %w", err)
		}
		before, end = ",\n", "\n]}\n"
	}
	if _, err := io.WriteString(w, end); err != nil {
		return fmt.Errorf("write a bundle: %w", err)
	}
	return nil
}
