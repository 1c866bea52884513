package office

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/vault"
	"causeway/trade/place"
)

// What crosses the line between offices is a word of kind cosign, one of the
// three: a key, a question with the exact bytes, an answer to one.
type word struct {
	V      int            `json:"v"`
	Key    *statement.Key `json:"key,omitempty"`
	Ask    []byte         `json:"ask,omitempty"`
	Answer *Answer        `json:"answer,omitempty"`
}

// Answer is what a partner says to exact bytes: its signature lines, or why it
// does not sign. An answer that declines is never published.
type Answer struct {
	Digest   string `json:"digest"`
	Sigs     string `json:"sigs,omitempty"`
	Declined string `json:"declined,omitempty"`
}

// Request is what this agency asked of a partner.
type Request struct {
	Digest    string    `json:"digest"`
	ID        string    `json:"id"`
	Node      string    `json:"node"`
	JSON      []byte    `json:"json"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
	Answer    *Answer   `json:"answer,omitempty"`
	Answered  time.Time `json:"answered,omitzero"`
	Collected bool      `json:"collected,omitempty"` // the signatures stand in the folder
}

// Asked is what a partner asked of this agency.
type Asked struct {
	Digest   string    `json:"digest"`
	Node     string    `json:"node"`
	Nation   string    `json:"nation"`
	JSON     []byte    `json:"json"`
	At       time.Time `json:"at"`
	Answer   *Answer   `json:"answer,omitempty"`
	By       string    `json:"by,omitempty"`
	Answered time.Time `json:"answered,omitzero"`
}

// OfferedKey is the public half of a partner's statement key, as its node sent
// it. It signs nothing here before a person trusts it.
type OfferedKey struct {
	Key     statement.Key `json:"key"`
	Node    string        `json:"node"`
	At      time.Time     `json:"at"`
	Trusted string        `json:"trusted,omitempty"` // reader id of who did
}

const (
	// maxAsk bounds the words that travel: a word is encoded twice on its way.
	maxAsk = 48 << 10
	// maxOpen bounds the unanswered questions, and the keys, of one partner.
	maxOpen = 64
)

// OfferKey sends the public half of one of this agency's statement keys to a
// partner, so that a statement can name it as a signatory.
func (o *Office) OfferKey(ctx context.Context, by people.Person, key, partner string) error {
	if err := need(by, "offer a key", people.Spokesperson); err != nil {
		return err
	}
	to, err := o.Line.Partner(ctx, partner)
	if err != nil {
		return err
	}
	keys, err := o.Folder.Keys()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k statement.Key) bool { return k.Name == key && k.Purpose == "statement" })
	if i < 0 || !o.owns(key) {
		return fmt.Errorf("offer a key: %s is no statement key of this agency", key)
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "offer-key", Subject: key, Detail: map[string]string{"to": to.NodeID}}
	_, err = o.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		return o.post(tx, to.NodeID, key, word{V: 1, Key: &keys[i]})
	})
	return err
}

// owns says whether this agency holds the secret half of a key.
func (o *Office) owns(key string) bool {
	secrets, err := o.Folder.Secrets()
	return err == nil && slices.ContainsFunc(secrets, func(s statement.Secret) bool { return s.Name == key })
}

// OfferedKeys lists the keys that partners sent.
func (o *Office) OfferedKeys(ctx context.Context) ([]OfferedKey, error) {
	return all[OfferedKey](ctx, o.Vault, spaceKey, "")
}

// TrustKey takes an offered key among those that statements may name.
func (o *Office) TrustKey(ctx context.Context, by people.Person, key string) error {
	if err := need(by, "trust a key", people.Spokesperson); err != nil {
		return err
	}
	var k OfferedKey
	act := audit.Act{Actor: by.ReaderID(), Verb: "trust-key", Subject: key}
	_, err := o.Vault.Act(ctx, act, func(tx *vault.Tx) (err error) {
		var ok bool
		if k, ok, err = get[OfferedKey](tx, spaceKey, key); err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("trust a key: no partner offered %s", key)
		}
		k.Trusted = by.ReaderID()
		return put(tx, spaceKey, key, k)
	})
	if err != nil {
		return err
	}
	o.files.Lock()
	defer o.files.Unlock()
	return o.Folder.Trust(k.Key)
}

// Ask puts the exact bytes of a frozen statement before a partner whose agency
// is to sign them. Both reviews have to have passed here: no partner is shown
// what might not be PUBLIC.
func (o *Office) Ask(ctx context.Context, by people.Person, digest, partner string) error {
	if err := need(by, "ask for a signature", people.Spokesperson); err != nil {
		return err
	}
	d, err := o.draft(digest)
	if err != nil {
		return err
	}
	to, err := o.Line.Partner(ctx, partner)
	if err != nil {
		return err
	}
	if len(d.JSON) > maxAsk {
		return fmt.Errorf("ask %s: the statement has %d bytes, and %d travel over the line; hand the file over and add the signatures by hand", to.Name, len(d.JSON), maxAsk)
	}
	if err := o.Ready(ctx, digest); err != nil {
		return fmt.Errorf("ask %s: %w", to.Name, err)
	}
	r := Request{Digest: digest, ID: d.Statement.ID, Node: to.NodeID, JSON: d.JSON, By: by.ReaderID()}
	act := audit.Act{Actor: r.By, Verb: "ask-signature", Subject: r.ID, Detail: map[string]string{"digest": digest, "of": r.Node}}
	_, err = o.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		old, ok, err := get[Request](tx, spaceRequest, digest+" "+r.Node)
		if err != nil {
			return err
		}
		if ok && old.Answer == nil {
			return fmt.Errorf("ask %s: it was asked %s and has not answered yet", to.Name, old.At.UTC().Format(time.RFC3339))
		}
		if ok && old.Answer.Sigs != "" {
			return fmt.Errorf("ask %s: it has signed already", to.Name)
		}
		r.At = tx.At()
		if err := put(tx, spaceRequest, digest+" "+r.Node, r); err != nil {
			return err
		}
		return o.post(tx, r.Node, short(digest), word{V: 1, Ask: d.JSON})
	})
	return err
}

// Requests lists what this agency asked of partners.
func (o *Office) Requests(ctx context.Context) ([]Request, error) {
	return all[Request](ctx, o.Vault, spaceRequest, "")
}

// Asked lists what partners asked of this agency.
func (o *Office) Asked(ctx context.Context) ([]Asked, error) {
	return all[Asked](ctx, o.Vault, spaceAsked, "")
}

// Answer signs what a partner asked, with a key of this agency that the
// statement names; with a reason instead of a key it declines. What is signed
// are the bytes that came, which this agency's own people reviewed.
func (o *Office) Answer(ctx context.Context, by people.Person, digest, node, key, declined string) error {
	if err := need(by, "answer a partner", people.Spokesperson); err != nil {
		return err
	}
	if (key == "") == (strings.TrimSpace(declined) == "") {
		return errors.New("answer: give the key to sign with, or the reason why not")
	}
	to, err := o.Line.Partner(ctx, node)
	if err != nil {
		return err
	}
	answer := &Answer{Digest: digest, Declined: declined}
	verb := "decline-signature"
	if key != "" {
		verb = "sign-statement"
		if err := o.Ready(ctx, digest); err != nil {
			return fmt.Errorf("sign %s: %w", short(digest), err)
		}
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: verb, Subject: digest, Detail: map[string]string{"for": to.NodeID, "key": key}}
	_, err = o.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		a, ok, err := get[Asked](tx, spaceAsked, digest+" "+to.NodeID)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("answer: %s asked for no signature on %s", to.Name, short(digest))
		}
		if a.Answer != nil && a.Answer.Sigs != "" {
			return fmt.Errorf("answer: %s is signed already; a signature is taken back by a statement, not by an answer", short(digest))
		}
		if key != "" {
			d := statement.Draft{JSON: a.JSON}
			if err := o.Folder.SignDraft(&d, key); err != nil {
				return err
			}
			answer.Sigs = d.Sigs
		}
		a.Answer, a.By, a.Answered = answer, by.ReaderID(), tx.At()
		if err := put(tx, spaceAsked, digest+" "+to.NodeID, a); err != nil {
			return err
		}
		return o.post(tx, to.NodeID, short(digest), word{V: 1, Answer: answer})
	})
	return err
}

// Collect takes the signatures that came over the line into the folder and
// gives how many statements got one. It may be repeated, also after a crash
// half way.
func (o *Office) Collect(ctx context.Context) (n int, err error) {
	requests, err := o.Requests(ctx)
	if err != nil {
		return 0, err
	}
	o.files.Lock()
	defer o.files.Unlock()
	for _, r := range requests {
		if r.Collected || r.Answer == nil || r.Answer.Sigs == "" {
			continue
		}
		d, err := o.draft(r.Digest)
		if errors.Is(err, ErrNoDraft) {
			continue // removed before it was published
		}
		if err != nil {
			return n, err
		}
		if err := o.Folder.AddSignatures(d.File, r.Answer.Sigs); err != nil {
			return n, err
		}
		r.Collected = true
		act := audit.Act{Actor: "node", Verb: "collect-signature", Subject: r.ID, Detail: map[string]string{"digest": r.Digest, "from": r.Node}}
		if _, err := o.Vault.Act(ctx, act, func(tx *vault.Tx) error {
			return put(tx, spaceRequest, r.Digest+" "+r.Node, r)
		}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (o *Office) post(tx *vault.Tx, node, name string, w word) error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return o.Line.EnqueueWord(tx, node, line.CosignWord, line.Priority, name, b)
}

// Take is the office's ear on the line: a [line.Listener].
func (o *Office) Take(tx *vault.Tx, from line.Partner, body []byte) (refusal string, err error) {
	var w word
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w); err != nil || w.V != 1 {
		return "the word cannot be read", nil
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return "something follows the word", nil
	}
	switch {
	case w.Key != nil && w.Ask == nil && w.Answer == nil:
		return o.takeKey(tx, from, *w.Key)
	case w.Ask != nil && w.Key == nil && w.Answer == nil:
		return o.takeAsk(tx, from, w.Ask)
	case w.Answer != nil && w.Key == nil && w.Ask == nil:
		return o.takeAnswer(tx, from, w.Answer)
	}
	return "the word says nothing, or more than one thing", nil
}

// takeKey keeps an offered key. A name that somebody else offered, or this
// agency uses, stays theirs.
func (o *Office) takeKey(tx *vault.Tx, from line.Partner, k statement.Key) (refusal string, err error) {
	if err := k.Check(); err != nil {
		return err.Error(), nil
	}
	if k.Purpose != "statement" {
		return "only statement keys are taken", nil
	}
	if p, ok := place.Lookup(k.Nation); !ok || p.Code != from.Nation {
		return fmt.Sprintf("the key is of nation %q, and the node that offers it of %s", k.Nation, from.Nation), nil
	}
	old, ok, err := get[OfferedKey](tx, spaceKey, k.Name)
	switch {
	case err != nil:
		return "", err
	case ok && old.Node != from.NodeID, o.owns(k.Name):
		return "the name of this key is taken", nil
	case ok && old.Trusted != "" && !sameKey(old.Key, k):
		return "a key under this name is trusted already; give the new one a name of its own", nil
	case ok && sameKey(old.Key, k):
		return "", nil
	}
	if n, err := count(tx, spaceKey, func(x OfferedKey) bool { return x.Node == from.NodeID }); err != nil || n >= maxOpen {
		return "too many keys", err
	}
	return "", put(tx, spaceKey, k.Name, OfferedKey{Key: k, Node: from.NodeID, At: tx.At()})
}

func sameKey(a, b statement.Key) bool {
	return bytes.Equal(a.Ed, b.Ed) && bytes.Equal(a.PQ, b.PQ) && a.Nation == b.Nation
}

func (o *Office) takeAsk(tx *vault.Tx, from line.Partner, b []byte) (refusal string, err error) {
	if len(b) > maxAsk {
		return fmt.Sprintf("a statement of more than %d bytes does not travel", maxAsk), nil
	}
	if _, err := statement.Parse(b); err != nil {
		return err.Error(), nil
	}
	digest := statement.Digest(b)
	key := digest + " " + from.NodeID
	old, ok, err := get[Asked](tx, spaceAsked, key)
	if err != nil || ok && (old.Answer == nil || old.Answer.Sigs != "") {
		return "", err // the same question again
	}
	n, err := count(tx, spaceAsked, func(x Asked) bool { return x.Node == from.NodeID && x.Answer == nil })
	if err != nil || n >= maxOpen {
		return "too many questions wait for an answer", err
	}
	return "", put(tx, spaceAsked, key, Asked{Digest: digest, Node: from.NodeID, Nation: from.Nation, JSON: b, At: tx.At()})
}

func (o *Office) takeAnswer(tx *vault.Tx, from line.Partner, a *Answer) (refusal string, err error) {
	key := a.Digest + " " + from.NodeID
	r, ok, err := get[Request](tx, spaceRequest, key)
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "this was not asked", nil
	case r.Answer != nil && r.Answer.Sigs != "":
		return "", nil
	case (a.Sigs == "") == (a.Declined == ""):
		return "the answer has neither signature nor reason, or both", nil
	}
	if a.Sigs != "" {
		keys, err := o.Folder.Keys()
		if err != nil {
			return "", err
		}
		by, err := statement.Draft{JSON: r.JSON, Sigs: a.Sigs}.SignedBy(keys)
		if err != nil {
			return "the signatures do not verify: " + err.Error(), nil
		}
		if len(by) == 0 {
			return "the signatures are of no key that the statement names", nil
		}
	}
	r.Answer, r.Answered = a, tx.At()
	return "", put(tx, spaceRequest, key, r)
}

// count counts the records of a space that fit.
func count[T any](tx *vault.Tx, space string, fits func(T) bool) (n int, err error) {
	err = tx.ScanRecords(space, "", func(key string, b []byte) error {
		var one T
		if err := json.Unmarshal(b, &one); err != nil {
			return fmt.Errorf("read %s %s: %w", space, key, err)
		}
		if fits(one) {
			n++
		}
		return nil
	})
	return n, err
}
