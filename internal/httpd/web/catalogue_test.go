package web

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template/parse"
	"time"
)

func catalogues(t *testing.T) map[string]*catalogue {
	t.Helper()
	all, err := loadCatalogues()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var placeholder = regexp.MustCompile(`\{\d+\}`)

// Both languages say everything, with the same placeholders.
func TestLanguagesAreComplete(t *testing.T) {
	all := catalogues(t)
	base := all[Languages[0]]
	for _, lang := range Languages[1:] {
		other := all[lang]
		for _, key := range slices.Sorted(maps.Keys(base.text)) {
			text, ok := other.text[key]
			if !ok {
				t.Errorf("%s lacks %s", lang, key)
				continue
			}
			want, got := placeholder.FindAllString(base.text[key], -1), placeholder.FindAllString(text, -1)
			slices.Sort(want)
			slices.Sort(got)
			if !strings.HasSuffix(key, ".one") && !slices.Equal(slices.Compact(want), slices.Compact(got)) {
				t.Errorf("%s: %s has the placeholders %v, not %v", lang, key, got, want)
			}
		}
		for key := range other.text {
			if _, ok := base.text[key]; !ok {
				t.Errorf("%s has %s, which %s lacks", lang, key, base.lang)
			}
		}
	}
}

// templateTrees parses every template file.
func templateTrees(t *testing.T) map[string]*parse.Tree {
	t.Helper()
	set, err := parseTemplates(catalogues(t), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	trees := map[string]*parse.Tree{}
	for name, page := range set.pages {
		if !strings.HasPrefix(name, Languages[0]+"/") {
			continue
		}
		for _, t := range page.Templates() {
			if t.Tree != nil {
				trees[name+"#"+t.Name()] = t.Tree.Copy()
			}
		}
	}
	return trees
}

// walk finds the constant keys given to t, tn and word, and the text that
// stands between the actions.
func walk(node parse.Node, key func(fn, key string), text func(string)) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, c := range n.Nodes {
				walk(c, key, text)
			}
		}
	case *parse.TextNode:
		text(string(n.Text))
	case *parse.ActionNode:
		walk(n.Pipe, key, text)
	case *parse.IfNode:
		walkBranch(&n.BranchNode, key, text)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, key, text)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, key, text)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			walk(n.Pipe, key, text)
		}
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			walk(c, key, text)
		}
	case *parse.CommandNode:
		if id, ok := n.Args[0].(*parse.IdentifierNode); ok && len(n.Args) > 1 {
			if s, ok := n.Args[1].(*parse.StringNode); ok {
				key(id.Ident, s.Text)
			}
		}
		for _, a := range n.Args {
			walk(a, key, text)
		}
	}
}

func walkBranch(n *parse.BranchNode, key func(fn, key string), text func(string)) {
	walk(n.Pipe, key, text)
	walk(n.List, key, text)
	walk(n.ElseList, key, text)
}

func TestTemplatesUseKnownKeys(t *testing.T) {
	base := catalogues(t)[Languages[0]]
	for name, tree := range templateTrees(t) {
		walk(tree.Root, func(fn, key string) {
			switch fn {
			case "t":
				if !base.has(key) {
					t.Errorf("%s says %q, which the catalogue lacks", name, key)
				}
			case "tn":
				if !base.has(key+".one") || !base.has(key+".other") {
					t.Errorf("%s counts %q, which the catalogue lacks", name, key)
				}
			}
		}, func(string) {})
	}
}

var (
	tags   = regexp.MustCompile(`(?s)<[^>]*>`)
	spoken = regexp.MustCompile(`(?s)(?:title|alt|placeholder|aria-label)="([^"]*)"`)
	letter = regexp.MustCompile(`\p{L}{2,}`)
)

// outsideTags gives the text of a template file that a reader would see or
// hear, with the actions taken out first.
func outsideTags(source string) (seen []string) {
	source = regexp.MustCompile(`(?s)\{\{.*?\}\}`).ReplaceAllString(source, " ")
	for _, m := range spoken.FindAllStringSubmatch(source, -1) {
		seen = append(seen, m[1])
	}
	return append(seen, tags.ReplaceAllString(source, "\n"))
}

// allowedWords are not language: the program's name, standards, keys, units.
var allowedWords = regexp.MustCompile(`\b(causeway|UTC|STIX|TLP|HHI|CSV|SVG|PNG|JSON|API|URL|ID|XML|PDF|SHA)\b`)

func TestNoSentenceStandsInATemplate(t *testing.T) {
	names, err := fs.Glob(templateFiles, "template/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(templateFiles, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range outsideTags(string(b)) {
			if found := letter.FindString(allowedWords.ReplaceAllString(text, "")); found != "" {
				t.Errorf("%s has the word %q outside the catalogues", name, found)
			}
		}
	}
}

func TestNoSentenceGuardCanFail(t *testing.T) {
	for _, bad := range []string{"<p>Hello</p>", `<a title="Go on">{{t "x"}}</a>`, "{{if .A}}閉じる{{end}}"} {
		found := false
		for _, text := range outsideTags(bad) {
			found = found || letter.MatchString(allowedWords.ReplaceAllString(text, ""))
		}
		if !found {
			t.Errorf("%s passes", bad)
		}
	}
}

func TestNumbersAndTimes(t *testing.T) {
	en, ja := catalogues(t)["en"], catalogues(t)["ja"]
	at := time.Date(2026, 3, 1, 0, 30, 0, 0, time.UTC)
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{group(1234567), "1,234,567"},
		{group(-1234), "−1,234"},
		{group(12), "12"},
		{decimal(-0.25, 2), "−0.25"},
		{decimal(1234.5, 2), "1,234.5"},
		{decimal(3, 1), "3"},
		{en.ago(at, at.Add(time.Minute)), "1 minute ago"},
		{en.ago(at, at.Add(3*time.Hour)), "3 hours ago"},
		{ja.ago(at, at.Add(-49*time.Hour)), "2日後"},
		{en.absolute(at, tokyo), "1 Mar 2026 09:30 JST"},
		{ja.absolute(at, tokyo), "2026年3月1日 09:30 JST"},
		{en.say("no.such.key"), "⟦no.such.key⟧"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
