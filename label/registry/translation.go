package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"causeway/label"
	"causeway/label/stanag4774"
)

// Translation is one node's word that a label reads as another in the words of
// another policy: an alternative label, with the table that says so. It names
// the label by digest, so it stands beside that label and no other. The node
// signs the bytes of Encode.
type Translation struct {
	V          int       `json:"v"`
	Translator string    `json:"translator"` // node
	Of         string    `json:"of"`         // SHA-256 of the label's XML, hex
	From       string    `json:"from"`       // OIDs of the policies
	To         string    `json:"to"`
	XML        string    `json:"xml"` // alternative label, STANAG 4774
	Table      string    `json:"table"`
	Version    string    `json:"version"`
	Source     string    `json:"source"` // agreement or act the table rests on
	Made       time.Time `json:"made"`
	Until      time.Time `json:"until,omitzero"` // the table's end; zero: none stated
}

// DigestOf names a label's bytes as a translation does.
func DigestOf(xml []byte) string {
	sum := sha256.Sum256(xml)
	return hex.EncodeToString(sum[:])
}

// Translate makes the translation of a label by a table.
func Translate(ps *label.Policies, t *label.Table, l *label.Label, xml []byte, translator string, at time.Time) (Translation, error) {
	alternative, err := ps.TranslateBy(t, l, at)
	if err != nil {
		return Translation{}, err
	}
	out, err := stanag4774.WriteAlternative(alternative)
	if err != nil {
		return Translation{}, err
	}
	tr := Translation{V: 1, Translator: translator, Of: DigestOf(xml), From: t.From, To: t.To, XML: string(out), Table: t.Name, Version: t.Version,
		Source: t.Source, Made: at.UTC().Truncate(time.Second), Until: t.ValidTo}
	return tr, tr.check()
}

func (t Translation) check() error {
	switch {
	case t.V != 1 || t.Translator == "" || t.Table == "" || t.Version == "" || strings.Contains(t.Table+t.Version, "@"):
		return errors.New("translation: version, translator and table are needed")
	case len(t.Of) != 2*sha256.Size || !label.IsOID(t.From) || !label.IsOID(t.To) || t.From == t.To:
		return errors.New("translation: it names no label, or no two policies")
	case t.Made.IsZero() || !t.Until.IsZero() && !t.Made.Before(t.Until):
		return errors.New("translation: it was made at no time, or after its table ended")
	}
	l, err := t.Label()
	if err != nil {
		return err
	}
	if l.PolicyOID != t.To {
		return fmt.Errorf("translation: its label is of the policy %s, not %s", l.PolicyOID, t.To)
	}
	return nil
}

// Label reads the alternative label.
func (t Translation) Label() (*label.Label, error) {
	l, err := stanag4774.ParseAlternative([]byte(t.XML))
	if err != nil {
		return nil, fmt.Errorf("translation: %w", err)
	}
	return l, nil
}

// TableKey names the table and its version.
func (t Translation) TableKey() string { return t.Table + "@" + t.Version }

// Encode writes the bytes that are signed.
func (t Translation) Encode() []byte {
	b, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and times of four-digit years always encode
	}
	return b
}

// DecodeTranslation reads the bytes that were signed, and nothing else.
func DecodeTranslation(b []byte) (Translation, error) {
	var t Translation
	if err := json.Unmarshal(b, &t); err != nil {
		return t, fmt.Errorf("read translation: %w", err)
	}
	if string(t.Encode()) != string(b) {
		return Translation{}, errors.New("read translation: it is not in the form in which translations are written")
	}
	return t, t.check()
}
