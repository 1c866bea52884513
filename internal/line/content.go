package line

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"causeway/label"
	"causeway/label/marking"
	"causeway/stix"

	"golang.org/x/mod/sumdb/tlog"
)

// content is a message's body, read and judged but not yet stored.
type content struct {
	bad      error // refuses the whole message
	failed   error // this node could not judge it: no receipt, the sender tries again
	manifest []byte
	docs     []Document
	objects  []received
	leaves   []tlog.Hash // of the sender's own objects
	recall   *recall
	identity *SignedIdentity
	notice   *notice
	word     []byte
}

// errUnjudged is wrapped by errors of this node's own store.
var errUnjudged = errors.New("a message could not be judged")

// received is one object of a message with the judgement on it.
type received struct {
	object    *stix.Object
	effective label.Effective
	refusal   *Refusal
}

// Codes of refusals of single objects.
const (
	codeCreator  = "creator"  // the sender does not speak for whoever made it
	codeLabel    = "label"    // its label cannot be understood or was changed
	codeObject   = "object"   // it is not a STIX object that this node reads
	codeOrigin   = "origin"   // its originator's attestation does not cover it
	codeConflict = "conflict" // the sender already gave this version with other content
)

// unpack reads the parts of an opened message. What it finds wrong with the
// message is in the result; it touches nothing.
func (l *Line) unpack(ctx context.Context, p *partnerRecord, o *opened) content {
	var c content
	switch o.statement.Kind {
	case kindObjects:
		c = l.unpackObjects(ctx, p, o)
	case kindRecall:
		c.recall = &recall{}
		if err := decodeCanonical(o.parts[0], maxBody, c.recall); err != nil || c.recall.V != 1 || len(c.recall.Items) != o.statement.Count {
			c.bad = errors.New("the recall cannot be read, or does not have the number of versions it states")
		}
	case kindIdentity:
		c.identity = &SignedIdentity{}
		if err := decodeCanonical(o.parts[0], 4*maxIdentity, c.identity); err != nil {
			c.bad = fmt.Errorf("read the new keys: %w", err)
		}
	case kindNotice:
		c.notice = &notice{}
		if err := decodeCanonical(o.parts[0], maxNotice, c.notice); err != nil {
			c.bad = fmt.Errorf("read the notice: %w", err)
		}
	default:
		c.word, c.bad = wordOf(p, o.statement.Kind, o.parts[0])
	}
	return c
}

func (l *Line) unpackObjects(ctx context.Context, p *partnerRecord, o *opened) content {
	c := content{manifest: o.parts[0]}
	if err := decodeCanonical(o.parts[1], maxBody, &c.docs); err != nil || len(c.docs) > maxObjects {
		c.bad = errors.New("the attestations cannot be read")
		return c
	}
	raws, err := cutEnvelope(o.parts[2])
	if err != nil {
		c.bad = err
		return c
	}
	if len(raws) != o.statement.Count {
		c.bad = fmt.Errorf("the envelope has %d objects where the statement says %d", len(raws), o.statement.Count)
		return c
	}
	m, err := parseManifest(c.manifest, len(raws), len(c.docs))
	if err != nil {
		c.bad = err
		return c
	}
	c.leaves = ownLeaves(m.Seed, m.Rules, m.Own, raws)
	rules := make([]label.Rule, len(m.Rules))
	for i, key := range m.Rules {
		if rules[i], err = label.ParseRule(key); err != nil {
			rules[i] = label.Rule{} // nobody, until this node's policies know the rule
		}
	}
	who := l.speakers(l.outside(ctx))
	signers, err := l.attestors(ctx, p, m, c.docs, c.leaves)
	if errors.Is(err, errUnjudged) {
		c.failed = err
		return c
	}
	if err != nil {
		c.bad = err
		return c
	}
	objects, here := parseObjects(raws)
	c.objects = objects
	// Alternative labels are taken up before the labels they stand beside are judged.
	for _, o := range here {
		if signed, ok := marking.SignedAlternative(o); ok && l.alternative != nil {
			if err := l.alternative(ctx, signed); err != nil {
				c.failed = fmt.Errorf("%w: %w", errUnjudged, err)
				return c
			}
		}
	}
	lookup := l.markings(ctx, here)
	policies := l.policies()
	for i := range c.objects {
		x := &c.objects[i]
		if x.object == nil {
			continue
		}
		rule, key := 0, ""
		if i < len(m.Own) {
			rule = m.Own[i]
		} else {
			rule = m.Carried[i-len(m.Own)].Rule
		}
		key = m.Rules[rule]
		speaker, err := who(x.object.CreatedByRef())
		if err != nil {
			c.failed = err
			return c
		}
		if x.refusal = judgeOrigin(p, speaker, signers, m, i, key, raws[i], x.object); x.refusal != nil {
			continue
		}
		x.effective, x.refusal = judgeLabel(x.object, rules[rule], lookup, policies)
	}
	return c
}

// parseObjects reads the objects of an envelope, and gives the definitions of
// markings among them by id. An object that cannot be read is refused by
// itself.
func parseObjects(raws []json.RawMessage) ([]received, map[string]*stix.Object) {
	out := make([]received, len(raws))
	here := map[string]*stix.Object{}
	for i, raw := range raws {
		o, err := stix.ParseObject(raw)
		if err == nil && (o.ID() == "" || o.Type() == "") {
			err = errors.New("it has no id or no type")
		}
		if err == nil {
			err = firstProblem(o)
		}
		if err != nil {
			out[i].refusal = &Refusal{Code: codeObject, Reason: err.Error()}
			if o != nil {
				out[i].refusal.ID = o.ID()
			}
			continue
		}
		out[i].object = o
		if o.Type() == "marking-definition" {
			here[o.ID()] = o
		}
	}
	return out, here
}

// firstProblem gives the first broken MUST of STIX 2.1.
func firstProblem(o *stix.Object) error {
	for _, p := range stix.Validate(o) {
		if !p.Warning {
			return fmt.Errorf("%s: %s", p.Path, p.Text)
		}
	}
	return nil
}

// cutEnvelope cuts a TAXII 2.1 envelope into the producers' bytes.
func cutEnvelope(b []byte) ([]json.RawMessage, error) {
	var env struct {
		Objects []json.RawMessage `json:"objects"`
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&env); err != nil {
		return nil, errors.New("the envelope is not a TAXII envelope of objects")
	}
	raws := make([][]byte, len(env.Objects))
	for i, o := range env.Objects {
		raws[i] = o
	}
	if !bytes.Equal(writeEnvelope(raws), b) {
		return nil, errors.New("the envelope has something beside its objects")
	}
	return env.Objects, nil
}

// attestor is a node that attested objects of a message.
type attestor struct {
	attestation *Attestation
	identity    *Identity // nil: the node is not known here, its word cannot be checked
}

// attestors checks every attestation of a message. The first one covers the
// sender's own objects; a message whose own objects it does not cover is
// refused as a whole.
func (l *Line) attestors(ctx context.Context, p *partnerRecord, m *manifest, docs []Document, leaves []tlog.Hash) ([]attestor, error) {
	out := make([]attestor, len(docs))
	for i, d := range docs {
		a, err := parseAttestation(d)
		if err != nil {
			return nil, err
		}
		out[i].attestation = a
		ids, err := l.identitiesOf(ctx, p, a.Node)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUnjudged, err)
		}
		for _, id := range ids {
			if id.Generation == a.Generation {
				if err := a.check(d, id); err != nil {
					return nil, fmt.Errorf("check an attestation of %s: %w", a.Node, err)
				}
				out[i].identity = id
			}
		}
	}
	if len(m.Own) == 0 {
		return out, nil
	}
	if a := out[0].attestation; a.Node != p.Node || out[0].identity == nil || a.Count != int64(len(m.Own)) {
		return nil, errors.New("the first attestation is not the sender's for its own objects")
	}
	root, err := rootOf(leaves)
	if err != nil {
		return nil, err
	}
	if root != out[0].attestation.Root {
		return nil, errors.New("the sender's own objects are not what it attested")
	}
	return out, nil
}

// identitiesOf finds the keys of a node: the sender, this node, or a partner.
func (l *Line) identitiesOf(ctx context.Context, sender *partnerRecord, node string) ([]*Identity, error) {
	if node == sender.Node {
		return sender.identities()
	}
	return l.keysOf(ctx, node)
}

// judgeOrigin decides whether the sender may hand over an object: what it
// makes itself, what an originator attested, or the work of somebody for whom
// no node known here speaks.
func judgeOrigin(p *partnerRecord, speaker string, signers []attestor, m *manifest, i int, key string, raw []byte, o *stix.Object) *Refusal {
	refuse := func(code, format string, args ...any) *Refusal {
		return &Refusal{ID: o.ID(), Version: o.Version().String(), Code: code, Reason: fmt.Sprintf(format, args...)}
	}
	by := o.CreatedByRef()
	if i < len(m.Own) {
		if by == "" || slices.Contains(signers[0].identity.SpeaksFor, by) {
			return nil
		}
		return refuse(codeCreator, "%s does not speak for %s", p.Node, by)
	}
	c := m.Carried[i-len(m.Own)]
	if c.Attestation < 0 {
		if speaker != "" && speaker != p.Node {
			return refuse(codeCreator, "%s speaks for %s, and its attestation is missing", speaker, by)
		}
		return nil
	}
	a := signers[c.Attestation]
	if speaker != "" && speaker != a.attestation.Node {
		return refuse(codeCreator, "%s speaks for %s, not %s", speaker, by, a.attestation.Node)
	}
	if err := a.attestation.covers(c, key, raw); err != nil {
		return refuse(codeOrigin, "the attestation of %s does not cover this object under this rule", a.attestation.Node)
	}
	if a.identity == nil && speaker != "" {
		return refuse(codeOrigin, "the keys that %s attested with are not known here", speaker)
	}
	return nil
}

// judgeLabel computes who may read a received object here: never more than
// its own markings allow and never more than its originator's rule.
func judgeLabel(o *stix.Object, rule label.Rule, lookup func(string) (*stix.Object, bool), ps *label.Policies) (label.Effective, *Refusal) {
	refuse := func(reason string) (label.Effective, *Refusal) {
		return label.Effective{}, &Refusal{ID: o.ID(), Version: o.Version().String(), Code: codeLabel, Reason: reason}
	}
	if rule.Nobody() {
		return refuse("its rule is not in a form that this node reads")
	}
	eff, err := marking.Resolve(o, lookup, ps)
	switch {
	case errors.Is(err, marking.ErrUnlabelled):
		return label.Effective{Rule: rule}, nil
	case err != nil:
		return refuse(err.Error())
	}
	if eff, err = eff.Narrow(rule); err != nil {
		return refuse(err.Error())
	}
	return eff, nil
}

// markings looks a marking definition up in the message, then in the vault.
func (l *Line) markings(ctx context.Context, here map[string]*stix.Object) func(string) (*stix.Object, bool) {
	cache := map[string]*stix.Object{}
	return func(id string) (*stix.Object, bool) {
		if o, ok := here[id]; ok {
			return o, true
		}
		if o, ok := cache[id]; ok {
			return o, o != nil
		}
		cache[id] = nil
		if l.node == nil {
			return nil, false
		}
		row, err := l.vault.As(l.node()).Get(ctx, id)
		if err != nil {
			return nil, false
		}
		o, err := stix.ParseObject(row.Raw)
		if err != nil {
			return nil, false
		}
		cache[id] = o
		return o, true
	}
}

// ownLeaves computes the leaves of the sender's own objects.
func ownLeaves(seed []byte, rules []string, own []int, raws []json.RawMessage) []tlog.Hash {
	leaves := make([]tlog.Hash, len(own))
	for i, r := range own {
		leaves[i] = leafHash(saltOf(seed, i), rules[r], raws[i])
	}
	return leaves
}

// speakers gives a function that tells which node speaks for a STIX identity:
// this node, or a partner whose keys were confirmed; "" for none known.
func (l *Line) speakers(r records) func(identity string) (string, error) {
	seen := map[string]string{}
	for _, s := range l.Self().SpeaksFor {
		seen[s] = l.Node()
	}
	return func(identity string) (string, error) {
		node, ok := seen[identity]
		if ok || identity == "" {
			return node, nil
		}
		if _, err := load(r, spaceSpeaker, identity, &node); err != nil {
			return "", err
		}
		seen[identity] = node
		return node, nil
	}
}
