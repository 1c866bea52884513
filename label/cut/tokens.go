package cut

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"causeway/stix"
)

// structural are properties whose values say nothing of their own: words of
// the standard and of its vocabularies.
var structural = []string{
	"type", "spec_version", "id", "created", "modified", "lang", "relationship_type", "pattern_type", "pattern_version",
	"identity_class", "sectors", "roles", "labels", "object_marking_refs", "extension_type", "kill_chain_name", "phase_name",
	"resource_level", "primary_motivation", "secondary_motivations", "personal_motivations", "sophistication", "opinion",
	"definition_type", "result", "hash_algorithm", "source_name", "mime_type", "encoding", "category", "region",
}

var (
	isTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)
	// quoted are the literals of a STIX pattern.
	quoted = regexp.MustCompile(`'((?:[^'\\]|\\.)+)'`)
	// telling are the parts of a text that identify: addresses, domains, URLs,
	// mail addresses, digests, account names, numbers of four digits and more.
	telling = regexp.MustCompile(`(?i)[a-z0-9_+.:/@%#\-\[\]]*(?:[a-z0-9]\[?\.\]?[a-z0-9]|@|://|[0-9]{4})[a-z0-9_+.:/@%#\-\[\]]*`)
)

func isStructural(name string) bool {
	return slices.Contains(structural, name) || strings.HasSuffix(name, "_ref") || strings.HasSuffix(name, "_refs") || strings.HasSuffix(name, "_types")
}

// tokensOf are the texts of an object that must not survive when it is left
// out.
func tokensOf(o *stix.Object) []string {
	body, err := decode(o.Raw())
	if err != nil {
		return nil
	}
	return tokensIn("", body)
}

// tokensIn are the texts of a value at a path.
func tokensIn(path string, v any) []string {
	name := ""
	for _, s := range steps(path) {
		if s.name != "" {
			name = s.name
		}
	}
	if isStructural(name) {
		return nil
	}
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for n, e := range v {
			out = append(out, tokensIn(join(path, n), e)...)
		}
	case []any:
		for _, e := range v {
			out = append(out, tokensIn(path+"[0]", e)...)
		}
	case json.Number:
		if s := v.String(); len(s) >= 4 {
			out = append(out, s)
		}
	case string:
		out = textTokens(name, v)
	}
	return out
}

// textTokens are the text itself and what tells in it: the literals of a
// pattern, and the addresses and numbers of a longer text.
func textTokens(name, s string) []string {
	if s == "" || isTime.MatchString(s) || isID.MatchString(s) {
		return nil
	}
	out := []string{s}
	if name == "pattern" {
		for _, m := range quoted.FindAllStringSubmatch(s, -1) {
			out = append(out, m[1])
		}
		return out
	}
	if strings.ContainsRune(s, ' ') || len(words(fold(s))) >= longText {
		for _, t := range telling.FindAllString(s, -1) {
			if t = strings.Trim(t, ".:/-[]"); t != "" && t != s {
				out = append(out, t)
			}
		}
	}
	return out
}

// rewordedTokens are what the old text says that the new one does not: its
// telling parts, and runs of capitalised words and of Japanese words.
func rewordedTokens(path string, old, new any) []string {
	was, isText := old.(string)
	now, _ := new.(string)
	if !isText {
		return nil
	}
	folded := squeeze(fold(now))
	var out []string
	for _, t := range append(textTokens("", was), names(was)...) {
		if t == was && len(words(fold(t))) >= longText {
			continue // most of a rewritten text may stay as it was
		}
		if !strings.Contains(folded, squeeze(fold(t))) {
			out = append(out, t)
		}
	}
	return out
}

// names are the runs of capitalised words, of katakana and of kanji in a text.
// The first word of a sentence counts only as part of a longer run.
func names(s string) []string {
	var out []string
	var run []string
	starts, runStarts := true, false
	end := func() {
		if len(run) > 1 || len(run) == 1 && !runStarts {
			out = append(out, strings.Join(run, " "))
		}
		run = nil
	}
	for _, f := range strings.Fields(s) {
		word := strings.TrimFunc(f, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if first := []rune(word); len(first) > 0 && unicode.IsUpper(first[0]) {
			if run == nil {
				runStarts = starts
			}
			run = append(run, word)
		} else {
			end()
		}
		starts = strings.HasSuffix(f, ".") || strings.HasSuffix(f, "!") || strings.HasSuffix(f, "?") || strings.HasSuffix(f, ":")
		if starts || strings.HasSuffix(f, ",") || strings.HasSuffix(f, ";") {
			end()
		}
	}
	end()
	return append(out, scriptRuns(s)...)
}

// scriptRuns are the runs of kanji, of katakana and of digits between other
// Japanese text.
func scriptRuns(s string) []string {
	var out []string
	var run []rune
	var in *unicode.RangeTable
	end := func() {
		if len(run) >= 2 {
			out = append(out, string(run))
		}
		run, in = nil, nil
	}
	for _, r := range s {
		var of *unicode.RangeTable
		switch {
		case unicode.Is(unicode.Han, r):
			of = unicode.Han
		case unicode.Is(unicode.Katakana, r) || r == 'ー':
			of = unicode.Katakana
		}
		if of != in {
			end()
		}
		if of != nil {
			run, in = append(run, r), of
		}
	}
	end()
	return out
}
