package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"causeway/internal/statement"
)

type statementSampleCmd struct {
	Out  string `default:"." type:"path" help:"Folder to write the samples to, as JSON to edit."`
	From string `help:"First day of validity; default today." placeholder:"2026-01-31"`
}

// Run writes the shipped starting set: a vision, what the cooperation is, what
// it is not. The agencies in it are placeholders.
func (c *statementSampleCmd) Run(p *process) error {
	from := time.Now()
	if c.From != "" {
		var err error
		if from, err = time.Parse(time.DateOnly, c.From); err != nil {
			return usagef("--from %q: want a day like 2026-01-31", c.From)
		}
	}
	set, err := statement.Samples(from, []statement.Signatory{
		{Agency: "Agency A (sample)", Nation: "JP", Domain: "a.example", Key: "a.example/statements", Role: "lead"},
		{Agency: "Agency B (sample)", Nation: "BE", Domain: "b.example", Key: "b.example/statements", Role: "co-signer"},
	}, statement.Policy{Required: []string{"Agency A (sample)"}, K: 2, Of: []string{"JP", "BE"}}, "Press office of agency A", "https://a.example/corrections")
	if err != nil {
		return err
	}
	for _, s := range set {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(s); err != nil {
			return err
		}
		name := filepath.Join(c.Out, "sample-"+s.Kind+".json")
		if err := put(name, b.Bytes(), 0o644); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, name)
	}
	return nil
}

type statementCoverageCmd struct {
	Site      string        `arg:"" type:"existingdir" help:"Folder of the published site."`
	Sightings string        `arg:"" type:"existingfile" help:"CSV narrative,country,date and optionally count: what was observed."`
	Late      time.Duration `default:"168h" help:"An answer later than this after the first sighting is late."`
	Cells     bool          `help:"One line for each narrative, country and week instead of one for each narrative."`
	JSON      bool          `name:"json" help:"JSON with both."`
}

// Run sets observed narratives beside the published statements.
func (c *statementCoverageCmd) Run(p *process) error {
	records, m, err := statement.Load(statement.Dir(c.Site))
	if err != nil {
		return err
	}
	if m == nil {
		return fmt.Errorf("%s holds no published site; publish first", c.Site)
	}
	seen, err := c.sightings(p)
	if err != nil {
		return err
	}
	pic, err := statement.Cover(seen, records, m, c.Late)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p, pic)
	}
	if len(pic.Unseen) > 0 {
		fmt.Fprintln(p.stderr, "note: answered and not observed:", strings.Join(pic.Unseen, ", "))
	}
	var rows [][]string
	if c.Cells {
		for _, x := range pic.Cells {
			version := ""
			if x.Version > 0 {
				version = strconv.Itoa(x.Version)
			}
			rows = append(rows, []string{x.Narrative, x.Country, x.Week, strconv.Itoa(x.Seen), x.State, x.Statement, version})
		}
		return writeCSV(p, []string{"narrative", "country", "week", "seen", "state", "statement", "version"}, rows)
	}
	for _, r := range pic.Narratives {
		answered, days := "", ""
		if r.Answered != nil {
			answered, days = r.Answered.UTC().Format(time.RFC3339), strconv.Itoa(*r.Days)
		}
		rows = append(rows, []string{r.Narrative, r.FirstSeen.Format(time.DateOnly), answered, days, strconv.Itoa(r.Seen), strconv.Itoa(r.Open)})
	}
	return writeCSV(p, []string{"narrative", "first_seen", "answered", "days", "seen", "open"}, rows)
}

func (c *statementCoverageCmd) sightings(p *process) ([]statement.Sighting, error) {
	t, err := openTable(p, c.Sightings)
	if err != nil {
		return nil, err
	}
	at, err := t.Columns("narrative", "country", "date")
	if err != nil {
		return nil, err
	}
	count, countErr := t.Column("count")
	var out []statement.Sighting
	for i := range t.Rows {
		s := statement.Sighting{Narrative: t.Text(i, at[0]), Country: t.Text(i, at[1]), Count: 1}
		if s.Day, err = time.Parse(time.DateOnly, t.Text(i, at[2])); err != nil {
			return nil, fmt.Errorf("%s: %q; want a day like 2026-01-31", t.Where(i, at[2]), t.Text(i, at[2]))
		}
		if countErr == nil {
			if s.Count, err = strconv.Atoi(t.Text(i, count)); err != nil || s.Count < 1 {
				return nil, fmt.Errorf("%s: %q; want a whole number above zero", t.Where(i, count), t.Text(i, count))
			}
		}
		out = append(out, s)
	}
	return out, nil
}

type statementTranslateCmd struct {
	statementFolder
	File string `arg:"" type:"existingfile" help:"The translation as JSON: statement (digest of the version), lang, status (machine, reviewed, official), translator_role, text."`
}

// Run checks a translation against the published version it is bound to and
// freezes its bytes; publish takes it up.
func (c *statementTranslateCmd) Run(p *process) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	t, err := statement.ParseTranslation(b)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	file, digest, err := c.folder().Translate(t)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	fmt.Fprintln(p.stdout, file, digest)
	if t.Status != statement.MachineTranslation {
		fmt.Fprintln(p.stderr, "note: sign it with causeway statement sign, then publish")
	}
	return nil
}

type statementConfirmCmd struct {
	statementFolder
	Digest string `arg:"" help:"Digest of the version, as verify --json prints it."`
}

// Run notes the digest; the next publish lists it in the signed metadata.
func (c *statementConfirmCmd) Run(p *process) error { return c.folder().Confirm(c.Digest) }
