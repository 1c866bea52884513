package interchange

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"causeway/stix"
	"causeway/stix/pattern"
)

// columns of a table of indicators, in the order they are written. Only type
// and value are required to read one; a table may instead have one column
// named after a type, such as "domain" or "sha256".
var columns = []string{"id", "type", "value", "name", "description", "valid_from", "valid_until", "labels", "confidence", "tlp", "created", "modified"}

// readCSV reads a table of indicators: RFC 4180, the first row the names.
func readCSV(r io.Reader, opt Options, t taker) error {
	in := csv.NewReader(skipMark(r))
	in.FieldsPerRecord = -1
	header, err := in.Read()
	if err != nil {
		return fmt.Errorf("read the column names: %w", err)
	}
	table, err := newTable(header, t.report)
	if err != nil {
		return err
	}
	for {
		row, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a row: %w", err)
		}
		line, _ := in.FieldPos(0)
		place := fmt.Sprintf("line %d", line)
		if len(row) > len(header) {
			t.report.refuse(place, "", strings.Join(row, ","), fmt.Sprintf("it has %d cells, the table %d columns", len(row), len(header)))
			continue
		}
		b, err := table.indicator(row, opt)
		if err != nil {
			t.report.refuse(place, "", strings.Join(row, ","), err.Error())
			continue
		}
		if _, err := t.built(place, b); err != nil {
			return err
		}
	}
}

// skipMark leaves out a byte order mark, which spreadsheets write.
func skipMark(r io.Reader) io.Reader {
	in := bufio.NewReader(r)
	if b, _ := in.Peek(3); string(b) == "\ufeff" {
		in.Discard(3)
	}
	return in
}

type table struct {
	column map[string]int
	kind   string // of every row, when the value column is named after a type
}

func newTable(header []string, report *Report) (*table, error) {
	t := &table{column: map[string]int{}}
	var ignored []string
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := t.column[name]; twice {
			return nil, fmt.Errorf("the column %q stands twice", name)
		}
		t.column[name] = i
		if !slices.Contains(columns, name) {
			ignored = append(ignored, name)
		}
	}
	_, hasType := t.column["type"]
	_, hasValue := t.column["value"]
	if !hasType || !hasValue {
		at := slices.IndexFunc(ignored, func(name string) bool { _, ok := forms[name]; return ok })
		if at < 0 {
			return nil, errors.New(`the table needs the columns "type" and "value", or one named after a type, such as "domain", "ip", "url" or "sha256"`)
		}
		t.kind = ignored[at]
		t.column["value"] = t.column[t.kind]
		ignored = slices.Delete(ignored, at, at+1)
	}
	if len(ignored) > 0 {
		report.change("line 1", "", "the columns "+strings.Join(ignored, ", "), "not read: they have no place in an indicator")
	}
	return t, nil
}

// cell is the text in a column; the quote that keeps spreadsheets from reading
// text as a formula is taken off again.
func (t *table) cell(row []string, name string) string {
	i, ok := t.column[name]
	if !ok || i >= len(row) {
		return ""
	}
	s := strings.TrimSpace(row[i])
	if len(s) > 1 && s[0] == '\'' && formula(s[1:]) {
		s = s[1:]
	}
	return s
}

func (t *table) indicator(row []string, opt Options) (*stix.Builder, error) {
	kind, value := t.kind, t.cell(row, "value")
	if kind == "" {
		kind = strings.ToLower(t.cell(row, "type"))
		if strings.EqualFold(kind, "as") {
			kind = "AS"
		}
	}
	if value == "" {
		return nil, errors.New("it has no value")
	}
	text, err := patternOf(kind, value)
	if err != nil {
		return nil, err
	}
	created, err := t.time(row, "created", opt.Now)
	if err != nil {
		return nil, err
	}
	modified, err := t.time(row, "modified", created)
	if err != nil {
		return nil, err
	}
	from, err := t.time(row, "valid_from", created)
	if err != nil {
		return nil, err
	}
	until, err := t.time(row, "valid_until", stix.Timestamp{})
	if err != nil {
		return nil, err
	}
	markings := opt.Markings
	if word := strings.ToLower(strings.TrimPrefix(strings.ToUpper(t.cell(row, "tlp")), "TLP:")); word != "" {
		id := tlp[word]
		if id == "" {
			return nil, fmt.Errorf("%q is no word of the Traffic Light Protocol", word)
		}
		markings = union(markings, []string{id})
	}
	name := t.cell(row, "name")
	if name == "" {
		name = value
	}
	b := stix.New("indicator", t.cell(row, "id"), created).Set("modified", modified).Ref("created_by_ref", opt.Creator).
		Set("name", name).Set("pattern", text).Set("pattern_type", "stix").Set("pattern_version", "2.1").Set("valid_from", from).
		Set("object_marking_refs", markings)
	if d := t.cell(row, "description"); d != "" {
		b.Set("description", d)
	}
	if !until.IsZero() {
		b.Set("valid_until", until)
	}
	if labels := t.cell(row, "labels"); labels != "" {
		b.Set("labels", strings.FieldsFunc(labels, func(c rune) bool { return c == '|' || c == ';' }))
	}
	if c := t.cell(row, "confidence"); c != "" {
		var n int
		if _, err := fmt.Sscanf(c, "%d", &n); err != nil || fmt.Sprint(n) != c {
			return nil, fmt.Errorf("the confidence %q is not a whole number from 0 to 100", c)
		}
		b.Set("confidence", n)
	}
	return b, nil
}

// time reads a cell as a STIX timestamp or a day; empty gives otherwise.
func (t *table) time(row []string, name string, otherwise stix.Timestamp) (stix.Timestamp, error) {
	s := t.cell(row, name)
	if s == "" {
		return otherwise, nil
	}
	if day := dayOf(s); !day.IsZero() {
		return day, nil
	}
	ts, err := stix.ParseTimestamp(s)
	if err != nil {
		return ts, fmt.Errorf("%s: %w", name, err)
	}
	return ts, nil
}

// writeCSV writes a row for each value of each indicator whose pattern is a
// list of values.
func writeCSV(w io.Writer, objects []*stix.Object, report *Report) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, o := range objects {
		if o.Type() == "marking-definition" && tlpWord(o.ID()) != "" {
			continue
		}
		word, ok := onlyTLP(o)
		if !ok {
			report.refuse(o.Type(), o.ID(), o.Name(), "its markings say more than the Traffic Light Protocol, which a table could not keep")
			continue
		}
		if o.Type() != "indicator" {
			report.refuse(o.Type(), o.ID(), o.Name(), "only indicators have a row")
			continue
		}
		values, reason := indicatorAttributes(o, writtenAttribute{})
		if reason != "" {
			report.refuse(o.Type(), o.ID(), o.Name(), reason)
			continue
		}
		var labels []string
		if l, ok := o.Get("labels"); ok {
			for _, s := range l.([]any) {
				labels = append(labels, fmt.Sprint(s))
			}
		}
		confidence := ""
		if c, ok := o.Get("confidence"); ok {
			confidence = fmt.Sprint(c)
		}
		for i, v := range values {
			id := o.ID()
			if i > 0 {
				id = "" // one id names one row
			}
			row := []string{id, v.Type, v.Value, o.Name(), o.StringAt("description"), o.StringAt("valid_from"), o.StringAt("valid_until"),
				strings.Join(labels, "|"), confidence, word, o.Created().String(), o.Modified().String()}
			for c := range row {
				if formula(row[c]) {
					row[c] = "'" + row[c]
				}
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
		report.Taken++
		report.ByType["indicator"]++
	}
	out.Flush()
	return out.Error()
}

// formula says whether a spreadsheet would run the text.
func formula(s string) bool { return s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 }

// Values are the values an indicator looks for, when its pattern is a list of
// values: what a blind match compares and a list shows.
func Values(o *stix.Object) []string {
	p, err := pattern.Parse(o.StringAt("pattern"))
	if err != nil || o.StringAt("pattern_type") != "stix" {
		return nil
	}
	tests, ok := p.Alternatives()
	if !ok {
		return nil
	}
	var out []string
	for _, t := range tests {
		if t.Not || t.Op != "=" && t.Op != "IN" {
			return nil
		}
		for _, v := range t.Values {
			if s, ok := v.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}
