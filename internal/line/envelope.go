package line

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"causeway/internal/vault"
	"causeway/label/marking"
)

// envelope collects the objects of one message: first the sender's own, then
// those it passes on.
type envelope struct {
	ctx      context.Context // of the one compose it belongs to
	line     *Line
	partner  *partnerRecord
	markings map[string]*visible // definitions of the markings used
	marked   map[string]bool     // those that are in
	rules    []string
	own      []entry
	carried  []entry
	docs     []Document
	docIndex map[Digest]int
	attached int
	size     int
}

type entry struct {
	raw  string
	rule int
	from carried
}

// newEnvelope prepares a message: it reads the definitions of all markings
// that the versions use, so that the receiver can judge each message by
// itself, in whatever order the lanes arrive.
func (l *Line) newEnvelope(ctx context.Context, partner *partnerRecord, view *vault.View, objects map[Item]*visible) (*envelope, error) {
	e := &envelope{ctx: ctx, line: l, partner: partner, docIndex: map[Digest]int{}, marked: map[string]bool{}, markings: map[string]*visible{}}
	var m vault.Match
	asked := map[string]bool{}
	for _, v := range objects {
		for _, ref := range v.object.MarkingRefs() {
			if !asked[ref] {
				asked[ref] = true
				m.IDs = append(m.IDs, ref)
			}
		}
	}
	slices.Sort(m.IDs)
	defs, err := readMatch(ctx, view, m, nil)
	if err != nil {
		return nil, fmt.Errorf("read the markings for %s: %w", partner.Node, err)
	}
	for it, v := range defs {
		e.markings[it.ID] = v
	}
	return e, nil
}

func (e *envelope) count() int { return len(e.own) + len(e.carried) }

func (e *envelope) rule(key string) int {
	i := slices.Index(e.rules, key)
	if i < 0 {
		i = len(e.rules)
		e.rules = append(e.rules, key)
	}
	return i
}

// add takes one version, and before it the definitions of its markings. A
// definition that is not for the partner stays out; the receiver then says
// that it cannot understand the label.
func (e *envelope) add(v *visible) error {
	for _, ref := range v.object.MarkingRefs() {
		m := e.markings[ref]
		if m == nil || e.marked[ref] || m.item == v.item {
			continue
		}
		e.marked[ref] = true
		e.attached++
		if err := e.putMarking(m); err != nil {
			return err
		}
	}
	if v.object.Type() == "marking-definition" {
		if e.marked[v.item.ID] {
			return nil
		}
		e.marked[v.item.ID] = true
		return e.putMarking(v)
	}
	return e.put(v)
}

// putMarking takes the definition of a marking, and with a label the signed
// alternatives by which this node translates what leaves it.
func (e *envelope) putMarking(v *visible) error {
	if err := e.put(v); err != nil {
		return err
	}
	xml, ok := marking.LabelOf(v.object)
	if !ok || e.line.alternatives == nil {
		return nil
	}
	for _, signed := range e.line.alternatives(xml) {
		o, err := marking.Beside(v.item.ID, signed, v.object.Created(), e.line.Self().SpeaksFor[0])
		if err != nil {
			return err
		}
		e.attached++
		if err := e.put(&visible{object: o, item: Item{ID: o.ID(), Version: o.Version().String()}, rule: v.rule}); err != nil {
			return err
		}
	}
	return nil
}

func (e *envelope) put(v *visible) error {
	x := entry{raw: v.object.Text()}
	e.size += len(x.raw)
	by := v.object.CreatedByRef()
	if slices.Contains(e.line.Self().SpeaksFor, by) {
		x.rule = e.rule(v.rule)
		e.own = append(e.own, x)
		return nil
	}
	var from *origin
	known := false
	err := e.line.origins.with(e.line.outside(e.ctx), func(ix *originIndex) (err error) {
		known = ix.known(v.item)
		from, err = ix.provenance(v.item, []byte(x.raw))
		return err
	})
	switch {
	case err != nil:
		return err
	case from != nil:
		d := from.document.Digest()
		i, ok := e.docIndex[d]
		if !ok {
			i = len(e.docs)
			e.docs, e.docIndex[d] = append(e.docs, *from.document), i
		}
		x.from = from.place
		x.from.Rule, x.from.Attestation = e.rule(from.rule), i
	case by == "" && !known:
		x.rule = e.rule(v.rule) // nobody else is known to have made it
		e.own = append(e.own, x)
		return nil
	default:
		x.from = carried{Rule: e.rule(v.rule), Attestation: -1}
	}
	e.carried = append(e.carried, x)
	return nil
}

// finish writes the three parts of the message.
func (e *envelope) finish(d *draft) error {
	d.attached, d.count = e.attached, e.count()
	if d.count == 0 {
		return nil
	}
	m := manifest{V: 1, Rules: e.rules}
	raws := make([][]byte, 0, d.count)
	for _, x := range e.own {
		m.Own, raws = append(m.Own, x.rule), append(raws, []byte(x.raw))
	}
	docs := e.docs
	if len(e.own) > 0 {
		m.Seed = randomBytes(32)
		k := e.line.keysFor(e.partner)
		doc, _, err := attest(k, millis(e.line.now()), m.Rules, m.Own, m.Seed, raws)
		if err != nil {
			return err
		}
		docs = append([]Document{doc}, docs...)
	}
	shift := len(docs) - len(e.docs)
	for _, x := range e.carried {
		if x.from.Attestation >= 0 {
			x.from.Attestation += shift
		}
		m.Carried, raws = append(m.Carried, x.from), append(raws, []byte(x.raw))
	}
	man, err := encodeCanonical(m)
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	if docs == nil {
		docs = []Document{}
	}
	d.parts = [][]byte{man, mustCanonical(docs), writeEnvelope(raws)}
	d.tables = e.line.tables()
	return nil
}

// writeEnvelope writes a TAXII 2.1 envelope (section 3.7) around the
// producers' bytes.
func writeEnvelope(raws [][]byte) []byte {
	var b bytes.Buffer
	b.WriteString(`{"objects":[`)
	for i, raw := range raws {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(raw)
	}
	b.WriteString("]}")
	return b.Bytes()
}
