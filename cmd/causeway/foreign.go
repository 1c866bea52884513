package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"iter"
	"time"

	"causeway/internal/desk"
	"causeway/internal/interchange"
	"causeway/internal/node"
	"causeway/stix"
)

// foreignFlag says what a file is and what its words mean here.
type foreignFlag struct {
	From         string            `default:"auto" enum:"auto,stix,attack,misp,disarm,csv" help:"What the files are: stix, attack, misp, disarm, csv; auto tells by the content."`
	Framework    string            `placeholder:"KEY" help:"Version of DISARM, such as 1.7, when the file does not tell."`
	SharingGroup map[string]string `placeholder:"UUID=ID" help:"The marking definition that a MISP sharing group means here; may be repeated. Without it what is for the group is refused."`
	Distribution map[int]string    `placeholder:"LEVEL=ID" help:"The marking definition that a MISP distribution level 0 to 2 means here. Without it what has that level is refused."`
}

// foreignReport is what became of a file on its way to STIX; nil for a file
// that was STIX.
type foreignReport struct{ *interchange.Report }

func (r foreignReport) refused() int {
	if r.Report == nil {
		return 0
	}
	return len(r.Report.Refused)
}

// importReport is both halves of an import, for machines.
type importReport struct {
	*desk.ImportReport
	Foreign foreignReport `json:"foreign,omitzero"`
}

// read gives the objects of a file. The error says what broke the reading off;
// what stood before it is given.
func (f foreignFlag) read(n *node.Node, text []byte) ([]stix.Item, foreignReport, error) {
	if len(text) > 2 && text[0] == 0x1f && text[1] == 0x8b {
		zr, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			return nil, foreignReport{}, fmt.Errorf("unpack: %w", err)
		}
		if text, err = io.ReadAll(io.LimitReader(zr, largestImport)); err != nil {
			return nil, foreignReport{}, fmt.Errorf("unpack: %w", err)
		}
	}
	kind := interchange.Kind(f.From)
	if f.From == "auto" {
		kind = interchange.Detect(text)
	}
	if kind == interchange.STIX || kind == interchange.ATTACK {
		items, err := scanAll(bytes.NewReader(text))
		return items, foreignReport{}, err
	}
	opt := interchange.Options{
		Now: stix.TimestampOf(time.Now()), Creator: n.Desk.Identity, Framework: f.Framework,
		Distribution: map[int][]string{}, SharingGroups: map[string][]string{},
	}
	for level, id := range f.Distribution {
		opt.Distribution[level] = []string{id}
	}
	for uuid, id := range f.SharingGroup {
		opt.SharingGroups[uuid] = []string{id}
	}
	var items []stix.Item
	report, err := interchange.Read(kind, bytes.NewReader(text), opt, func(o *stix.Object) error {
		items = append(items, stix.Item{Object: o})
		return nil
	})
	return items, foreignReport{&report}, err
}

// printNotes names what was changed and refused on the way to STIX, and says
// how much was refused.
func printNotes(p *process, name string, r foreignReport) int {
	if r.Report == nil {
		return 0
	}
	for _, note := range r.Changed {
		fmt.Fprintf(p.stderr, "%s: changed: %s\n", name, note)
	}
	for _, note := range r.Refused {
		fmt.Fprintf(p.stderr, "%s: refused: %s\n", name, note)
	}
	return len(r.Refused)
}

// writeObjects writes objects in a format for other programs. What the format
// has no form for is named on stderr.
func writeObjects(p *process, w io.Writer, format string, objects iter.Seq2[*stix.Object, error]) error {
	if format == string(interchange.STIX) {
		return stix.WriteBundle(w, "", objects)
	}
	var all []*stix.Object
	for o, err := range objects {
		if err != nil {
			return err
		}
		all = append(all, o)
	}
	report, err := interchange.Write(interchange.Kind(format), w, all, interchange.Options{Now: stix.TimestampOf(time.Now())})
	printNotes(p, format, foreignReport{&report})
	return err
}
