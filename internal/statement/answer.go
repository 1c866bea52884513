package statement

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Questions that a reader has, in the order in which they are answered.
const (
	AskAuthentic = "authentic" // are these the words that were signed?
	AskCosigned  = "cosigned"  // have enough nations and witnesses signed?
	AskCurrent   = "current"   // is it in its time, by a clock that can be trusted?
	AskLog       = "log"       // is the log whole, and is the past what it was?
)

// Questions lists them.
var Questions = []string{AskAuthentic, AskCosigned, AskCurrent, AskLog}

// CodeAsks maps every code of a finding to the question it answers with no.
var CodeAsks = map[string]string{
	Malformed: AskAuthentic, DigestMismatch: AskAuthentic, BadSignature: AskAuthentic, KeyNotValid: AskAuthentic, BadMetadata: AskAuthentic,
	FileChanged: AskAuthentic, FileMissing: AskAuthentic,
	NotMet: AskCosigned, QuorumNotMet: AskCosigned,
	StaleMetadata: AskCurrent, NotYetValid: AskCurrent, Expired: AskCurrent, TimeUnknown: AskCurrent,
	BadCheckpoint: AskLog, LogRewritten: AskLog, BadChain: AskLog,
}

// Codes lists every code, in the order of the questions.
func Codes() []string {
	var out []string
	for c := range CodeAsks {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b string) int {
		if x, y := slices.Index(Questions, CodeAsks[a]), slices.Index(Questions, CodeAsks[b]); x != y {
			return x - y
		}
		return strings.Compare(a, b)
	})
	return out
}

// An Answer is yes, no, or unknown: a check that another failure kept from
// being made is no yes.
type Answer struct {
	Ask string `json:"ask"`
	Is  string `json:"is"`
}

// answer sums the findings up as the reader's questions.
func (r *Report) answer() {
	no, keys := map[string]bool{}, r.Pinned
	for _, f := range r.Findings {
		no[CodeAsks[f.Code]] = true
	}
	if !keys { // nobody but the metadata says whose the keys are
		keys = !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == BadMetadata })
	}
	for _, ask := range Questions {
		a := Answer{ask, "yes"}
		switch {
		case no[ask]:
			a.Is = "no"
		case !keys || len(r.Statements) == 0:
			a.Is = "unknown"
		}
		r.Answers = append(r.Answers, a)
	}
}

// Places where words may stand in a statement.
const (
	InRecord  = "record"  // the exact signed bytes
	InAltered = "altered" // a record with this id and version was signed in other words
	InTitle   = "title"
	InBody    = "body"
	InLine    = "line"
	InPart    = "part" // a part of a title, body or line: read the whole
)

// A Match is where words stand.
type Match struct {
	ID          string `json:"id"`
	Version     int    `json:"version"`
	Status      string `json:"status"`
	Lang        string `json:"lang,omitempty"`
	Place       string `json:"place"`
	Line        string `json:"line,omitempty"`
	Translation string `json:"translation,omitempty"` // its status; "" where the words were signed themselves
	Title       string `json:"title"`
	Page        string `json:"page"` // within the site
}

// Found is one paragraph of what was asked about, and where it stands.
type Found struct {
	Words   string  `json:"words"`
	Matches []Match `json:"matches"`
}

// Current reports whether a statement in force says the words, whole and as
// they were signed or translated.
func (f Found) Current() bool {
	return slices.ContainsFunc(f.Matches, func(m Match) bool { return m.Status == "current" && m.Place != InAltered && m.Place != InPart })
}

// Nations counts the nations of the witnesses.
func (r *Report) Nations() int {
	nations := map[string]bool{}
	for _, w := range r.Witnesses {
		nations[w.Nation] = true
	}
	return len(nations)
}

// shortestPart is how many characters a part of a text must have to be
// recognised: less says nothing.
const shortestPart = 12

// Find looks words up in a site that Verify has read: a whole statement as
// JSON, or paragraphs of text, one a line. Spacing and Unicode form do not
// count in a text; every byte does in a record. Newest versions come first.
func (r *Report) Find(words string) []Found {
	if b := strings.TrimSpace(words); strings.HasPrefix(b, "{") {
		return []Found{{firstWords(b), r.findRecord([]byte(b))}}
	}
	var out []Found
	for p := range strings.Lines(words) {
		if w := plain(p); w != "" {
			out = append(out, Found{w, r.findText(w)})
		}
	}
	return out
}

func plain(s string) string { return strings.Join(strings.Fields(norm.NFC.String(s)), " ") }

func firstWords(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

func (r *Report) match(i int, lang, place string) Match {
	s := r.records[i].s
	if lang == "" {
		lang = s.Authentic[0]
	}
	m := Match{ID: s.ID, Version: s.Version, Lang: lang, Place: place, Title: s.Texts[lang].Title, Page: s.dir() + lang + ".html"}
	if i < len(r.Statements) {
		m.Status = r.Statements[i].Status
	}
	return m
}

func (r *Report) findRecord(b []byte) []Match {
	digest := Digest(b)
	draft, _ := ParseDraft(b)
	var altered []Match
	for i, rec := range slices.Backward(r.records) {
		switch {
		case Digest(rec.JSON) == digest:
			return []Match{r.match(i, "", InRecord)}
		case draft != nil && draft.ID == rec.s.ID && draft.Version == rec.s.Version:
			altered = append(altered, r.match(i, "", InAltered))
		}
	}
	return altered
}

func (r *Report) findText(words string) (out []Match) {
	for i, rec := range slices.Backward(r.records) {
		for _, lang := range rec.s.Authentic {
			out = r.findIn(out, words, rec.s.Texts[lang], r.match(i, lang, ""))
		}
		digest := Digest(rec.JSON)
		for _, x := range r.translations {
			if x.t.Statement == digest {
				m := r.match(i, "", "")
				m.Lang, m.Translation, m.Title, m.Page = x.t.Lang, x.t.Status, x.t.Text.Title, rec.s.dir()+x.t.Lang+".html"
				out = r.findIn(out, words, x.t.Text, m)
			}
		}
	}
	whole := slices.DeleteFunc(slices.Clone(out), func(m Match) bool { return m.Place == InPart })
	if len(whole) > 0 {
		return whole
	}
	return out
}

func (r *Report) findIn(out []Match, words string, t Text, m Match) []Match {
	try := func(place, line, text string) {
		text = plain(text)
		m.Place, m.Line = place, line
		switch {
		case text == words:
			out = append(out, m)
		case len([]rune(words)) >= shortestPart && strings.Contains(text, words):
			m.Place = InPart
			out = append(out, m)
		}
	}
	try(InTitle, "", t.Title)
	for p := range strings.Lines(t.Body) {
		try(InBody, "", p)
	}
	if strings.Contains(strings.TrimSpace(t.Body), "\n") {
		try(InBody, "", t.Body)
	}
	for _, l := range t.Lines {
		try(InLine, l.ID, l.Text)
	}
	return out
}
