package exchange

import (
	"encoding/json"
	"fmt"

	"causeway/stix"
	"causeway/trade/cascade"
	"causeway/trade/place"
)

// A Supply is one product's flows, production and stocks as an object carries
// them: what a scenario is run on by a partner who does not have the source.
type Supply struct {
	Name   string         `json:"name"`
	Unit   string         `json:"unit"`
	Source string         `json:"source,omitempty"`
	Year   string         `json:"year,omitempty"`
	Notes  []string       `json:"notes,omitempty"`
	World  *cascade.World `json:"-"`
}

type placeRow struct {
	Place      string  `json:"place"`
	Production float64 `json:"production"`
	Stock      float64 `json:"stock"`
}

type linkRow struct {
	From     string  `json:"from"`
	To       string  `json:"to"`
	Quantity float64 `json:"quantity"`
}

// World states a product's supply as a dependency object with the properties
// places and links.
func World(s Supply, p Params) (*stix.Object, error) {
	if err := s.World.Check(); err != nil {
		return nil, err
	}
	var places []placeRow
	var links []linkRow
	for i, n := range s.World.Places {
		places = append(places, placeRow{place.Code(n), s.World.Production[i], s.World.Stock[i]})
	}
	for _, l := range s.World.Links {
		links = append(links, linkRow{place.Code(s.World.Places[l.From]), place.Code(s.World.Places[l.To]), l.Quantity})
	}
	body, err := json.Marshal([]any{s, places, links})
	if err != nil {
		return nil, fmt.Errorf("state supply: %w", err)
	}
	b := stix.New(DependencyType, stix.NamedID(DependencyType, stix.Namespace, p.Salt+"\x00"+Version+"\x00"+string(body)), p.Created)
	b.Ref("created_by_ref", p.CreatedBy).Set("name", s.Name).Set("unit", s.Unit)
	if p.Salt != "" {
		b.Set("salt", p.Salt)
	}
	if s.Source != "" {
		b.Set("source", s.Source)
	}
	if s.Year != "" {
		b.Set("year", s.Year)
	}
	for _, x := range []struct {
		name string
		v    any
	}{{"places", places}, {"links", links}, {"notes", s.Notes}} {
		raw, err := json.Marshal(x.v)
		if err != nil {
			return nil, fmt.Errorf("state supply: %w", err)
		}
		b.Set(x.name, json.RawMessage(raw))
	}
	b.Set("extensions", map[string]any{stix.DependencyExtension: map[string]any{"extension_type": "new-sdo"}})
	if len(p.Marks) > 0 {
		b.Mark(p.Marks...)
	}
	o, err := b.Object()
	if err != nil {
		return nil, fmt.Errorf("state supply: %w", err)
	}
	return o, nil
}

// ReadWorld reads what World states, or the pages of a node, and checks it
// again: it may have come over a line.
func ReadWorld(o *stix.Object) (Supply, error) {
	var s Supply
	if o.Type() != DependencyType {
		return s, fmt.Errorf("read supply: %s is a %s", o.ID(), o.Type())
	}
	var body struct {
		Supply
		Places []placeRow `json:"places"`
		Links  []linkRow  `json:"links"`
	}
	if err := json.Unmarshal(o.Raw(), &body); err != nil {
		return s, fmt.Errorf("read supply: %w", err)
	}
	s = body.Supply
	s.World = &cascade.World{}
	index := map[string]int{}
	for _, r := range body.Places {
		if _, twice := index[r.Place]; twice || r.Place == "" {
			return s, fmt.Errorf("read supply: %s: the place %q has no name or stands twice", o.ID(), r.Place)
		}
		index[r.Place] = len(s.World.Places)
		s.World.Places = append(s.World.Places, r.Place)
		s.World.Production, s.World.Stock = append(s.World.Production, r.Production), append(s.World.Stock, r.Stock)
	}
	for _, l := range body.Links {
		from, ok1 := index[l.From]
		to, ok2 := index[l.To]
		if !ok1 || !ok2 {
			return s, fmt.Errorf("read supply: %s: the link %s to %s names a place that is not listed", o.ID(), l.From, l.To)
		}
		s.World.Links = append(s.World.Links, cascade.Link{From: from, To: to, Quantity: l.Quantity})
	}
	return s, s.World.Check()
}
