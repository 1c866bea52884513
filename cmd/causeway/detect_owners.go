package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"causeway/coord"
	"causeway/coord/read"
)

// factColumns tell who owns an account, in the file of --declared or beside the
// posts.
var factColumns = []string{"owner", "analytics_id", "registrant", "feed"}

// accountColumns name the account, in the order in which they are looked for.
var accountColumns = []string{"account_id", "id_account", "account", "user_id"}

// noOwner are values that hide an owner instead of naming one.
var noOwner = []string{"privacy", "redacted", "whoisguard", "domains by proxy", "withheld", "not disclosed", "contact privacy", "n/a", "none", "unknown", "-"}

// owners fills what is known of the accounts' owners: from --declared, and from
// the columns of posts that have them.
func (c *detectCmd) owners(opt *coord.Options) error {
	opt.Facts = map[string][]string{}
	if c.Declared != "" {
		owners, err := readDeclared(c.Declared, opt.Facts)
		if err != nil {
			return err
		}
		opt.Declared = owners
	}
	for _, name := range c.Posts {
		if st, err := os.Stat(name); err != nil || !st.Mode().IsRegular() {
			continue // a folder that is followed, or the standard input
		}
		if err := factsOf(name, opt.Facts); err != nil {
			return err
		}
	}
	return nil
}

// readDeclared reads a CSV of account and owner, or one of facts.
func readDeclared(name string, facts map[string][]string) (map[string]string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w; each row is account,owner", name, err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	if f, ok := findFacts(rows[0]); ok && (len(rows[0]) > 2 || rows[0][0] != "account") {
		for _, row := range rows[1:] {
			f.add(facts, row)
		}
		return nil, nil
	}
	owners := map[string]string{}
	for i, row := range rows {
		if len(row) != 2 {
			return nil, fmt.Errorf("%s: row %d has %d fields: each row is account,owner; or the header names account_id and some of %s", name, i+1, len(row), strings.Join(factColumns, ", "))
		}
		if i > 0 || row[0] != "account" {
			owners[row[0]] = row[1]
		}
	}
	return owners, nil
}

// factPlaces are the columns of a header that hold the account and facts.
type factPlaces struct {
	account int
	facts   map[int]string
}

func findFacts(header []string) (factPlaces, bool) {
	f := factPlaces{-1, map[int]string{}}
	for _, name := range accountColumns {
		if f.account = slices.Index(header, name); f.account >= 0 {
			break
		}
	}
	for i, h := range header {
		if slices.Contains(factColumns, h) {
			f.facts[i] = h
		}
	}
	return f, f.account >= 0 && len(f.facts) > 0
}

func (f factPlaces) add(to map[string][]string, row []string) {
	for _, i := range slices.Sorted(maps.Keys(f.facts)) {
		v := strings.TrimSpace(row[i])
		if v == "" || slices.ContainsFunc(noOwner, func(s string) bool {
			return strings.EqualFold(v, s) || len(s) > 4 && strings.Contains(strings.ToLower(v), s)
		}) {
			continue
		}
		fact := f.facts[i] + " " + v
		if account := row[f.account]; !slices.Contains(to[account], fact) {
			to[account] = append(to[account], fact)
		}
	}
}

// factsOf reads the facts in a CSV of posts; a file without such columns, or
// that is no CSV, has none. What is wrong with a row is for the detection to
// say: here reading ends at it.
func factsOf(name string, to map[string][]string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in, err := read.Decompress(file)
	if err != nil {
		return nil // it will be refused with its reason when the posts are read
	}
	head := make([]byte, 4096)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil
	}
	head = bytes.TrimPrefix(head[:n], []byte("\ufeff"))
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	if bytes.HasPrefix(bytes.TrimSpace(line), []byte("{")) || !slices.ContainsFunc(factColumns, func(c string) bool { return bytes.Contains(line, []byte(c)) }) {
		return nil
	}
	r := csv.NewReader(io.MultiReader(bytes.NewReader(head), in))
	for _, sep := range ";\t" {
		if bytes.IndexByte(line, ',') < 0 && bytes.ContainsRune(line, sep) {
			r.Comma = sep
		}
	}
	header, err := r.Read()
	if err != nil {
		return nil
	}
	f, ok := findFacts(header)
	if !ok {
		return nil
	}
	r.ReuseRecord = true
	for {
		row, err := r.Read()
		if err != nil {
			return nil
		}
		f.add(to, slices.Clone(row))
	}
}
