package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"causeway/stix"
	"causeway/stix/pattern"

	"golang.org/x/term"
)

type stixCmd struct {
	Check   stixCheckCmd   `cmd:"" help:"Check STIX 2.1 objects against every MUST of the standard; SHOULDs are warnings."`
	Pattern stixPatternCmd `cmd:"" help:"Check a STIX pattern, or match it against observed data."`
}

type stixCheckCmd struct {
	Lines bool     `help:"Every line is one object or bundle and gets one answer; a broken line costs only itself."`
	JSON  bool     `name:"json" help:"Give each error and warning as an object with path, code and text."`
	Files []string `arg:"" name:"FILE" help:"Bundle, TAXII envelope, JSON array, JSON Lines or one object, plain or gzip; - for standard input."`
}

func (c *stixCheckCmd) Run(p *process) error {
	out := bufio.NewWriterSize(p.stdout, 64<<10)
	failed := false
	for _, name := range c.Files {
		bad, err := c.file(p, out, name)
		failed = failed || bad
		if err != nil {
			out.Flush()
			return fmt.Errorf("check %s: %w", name, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the answers: %w", err)
	}
	if failed {
		return errCheckFailed
	}
	return nil
}

// file checks one file and says whether something in it is invalid.
func (c *stixCheckCmd) file(p *process, out io.Writer, name string) (failed bool, err error) {
	in, err := openText(p, name)
	if err != nil {
		return false, err
	}
	defer in.Close()
	a := answers{out: json.NewEncoder(out), json: c.JSON}
	if len(c.Files) > 1 {
		a.file = name
	}
	a.out.SetEscapeHTML(false)
	var wrapper []byte
	limits := stix.Limits{Lines: c.Lines, Wrapper: func(name string, v []byte) {
		if name == "id" || name == "type" {
			wrapper = fmt.Appendf(wrapper, ",%q:%s", name, v)
		}
	}}
	bar, done := &progress{}, int64(0)
	if f, ok := p.stdout.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) { // else the answers are the progress
		bar = newProgress(p)
	}
	defer bar.clear()
	for it, err := range stix.Scan(in, limits) {
		if err := p.ctx.Err(); err != nil {
			return a.failed, err
		}
		done++
		bar.show("check", done, 0)
		if err != nil {
			return a.failed, err
		}
		if err := a.item(it); err != nil {
			return a.failed, err
		}
	}
	return a.failed, a.wrapper(wrapper)
}

// answers writes one line of JSON for each object.
type answers struct {
	out    *json.Encoder
	json   bool
	file   string
	failed bool
}

type answer struct {
	File     string          `json:"file,omitempty"`
	Line     int             `json:"line"`
	Case     json.RawMessage `json:"case,omitempty"`
	ID       string          `json:"id"`
	Valid    bool            `json:"valid"`
	Errors   []any           `json:"errors"`
	Warnings []any           `json:"warnings,omitempty"`
}

func (a *answers) item(it stix.Item) error {
	ans := answer{File: a.file, Line: it.Line}
	if it.Err != nil {
		var e *stix.Error
		if errors.As(it.Err, &e) {
			return a.write(ans, []stix.Problem{{Path: e.Path, Code: e.Code, Text: e.Text}})
		}
		return it.Err
	}
	o := it.Object
	// A line of a validator's test corpus carries the object to judge under
	// "instance", beside its number.
	if raw, instance, ok := corpusCase(o); ok {
		ans.Case = raw
		parsed, err := stix.ParseObject(instance)
		var e *stix.Error
		if errors.As(err, &e) {
			return a.write(ans, []stix.Problem{{Path: e.Path, Code: e.Code, Text: e.Text}})
		}
		o = parsed
	}
	ans.ID = o.ID()
	return a.write(ans, stix.Validate(o))
}

func corpusCase(o *stix.Object) (number, instance json.RawMessage, ok bool) {
	if o.Type() != "" || o.ID() != "" {
		return nil, nil, false
	}
	var line struct {
		Case     json.RawMessage `json:"case"`
		Instance json.RawMessage `json:"instance"`
	}
	if err := json.Unmarshal(o.Raw(), &line); err != nil || line.Case == nil || line.Instance == nil {
		return nil, nil, false
	}
	return line.Case, line.Instance, true
}

// wrapper judges the bundle itself, and says so only when it is broken: its
// objects have had their answers.
func (a *answers) wrapper(members []byte) error {
	if members == nil {
		return nil
	}
	o, err := stix.ParseObject(append([]byte{'{'}, append(members[1:], '}')...))
	if err != nil || o.Type() != "bundle" {
		return nil
	}
	if problems := stix.Broken(o); len(problems) > 0 {
		return a.write(answer{File: a.file, Line: 1, ID: o.ID()}, problems)
	}
	return nil
}

func (a *answers) write(ans answer, problems []stix.Problem) error {
	ans.Valid, ans.Errors = true, []any{}
	for _, p := range problems {
		var said any = p.String()
		if a.json {
			said = map[string]string{"path": p.Path, "code": p.Code, "text": p.Text}
		}
		if p.Warning {
			ans.Warnings = append(ans.Warnings, said)
			continue
		}
		ans.Errors = append(ans.Errors, said)
		ans.Valid, a.failed = false, true
	}
	if err := a.out.Encode(ans); err != nil {
		return fmt.Errorf("write the answers: %w", err)
	}
	return nil
}

// openText opens a file, or standard input for "-", and unpacks gzip, which
// its first two bytes tell.
func openText(p *process, name string) (io.ReadCloser, error) {
	var in io.ReadCloser = io.NopCloser(p.stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		in = f
	}
	r := bufio.NewReader(in)
	if magic, _ := r.Peek(2); len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		return textFile{r, in}, nil
	}
	zr, err := gzip.NewReader(r)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return textFile{zr, in}, nil
}

type textFile struct {
	io.Reader
	io.Closer
}

type stixPatternCmd struct {
	JSON    bool   `name:"json" help:"Answer in JSON."`
	Pattern string `arg:"" help:"The pattern, such as \"[ipv4-addr:value = '198.51.100.7']\"."`
	Match   string `type:"path" placeholder:"FILE" help:"Match it against the observed data of a bundle; names the observed-data that match together."`
}

func (c *stixPatternCmd) Run(p *process) error {
	parsed, err := pattern.Parse(c.Pattern)
	if err != nil {
		return err
	}
	if c.Match == "" {
		return c.answer(p, true, nil)
	}
	ids, observations, err := observedIn(p, c.Match)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.Match, err)
	}
	by, ok, err := parsed.Match(observations)
	if err != nil {
		return err
	}
	matched := []string{}
	for _, i := range by {
		matched = append(matched, ids[i])
	}
	if err := c.answer(p, ok, matched); err != nil {
		return err
	}
	if !ok {
		return errCheckFailed
	}
	return nil
}

func (c *stixPatternCmd) answer(p *process, ok bool, matched []string) error {
	if c.JSON {
		return json.NewEncoder(p.stdout).Encode(map[string]any{"ok": ok, "matched": matched})
	}
	switch {
	case matched == nil:
		fmt.Fprintln(p.stdout, "ok")
	case !ok:
		fmt.Fprintln(p.stdout, "no match")
	}
	for _, id := range matched {
		fmt.Fprintln(p.stdout, id)
	}
	return nil
}

// observedIn reads the observed-data of a file, with their ids.
func observedIn(p *process, name string) (ids []string, observations []pattern.Observation, err error) {
	in, err := openText(p, name)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	byID := map[string]*stix.Object{}
	var observed []*stix.Object
	for it, err := range stix.Scan(in, stix.Limits{}) {
		if err != nil {
			return nil, nil, err
		}
		if it.Err != nil {
			return nil, nil, it.Err
		}
		byID[it.Object.ID()] = it.Object
		if it.Object.Type() == "observed-data" {
			observed = append(observed, it.Object)
		}
	}
	lookup := func(id string) (*stix.Object, bool) { o, ok := byID[id]; return o, ok }
	for _, o := range observed {
		if obs, ok := stix.Observe(o, lookup); ok {
			ids, observations = append(ids, o.ID()), append(observations, obs)
		}
	}
	return ids, observations, nil
}
