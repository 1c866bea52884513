package desk

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
)

// Co-signing a public statement crosses the line as two words: the asker's,
// with the exact frozen bytes, and the partner's answer, its signatures or its
// refusal. Refusals stay between the two.

const (
	spaceCosignAsked = "cosign-asked" // of this node, by partner and digest
	spaceCosignSent  = "cosign-sent"  // by digest and partner
)

// maxRecord bounds a record that crosses as a word.
const maxRecord = 128 << 10

// maxAsked bounds the open questions of one partner.
const maxAsked = 64

// CosignAsked is a partner's statement that this agency is asked to co-sign.
type CosignAsked struct {
	From   string        `json:"from"` // the partner's node
	Record []byte        `json:"record"`
	Until  time.Time     `json:"until"` // silence after it is no consent
	Came   time.Time     `json:"came"`
	Answer *CosignAnswer `json:"answer,omitempty"`
}

// CosignSent is this agency's question to one partner.
type CosignSent struct {
	To     string        `json:"to"`
	Digest string        `json:"sha256"`
	By     string        `json:"by"`
	At     time.Time     `json:"at"`
	Until  time.Time     `json:"until"`
	Answer *CosignAnswer `json:"answer,omitempty"`
}

// CosignAnswer is signatures over the exact bytes, or a refusal with its reason.
type CosignAnswer struct {
	Digest     string    `json:"sha256"`
	Signatures string    `json:"signatures,omitempty"`
	Why        string    `json:"why,omitempty"` // of a refusal
	By         string    `json:"by,omitempty"`  // the person; stays at their node
	At         time.Time `json:"at,omitzero"`
}

// foreign reports what a partner has no business to say: who and when are
// kept at each node for itself.
func (a CosignAnswer) foreign() bool { return a.By != "" || !a.At.IsZero() }

// cosignWord is what crosses: exactly one of the two.
type cosignWord struct {
	V      int           `json:"v"`
	Ask    *cosignAsk    `json:"ask,omitempty"`
	Answer *CosignAnswer `json:"answer,omitempty"`
}

type cosignAsk struct {
	Record []byte    `json:"record"`
	Until  time.Time `json:"until"`
}

// AskCosign asks partners to co-sign the frozen bytes of a statement.
func (d *Desk) AskCosign(ctx context.Context, by people.Person, record []byte, to []string, until time.Time) error {
	if err := need(by, "ask for co-signatures", people.Spokesperson); err != nil {
		return err
	}
	if _, err := statement.Parse(record); err != nil {
		return fmt.Errorf("ask for co-signatures: %w", err)
	}
	switch {
	case len(record) > maxRecord:
		return fmt.Errorf("ask for co-signatures: the statement has %d bytes, more than %d", len(record), maxRecord)
	case len(to) == 0:
		return errors.New("ask for co-signatures: choose a partner")
	case !until.After(d.Now()):
		return errors.New("ask for co-signatures: the deadline has passed: give a later one")
	}
	digest := statement.Digest(record)
	body, err := json.Marshal(cosignWord{V: 1, Ask: &cosignAsk{record, until.UTC()}})
	if err != nil {
		return err
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "ask-cosign", Subject: digest, Detail: map[string]string{"to": strings.Join(to, " ")}}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		for _, partner := range to {
			sent := CosignSent{To: partner, Digest: digest, By: by.ReaderID(), At: tx.At(), Until: until.UTC()}
			if err := putJSON(tx, spaceCosignSent, digest+" "+partner, sent); err != nil {
				return err
			}
			if err := d.Line.EnqueueWord(tx, partner, line.CosignWord, line.Priority, digest, body); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// AnswerCosign sends this agency's signatures over a partner's statement, or
// the reason why it does not sign.
func (d *Desk) AnswerCosign(ctx context.Context, by people.Person, from, digest, signatures, why string) error {
	if err := need(by, "co-sign", people.Spokesperson); err != nil {
		return err
	}
	if (signatures == "") == (strings.TrimSpace(why) == "") {
		return errors.New("co-sign: sign, or say why not")
	}
	verb := "cosign-statement"
	if signatures == "" {
		verb = "refuse-cosign"
	}
	answer := CosignAnswer{Digest: digest, Signatures: signatures, Why: why}
	body, err := json.Marshal(cosignWord{V: 1, Answer: &answer})
	if err != nil {
		return err
	}
	_, err = d.Vault.Act(ctx, audit.Act{Actor: by.ReaderID(), Verb: verb, Subject: digest, Detail: map[string]string{"for": from}}, func(tx *vault.Tx) error {
		key := from + " " + digest
		asked, known, err := recordIn[CosignAsked](tx, spaceCosignAsked, key)
		switch {
		case err != nil:
			return err
		case !known:
			return fmt.Errorf("co-sign: %w", vault.ErrNotFound)
		case asked.Answer != nil:
			return errors.New("co-sign: it is answered already")
		}
		kept := answer
		kept.By, kept.At = by.ReaderID(), tx.At()
		asked.Answer = &kept
		if err := putJSON(tx, spaceCosignAsked, key, asked); err != nil {
			return err
		}
		return d.Line.EnqueueWord(tx, from, line.CosignWord, line.Priority, digest, body)
	})
	return err
}

// CosignAsked lists what partners ask this agency to co-sign, newest first.
func (d *Desk) CosignAsked(ctx context.Context) ([]CosignAsked, error) {
	all, err := scanJSON[CosignAsked](ctx, d.Vault, spaceCosignAsked)
	slices.SortFunc(all, func(a, b CosignAsked) int { return b.Came.Compare(a.Came) })
	return all, err
}

// CosignSent lists what this agency asked partners about one statement.
func (d *Desk) CosignSent(ctx context.Context, digest string) ([]CosignSent, error) {
	all, err := scanJSON[CosignSent](ctx, d.Vault, spaceCosignSent)
	return slices.DeleteFunc(all, func(s CosignSent) bool { return s.Digest != digest }), err
}

// TakeCosign is the listener for words about co-signatures.
func (d *Desk) TakeCosign(tx *vault.Tx, partner line.Partner, body []byte) (refusal string, err error) {
	var w cosignWord
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	err = dec.Decode(&w)
	if _, more := dec.Token(); err != nil || !errors.Is(more, io.EOF) || w.V != 1 || (w.Ask == nil) == (w.Answer == nil) || w.Answer != nil && w.Answer.foreign() {
		return "the word about a co-signature is not understood here", nil
	}
	if w.Ask != nil {
		return takeCosignAsk(tx, partner, *w.Ask)
	}
	key := w.Answer.Digest + " " + partner.NodeID
	sent, known, err := recordIn[CosignSent](tx, spaceCosignSent, key)
	if err != nil {
		return "", err
	}
	switch {
	case !known:
		return "nobody asked for this co-signature", nil
	case sent.Answer != nil && *sent.Answer != (CosignAnswer{Digest: w.Answer.Digest, Signatures: w.Answer.Signatures, Why: w.Answer.Why, At: sent.Answer.At}):
		return "this question is answered already", nil
	case sent.Answer != nil:
		return "", nil // the same once more
	case (w.Answer.Signatures == "") == (w.Answer.Why == ""):
		return "the answer is neither signatures nor a refusal", nil
	}
	sent.Answer = &CosignAnswer{Digest: w.Answer.Digest, Signatures: w.Answer.Signatures, Why: w.Answer.Why, At: tx.At()}
	return "", putJSON(tx, spaceCosignSent, key, sent)
}

func takeCosignAsk(tx *vault.Tx, partner line.Partner, ask cosignAsk) (refusal string, err error) {
	if len(ask.Record) > maxRecord {
		return "the statement is too large to be co-signed over the line", nil
	}
	if _, err := statement.Parse(ask.Record); err != nil {
		return "the statement is not one that could be published: " + err.Error(), nil
	}
	key := partner.NodeID + " " + statement.Digest(ask.Record)
	held, known, err := recordIn[CosignAsked](tx, spaceCosignAsked, key)
	if err != nil {
		return "", err
	}
	open := 0
	err = scanIn(tx, spaceCosignAsked, func(a CosignAsked) error {
		if a.From == partner.NodeID && a.Answer == nil && tx.At().Before(a.Until) {
			open++
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if !known && open >= maxAsked {
		return fmt.Sprintf("%d questions of yours are open here; wait for their answers", open), nil
	}
	if known { // asked again: a later deadline, the same bytes
		held.Until = ask.Until
		return "", putJSON(tx, spaceCosignAsked, key, held)
	}
	return "", putJSON(tx, spaceCosignAsked, key, CosignAsked{From: partner.NodeID, Record: ask.Record, Until: ask.Until, Came: tx.At()})
}

// recordIn reads one record inside an act.
func recordIn[T any](tx *vault.Tx, space, key string) (v T, known bool, err error) {
	b, known, err := tx.Record(space, key)
	if err == nil && known {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		err = fmt.Errorf("read %s %s: %w", space, key, err)
	}
	return v, known, err
}
