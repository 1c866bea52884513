package web

import (
	"slices"

	"causeway/internal/line"
)

// routeView is where the messages to a partner are that relays carry.
type routeView struct {
	Via string
	At  []waypoint
}

type waypoint struct {
	line.Whereabouts
	Place, By string // in words
	Class     string
}

func (q *request) routeView(r *line.Route) (*routeView, error) {
	names, err := q.partnerNames()
	if err != nil {
		return nil, err
	}
	name := func(node string) string { return partnersNamed(names, []string{node})[0] }
	v := &routeView{Via: name(r.Via)}
	for _, w := range r.At {
		p := waypoint{Whereabouts: w, By: q.say("route.signed", name(w.Node)), Class: "care"}
		switch w.State {
		case "":
			p.Place, p.By = q.say("passage.here"), q.say("route.own")
		case line.PassageWaiting:
			p.Place = q.say("passage.waiting", name(w.Node))
		case line.PassagePassed:
			p.Place = q.say("passage.passed", name(w.Node))
		case line.PassageArrived:
			p.Place, p.Class = q.say("passage.arrived", name(w.Node)), "good"
		case line.PassageExpired:
			p.Place, p.Class = q.say("passage.expired", name(w.Node)), "bad"
		}
		if w.Hearsay {
			p.By = q.say("route.hearsay")
		}
		v.At = append(v.At, p)
	}
	return v, nil
}

// carriedView is what this node carries from one node to another.
type carriedView struct {
	line.Transit
	FromName, ToName, Where string
}

// carried lists what this node carries for others, to those who run lines.
func (q *request) carried() ([]carriedView, error) {
	if !q.operates() {
		return nil, nil
	}
	all, err := q.site.node.Line.Transits(q.ctx())
	if err != nil {
		return nil, err
	}
	names, err := q.partnerNames()
	if err != nil {
		return nil, err
	}
	out := make([]carriedView, len(all))
	for i, t := range all {
		called := partnersNamed(names, []string{t.From, t.To, t.Next})
		out[i] = carriedView{Transit: t, FromName: called[0], ToName: called[1], Where: q.say("carry.here")}
		if t.Next != "" {
			out[i].Where = q.say("carry.with", called[2])
		}
	}
	return out, nil
}

// otherView is a third partner, as one partner's messages may have to do with
// it.
type otherView struct {
	choice
	Via     bool // the partner's messages go by way of it
	Carried bool // the partner's messages are carried to it
	Reached bool // it may be a relay
}

func (q *request) others(s *line.LineStatus) ([]otherView, error) {
	partners, err := q.site.node.Line.Partners(q.ctx())
	if err != nil {
		return nil, err
	}
	var out []otherView
	for _, p := range partners {
		if p.NodeID != s.Partner.NodeID && p.State == line.Active {
			out = append(out, otherView{choice{Value: p.NodeID, Name: p.Name}, s.Route != nil && s.Route.Via == p.NodeID,
				slices.Contains(s.Partner.Carries, p.NodeID), p.Address != ""})
		}
	}
	return out, nil
}
