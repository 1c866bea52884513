package statement

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Metadata is /.well-known/causeway/provider-metadata.json.
type Metadata struct {
	CanonicalURL string        `json:"canonical_url"`
	Version      string        `json:"metadata_version"`
	LastUpdated  time.Time     `json:"last_updated"`
	NextUpdate   time.Time     `json:"next_update"` // after it the metadata are stale and fail
	Publisher    string        `json:"publisher"`
	Contact      string        `json:"contact"`
	Role         string        `json:"role"`
	Keys         []Key         `json:"keys"`
	LogOrigin    string        `json:"log_origin"` // name of the log key
	Witnesses    WitnessPolicy `json:"witness_policy"`
	// Translations name every translation of the site.
	Translations []TranslationRef `json:"translations,omitempty"`
	// Confirms lists digests of versions on other sites that this domain
	// co-signed.
	Confirms []string `json:"confirms,omitempty"`
	// Verifier names the files of the page on which a browser checks the site.
	Verifier []FileRef `json:"verifier,omitempty"`
}

// FileRef names a file of the site by its bytes.
type FileRef struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// VerifierPath is where the page that checks the site stands in it, and
// verifierJa the same page in Japanese.
const (
	VerifierPath = "verify/"
	verifierJa   = "verify/ja.html"
)

// verifier is the address of the page that checks the site, in a language; ""
// where the site has none.
func (m *Metadata) verifier(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	switch has := func(f FileRef) bool { return f.Path == verifierJa }; {
	case len(m.Verifier) == 0:
		return ""
	case base == "ja" && slices.ContainsFunc(m.Verifier, has):
		return verifierJa
	}
	return VerifierPath + "index.html"
}

// WitnessPolicy is how many cosignatures of how many nations a checkpoint needs.
type WitnessPolicy struct {
	K       int `json:"k"`
	Nations int `json:"nations"`
}

// Record is one log entry with what belongs to it: the exact signed bytes,
// the complete note (the leaf), and the cosigned checkpoint it was published
// under.
type Record struct {
	JSON, Note []byte
	Checkpoint []byte
	s          *Statement
}

// Places of files in a site.
const (
	metadataPath   = ".well-known/causeway/provider-metadata.json"
	checkpointPath = "checkpoint"
)

func (s *Statement) dir() string {
	return fmt.Sprintf("s/%s/%d/", strings.TrimPrefix(s.ID, "urn:uuid:"), s.Version)
}

func metadataNote(b []byte) string { return "causeway.metadata/v1\n" + Digest(b) + "\n" }

// checkpointBody is the signed text of a C2SP checkpoint.
func checkpointBody(origin string, size int64, root tlog.Hash) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root[:]))
}

// tree holds the hashes of the log in storage order.
type tree struct{ hashes []tlog.Hash }

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("the log has no hash %d", x)
		}
		out[i] = t.hashes[x]
	}
	return out, nil
}

func (t *tree) add(n int64, leaf []byte) error {
	h, err := tlog.StoredHashes(n, leaf, t)
	t.hashes = append(t.hashes, h...)
	return err
}

func treeOf(records []Record) (*tree, error) {
	t := &tree{}
	for i, r := range records {
		if err := t.add(int64(i), r.Note); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Render gives every file of a site: a pure function of the records in log
// order, their translations and the metadata, so that a verifier can make it
// again.
func Render(records []Record, translations []Translated, metadata, metadataSig, checkpoint []byte, m *Metadata) (map[string][]byte, error) {
	files := map[string][]byte{
		metadataPath: metadata, metadataPath + ".note": metadataSig, checkpointPath: checkpoint, "style.css": []byte(style),
	}
	t, err := treeOf(records)
	if err != nil {
		return nil, err
	}
	if err := tiles(files, records, t); err != nil {
		return nil, err
	}
	latest := map[string]int{}
	for i := range records {
		latest[records[i].s.ID] = i
	}
	of := map[string][]Translated{} // by digest
	for _, x := range translations {
		of[x.t.Statement] = append(of[x.t.Statement], x)
	}
	made, failed := make([]map[string][]byte, len(records)), make([]error, len(records))
	atOnce(len(records), func(i int) {
		r := records[i]
		made[i] = map[string][]byte{}
		failed[i] = files1(made[i], i, r, records[latest[r.s.ID]].s, of[Digest(r.JSON)], t, m)
	})
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	for _, of := range made {
		maps.Copy(files, of)
	}
	return files, feeds(files, records, of, latest, m)
}

// tiles writes hash tiles and entry bundles (C2SP tlog-tiles), 256 wide.
func tiles(files map[string][]byte, records []Record, t *tree) error {
	for _, tile := range tlog.NewTiles(8, 0, int64(len(records))) {
		b, err := tlog.ReadTileData(tile, t)
		if err != nil {
			return err
		}
		files["tile/"+strings.TrimPrefix(tile.Path(), "tile/8/")] = b
		if tile.L != 0 {
			continue
		}
		var entries []byte
		for i := tile.N * 256; i < tile.N*256+int64(tile.W); i++ {
			n := records[i].Note
			if len(n) > 65535 {
				return fmt.Errorf("entry %d is longer than a log entry may be", i)
			}
			entries = append(binary.BigEndian.AppendUint16(entries, uint16(len(n))), n...)
		}
		files["tile/entries/"+strings.TrimPrefix(tile.Path(), "tile/8/0/")] = entries
	}
	return nil
}

// files1 writes the files of one version.
func files1(files map[string][]byte, i int, r Record, newest *Statement, translations []Translated, t *tree, m *Metadata) error {
	dir := r.s.dir()
	files[dir+"statement.json"], files[dir+"statement.note"] = r.JSON, r.Note
	size, err := checkpointSize(r.Checkpoint)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveRecord(size, int64(i), t)
	if err != nil {
		return fmt.Errorf("prove entry %d: %w", i, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "c2sp.org/tlog-proof@v1\nindex %d\n", i)
	for _, h := range proof {
		fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(h[:]))
	}
	b.WriteString("\n")
	b.Write(r.Checkpoint)
	files[dir+"statement.tlog-proof"] = b.Bytes()
	var others []string // languages to point at, where there are translations
	if len(translations) > 0 {
		others = slices.Clone(r.s.Authentic)
		for _, x := range translations {
			others = append(others, x.t.Lang)
		}
	}
	page := func(lang, note string, text Text) error {
		var b bytes.Buffer
		err := pageTemplate.Execute(&b, pageData{S: r.s, Lang: lang, Text: text, Digest: Digest(r.JSON), Index: i, Newest: newest, L: labelsOf(lang), Dir: direction(lang), Publisher: m.Publisher,
			Translation: note, Others: others, Check: m.verifier(lang)})
		files[dir+lang+".html"] = b.Bytes()
		return err
	}
	for _, lang := range r.s.Authentic {
		if err := page(lang, "", r.s.Texts[lang]); err != nil {
			return err
		}
	}
	for _, x := range translations {
		if err := page(x.t.Lang, statusLabel(x.t.Lang, x.t.Status), x.t.Text); err != nil {
			return err
		}
		files[x.path(r.s)+".json"] = x.JSON
		if len(x.Note) > 0 {
			files[x.path(r.s)+".note"] = x.Note
		}
	}
	if r.s.Kind == "rebuttal" {
		files[dir+"claimreview.json"], err = claimReview(r, m)
	}
	return err
}

func checkpointSize(cp []byte) (size int64, err error) {
	_, rest, ok := strings.Cut(string(cp), "\n")
	if ok {
		_, err = fmt.Sscanf(rest, "%d\n", &size)
	}
	if !ok || err != nil {
		return 0, fmt.Errorf("the checkpoint has no size on its second line")
	}
	return size, nil
}

// claimReview is an export for readers of schema.org; it carries no trust.
func claimReview(r Record, m *Metadata) ([]byte, error) {
	t := r.s.Texts[r.s.Authentic[0]]
	return json.MarshalIndent(map[string]any{
		"@context": "https://schema.org", "@type": "ClaimReview", "claimReviewed": t.Title,
		"author": map[string]any{"@type": "Organization", "name": r.s.lead().Agency},
		"url":    m.CanonicalURL + r.s.dir() + r.s.Authentic[0] + ".html", "datePublished": r.s.ValidFrom.Format(time.DateOnly),
		"inLanguage": r.s.Authentic[0], "correctionsPolicy": r.s.CorrectionsU, "isBasedOn": "sha256:" + Digest(r.JSON),
	}, "", " ")
}

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Title   string      `xml:"title"`
	ID      string      `xml:"id"`
	Updated string      `xml:"updated"`
	Entries []atomEntry `xml:"entry"`
}

type atomEntry struct {
	Title   string `xml:"title"`
	ID      string `xml:"id"`
	Updated string `xml:"updated"`
	Author  string `xml:"author>name"`
	Summary string `xml:"summary"`
	Link    struct {
		Href string `xml:"href,attr"`
	} `xml:"link"`
}

// feeds writes the index and the feeds, newest first, nothing ever dropped.
func feeds(files map[string][]byte, records []Record, translations map[string][]Translated, latest map[string]int, m *Metadata) error {
	type item struct {
		ID        string `json:"id"`
		URL       string `json:"url"`
		Title     string `json:"title"`
		Text      string `json:"content_text"`
		Published string `json:"date_published"`
		Language  string `json:"language"`
		Statement any    `json:"_causeway"`
	}
	var items []item
	atom := atomFeed{Title: m.Publisher, ID: m.CanonicalURL, Updated: m.LastUpdated.Format(time.RFC3339)}
	var rows []indexRow
	for i, r := range slices.Backward(records) {
		for _, lang := range r.s.Authentic {
			url, digest := m.CanonicalURL+r.s.dir()+lang+".html", Digest(r.JSON)
			newest := latest[r.s.ID] == i
			items = append(items, item{url, url, r.s.Texts[lang].Title, r.s.Texts[lang].Body, r.s.ValidFrom.Format(time.RFC3339), lang, map[string]any{
				"statement": r.s.ID, "version": r.s.Version, "kind": r.s.Kind, "sha256": digest, "log_index": i, "valid_until": r.s.ValidUntil, "newest": newest, "sample": r.s.Sample}})
			e := atomEntry{Title: r.s.Texts[lang].Title, ID: url, Updated: r.s.ValidFrom.Format(time.RFC3339), Author: r.s.lead().Agency,
				Summary: fmt.Sprintf("sha256 %s, log entry %d", digest, i)}
			e.Link.Href = url
			atom.Entries = append(atom.Entries, e)
			rows = append(rows, indexRow{r.s, lang, r.s.Texts[lang].Title, r.s.dir() + lang + ".html", newest})
		}
		for _, x := range translations[Digest(r.JSON)] {
			rows = append(rows, indexRow{r.s, x.t.Lang, x.t.Text.Title, r.s.dir() + x.t.Lang + ".html", latest[r.s.ID] == i})
		}
	}
	b, err := json.MarshalIndent(map[string]any{"version": "https://jsonfeed.org/version/1.1", "title": m.Publisher, "home_page_url": m.CanonicalURL,
		"feed_url": m.CanonicalURL + "feed.json", "items": items}, "", " ")
	if err != nil {
		return err
	}
	files["feed.json"] = b
	if b, err = xml.MarshalIndent(atom, "", " "); err != nil {
		return err
	}
	files["feed.atom"] = append([]byte(xml.Header), b...)
	var page bytes.Buffer
	if err := indexTemplate.Execute(&page, map[string]any{"M": m, "Rows": rows, "Check": m.verifier("en"), "CheckJa": m.verifier("ja")}); err != nil {
		return err
	}
	files["index.html"] = page.Bytes()
	return nil
}

type indexRow struct {
	S                 *Statement
	Lang, Title, Href string
	Newest            bool
}

type pageData struct {
	S                            *Statement
	Lang, Dir, Digest, Publisher string
	Text                         Text
	Index                        int
	Newest                       *Statement
	L                            map[string]string
	Translation                  string   // what kind of translation, "" for an authentic text
	Others                       []string // languages of this version, where there are translations
	Check                        string   // the page that checks the site, "" where there is none
}

// Authentic names the languages that were signed.
func (p pageData) Authentic() []string { return p.S.Authentic }

// Line returns the test of a line of the text.
func (p pageData) Line(id string) Line {
	for _, l := range p.S.Lines {
		if l.ID == id {
			return l
		}
	}
	return Line{}
}

// Old reports whether a newer version exists.
func (p pageData) Old() bool { return p.Newest.Version != p.S.Version }

// NewestHref is the page of the newest version, seen from this page.
func (p pageData) NewestHref() string {
	return path.Join("../../..", p.Newest.dir(), p.Newest.Authentic[0]+".html")
}

func direction(lang string) string {
	base, _, _ := strings.Cut(lang, "-")
	if slices.Contains([]string{"ar", "fa", "he", "ur", "ps", "dv", "yi"}, base) {
		return "rtl"
	}
	return "ltr"
}

func labelsOf(lang string) map[string]string {
	if base, _, _ := strings.Cut(lang, "-"); base == "ja" {
		return map[string]string{"sample": "見本:いかなる当局の立場でもありません。", "old": "この版は新しい版に置き換えられました。", "retracted": "この文書は撤回されました。",
			"valid": "有効期間", "anchor": "根拠", "test": "検証方法", "falsifier": "これが誤りとなる事実", "checked": "最終確認", "evidence": "証拠",
			"withheld": "非公開の証拠", "signed": "署名", "corrections": "訂正の記録", "verify": "この文書の確認", "contact": "連絡先", "next": "次回確認", "check": "このサイトを確認する"}
	}
	return map[string]string{"sample": "Sample: not the position of any authority.", "old": "A newer version replaces this one.", "retracted": "This statement was retracted.",
		"valid": "Valid", "anchor": "Rests on", "test": "How to test it", "falsifier": "What would show it false", "checked": "Last checked", "evidence": "Evidence",
		"withheld": "Withheld evidence", "signed": "Signatories", "corrections": "Corrections", "verify": "Check this text", "contact": "Contact", "next": "next check", "check": "Check this site"}
}

const style = `body{font:1.05rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}
h1{line-height:1.25}dt{font-weight:600}.note{border-inline-start:.4rem solid #9a3412;padding-inline-start:1rem}.old{text-decoration:line-through}
code{overflow-wrap:anywhere}@media print{body{margin:0;max-width:none}a::after{content:" (" attr(href) ")"}}
`

var pageTemplate = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}" dir="{{.Dir}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{{.Text.Title}}</title><link rel="stylesheet" href="../../../style.css"></head><body><main>{{$p := .}}
{{if .S.Sample}}<p class="note">{{.L.sample}}</p>{{end}}
{{if and .Old (eq .Newest.Kind "retraction")}}<p class="note">{{.L.retracted}} <a href="{{.NewestHref}}">{{.Newest.Version}}</a></p>{{else if .Old}}<p class="note">{{.L.old}} <a href="{{.NewestHref}}">{{.Newest.Version}}</a></p>{{end}}
{{with .Translation}}<p class="note">{{.}} {{range $p.Authentic}}<a href="{{.}}.html" hreflang="{{.}}">{{.}}</a> {{end}}</p>
{{end}}{{if .Others}}<nav>{{range .Others}}<a href="{{.}}.html" hreflang="{{.}}" lang="{{.}}">{{.}}</a> {{end}}</nav>
{{end}}<h1{{if .Old}} class="old"{{end}}><bdi>{{.Text.Title}}</bdi></h1>
<p>{{.Text.Body}}</p>
{{range .Text.Lines}}{{$l := $p.Line .ID}}<section><h2 id="{{.ID}}">{{.Text}}</h2><dl>
{{if $l.Anchor}}<dt>{{$p.L.anchor}}</dt><dd>{{$l.Anchor}}</dd><dt>{{$p.L.test}}</dt><dd>{{$l.Test}}</dd><dt>{{$p.L.falsifier}}</dt><dd>{{$l.Falsifier}}</dd>
<dt>{{$p.L.checked}}</dt><dd>{{$l.LastChecked}} {{$l.LastResult}} ({{$l.Status}}; {{$p.L.next}} {{$l.NextCheck}})</dd>{{end}}</dl></section>
{{end}}{{if .S.Evidence}}<h2>{{.L.evidence}}</h2><ul>{{range .S.Evidence}}<li>{{if .Withheld}}{{$p.L.withheld}}: {{.What}}: {{.Withheld}}{{else}}<a href="{{.Locator}}">{{.What}}</a>{{with .SHA256}} <code>sha256 {{.}}</code>{{end}}{{end}}</li>{{end}}</ul>{{end}}
<h2>{{.L.signed}}</h2><ul>{{range .S.Signatories}}<li><bdi>{{.Agency}}</bdi> ({{.Nation}}) <code>{{.Key}}</code>{{with index .Reservation $p.Lang}}: {{.}}{{end}}</li>{{end}}</ul>
{{if .S.Corrections}}<h2>{{.L.corrections}}</h2><ul>{{range .S.Corrections}}<li>{{.Date}} {{.Line}}: <del>{{.Was}}</del> <ins>{{.Is}}</ins> {{.Why}}</li>{{end}}</ul>{{end}}
<footer><h2>{{.L.verify}}</h2><p>{{.L.valid}}: {{.S.ValidFrom.Format "2006-01-02"}} – {{with .S.ValidUntil}}{{.Format "2006-01-02"}}{{end}}<br>
<code>sha256 {{.Digest}}</code> #{{.Index}} v{{.S.Version}} <a href="statement.json">json</a> <a href="statement.note">note</a> <a href="statement.tlog-proof">proof</a>{{with .Check}} <a href="../../../{{.}}">{{$p.L.check}}</a>{{end}}<br>
{{.L.contact}}: {{.S.Contact}} <a href="{{.S.CorrectionsU}}">{{.L.corrections}}</a></p></footer></main></body></html>
`))

var indexTemplate = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{{.M.Publisher}}</title><link rel="stylesheet" href="style.css"><link rel="alternate" type="application/feed+json" href="feed.json"><link rel="alternate" type="application/atom+xml" href="feed.atom"></head>
<body><main><h1>{{.M.Publisher}}</h1><ul>
{{range .Rows}}<li lang="{{.Lang}}"{{if not .Newest}} class="old"{{end}}><a href="{{.Href}}"><bdi>{{.Title}}</bdi></a> ({{.S.Kind}}, v{{.S.Version}})</li>
{{end}}</ul>{{with .Check}}<p><a href="{{.}}">Check this site</a> <a href="{{$.CheckJa}}" lang="ja" hreflang="ja">このサイトを確認する</a></p>{{end}}</main></body></html>
`))
