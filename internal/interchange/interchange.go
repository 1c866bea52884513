// Package interchange takes what other systems write and gives what they read:
// STIX bundles (ATT&CK among them), MISP events, the DISARM framework in each
// of its forms, and tables of indicators in CSV.
//
// Nothing is dropped silently. A Report names what was taken, what was changed
// on the way and what was refused, each with its place and the reason. Where a
// foreign format says who may read something, it is mapped only when the
// caller said what it means here; otherwise the thing is refused, since a
// guess would widen access.
package interchange

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"causeway/stix"
)

// Kind is a foreign format.
type Kind string

const (
	STIX   Kind = "stix"   // bundle, TAXII envelope, array, JSON Lines; taken byte for byte
	ATTACK Kind = "attack" // the same: ATT&CK is STIX and is not rewritten
	MISP   Kind = "misp"   // one event, or what the MISP API returns
	DISARM Kind = "disarm" // STIX bundle or CSV of the framework
	CSV    Kind = "csv"    // a table of indicators
)

// Kinds are those Read knows.
func Kinds() []Kind { return []Kind{STIX, ATTACK, MISP, DISARM, CSV} }

// Options is what the importer knows and the file does not.
type Options struct {
	// Now is the time put on objects made here, when the file has none.
	Now stix.Timestamp
	// Creator is the id of the identity that makes objects out of a format
	// that is not STIX: the importing agency. "" leaves it out.
	Creator string
	// Markings are put on every object made here.
	Markings []string
	// Distribution says what a MISP distribution level (0 to 3) means here, as
	// marking definitions. Level 3, all communities, narrows nothing and needs
	// no entry; an event or attribute of another level without one is refused.
	Distribution map[int][]string
	// SharingGroups says the same of MISP sharing groups, by UUID.
	SharingGroups map[string][]string
	// Framework is the key of the DISARM version, such as "1.7"; "" lets it be
	// told by the file's checksum.
	Framework string
	// MaxBytes bounds a file of a format that must be held whole; 0 is 256 MiB.
	MaxBytes int64
}

func (o Options) limit() int64 {
	if o.MaxBytes > 0 {
		return o.MaxBytes
	}
	return 256 << 20
}

// Report is what became of a file.
type Report struct {
	Taken   int            `json:"taken"`   // objects handed on
	ByType  map[string]int `json:"by_type"` // of these
	Changed []Note         `json:"changed"` // what is not as the file says it
	Refused []Note         `json:"refused"` // what was left behind
}

// Note is one thing changed or refused.
type Note struct {
	Place  string `json:"place"`        // "line 7", "attribute 5f3c… (ip-src)"
	ID     string `json:"id,omitempty"` // of the object concerned
	What   string `json:"what"`         // what the file has there
	Reason string `json:"reason"`
}

func (n Note) String() string {
	where := n.Place
	if n.ID != "" {
		where += " (" + n.ID + ")"
	}
	return where + ": " + n.What + ": " + n.Reason
}

func (r *Report) change(place, id, what, reason string) {
	r.Changed = append(r.Changed, Note{place, id, what, reason})
}

func (r *Report) refuse(place, id, what, reason string) {
	r.Refused = append(r.Refused, Note{place, id, what, reason})
}

// taker hands objects on and counts them.
type taker struct {
	report *Report
	take   func(*stix.Object) error
}

func (t taker) object(o *stix.Object) error {
	if err := t.take(o); err != nil {
		return err
	}
	t.report.Taken++
	t.report.ByType[o.Type()]++
	return nil
}

// built hands on what a Builder makes. What it refuses to make is in the
// report, by the place it comes from.
func (t taker) built(place string, b *stix.Builder) (*stix.Object, error) {
	o, err := b.Object()
	if err != nil {
		t.report.refuse(place, "", "cannot be said in STIX", err.Error())
		return nil, nil
	}
	return o, t.object(o)
}

// Read reads a file of the kind and hands each object to take, in order, valid
// by the standard. An error means that reading stopped: the file is not of the
// kind, is cut off, or take failed; what was handed on before stands, and the
// report says what that was.
func Read(kind Kind, r io.Reader, opt Options, take func(*stix.Object) error) (Report, error) {
	report := Report{ByType: map[string]int{}, Changed: []Note{}, Refused: []Note{}}
	t := taker{&report, take}
	var err error
	switch kind {
	case STIX, ATTACK:
		err = readSTIX(r, t)
	case MISP:
		err = readMISP(r, opt, t)
	case DISARM:
		err = readDISARM(r, opt, t)
	case CSV:
		err = readCSV(r, opt, t)
	default:
		return report, fmt.Errorf("read %q: no such format; there are %s", kind, kindList())
	}
	if err != nil {
		return report, fmt.Errorf("read %s: %w", kind, err)
	}
	return report, nil
}

func kindList() string {
	names := make([]string, 0, len(Kinds()))
	for _, k := range Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// Write writes objects as a file of the kind: MISP, CSV, or STIX, which keeps
// every byte. An object the kind has no form for is in the report.
func Write(kind Kind, w io.Writer, objects []*stix.Object, opt Options) (Report, error) {
	report := Report{ByType: map[string]int{}, Changed: []Note{}, Refused: []Note{}}
	var err error
	switch kind {
	case STIX:
		err = stix.WriteBundle(w, "", func(yield func(*stix.Object, error) bool) {
			for _, o := range objects {
				report.Taken++
				report.ByType[o.Type()]++
				if !yield(o, nil) {
					return
				}
			}
		})
	case MISP:
		err = writeMISP(w, objects, opt, &report)
	case CSV:
		err = writeCSV(w, objects, &report)
	default:
		return report, fmt.Errorf("write %q: no such format to write; there are stix, misp and csv", kind)
	}
	if err != nil {
		return report, fmt.Errorf("write %s: %w", kind, err)
	}
	return report, nil
}

func readSTIX(r io.Reader, t taker) error {
	for it, err := range stix.Scan(r, stix.Limits{}) {
		if err != nil {
			return err
		}
		place := fmt.Sprintf("line %d", it.Line)
		if it.Err != nil {
			t.report.refuse(place, "", "unreadable", it.Err.Error())
			continue
		}
		o := it.Object
		if o.Type() == "bundle" {
			t.report.refuse(place, o.ID(), "a bundle inside the file's objects", "give it as a file of its own")
			continue
		}
		if problems := stix.Broken(o); len(problems) > 0 {
			t.report.refuse(place, o.ID(), "breaks the standard", problemText(problems))
			continue
		}
		if err := t.object(o); err != nil {
			return err
		}
	}
	return nil
}

func problemText(problems []stix.Problem) string {
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.String()
	}
	return strings.Join(texts, "; ")
}

// errTooLarge is given for a file over Options.MaxBytes.
var errTooLarge = errors.New("the file is larger than the limit")

func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w of %d bytes", errTooLarge, limit)
	}
	return b, nil
}

// tlp are the TLP words of other formats, and the marking each means. White is
// the older word for clear.
var tlp = map[string]string{
	"clear": stix.TLPClear, "white": stix.TLPClear, "green": stix.TLPGreen, "amber": stix.TLPAmber,
	"amber+strict": stix.TLPAmberStrict, "red": stix.TLPRed,
}

// tlpWord is the word for a marking, of either version of TLP.
func tlpWord(marking string) string {
	switch marking {
	case stix.TLPClear, stix.TLPWhite:
		return "clear"
	case stix.TLPGreen, stix.TLP1Green:
		return "green"
	case stix.TLPAmber, stix.TLP1Amber:
		return "amber"
	case stix.TLPAmberStrict:
		return "amber+strict"
	case stix.TLPRed, stix.TLP1Red:
		return "red"
	}
	return ""
}

// tlpOrder goes from wide to narrow.
var tlpOrder = []string{"clear", "green", "amber", "amber+strict", "red"}

// onlyTLP says whether TLP is all that limits the object, and gives the
// narrowest word; "" without a marking.
func onlyTLP(o *stix.Object) (word string, ok bool) {
	refs := o.MarkingRefs()
	for _, g := range o.GranularMarkings() {
		if g.MarkingRef != "" {
			refs = append(refs, g.MarkingRef)
		}
	}
	at := -1
	for _, m := range refs {
		w := tlpWord(m)
		if w == "" {
			return "", false
		}
		at = max(at, slices.Index(tlpOrder, w))
	}
	if at < 0 {
		return "", true
	}
	return tlpOrder[at], true
}
