package line

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Route says by way of which partner a node's messages go, and where those
// are that have no receipt yet.
type Route struct {
	Via string        `json:"via"`
	At  []Whereabouts `json:"at"` // nearest first
}

// Whereabouts are messages of this node that one relay had by the newest word
// of it.
type Whereabouts struct {
	Node     string    `json:"node"`
	Messages int       `json:"messages"`
	State    string    `json:"state"`            // as in a Passage; "" where they are still here
	Since    time.Time `json:"since"`            // the oldest
	Said     time.Time `json:"said,omitzero"`    // the newest word
	Reason   string    `json:"reason,omitzero"`  // in the relay's words
	Hearsay  bool      `json:"hearsay,omitzero"` // the node's keys are not known here: another relay says so
	Lost     int       `json:"lost,omitzero"`    // how often a relay no longer had one, and it was handed over again
	Doubt    string    `json:"doubt,omitzero"`   // what a relay gave that does not verify
}

// IsNode says whether a text has the form of a node's name.
func IsNode(s string) bool { return nodePattern.MatchString(s) }

// routeOf describes the way of a partner's messages; nil when they go
// straight.
func (l *Line) routeOf(r records, node string) (*Route, error) {
	via, err := viaOf(r, node)
	if err != nil || via == "" {
		return nil, err
	}
	route := &Route{Via: via}
	for _, p := range precedences {
		var lane laneRecord
		if _, err := load(r, spaceLane, laneKey(node, p), &lane); err != nil {
			return nil, err
		}
		for n := lane.Acked + 1; n <= lane.Seq; n++ {
			key := streamKey(node, p, lane.Stream, n)
			var sent sentRecord
			var rel relayedRecord
			if _, err := load(r, spaceSent, key, &sent); err != nil {
				return nil, err
			}
			if _, err := load(r, spaceRelayed, key, &rel); err != nil {
				return nil, err
			}
			if sent.Receipt == nil {
				w, err := l.whereabouts(r, &sent, &rel)
				if err != nil {
					return nil, err
				}
				route.add(w)
			}
		}
	}
	return route, nil
}

func (l *Line) whereabouts(r records, sent *sentRecord, rel *relayedRecord) (Whereabouts, error) {
	w := Whereabouts{Node: l.Node(), Messages: 1, Since: instant(sent.Time), Lost: rel.Lost, Doubt: rel.Doubt}
	if rel.Via == "" {
		return w, nil
	}
	w.Node, w.Since, w.State = rel.Via, instant(rel.Time), PassageWaiting
	for _, doc := range rel.Words {
		word, err := parsePassage(doc)
		if err != nil {
			return w, err
		}
		w.Node, w.State, w.Since, w.Said, w.Reason = word.From, word.State, instant(word.Since), word.at(), word.Reason
		if word.State == PassagePassed {
			w.Node, w.Hearsay = word.Next, true // until its own word follows
			continue
		}
		known := false
		if word.From != rel.Via {
			known, err = load(r, spacePartner, word.From, &partnerRecord{})
		}
		w.Hearsay = word.From != rel.Via && !known
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

// add counts messages that are at the same place for the same reason once.
func (route *Route) add(w Whereabouts) {
	for i := range route.At {
		a := &route.At[i]
		if a.Node == w.Node && a.State == w.State && a.Reason == w.Reason && a.Doubt == w.Doubt {
			a.Messages++
			a.Lost += w.Lost
			if w.Since.Before(a.Since) {
				a.Since = w.Since
			}
			if w.Said.After(a.Said) {
				a.Said = w.Said
			}
			return
		}
	}
	route.At = append(route.At, w)
}

// byRoute says of a routed line what is known through its relay; unrouted is
// why the relay did not take the last message.
func (st *LineStatus) byRoute(unrouted string) {
	for _, lane := range st.Lanes {
		if lane.Last.After(st.Contact) {
			st.Contact = lane.Last
		}
	}
	if st.Waiting == 0 {
		return
	}
	for _, w := range st.Route.At {
		if w.Doubt != "" {
			st.Why = "what the relay gave does not verify: " + w.Doubt
			return
		}
		if w.State != "" {
			st.Why = fmt.Sprintf("%s at %s since %s", w.State, w.Node, w.Since.UTC().Format(time.RFC3339))
			if w.Reason != "" {
				st.Why += ": " + w.Reason
			}
			return
		}
	}
	st.Why = "waits here to be handed to the relay " + st.Route.Via
	if unrouted != "" {
		st.Why += ": " + unrouted
	}
}

// Transit is what this node carries from one node to another, unread.
type Transit struct {
	Giver    string    `json:"giver"` // partner that handed it over
	From     string    `json:"from"`
	To       string    `json:"to"`
	Messages int       `json:"messages"`
	Bytes    int64     `json:"bytes"`
	Since    time.Time `json:"since"`           // the oldest
	Next     string    `json:"next,omitzero"`   // relay that has it now; "" while it is here
	Reason   string    `json:"reason,omitzero"` // why it is here still
}

// Transits lists what this node carries for others and has no word of
// arrival for, by sender and destination.
func (l *Line) Transits(ctx context.Context) ([]Transit, error) {
	var out []Transit
	err := scan(l.outside(ctx), spaceTransit, "", func(key string, value []byte) error {
		var t transitRecord
		if err := decodeRecord(spaceTransit, key, value, &t); err != nil || t.Ended {
			return err
		}
		h, err := parseHeader(t.Header)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(out, func(o Transit) bool {
			return o.Giver == t.Giver && o.From == h.From && o.To == h.To && o.Next == t.Next
		})
		if i < 0 {
			i = len(out)
			out = append(out, Transit{Giver: t.Giver, From: h.From, To: h.To, Next: t.Next, Since: instant(t.Since)})
			if t.Next == "" {
				out[i].Reason, _ = l.stuckAt(h.To)
			}
		}
		out[i].Messages++
		out[i].Bytes += t.Size
		if at := instant(t.Since); at.Before(out[i].Since) {
			out[i].Since = at
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list what is carried: %w", err)
	}
	slices.SortFunc(out, func(a, b Transit) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To), strings.Compare(a.Giver, b.Giver), strings.Compare(a.Next, b.Next))
	})
	return out, nil
}
