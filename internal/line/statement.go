package line

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
)

// Kinds of message. Each has its own parts, in this order.
const (
	kindObjects  = "objects"  // manifest, attestations, envelope
	kindRecall   = "recall"   // recall
	kindIdentity = "identity" // identity: the sender's next generation of keys
	kindNotice   = "notice"   // notice: a wish to get back what was lost
	// and one kind for each kind of word ([WordKind]), whose part is the word
)

var partsOf = map[string][]string{
	kindObjects:  {"manifest", "attestations", "envelope"},
	kindRecall:   {"recall"},
	kindIdentity: {"identity"},
	kindNotice:   {"notice"},

	string(ClearanceWord): {"clearance"},
	string(CosignWord):    {"cosign"},
}

// Limits of one message. A receiver refuses what is over them before it
// allocates or decompresses anything of that size.
const (
	maxStatement = 256 << 10
	maxHeader    = 4 << 10
	maxBody      = 64 << 20 // all parts together, decompressed
	maxSealed    = 72 << 20 // a whole message as it crosses
	maxObjects   = 10_000   // objects or recalled versions in one message
	maxRules     = 1_000    // distinct rules in one message
	maxTables    = 256
)

// Part is one part of a message's body, named by its digest.
type Part struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 Digest `json:"sha256"`
}

// Table names a version of a policy file or of a group table that the sender
// decided with.
type Table struct {
	OID     string `json:"oid"`
	Version string `json:"version"`
}

// Statement is what a sender signs: everything about a message that decides
// anything. The parts are bound by digest, so the two signatures cover them.
type Statement struct {
	V              int        `json:"v"`
	Kind           string     `json:"kind"`
	From           string     `json:"from"`
	FromGeneration int        `json:"from_generation"`
	To             string     `json:"to"`
	Precedence     Precedence `json:"precedence"`
	Stream         string     `json:"stream"` // 32 hexadecimal digits, new when a sender starts a lane afresh
	Seq            int64      `json:"seq"`    // 1, 2, 3 ... within the stream
	Prev           Digest     `json:"prev"`   // digest of the statement before, zeros for the first
	Time           int64      `json:"time"`
	Expires        int64      `json:"expires"`
	Parts          []Part     `json:"parts"`
	Count          int        `json:"count"` // objects or recalled versions
	Tables         []Table    `json:"tables,omitempty"`
	Log            *LogState  `json:"log,omitempty"`  // the sender's audit log
	Seen           *Witnessed `json:"seen,omitempty"` // the receiver's audit log, as the sender last saw it
	Nonce          []byte     `json:"nonce"`          // 16 bytes: makes the digest say nothing about the content
}

var streamPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)

// parseStatement reads and checks a statement for itself.
func parseStatement(b []byte) (*Statement, error) {
	var st Statement
	if err := decodeCanonical(b, maxStatement, &st); err != nil {
		return nil, fmt.Errorf("read the statement: %w", err)
	}
	if err := st.check(); err != nil {
		return nil, fmt.Errorf("read the statement: %w", err)
	}
	return &st, nil
}

func (st *Statement) check() error {
	names, known := partsOf[st.Kind]
	switch {
	case st.V < oldestVersion || st.V > newestVersion:
		return fmt.Errorf("protocol version %d is not spoken here", st.V)
	case !known:
		return fmt.Errorf("kind %q is not known", st.Kind)
	case st.V < wordVersion(st.Kind):
		return fmt.Errorf("kind %q is not of protocol version %d", st.Kind, st.V)
	case !nodePattern.MatchString(st.From) || !nodePattern.MatchString(st.To):
		return errors.New("sender or recipient is not a node name")
	case !streamPattern.MatchString(st.Stream):
		return errors.New("stream is not 32 hexadecimal digits")
	case st.Seq < 1:
		return fmt.Errorf("sequence %d is not positive", st.Seq)
	case (st.Seq == 1) != st.Prev.IsZero():
		return errors.New("only the first statement of a stream has no predecessor")
	case st.Expires <= st.Time:
		return errors.New("it expires before it was made")
	case len(st.Parts) != len(names):
		return fmt.Errorf("a message of kind %s has %d parts, not %d", st.Kind, len(names), len(st.Parts))
	case st.Count < 0 || st.Count > maxObjects:
		return fmt.Errorf("count %d is not within 0 to %d", st.Count, maxObjects)
	case len(st.Nonce) != 16 || len(st.Tables) > maxTables:
		return errors.New("nonce or tables have the wrong length")
	}
	var total int64
	for i, p := range st.Parts {
		if p.Name != names[i] {
			return fmt.Errorf("part %d is %q, not %q", i+1, p.Name, names[i])
		}
		if p.Size < 0 || p.Size > maxBody {
			return fmt.Errorf("part %q of %d bytes is over the limit of %d", p.Name, p.Size, int64(maxBody))
		}
		total += p.Size
	}
	if total > maxBody {
		return fmt.Errorf("body of %d bytes is over the limit of %d", total, int64(maxBody))
	}
	return nil
}

// setParts binds the parts to the statement.
func (st *Statement) setParts(parts [][]byte) {
	st.Parts = st.Parts[:0]
	for i, name := range partsOf[st.Kind] {
		st.Parts = append(st.Parts, Part{Name: name, Size: int64(len(parts[i])), SHA256: sha256.Sum256(parts[i])})
	}
}

// split checks a decompressed body against the statement and cuts it into its
// parts.
func (st *Statement) split(body []byte) ([][]byte, error) {
	parts := make([][]byte, 0, len(st.Parts))
	for _, p := range st.Parts {
		if int64(len(body)) < p.Size {
			return nil, fmt.Errorf("body ends inside part %q", p.Name)
		}
		part := body[:p.Size:p.Size]
		if sha256.Sum256(part) != p.SHA256 {
			return nil, fmt.Errorf("part %q is not what was signed", p.Name)
		}
		parts, body = append(parts, part), body[p.Size:]
	}
	if len(body) > 0 {
		return nil, errors.New("body goes on after its last part")
	}
	return parts, nil
}

// Header is the outside of a message: all that a relay can read. It says
// where a message goes and how big it is, nothing of what is in it.
type Header struct {
	V            int        `json:"v"`
	From         string     `json:"from"`
	To           string     `json:"to"`
	ToGeneration int        `json:"to_generation"` // of the keys it is sealed to
	Precedence   Precedence `json:"precedence"`
	Stream       string     `json:"stream"`
	Seq          int64      `json:"seq"`
	Prev         Digest     `json:"prev"`
	Expires      int64      `json:"expires"`
	Statement    Digest     `json:"statement"`
	Sealed       int64      `json:"sealed"` // bytes that follow the header
}

func parseHeader(b []byte) (*Header, error) {
	var h Header
	if err := decodeCanonical(b, maxHeader, &h); err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	switch {
	case h.V != 1:
		return nil, fmt.Errorf("read the header: version %d is not spoken here", h.V)
	case !nodePattern.MatchString(h.From) || !nodePattern.MatchString(h.To) || h.ToGeneration < 1:
		return nil, errors.New("read the header: sender or recipient is not a node")
	case !streamPattern.MatchString(h.Stream) || h.Seq < 1 || (h.Seq == 1) != h.Prev.IsZero():
		return nil, errors.New("read the header: place in the stream is not possible")
	case h.Sealed < 1 || h.Sealed > maxSealed:
		return nil, fmt.Errorf("read the header: %d sealed bytes are not within 1 to %d", h.Sealed, int64(maxSealed))
	}
	return &h, nil
}

// agrees checks that the sealed statement says what the outside said: a relay
// that rewrites the header gains nothing.
func (st *Statement) agrees(h *Header) error {
	if st.From != h.From || st.To != h.To || st.Precedence != h.Precedence || st.Stream != h.Stream ||
		st.Seq != h.Seq || st.Prev != h.Prev || st.Expires != h.Expires {
		return errors.New("the outside of the message is not what its sender signed")
	}
	return nil
}
