package label

import (
	"slices"
	"strings"
)

// Mark is one markingData of a SPIF: a phrase in a language and the codes that
// say where and how it shows.
type Mark struct {
	Lang      string // xml:lang; "" for every language without its own
	Phrase    string
	HasPhrase bool // an empty phrase shows nothing; an absent one, the name
	Codes     []string
}

// Qualifier is a prefix, suffix or separator around the phrases of a tag or of
// the whole marking.
type Qualifier struct {
	Code  string // prefix, suffix, separator
	Lang  string
	Text  string
	Place string // a place code; "" for every place
}

// Codes of markingData with a meaning of their own; the others are places.
const (
	codeReplacePolicy     = "replacePolicy"
	codeNoNameDisplay     = "noNameDisplay"
	codeNoMarkingDisplay  = "noMarkingDisplay"
	codeSuppressClassName = "suppressClassName"
)

// PageTopBottom is the place that is meant when none is given.
const PageTopBottom = "pageTopBottom"

// Marking is a label in words.
type Marking struct {
	Text   string
	Colour string // #RRGGBB or a colour name of the classification; "" for none
}

// Marking writes a label in the words of its policy: lang is a BCP 47 tag
// ("fr-CA" falls back to "fr", then to the words without a language), place a
// SPIF place code or "" for page top and bottom. It is display, computed also
// for labels that their policy does not allow, and no input to a decision. A
// label that is not understood is marked as such.
func (ps *Policies) Marking(l *Label, lang, place string) Marking {
	c, err := ps.read(l)
	if err != nil {
		text := "LABEL NOT UNDERSTOOD"
		if l != nil {
			text += ": " + strings.TrimSpace(l.PolicyName+" "+l.Classification)
		}
		return Marking{Text: text}
	}
	w := writer{policy: c.policy, lang: lang, place: place, values: c.values, classes: []*Class{c.class}}
	return Marking{w.text(w.policyName()), c.class.Colour}
}

// ClearanceMarking writes a clearance in the words of its policy, each
// classification of it in braces. What the policy does not know is left out.
func (ps *Policies) ClearanceMarking(cl *Clearance, lang, place string) Marking {
	p, err := ps.resolve(cl.PolicyName, cl.PolicyOID)
	if err != nil {
		return Marking{Text: "CLEARANCE NOT UNDERSTOOD: " + cl.PolicyName}
	}
	w := writer{policy: p, clearance: true, lang: lang, place: place}
	for _, c := range sortedClasses(p.def.Classes) {
		if slices.ContainsFunc(cl.Classifications, func(n string) bool { return p.canon(n) == p.canon(c.Name) }) {
			w.classes = append(w.classes, p.classes[p.canon(c.Name)])
		}
	}
	for _, cat := range cl.Categories {
		set, err := p.resolveSet(cat)
		if err != nil {
			continue
		}
		for _, n := range cat.Values {
			if v := set.values[valueKey{cat.Type, p.canon(n)}]; v != nil {
				w.values = append(w.values, chosenValue{v, ""})
			}
		}
	}
	return Marking{Text: w.text("")}
}

// writer renders one marking.
type writer struct {
	policy      *Policy
	clearance   bool // lists what may be seen, so a value hides no classification
	lang, place string
	classes     []*Class
	values      []chosenValue
}

func (w *writer) text(policyName string) string {
	var words []string
	add := func(s string) {
		if s != "" {
			words = append(words, s)
		}
	}
	add(policyName)
	add(w.className())
	for i := range w.policy.def.Sets {
		s := &w.policy.def.Sets[i]
		for j := range s.Tags {
			add(w.tagText(&s.Tags[j]))
		}
	}
	q := w.policy.def.Qualifier
	return w.qualifier(q, "prefix", "") + strings.Join(words, w.qualifier(q, "separator", " ")) + w.qualifier(q, "suffix", "")
}

// policyName is the name of the policy, or what replaces it: the word of the
// classification first, then that of a category, then that of the policy.
func (w *writer) policyName() string {
	for _, c := range w.classes {
		if m, ok := w.best(c.Marks, replaces); ok {
			return m.Phrase
		}
	}
	for _, v := range w.values {
		if m, ok := w.best(v.Marks, replaces); ok {
			return m.Phrase
		}
	}
	if m, ok := w.best(w.policy.def.Marks, replaces); ok {
		return m.Phrase
	}
	if m, ok := w.best(w.policy.def.Marks, w.displays); ok && m.HasPhrase {
		return m.Phrase
	}
	return w.policy.def.Name
}

func (w *writer) className() string {
	for _, v := range w.values {
		if !w.clearance && w.coded(v.Marks, codeSuppressClassName) {
			return ""
		}
	}
	var names []string
	for _, c := range w.classes {
		if n := w.name(c.Name, c.Marks); n != "" {
			names = append(names, n)
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	if len(names) == 0 {
		return ""
	}
	return "{" + strings.Join(names, "|") + "}"
}

// tagText is the values of one tag, in the order of the policy.
func (w *writer) tagText(t *Tag) string {
	var names []string
	for i := range t.Values {
		for _, v := range w.values {
			if v.Value != &t.Values[i] {
				continue
			}
			if n := w.name(v.Name, v.Marks); n != "" {
				names = append(names, n)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return w.qualifier(t.Qualifier, "prefix", "") + strings.Join(names, w.qualifier(t.Qualifier, "separator", "/")) + w.qualifier(t.Qualifier, "suffix", "")
}

// name is the phrase that shows for a classification or value.
func (w *writer) name(name string, marks []Mark) string {
	if w.coded(marks, codeNoNameDisplay) || w.coded(marks, codeNoMarkingDisplay) {
		return ""
	}
	if m, ok := w.best(marks, w.displays); ok && m.HasPhrase {
		return m.Phrase
	}
	return name
}

func replaces(m Mark) bool { return slices.Contains(m.Codes, codeReplacePolicy) }

// displays says whether a mark gives the words at the writer's place: it names
// the place, or no place at all.
func (w *writer) displays(m Mark) bool {
	if replaces(m) {
		return false
	}
	places := 0
	for _, c := range m.Codes {
		switch c {
		case codeNoNameDisplay, codeNoMarkingDisplay, codeSuppressClassName:
			continue
		}
		if samePlace(c, w.place) {
			return true
		}
		places++
	}
	return places == 0
}

// samePlace says whether words for one place show at another; pageTopBottom is
// both pageTop and pageBottom.
func samePlace(code, place string) bool {
	if place == "" {
		place = PageTopBottom
	}
	page := func(s string) bool { return s == "pageTop" || s == "pageBottom" }
	return code == place || code == PageTopBottom && page(place) || place == PageTopBottom && page(code)
}

// coded says whether a mark for this language, or for every language, has a
// code.
func (w *writer) coded(marks []Mark, code string) bool {
	_, ok := w.best(marks, func(m Mark) bool { return slices.Contains(m.Codes, code) })
	return ok
}

// best picks the mark of the closest language among those that fit.
func (w *writer) best(marks []Mark, fits func(Mark) bool) (Mark, bool) {
	for lang := range fallbacks(w.lang) {
		for _, m := range marks {
			if strings.EqualFold(m.Lang, lang) && fits(m) {
				return m, true
			}
		}
	}
	return Mark{}, false
}

// qualifier picks the text of a code in the closest language.
func (w *writer) qualifier(qs []Qualifier, code, otherwise string) string {
	for lang := range fallbacks(w.lang) {
		for _, q := range qs {
			if q.Code == code && strings.EqualFold(q.Lang, lang) && (q.Place == "" || samePlace(q.Place, w.place)) {
				return q.Text
			}
		}
	}
	return otherwise
}

// fallbacks yields a language tag, its ever shorter prefixes, and "".
func fallbacks(lang string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for lang != "" {
			if !yield(lang) {
				return
			}
			lang = lang[:max(strings.LastIndexByte(lang, '-'), 0)]
		}
		yield("")
	}
}
