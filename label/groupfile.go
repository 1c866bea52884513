package label

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxGroupFile bounds a file of groups, in bytes.
const maxGroupFile = 4 << 20

// groupJSON and epochJSON are a group as a file states it.
type groupJSON struct {
	Name   string      `json:"name"`
	Epochs []epochJSON `json:"epochs"`
}

type epochJSON struct {
	Name    string     `json:"name"`
	From    time.Time  `json:"from"`
	To      *time.Time `json:"to,omitempty"`
	Members []string   `json:"members"`
	Source  string     `json:"source"`
	Signer  string     `json:"signer,omitempty"`
}

// ParseGroups reads a table of groups: a JSON array of {name, epochs: [{name,
// from, to, members, source, signer}]}. An unknown field refuses the file.
// Who signed is as the file says; a node takes files from its security officer
// only.
func ParseGroups(b []byte) (Groups, error) {
	if len(b) > maxGroupFile {
		return Groups{}, fmt.Errorf("read groups: the file has %d bytes, at most %d are read", len(b), maxGroupFile)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var wire []groupJSON
	if err := d.Decode(&wire); err != nil {
		return Groups{}, fmt.Errorf("read groups: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Groups{}, errors.New("read groups: there is more after the array")
	}
	var all []DatedGroup
	for _, g := range wire {
		group := DatedGroup{Name: g.Name}
		for _, e := range g.Epochs {
			epoch := Epoch{Name: e.Name, From: e.From, Members: e.Members, Source: e.Source, Signer: e.Signer}
			if e.To != nil {
				epoch.To = *e.To
			}
			group.Epochs = append(group.Epochs, epoch)
		}
		all = append(all, group)
	}
	groups, err := NewGroups(all...)
	if err != nil {
		return Groups{}, fmt.Errorf("read groups: %w", err)
	}
	return groups, nil
}

// EncodeGroups writes a table so that ParseGroups gives it back: the bytes
// that a security officer signs.
func EncodeGroups(g Groups) []byte {
	wire := []groupJSON{}
	for _, d := range g.All() {
		w := groupJSON{Name: d.Name, Epochs: []epochJSON{}}
		for _, e := range d.Epochs {
			epoch := epochJSON{e.Name, e.From, nil, append([]string{}, e.Members...), e.Source, e.Signer}
			if !e.To.IsZero() {
				epoch.To = &e.To
			}
			w.Epochs = append(w.Epochs, epoch)
		}
		wire = append(wire, w)
	}
	b, err := json.MarshalIndent(wire, "", "  ")
	if err != nil {
		panic(err) // strings and times of four-digit years always encode
	}
	return append(b, '\n')
}
