package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"causeway/internal/vault/internal/engine"
	"causeway/internal/vault/internal/terms"
	"causeway/stix"
)

// Match selects versions. Values inside a field are alternatives, fields must
// all hold, an empty field always holds, except that no Versions means the
// newest visible and no SpecVersions the specification it came in. The order
// is that of TAXII 2.1: the visible set, then Versions, then time and limit.
type Match struct {
	IDs           []string  `json:"ids,omitempty"`
	Types         []string  `json:"types,omitempty"`
	SpecVersions  []string  `json:"specs,omitempty"`    // "2.0", "2.1"
	Versions      []string  `json:"versions,omitempty"` // "all" alone, or "first", "last", STIX timestamps
	Collection    string    `json:"collection,omitempty"`
	Source        string    `json:"source,omitempty"`
	CreatedBy     string    `json:"by,omitempty"`
	Text          string    `json:"text,omitempty"`  // every word occurs in the object
	NeighbourOf   string    `json:"near,omitempty"`  // see [View.Neighbours]
	LabelContains string    `json:"label,omitempty"` // in the words of the label, any case
	AddedAfter    time.Time `json:"added,omitzero"`  // available strictly later
	Since         time.Time `json:"since,omitzero"`  // the version's own time, at or after
	Until         time.Time `json:"until,omitzero"`  // and before
}

// Query is one page wanted.
type Query struct {
	Match
	Cursor string // of an earlier page; a zero Match is then taken from it, another must be the same
	After  int64  // only what follows this [Row.Seq]; 0: from the start
	Limit  int    // rows at most; 0 means DefaultLimit, more than MaxLimit is MaxLimit
	Bare   bool   // rows without Raw

	// MaxBytes of Raw ends a page early, with More, at least one row given;
	// 0: no limit. It bounds the memory of a page of large objects.
	MaxBytes int
	Newest   bool // the newest first; After and AddedAfter keep their meaning, Cursor goes on backwards
}

// Limits of a page.
const (
	DefaultLimit = 100
	MaxLimit     = 10_000
)

// versionTime reads a version as what orders versions.
func versionTime(s string) (engine.Micros, error) {
	t, err := stix.ParseTimestamp(s)
	if err != nil {
		return 0, fmt.Errorf("%w: version: %w", ErrQuery, err)
	}
	return t.Micro(), nil
}

// resolve turns a Match into a question to a feed. Neighbours are resolved by
// the caller.
func (v *Vault) resolve(m *Match) (engine.Select, error) {
	s := engine.Select{Collection: m.Collection, Source: m.Source, CreatedBy: m.CreatedBy}
	if len(m.IDs) > 0 {
		s.IDs = m.IDs
	}
	if len(m.Types) > 0 {
		s.Kinds = v.interned.kindsOf(m.Types)
	}
	if len(m.SpecVersions) > 0 {
		s.Specs = m.SpecVersions
	}
	if m.LabelContains != "" {
		s.Labels = v.interned.labelsWith(m.LabelContains)
	}
	if m.Text != "" {
		if s.Terms = terms.Of(m.Text); len(s.Terms) == 0 {
			return s, fmt.Errorf("%w: %q holds no word to look for", ErrQuery, m.Text)
		}
	}
	if !m.AddedAfter.IsZero() {
		s.After = m.AddedAfter.UnixMicro()
	}
	if !m.Since.IsZero() {
		s.Since = m.Since.UnixMicro()
	}
	if !m.Until.IsZero() {
		s.Until = m.Until.UnixMicro()
	}
	s.Last = len(m.Versions) == 0
	for _, word := range m.Versions {
		switch word {
		case "all":
			if len(m.Versions) > 1 {
				return s, fmt.Errorf("%w: version: all stands alone", ErrQuery)
			}
			s.All = true
		case "first":
			s.First = true
		case "last":
			s.Last = true
		default:
			t, err := versionTime(word)
			if err != nil {
				return s, err
			}
			s.Times = append(s.Times, t)
		}
	}
	return s, nil
}

// A cursor says where a page ended in the reader's own feed, for which
// question. It is authenticated and bound to the reader; it holds no state of
// the store, so it may be used again and on any server of the node, and what
// the reader may see is judged anew each time.
type cursor struct {
	added  engine.Micros
	newest bool
	match  Match
}

const macSize = 16

func (v *Vault) mac(reader string, body []byte) []byte {
	h := hmac.New(sha256.New, v.key)
	h.Write([]byte("causeway vault cursor v1\x00"))
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(reader)))
	h.Write(n[:])
	h.Write([]byte(reader))
	h.Write(body)
	return h.Sum(nil)[:macSize]
}

func (v *Vault) seal(reader string, c cursor) (string, error) {
	m, err := json.Marshal(c.match)
	if err != nil {
		return "", fmt.Errorf("make a cursor: %w", err)
	}
	body := binary.BigEndian.AppendUint64(nil, uint64(c.added))
	if c.newest {
		body = append(body, 1)
	} else {
		body = append(body, 0)
	}
	body = append(body, m...)
	return base64.RawURLEncoding.EncodeToString(append(v.mac(reader, body), body...)), nil
}

func (v *Vault) unseal(reader, text string) (c cursor, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < macSize+9 || !hmac.Equal(b[:macSize], v.mac(reader, b[macSize:])) {
		return c, ErrCursor
	}
	b = b[macSize:]
	c.added, c.newest = engine.Micros(binary.BigEndian.Uint64(b)), b[8] == 1
	if err := json.Unmarshal(b[9:], &c.match); err != nil {
		return c, ErrCursor
	}
	return c, nil
}

// same compares two questions by what they ask.
func same(a, b Match) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && slices.Equal(x, y)
}
