package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/marking"
	"causeway/label/registry"
	"causeway/label/stanag4774"
	"causeway/stix"
)

const (
	// spaceAlternative holds signed alternative labels: those this node made and
	// those of translators it lets decide. The key is the digest of the label's
	// XML, the translator and the table.
	spaceAlternative = "alternative"
	// spaceTranslator is the table of translators: one record a node, with every
	// time in which it may or might translate.
	spaceTranslator = "translator"

	// translationKind is the kind of the signed document.
	translationKind = "alternative-label"

	// aboutLabels begins the subject of an entry about labels that not everybody
	// may know to be in use. Like the id of a hidden object it keeps the entry
	// from the readers of the log's pages; it is in the log for who verifies it.
	aboutLabels = "label--"

	// maxAlternatives bounds how many are remembered; beyond it labels are
	// translated anew when they are met.
	maxAlternatives = 100_000
)

// translations is what the node knows of translating labels. It is read while
// objects are judged, also inside an act, so it opens nothing: what it makes is
// written afterwards.
type translations struct {
	mu       sync.Mutex
	tables   []SignedTable // that decide now or later
	made     map[string]kept
	unsaved  map[string]kept
	trusted  []Trust
	foreigns map[label.Authority]bool // of translators' tables met so far, with From and Until as their translator states them
}

// kept is one alternative label with its signed document.
type kept struct {
	registry.Translation
	label  *label.Label
	signed []byte
}

func (k kept) key() string { return k.Of + " " + k.Translator + " " + k.TableKey() }

// Trust is a line of the table of translators: from when to when the alternative
// labels of a partner decide here.
type Trust struct {
	Node   string    `json:"node"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until,omitzero"`
	Source string    `json:"source"` // what lets it translate
	By     string    `json:"by"`
	Ended  string    `json:"ended,omitempty"` // reader id of who ended it before its time
	Why    string    `json:"why,omitempty"`   // of the end
}

func (t Trust) holds(at time.Time) bool {
	return !at.Before(t.From) && (t.Until.IsZero() || at.Before(t.Until))
}

// loadTranslations reads tables, translators and alternatives.
func (n *Node) loadTranslations(ctx context.Context) error {
	t := &n.translations
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.made == nil {
		t.made, t.unsaved, t.foreigns = map[string]kept{}, map[string]kept{}, map[label.Authority]bool{}
		err := n.Vault.ScanRecords(ctx, spaceAlternative, "", func(key string, b []byte) error {
			var signed struct{ Statement, Signed []byte }
			if err := json.Unmarshal(b, &signed); err != nil {
				return fmt.Errorf("read alternative label %s: %w", key, err)
			}
			tr, err := registry.DecodeTranslation(signed.Statement)
			if err != nil {
				return fmt.Errorf("read alternative label %s: %w", key, err)
			}
			return t.remember(tr, signed.Signed, n.Line.Node())
		})
		if err != nil {
			return err
		}
	}
	trusted, err := n.Translators(ctx)
	if err != nil {
		return err
	}
	all, err := n.Tables(ctx)
	if err != nil {
		return err
	}
	t.trusted, t.tables = trusted, nil
	var authorities []label.Authority
	now := n.held.now()
	for i, table := range all {
		from, until := inForce(all, i)
		if table.Applied == "" || !until.IsZero() && !from.Before(until) {
			continue
		}
		authorities = append(authorities, label.Authority{Translator: n.Line.Node(), Table: table.Key(), From: from, Until: until,
			Leaving: table.Applied != label.Decrypt, Arriving: table.Applied != label.Encrypt})
		if until.IsZero() || now.Before(until) {
			t.tables = append(t.tables, table)
		}
	}
	authorities = append(authorities, t.foreign()...)
	n.authorities.Store(&authorities)
	return nil
}

// foreign gives the authorities of translators of other nodes: each of their
// tables, while the node is in our table of translators.
func (t *translations) foreign() (out []label.Authority) {
	for _, trust := range t.trusted {
		for f := range t.foreigns {
			if f.Translator != trust.Node {
				continue
			}
			a := label.Authority{Translator: f.Translator, Table: f.Table, From: trust.From, Until: trust.Until, Arriving: true}
			if !f.Until.IsZero() && (a.Until.IsZero() || f.Until.Before(a.Until)) {
				a.Until = f.Until
			}
			if a.Until.IsZero() || a.From.Before(a.Until) {
				out = append(out, a)
			}
		}
	}
	return out
}

// remember keeps an alternative in memory.
func (t *translations) remember(tr registry.Translation, signed []byte, here string) error {
	l, err := tr.Label()
	if err != nil {
		return err
	}
	if len(t.made) >= maxAlternatives {
		maps.DeleteFunc(t.made, func(_ string, k kept) bool { return k.Translator == here })
	}
	if len(t.made) >= maxAlternatives {
		return fmt.Errorf("more than %d alternative labels of other nodes", maxAlternatives)
	}
	k := kept{tr, l, signed}
	t.made[k.key()] = k
	if tr.Translator != here {
		t.foreigns[label.Authority{Translator: tr.Translator, Table: tr.TableKey(), Until: tr.Until}] = true
	}
	return nil
}

// translated gives the policies as they let alternative labels decide now.
func (n *Node) translated(ps *label.Policies) *label.Policies {
	t := label.Translations{Of: n.alternativesOf}
	if a := n.authorities.Load(); a != nil {
		t.Authorities = *a
	}
	return ps.WithTranslations(t)
}

// alternativesOf gives the alternatives of a label: those that translators of
// ours made, and one by each table of this node, made now where it is missing.
func (n *Node) alternativesOf(l *label.Label, xml []byte) []label.Translated {
	t, here := &n.translations, n.Line.Node()
	t.mu.Lock()
	defer t.mu.Unlock()
	of, now := registry.DigestOf(xml), n.held.now()
	var out []label.Translated
	add := func(k kept) {
		out = append(out, label.Translated{Label: k.label, Translator: k.Translator, Table: k.TableKey(), Received: k.Translator != here, Signed: k.signed})
	}
	for _, table := range t.tables {
		if table.From != n.policyOID(l.PolicyOID) && (l.PolicyOID != "" || table.From != n.policyOID(l.PolicyName)) {
			continue
		}
		k, ok := t.made[of+" "+here+" "+table.Key()]
		if !ok {
			var err error
			if k, err = n.makeAlternative(&table.Table, l, xml, now); err != nil {
				continue // it has no counterpart there: the label alone decides
			}
			t.made[k.key()], t.unsaved[k.key()] = k, k
		}
		add(k)
	}
	for _, trust := range t.trusted {
		if !trust.holds(now) {
			continue
		}
		for f := range t.foreigns {
			if k, ok := t.made[of+" "+f.Translator+" "+f.Table]; ok && f.Translator == trust.Node {
				add(k)
			}
		}
	}
	return out
}

func (n *Node) makeAlternative(t *label.Table, l *label.Label, xml []byte, at time.Time) (kept, error) {
	if at.Before(t.ValidFrom) {
		at = t.ValidFrom
	}
	tr, err := registry.Translate(n.base.Load(), t, l, xml, n.Line.Node(), at)
	if err != nil {
		return kept{}, err
	}
	alternative, err := tr.Label()
	if err != nil {
		return kept{}, err
	}
	signed, err := n.Line.Sign(translationKind, tr.Encode())
	return kept{tr, alternative, signed}, err
}

// keepAlternatives writes the alternatives that were made since. One that is
// lost with the process is made again; the versions that it decides about hold
// it too.
func (n *Node) keepAlternatives(ctx context.Context) error {
	t := &n.translations
	t.mu.Lock()
	unsaved := t.unsaved
	t.unsaved = map[string]kept{}
	t.mu.Unlock()
	if len(unsaved) == 0 {
		return nil
	}
	act := audit.Act{Actor: "node", Verb: "translate-labels", Subject: aboutLabels + "translated", Detail: map[string]string{"labels": strconv.Itoa(len(unsaved))}}
	return n.putAlternatives(ctx, act, slices.Collect(maps.Values(unsaved)))
}

func (n *Node) putAlternatives(ctx context.Context, act audit.Act, all []kept) error {
	slices.SortFunc(all, func(a, b kept) int { return strings.Compare(a.key(), b.key()) })
	_, err := n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		for _, k := range all {
			b, err := json.Marshal(struct{ Statement, Signed []byte }{k.Encode(), k.signed})
			if err != nil {
				return fmt.Errorf("encode an alternative label: %w", err)
			}
			if err := tx.PutRecord(spaceAlternative, k.key(), b); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// leavingWith gives the signed alternatives that go with a label over a line:
// by this node's tables for labels that leave it.
func (n *Node) leavingWith(xml []byte) [][]byte {
	l, err := stanag4774.ParseLabel(xml)
	if err != nil {
		return nil
	}
	leaving := map[string]bool{}
	for _, a := range *n.authorities.Load() {
		leaving[a.Table] = a.Leaving && a.Translator == n.Line.Node() && (a.Until.IsZero() || n.now().Before(a.Until))
	}
	var out [][]byte
	for _, a := range n.alternativesOf(l, xml) {
		if !a.Received && leaving[a.Table] {
			out = append(out, a.Signed)
		}
	}
	return out
}

// arrived takes up a signed alternative label that came with a message. One that
// is not signed by a node in the table of translators stays data.
func (n *Node) arrived(ctx context.Context, signed []byte) error {
	p, body, err := n.Line.Signed(ctx, translationKind, signed)
	if err != nil {
		return nil // nobody known here signed it: it decides nothing
	}
	tr, err := registry.DecodeTranslation(body)
	if err != nil || tr.Translator != p.NodeID {
		return nil
	}
	t := &n.translations
	t.mu.Lock()
	trusted := slices.ContainsFunc(t.trusted, func(x Trust) bool { return x.Node == p.NodeID && x.holds(n.held.now()) })
	_, known := t.made[kept{Translation: tr}.key()]
	t.mu.Unlock()
	if !trusted || known {
		return nil
	}
	l, err := tr.Label()
	if err != nil {
		return nil
	}
	k := kept{tr, l, signed}
	act := audit.Act{Actor: line.PartnerReader(p.NodeID), Verb: "translate-labels", Subject: aboutLabels + tr.Of, Detail: map[string]string{"table": tr.TableKey(), "to": tr.To}}
	if err := n.putAlternatives(ctx, act, []kept{k}); err != nil {
		return err
	}
	t.mu.Lock()
	before := len(t.foreigns)
	err = t.remember(tr, signed, n.Line.Node())
	isNew := len(t.foreigns) > before
	t.mu.Unlock()
	if err != nil || !isNew {
		return err
	}
	return n.reauthorise(ctx)
}

// Translators lists the table of translators, by node and time.
func (n *Node) Translators(ctx context.Context) ([]Trust, error) {
	var out []Trust
	err := n.Vault.ScanRecords(ctx, spaceTranslator, "", func(key string, b []byte) error {
		var times []Trust
		if err := json.Unmarshal(b, &times); err != nil {
			return fmt.Errorf("read translator %s: %w", key, err)
		}
		out = append(out, times...)
		return nil
	})
	return out, err
}

// TrustTranslator lets the alternative labels of a partner decide here, from
// now on and until the day that is given; zero: until it is ended.
func (n *Node) TrustTranslator(ctx context.Context, by people.Person, partner, source string, until time.Time) (Trust, error) {
	p, err := n.Line.Partner(ctx, partner)
	if err != nil {
		return Trust{}, err
	}
	if strings.TrimSpace(source) == "" {
		return Trust{}, errors.New("name the agreement that lets the partner translate")
	}
	t := Trust{Node: p.NodeID, Until: until.UTC(), Source: source, By: by.ReaderID()}
	if until.IsZero() {
		t.Until = time.Time{}
	}
	err = n.changeTrust(ctx, by, "trust-translator", p.NodeID, map[string]string{"source": source}, func(times []Trust, now time.Time) ([]Trust, error) {
		t.From = now
		if !t.Until.IsZero() && !now.Before(t.Until) {
			return nil, errors.New("it would end before it begins")
		}
		if slices.ContainsFunc(times, func(x Trust) bool { return x.holds(now) }) {
			return nil, fmt.Errorf("%s is in the table of translators already", p.Name)
		}
		return append(times, t), nil
	}, func(ctx context.Context) error { return n.retranslate(ctx, by.ReaderID(), "translator "+p.NodeID) })
	return t, err
}

// DistrustTranslator ends that the alternative labels of a partner decide here,
// at once.
func (n *Node) DistrustTranslator(ctx context.Context, by people.Person, partner, why string) error {
	p, err := n.Line.Partner(ctx, partner)
	if err != nil {
		return err
	}
	if strings.TrimSpace(why) == "" {
		return errors.New("say why the partner may no longer translate")
	}
	return n.changeTrust(ctx, by, "distrust-translator", p.NodeID, map[string]string{"why": why}, func(times []Trust, now time.Time) ([]Trust, error) {
		i := slices.IndexFunc(times, func(x Trust) bool { return x.holds(now) })
		if i < 0 {
			return nil, fmt.Errorf("%s is not in the table of translators", p.Name)
		}
		times[i].Until, times[i].Ended, times[i].Why = now, by.ReaderID(), why
		return times, nil
	}, n.reauthorise)
}

func (n *Node) changeTrust(ctx context.Context, by people.Person, verb, node string, detail map[string]string, change func([]Trust, time.Time) ([]Trust, error), then func(context.Context) error) error {
	if !by.Has(people.SecurityOfficer) {
		return fmt.Errorf("change the table of translators: %w: only a security officer may", people.ErrForbidden)
	}
	_, err := n.Vault.Act(ctx, audit.Act{Actor: by.ReaderID(), Verb: verb, Subject: node, Detail: detail}, func(tx *vault.Tx) error {
		var times []Trust
		b, ok, err := tx.Record(spaceTranslator, node)
		if err != nil {
			return err
		}
		if ok {
			if err := json.Unmarshal(b, &times); err != nil {
				return fmt.Errorf("read translator %s: %w", node, err)
			}
		}
		if times, err = change(times, tx.At()); err != nil {
			return err
		}
		if b, err = json.Marshal(times); err != nil {
			return fmt.Errorf("encode translator %s: %w", node, err)
		}
		return tx.PutRecord(spaceTranslator, node, b)
	})
	if err != nil {
		return err
	}
	return then(ctx)
}

// reauthorise takes away at once what ended: readers hold it no longer, and no
// stored label is touched. The alternatives stay beside their labels, so that
// decisions of the time before can be explained.
func (n *Node) reauthorise(ctx context.Context) error {
	if err := n.loadTranslations(ctx); err != nil {
		return err
	}
	return n.RefreshReaders(ctx)
}

// translateBatch is how many objects share a transaction.
const translateBatch = 500

// retranslate puts the alternatives of now beside the labels of everything that
// the node holds, after tables or translators changed. What is admitted so
// appears in feeds with the time of this act.
func (n *Node) retranslate(ctx context.Context, by, because string) error {
	if err := n.reauthorise(ctx); err != nil {
		return err
	}
	if err := n.takeUpStored(ctx); err != nil {
		return err
	}
	ids, err := n.toRetranslate(ctx)
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(ids, translateBatch) {
		act := audit.Act{Actor: by, Verb: "translate", Subject: aboutLabels + because, Detail: map[string]string{"objects": strconv.Itoa(len(batch))}}
		_, err := n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
			for _, id := range batch {
				if _, err := tx.Revise(id, n.renew); err != nil && !errors.Is(err, vault.ErrNotFound) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return n.RefreshReaders(ctx)
}

func (n *Node) renew(e label.Effective) (label.Effective, error) {
	return n.Policies().Renew(e, stanag4774.ParseLabel)
}

// toRetranslate finds the objects whose labels have other alternatives now. Few
// labels govern many objects, so each is renewed once.
func (n *Node) toRetranslate(ctx context.Context) ([]string, error) {
	differs := map[string]bool{}
	var ids []string
	seen := map[string]bool{}
	err := n.each(ctx, vault.Query{Match: vault.Match{Versions: []string{"all"}}, Bare: true}, func(row vault.Row) error {
		key := string(row.Effective.Encode())
		change, known := differs[key]
		if !known {
			e, err := n.renew(row.Effective)
			if err != nil {
				return err
			}
			change = string(e.Encode()) != key
			differs[key] = change
		}
		if change && !seen[row.ID] {
			seen[row.ID] = true
			ids = append(ids, row.ID)
		}
		return nil
	})
	return ids, err
}

// takeUpStored takes up alternatives that came before their translator was in
// the table.
func (n *Node) takeUpStored(ctx context.Context) error {
	return n.each(ctx, vault.Query{Match: vault.Match{Types: []string{"marking-definition"}}}, func(row vault.Row) error {
		o, err := stix.ParseObject(row.Raw)
		if err != nil {
			return nil
		}
		signed, ok := marking.SignedAlternative(o)
		if !ok {
			return nil
		}
		return n.arrived(ctx, signed)
	})
}

// each reads what the node itself may see.
func (n *Node) each(ctx context.Context, q vault.Query, do func(vault.Row) error) error {
	own, err := n.OwnReader()
	if err != nil {
		return err
	}
	view := n.Vault.As(own)
	for q.Limit = vault.MaxLimit; ; {
		page, err := view.Page(ctx, q)
		if err != nil {
			return err
		}
		for _, row := range page.Rows {
			if err := do(row); err != nil {
				return err
			}
		}
		if !page.More {
			return nil
		}
		q.Cursor = page.Next
	}
}
