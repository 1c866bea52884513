package web

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"causeway/internal/statement"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/stix"
)

// isPublic reports whether the label decision lets anybody read an object.
func isPublic(row vault.Row) bool { return label.Allows(row.Effective.Rule, label.Public) }

// The shortest run of words, or of letters of scripts without spaces, that a
// statement may not have in common with an object above PUBLIC.
const (
	sameWords   = 6
	sameLetters = 14
)

// nothingAbovePublic refuses a statement that repeats the words of what it was
// drafted from, or of a narrative that it answers, where that is above PUBLIC,
// and locators of that kind. It looks only at what the visitor may see: what
// they may not see they cannot have copied, and a refusal would tell them of it.
func (q *request) nothingAbovePublic(s *statement.Statement, from string) error {
	var sources []vault.Row
	if from != "" {
		row, err := q.view().Get(q.ctx(), from)
		if err != nil {
			return err
		}
		sources = append(sources, row)
	}
	if len(s.Narratives) > 0 {
		rows, err := q.collect(vault.Match{Types: narratives}, 500)
		if err != nil {
			return err
		}
		for _, row := range rows {
			o, err := objectOf(row)
			if err != nil {
				return err
			}
			for _, n := range s.Narratives {
				if publicID(o) == n {
					sources = append(sources, row)
				}
			}
		}
	}
	for _, row := range sources {
		if isPublic(row) {
			continue
		}
		o, err := objectOf(row)
		if err != nil {
			return err
		}
		if same := sameRun(s, o); same != "" {
			return refused("%s", q.say("draft.above", same, cmp.Or(o.Name(), o.ID()), markingText(q.mark(row.Effective))))
		}
	}
	if err := s.PublicOnly(publicRefs{q.ctx(), q.view()}); err != nil {
		return refused("%v", err)
	}
	return nil
}

// sameRun finds a run of words of the object that the statement repeats.
func sameRun(s *statement.Statement, o *stix.Object) string {
	runs := map[string]bool{}
	for _, text := range textsIn(o) {
		for _, r := range runsOf(text) {
			runs[r] = true
		}
	}
	for _, t := range s.Texts {
		all := []string{t.Title, t.Body}
		for _, l := range t.Lines {
			all = append(all, l.Text)
		}
		for _, text := range all {
			for _, r := range runsOf(text) {
				if runs[r] {
					return r
				}
			}
		}
	}
	return ""
}

// textsIn gives every text of an object; ids and times are too short to matter.
func textsIn(o *stix.Object) (out []string) {
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	all, _ := o.Get()
	walk(all)
	return out
}

// runsOf gives every run of a text that is long enough to be somebody's words.
func runsOf(text string) (out []string) {
	words := strings.FieldsFunc(strings.ToLower(norm.NFKC.String(text)), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i := 0; i+sameWords <= len(words); i++ {
		out = append(out, strings.Join(words[i:i+sameWords], " "))
	}
	for _, w := range words {
		letters := []rune(w)
		if len(letters) >= sameLetters && letters[0] >= 0x0e00 { // scripts without spaces
			for i := 0; i+sameLetters <= len(letters); i++ {
				out = append(out, string(letters[i:i+sameLetters]))
			}
		}
	}
	return out
}

// publicRefs is a statement.Releaser: an address that the node holds as an
// object above PUBLIC is not named in public.
type publicRefs struct {
	ctx  context.Context
	view *vault.View
}

// Public implements statement.Releaser.
func (p publicRefs) Public(ref string) error {
	if !strings.Contains(ref, "://") {
		return nil // a public id by its form
	}
	page, err := p.view.Page(p.ctx, vault.Query{Match: vault.Match{Types: []string{"url", "domain-name"}, Text: ref}, Limit: 20})
	if err != nil {
		return err
	}
	for _, row := range page.Rows {
		o, err := objectOf(row)
		if err != nil {
			return err
		}
		if o.StringAt("value") == ref && !isPublic(row) {
			return fmt.Errorf("it is held here as %s under a label above PUBLIC", row.ID)
		}
	}
	return nil
}
