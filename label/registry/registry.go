// Package registry holds the types of a clearance registry: what was granted
// to whom, by whom, on which legal basis, until when, and what one node tells
// another about its people. It is pure: who stores, signs and sends is the
// business of the node.
//
// The registry is a list of entries that only grows. What a holder has now is
// computed from it; nothing is ever overwritten, so what a holder had on any
// day has an answer.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"causeway/label"
	"causeway/label/stanag4774"
)

// Act is what an entry does.
type Act string

// The acts of a registry.
const (
	Grant   Act = "grant"
	Suspend Act = "suspend"
	Resume  Act = "resume"
	Revoke  Act = "revoke" // final: a new grant is a new clearance
	Brief   Act = "brief"
)

// Basis is a legal basis of a clearance and how long one may last under it.
type Basis struct {
	Code    string
	Title   string
	Years   int  // 0: the basis sets no limit
	Assumed bool // no public source confirms the limit
	Source  string
}

// Bases are the known legal bases.
var Bases = []Basis{
	{Code: "JP-108-2013", Title: "Act on the Protection of Specially Designated Secrets (Act 108 of 2013)", Years: 5, Assumed: true, Source: "assessment valid 5 years: assumed"},
	{Code: "JP-27-2024", Title: "Act on the Protection and Utilization of Important Economic Security Information (Act 27 of 2024)", Years: 10, Source: "press and law firms on the Act, in force 16 May 2025"},
	{Code: "JP-NATO-2010", Title: "Agreement between Japan and NATO on the Security of Information and Material (25 June 2010)", Source: "Ministry of Foreign Affairs of Japan"},
	{Code: "NATIONAL", Title: "National law of the holder's nation", Source: "stated by the grantor"},
}

// Entry is one line of the registry.
type Entry struct {
	V         int             `json:"v"`
	ID        string          `json:"id"`        // of the entry
	Clearance string          `json:"clearance"` // id of the grant this entry is about; its own id for a grant
	Act       Act             `json:"act"`
	At        time.Time       `json:"at"`
	By        string          `json:"by"`               // security officer who proposes
	Second    string          `json:"second,omitempty"` // officer who confirms: two persons grant
	Why       string          `json:"why,omitempty"`    // required to suspend, resume and revoke
	Holder    string          `json:"holder,omitempty"` // of a grant: person or partner
	Kind      label.Kind      `json:"kind,omitempty"`
	Nation    string          `json:"nation,omitempty"`
	XML       string          `json:"xml,omitempty"` // the clearance as STANAG 4774 writes it
	Basis     string          `json:"basis,omitempty"`
	Consent   bool            `json:"consent,omitempty"` // the person consented to the assessment
	NotBefore time.Time       `json:"not_before,omitzero"`
	NotAfter  time.Time       `json:"not_after,omitzero"`
	Briefing  *label.Briefing `json:"briefing,omitempty"`  // of a brief
	Condition []string        `json:"condition,omitempty"` // for people to keep; decides nothing
}

// Encode writes the entry as the bytes that are stored and signed.
func (e Entry) Encode() []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and times of four-digit years always encode
	}
	return b
}

// Decode reads what Encode wrote, and nothing else.
func Decode(b []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("read registry entry: %w", err)
	}
	if string(e.Encode()) != string(b) {
		return Entry{}, errors.New("read registry entry: it is not in the form in which entries are written")
	}
	return e, nil
}

// Check says why an entry may not be added to those before it.
func Check(before []Entry, e Entry) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("registry: %s of %s: %s", e.Act, e.Clearance, fmt.Sprintf(format, args...))
	}
	switch {
	case e.V != 1 || e.ID == "" || e.Clearance == "" || e.By == "" || e.At.IsZero():
		return wrong("version, id, clearance, time and officer are needed")
	case slices.ContainsFunc(before, func(b Entry) bool { return b.ID == e.ID }):
		return wrong("the entry %s is there already", e.ID)
	case len(before) > 0 && e.At.Before(before[len(before)-1].At):
		return wrong("it is older than the entry before it")
	}
	if e.Act == Grant {
		return checkGrant(e, wrong)
	}
	state := stateOf(before, e.Clearance)
	switch {
	case state == "":
		return wrong("there is no such grant")
	case state == Revoke:
		return wrong("the clearance is revoked: grant a new one")
	case e.Act != Brief && e.Why == "":
		return wrong("the reason is needed")
	case e.Act == Suspend && state == Suspend:
		return wrong("it is suspended already")
	case e.Act == Resume && state != Suspend:
		return wrong("it is not suspended")
	case e.Act == Resume && (e.Second == "" || e.Second == e.By):
		return wrong("a second officer has to confirm")
	case e.Act == Brief && (e.Briefing == nil || e.Briefing.Value == ""):
		return wrong("the briefing is not named")
	case !slices.Contains([]Act{Suspend, Resume, Revoke, Brief}, e.Act):
		return wrong("the act is unknown")
	}
	return nil
}

func checkGrant(e Entry, wrong func(string, ...any) error) error {
	i := slices.IndexFunc(Bases, func(b Basis) bool { return b.Code == e.Basis })
	switch {
	case e.Clearance != e.ID:
		return wrong("a grant is its own clearance")
	case e.Second == "" || e.Second == e.By:
		return wrong("a second officer has to confirm")
	case e.Holder == "" || e.Holder == e.By || e.Holder == e.Second:
		return wrong("the holder is missing, or grants to itself")
	case e.Kind != label.Person && e.Kind != label.Partner:
		return wrong("the holder is neither a person nor a partner")
	case !label.IsNation(e.Nation):
		return wrong("the nation %q is not a three-letter code", e.Nation)
	case i < 0:
		return wrong("the legal basis %q is not known", e.Basis)
	case e.NotBefore.IsZero() || e.NotAfter.IsZero() || !e.NotBefore.Before(e.NotAfter):
		return wrong("it has to begin, and end later")
	case Bases[i].Years > 0 && e.NotAfter.After(e.NotBefore.AddDate(Bases[i].Years, 0, 0)):
		return wrong("under %s it lasts at most %d years", e.Basis, Bases[i].Years)
	case e.Kind == label.Person && Bases[i].Years > 0 && !e.Consent:
		return wrong("under %s the person's consent is needed", e.Basis)
	}
	if _, err := stanag4774.ParseClearance([]byte(e.XML)); err != nil {
		return wrong("%v", err)
	}
	return nil
}

// stateOf gives the last act that set the state of a clearance: Grant, Suspend
// or Revoke; "" when there is no such clearance.
func stateOf(entries []Entry, clearance string) Act {
	var state Act
	for _, e := range entries {
		if e.Clearance != clearance {
			continue
		}
		switch e.Act {
		case Grant, Suspend, Revoke:
			state = e.Act
		case Resume:
			state = Grant
		}
	}
	return state
}

// Standing is one clearance as it stands at a moment.
type Standing struct {
	Grant     Entry
	State     Act // Grant: in good standing
	InForce   bool
	Why       string // why it is not in force
	Briefings []label.Briefing
}

// Standings lists the clearances of a holder as they stand at a moment, from
// the entries up to then.
func Standings(entries []Entry, holder string, at time.Time) []Standing {
	past := slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return e.At.After(at) })
	var out []Standing
	for _, g := range past {
		if g.Act != Grant || g.Holder != holder {
			continue
		}
		s := Standing{Grant: g, State: stateOf(past, g.Clearance)}
		for _, e := range past {
			if e.Clearance == g.Clearance && e.Act == Brief && e.Briefing != nil {
				s.Briefings = append(s.Briefings, *e.Briefing)
			}
		}
		switch {
		case s.State != Grant:
			s.Why = string(s.State)
		case at.Before(g.NotBefore):
			s.Why = "not yet in force"
		case !at.Before(g.NotAfter):
			s.Why = "expired"
		default:
			s.InForce = true
		}
		out = append(out, s)
	}
	return out
}

// Holder gives what label.Policies.Holdings asks for: every clearance of the
// holder that is in force at the moment. A holder with none gets none; two of
// one policy count only where both agree.
func Holder(entries []Entry, holder string, kind label.Kind, at time.Time) (label.Holder, error) {
	h := label.Holder{Kind: kind, Names: []string{holder}, At: at}
	for _, s := range Standings(entries, holder, at) {
		if !s.InForce || s.Grant.Kind != kind {
			continue
		}
		c, err := stanag4774.ParseClearance([]byte(s.Grant.XML))
		if err != nil {
			return label.Holder{}, fmt.Errorf("registry: clearance %s: %w", s.Grant.Clearance, err)
		}
		if h.Nation != "" && h.Nation != s.Grant.Nation {
			return label.Holder{}, fmt.Errorf("registry: %s has clearances of two nations, %s and %s", holder, h.Nation, s.Grant.Nation)
		}
		h.Nation = s.Grant.Nation
		h.Clearances = append(h.Clearances, c)
		h.Briefings = append(h.Briefings, s.Briefings...)
		if h.NotAfter.IsZero() || s.Grant.NotAfter.Before(h.NotAfter) {
			h.NotAfter = s.Grant.NotAfter
		}
	}
	return h, nil
}
