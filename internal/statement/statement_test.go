package statement

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is an agency's keys and a site with one statement of two versions, a
// rebuttal, and a retracted statement.
type world struct {
	secrets map[string]Secret
	meta    Metadata
	files   Files
	first   []byte // the checkpoint of the first round
}

func uuid(n int) string { return fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", n) }

func sample(n int, kind string) *Statement {
	until := day.AddDate(0, 5, 0)
	s := &Statement{
		ID: uuid(n), Version: 1, Kind: kind, Sample: true, ValidFrom: day.AddDate(0, 0, -1), ValidUntil: &until,
		Authentic: []string{"en", "ja"},
		Texts: map[string]Text{
			"en": {Title: "What the cooperation is not", Body: "It brings no forces under common command.", Lines: []TextLine{{"forces", "It places no forces in the region in 2026."}}},
			"ja": {Title: "協力ではないもの", Body: "部隊を配備しない。", Lines: []TextLine{{"forces", "2026年に部隊を配備しない。"}}},
		},
		Lines: []Line{{ID: "forces", Polarity: "does-not-entail", Anchor: "Treaty, Articles 5 and 6", Test: "Published decisions, read each month", Falsifier: "A published order that deploys forces there",
			From: "2026-01-01", Until: "2026-12-31", NextCheck: "2026-06-01", LastChecked: "2026-02-20", LastResult: "none found", Status: "standing"}},
		Signatories: []Signatory{
			{Agency: "Ministry A", Nation: "JP", Domain: "a.example", Key: "a.example/statements", Role: "lead"},
			{Agency: "Ministry B", Nation: "BE", Domain: "b.example", Key: "b.example/statements", Role: "co-signer"},
		},
		Policy:   Policy{Required: []string{"Ministry A"}, K: 2, Of: []string{"JP", "BE"}},
		Evidence: []Evidence{{ID: "e1", Supports: []string{"forces", "body"}, What: "Treaty text", Locator: "https://treaty.example/text", SHA256: strings.Repeat("ab", 32)}},
		Contact:  "Press office", CorrectionsU: "https://a.example/corrections",
	}
	return s
}

func newWorld(t testing.TB) *world {
	w := &world{secrets: map[string]Secret{}}
	for _, k := range [][3]string{
		{"a.example/statements", "statement", "JP"}, {"b.example/statements", "statement", "BE"}, {"c.example/statements", "statement", "AU"},
		{"a.example/log", "log", "JP"}, {"a.example/metadata", "metadata", "JP"},
		{"w1.example/w", "witness", "FR"}, {"w2.example/w", "witness", "NZ"}, {"w3.example/w", "witness", "KR"},
	} {
		s, err := NewSecret(k[0], k[1], k[2])
		if err != nil {
			t.Fatal(err)
		}
		w.secrets[k[0]] = *s
		pub, err := s.Public(day.AddDate(0, -1, 0))
		if err != nil {
			t.Fatal(err)
		}
		w.meta.Keys = append(w.meta.Keys, pub)
	}
	w.meta.CanonicalURL, w.meta.Publisher, w.meta.Contact, w.meta.LogOrigin = "https://a.example/", "Ministry A", "Press office", "a.example/log"
	w.meta.Witnesses = WitnessPolicy{K: 3, Nations: 3}
	w.files = Files{}
	w.publish(t, sample(1, "cooperation-is-not"), sample(2, "rebuttal"), sample(3, "cooperation-is-not"))
	w.first = w.files[checkpointPath]
	records, _, err := Load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	next, err := Next(records, uuid(1), Correction{"2026-03-01", "forces", "old", "new", "clearer"}, func(*Statement) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	gone, err := Next(records, uuid(3), Correction{"2026-03-01", "body", "all", "none", "it was wrong"}, func(s *Statement) error {
		s.Kind, s.ValidUntil = "retraction", nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.publish(t, next, gone)
	return w
}

func (w *world) draft(t testing.TB, s *Statement, keys ...string) Draft {
	b, err := s.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	d := Draft{JSON: b}
	for _, k := range keys {
		s := w.secrets[k]
		if err := d.Sign(&s); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (w *world) round() *Publication {
	p := &Publication{Metadata: w.meta, Now: day, Secrets: slices.Collect(maps.Values(w.secrets)),
		Verifier: Files{"verify/index.html": []byte("<title>Check</title>"), "verify/program.js": []byte("check()")}}
	p.Published, _, _ = Load(w.files)
	return p
}

func (w *world) publish(t testing.TB, list ...*Statement) {
	t.Helper()
	p := w.round()
	for _, s := range list {
		p.Drafts = append(p.Drafts, w.draft(t, s, "a.example/statements", "b.example/statements"))
	}
	files, err := p.Publish()
	if err != nil {
		t.Fatal(err)
	}
	w.files = files
}

// pinned is a policy taken before anything was tampered with.
func (w *world) pinned() *Metadata { m := w.meta; m.Keys = slices.Clone(w.meta.Keys); return &m }

func TestVerifyGood(t *testing.T) {
	w := newWorld(t)
	r := Verify(w.files, VerifyOptions{Now: day.Add(time.Hour), Policy: w.pinned(), Since: w.first})
	if !r.OK() {
		t.Fatalf("%+v", r.Findings)
	}
	var got []string
	for _, s := range r.Statements {
		got = append(got, fmt.Sprintf("%s v%d %s", s.ID[len(s.ID)-1:], s.Version, s.Status))
	}
	if want := []string{"1 v1 superseded", "2 v1 current", "3 v1 retracted", "1 v2 current", "3 v2 retracted"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// tampering is one way to change a good site, and the code that catches it.
type tampering struct {
	name, code string
	do         func(*world, *VerifyOptions)
}

// tamperings are the listed ways.
func tamperings(t *testing.T) (good *world, list []tampering) {
	good = newWorld(t)
	other := newWorld(t) // other keys, same words
	dir := func(n, v int) string { return fmt.Sprintf("s/%s/%d/", strings.TrimPrefix(uuid(n), "urn:uuid:"), v) }
	sub := func(name, from, to string) func(*world, *VerifyOptions) {
		return func(w *world, _ *VerifyOptions) {
			b := bytes.Replace(w.files[name], []byte(from), []byte(to), 1)
			if bytes.Equal(b, w.files[name]) {
				panic("nothing to change in " + name)
			}
			w.files[name] = b
		}
	}
	drop := func(name string) func(*world, *VerifyOptions) {
		return func(w *world, _ *VerifyOptions) { delete(w.files, name) }
	}
	key := func(w *world, name string) *Key {
		for i := range w.meta.Keys {
			if w.meta.Keys[i].Name == name {
				return &w.meta.Keys[i]
			}
		}
		return nil
	}
	past := day.Add(-time.Hour)
	return good, []tampering{
		{"word of a page", FileChanged, sub(dir(1, 2)+"en.html", "no forces", "some forces")},
		{"word of a page in Japanese", FileChanged, sub(dir(1, 2)+"ja.html", "部隊を配備しない", "部隊を配備する")},
		{"script added to a page", FileChanged, sub(dir(1, 2)+"en.html", "</main>", "<script>1</script></main>")},
		{"sample mark taken off", FileChanged, sub(dir(1, 2)+"en.html", "Sample", "")},
		{"page removed", FileMissing, drop(dir(2, 1) + "ja.html")},
		{"retracted page restored", FileChanged, sub(dir(3, 1)+"en.html", `class="old"`, "")},
		{"style hides text", FileChanged, sub("style.css", "color:#111", "color:#fff")},
		{"file added", FileChanged, func(w *world, _ *VerifyOptions) { w.files["extra.html"] = []byte("x") }},
		{"index", FileChanged, sub("index.html", "What the", "that the")},
		{"JSON feed title", FileChanged, sub("feed.json", "What the", "that the")},
		{"JSON feed item removed", FileMissing, drop("feed.json")},
		{"Atom feed hash", FileChanged, sub("feed.atom", "sha256 ", "sha256 0")},
		{"ClaimReview", FileChanged, sub(dir(2, 1)+"claimreview.json", "What", "that")},
		{"record text", DigestMismatch, sub(dir(1, 1)+"statement.json", "no forces", "few forces")},
		{"record respaced", Malformed, sub(dir(1, 1)+"statement.json", `{"authentic"`, `{ "authentic"`)},
		{"record with a name twice", Malformed, sub(dir(1, 1)+"statement.json", `"contact"`, `"contact":"x","contact"`)},
		{"record with a direction character", Malformed, sub(dir(1, 1)+"statement.json", "no forces", "no \u202eforces")},
		{"validity extended", DigestMismatch, sub(dir(2, 1)+"statement.json", "2026-08-01", "2026-08-02")},
		{"record removed", FileMissing, drop(dir(3, 1) + "statement.json")},
		{"note copy", FileChanged, sub(dir(1, 1)+"statement.note", "cooperation-is-not", "cooperation-is")},
		{"note in the log", LogRewritten, func(w *world, _ *VerifyOptions) {
			n := "tile/entries/000.p/5"
			b := bytes.Clone(w.files[n])
			b[len(b)-5] ^= 1
			w.files[n] = b
		}},
		{"log entry cut off", LogRewritten, func(w *world, _ *VerifyOptions) {
			n := "tile/entries/000.p/5"
			w.files[n] = w.files[n][:len(w.files[n])-200]
		}},
		{"log tile missing", LogRewritten, drop("tile/entries/000.p/5")},
		{"hash tile", FileChanged, func(w *world, _ *VerifyOptions) {
			b := bytes.Clone(w.files["tile/0/000.p/5"])
			b[3] ^= 1
			w.files["tile/0/000.p/5"] = b
		}},
		{"checkpoint root", BadCheckpoint, func(w *world, _ *VerifyOptions) {
			lines := strings.Split(string(w.files[checkpointPath]), "\n")
			lines[2] = base64.StdEncoding.EncodeToString(make([]byte, 32))
			w.files[checkpointPath] = []byte(strings.Join(lines, "\n"))
		}},
		{"checkpoint rolled back", LogRewritten, func(w *world, _ *VerifyOptions) { w.files[checkpointPath] = w.first }},
		{"earlier tile changed", FileChanged, func(w *world, _ *VerifyOptions) { w.files["tile/0/000.p/3"] = make([]byte, 96) }},
		{"rolled back past what a reader saw", LogRewritten, func(w *world, o *VerifyOptions) {
			o.Since = w.files[checkpointPath]
			w.files = Files{}
			w.publish(t, sample(1, "cooperation-is-not"))
		}},
		{"witness cosignatures taken off", QuorumNotMet, func(w *world, _ *VerifyOptions) {
			w.files[checkpointPath] = cutLines(w.files[checkpointPath], "— w3.")
		}},
		{"half of a hybrid signature taken off", BadCheckpoint, func(w *world, _ *VerifyOptions) {
			b := w.files[checkpointPath]
			i := bytes.Index(b, []byte("— a.example/log"))
			j := i + bytes.IndexByte(b[i:], '\n') + 1
			w.files[checkpointPath] = slices.Concat(b[:i], b[j:])
		}},
		{"log signed by another key", BadCheckpoint, func(w *world, _ *VerifyOptions) { w.files[checkpointPath] = other.files[checkpointPath] }},
		{"metadata contact", BadMetadata, sub(metadataPath, "Press office", "Other desk")},
		{"metadata with a key swapped", BadMetadata, func(w *world, _ *VerifyOptions) {
			w.files[metadataPath] = other.files[metadataPath]
			w.files[metadataPath+".note"] = other.files[metadataPath+".note"]
		}},
		{"metadata signature removed", BadMetadata, drop(metadataPath + ".note")},
		{"metadata stale", StaleMetadata, func(_ *world, o *VerifyOptions) { o.Now = day.AddDate(0, 2, 0) }},
		{"the whole site by an impostor", BadMetadata, func(w *world, _ *VerifyOptions) { w.files = other.files }},
		{"co-signer's key compromised before", KeyNotValid, func(w *world, o *VerifyOptions) {
			key(w, "b.example/statements").Compromised = &past
			o.Policy = w.pinned()
		}},
		{"co-signer's key retired before", KeyNotValid, func(w *world, o *VerifyOptions) {
			key(w, "b.example/statements").RetiredAt = &past
			o.Policy = w.pinned()
		}},
		{"co-signer's key not yet in use", KeyNotValid, func(w *world, o *VerifyOptions) {
			key(w, "b.example/statements").ValidFrom = day.AddDate(0, 0, 3)
			o.Policy = w.pinned()
		}},
		{"signer unknown to the reader", NotMet, func(w *world, o *VerifyOptions) {
			m := w.pinned()
			m.Keys = slices.DeleteFunc(m.Keys, func(k Key) bool { return k.Name == "b.example/statements" })
			o.Policy = m
		}},
		{"one second too old", Expired, func(w *world, o *VerifyOptions) {
			w.meta.Keys = slices.Clone(w.meta.Keys)
			o.Now = day.AddDate(0, 5, 0).Add(time.Second)
		}},
		{"clock not set", TimeUnknown, func(_ *world, o *VerifyOptions) { o.Now = time.Unix(0, 0) }},
		{"program of the checking page", FileChanged, sub("verify/program.js", "check", "trust")},
		{"checking page removed", FileMissing, drop("verify/index.html")},
		{"script added beside the checking page", FileChanged, func(w *world, _ *VerifyOptions) { w.files["verify/more.js"] = []byte("1") }},
		{"clock behind the witnesses", TimeUnknown, func(_ *world, o *VerifyOptions) { o.Now = day.AddDate(0, 0, -3) }},
	}
}

// site applies a way to a copy of the good site.
func (c tampering) site(good *world) (Files, VerifyOptions) {
	w := *good
	w.files, w.meta = maps.Clone(good.files), *good.pinned()
	opt := VerifyOptions{Now: day.Add(time.Hour), Policy: good.pinned()}
	c.do(&w, &opt)
	return w.files, opt
}

// TestTampering changes a good site in each listed way; each is caught.
func TestTampering(t *testing.T) {
	good, list := tamperings(t)
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			r := Verify(c.site(good))
			if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == c.code }) {
				t.Errorf("want %s, got %+v", c.code, r.Findings)
			}
		})
	}
}

func cutLines(b []byte, prefix string) []byte {
	var out []string
	for l := range strings.Lines(string(b)) {
		if !strings.HasPrefix(l, prefix) {
			out = append(out, l)
		}
	}
	return []byte(strings.Join(out, ""))
}

// TestEveryByte flips one byte of every file of the site; each is caught.
func TestEveryByte(t *testing.T) {
	w := newWorld(t)
	for name, b := range w.files {
		for _, at := range []int{0, len(b) / 2, len(b) - 1} {
			bad := maps.Clone(w.files)
			bad[name] = bytes.Clone(b)
			bad[name][at] ^= 4
			if Verify(bad, VerifyOptions{Now: day.Add(time.Hour), Policy: w.pinned()}).OK() {
				t.Errorf("%s: a change of byte %d was not seen", name, at)
			}
		}
	}
}

func TestRules(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*Statement)
		want string
	}{
		"kind":               {func(s *Statement) { s.Kind = "fact-check" }, "kind:"},
		"no end":             {func(s *Statement) { s.ValidUntil = nil }, "valid_until: is missing"},
		"too long":           {func(s *Statement) { u := day.AddDate(2, 0, 0); s.ValidUntil = &u }, "within 12 months"},
		"languages differ":   {func(s *Statement) { j := s.Texts["ja"]; j.Lines = nil; s.Texts["ja"] = j }, "every authentic language"},
		"no falsifier":       {func(s *Statement) { s.Lines[0].Falsifier = "" }, "falsifier is missing"},
		"intent":             {func(s *Statement) { s.Lines[0].Falsifier = "Someone intends to deploy" }, "speaks of intent"},
		"never":              {func(s *Statement) { e := s.Texts["en"]; e.Lines[0].Text = "It will never deploy."; s.Texts["en"] = e }, "never or always"},
		"unsourced":          {func(s *Statement) { s.Evidence = nil }, "no evidence supports it"},
		"look-alike name":    {func(s *Statement) { s.Signatories[1].Agency = "Мinistry B" }, "look-alike"},
		"look-alike domain":  {func(s *Statement) { s.Signatories[1].Domain = "b.exаmple" }, "lower-case ASCII"},
		"tracking link":      {func(s *Statement) { s.Evidence[0].Locator += "?utm_source=x" }, "hidden parameter utm_source"},
		"inside link":        {func(s *Statement) { s.Evidence[0].Locator = "https://10.0.0.4/x" }, "not reachable by the public"},
		"internal id":        {func(s *Statement) { s.Narratives = []string{"report--01234567-89ab-4def-8123-0123456789ab"} }, "internal identifier"},
		"marking":            {func(s *Statement) { s.Contact = "NATO RESTRICTED desk" }, "handling marking"},
		"withheld with hash": {func(s *Statement) { s.Evidence[0].Withheld = "source protection" }, "is withheld and yet"},
		"two leads":          {func(s *Statement) { s.Signatories[1].Role = "lead" }, "exactly one is lead"},
		"threshold":          {func(s *Statement) { s.Policy.K = 3 }, "k is 3 of 2"},
		"supersedes":         {func(s *Statement) { s.Version = 2 }, "supersedes"},
		"invisible":          {func(s *Statement) { s.Contact = "Press\u200b office" }, "U+200B"},
		"not NFC":            {func(s *Statement) { s.Contact = "Pre\u0301s" }, "NFC"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sample(1, "cooperation-is-not")
			c.do(s)
			b, err := s.Canonical()
			if err != nil {
				t.Fatal(err)
			}
			if _, err = Parse(b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestPublishRefuses keeps back what is not fully signed or does not follow.
func TestPublishRefuses(t *testing.T) {
	w := newWorld(t)
	again := sample(1, "cooperation-is-not")
	for name, d := range map[string]Draft{
		"nobody":     w.draft(t, sample(7, "rebuttal")),
		"one nation": w.draft(t, sample(7, "rebuttal"), "a.example/statements"),
		"no lead":    w.draft(t, sample(7, "rebuttal"), "b.example/statements"),
		"again":      w.draft(t, again, "a.example/statements", "b.example/statements"),
	} {
		p := w.round()
		p.Drafts = []Draft{d}
		if _, err := p.Publish(); err == nil {
			t.Errorf("%s: was published", name)
		}
	}
	stranger := w.secrets["c.example/statements"]
	d := w.draft(t, sample(7, "rebuttal"))
	if err := d.Sign(&stranger); err == nil {
		t.Error("a key that is no signatory signed")
	}
}

func FuzzParse(f *testing.F) {
	b, _ := sample(1, "cooperation-is-not").Canonical()
	f.Add(b)
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			return
		}
		if c, err := s.Canonical(); err != nil || !bytes.Equal(b, c) {
			t.Fatal("accepted bytes that are not canonical")
		}
	})
}
