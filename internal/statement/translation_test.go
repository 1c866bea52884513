package statement

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// translated makes a translation of the newest version of a statement.
func (w *world) translated(t testing.TB, n int, lang, status string, signers ...string) Translated {
	t.Helper()
	records, _, err := Load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	digest := ""
	for _, r := range records {
		if r.s.ID == uuid(n) {
			digest = Digest(r.JSON)
		}
	}
	x, err := NewTranslated(&Translation{Statement: digest, Lang: lang, Status: status, Translator: "language office",
		Text: Text{Title: "Apa yang bukan kerja sama ini", Body: "Tidak ada pasukan.", Lines: []TextLine{{"forces", "Tidak menempatkan pasukan pada 2026."}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range signers {
		s := w.secrets[k]
		if err := x.Sign(&s); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func (w *world) translate(t testing.TB, list ...Translated) error {
	t.Helper()
	p := w.round()
	var err error
	var m *Metadata
	p.Published, m, err = Load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	if p.Translations, err = LoadTranslations(w.files, p.Published, m); err != nil {
		t.Fatal(err)
	}
	p.Translate = list
	files, err := p.Publish()
	if err == nil {
		w.files = files
	}
	return err
}

// TestTranslations: a late translation touches no signed byte, is verified, is
// named for what it is, stays with its version, and is caught when tampered
// with.
func TestTranslations(t *testing.T) {
	w := newWorld(t)
	before := maps.Clone(w.files)
	if err := w.translate(t, w.translated(t, 1, "id", ReviewedTranslation, "a.example/statements"), w.translated(t, 1, "th", MachineTranslation)); err != nil {
		t.Fatal(err)
	}
	ok := VerifyOptions{Now: day.Add(time.Hour), Policy: w.pinned()}
	if r := Verify(w.files, ok); !r.OK() {
		t.Fatalf("%+v", r.Findings)
	}
	dir := "s/" + strings.TrimPrefix(uuid(1), "urn:uuid:") + "/2/"
	if !bytes.Equal(before[dir+"statement.json"], w.files[dir+"statement.json"]) || !bytes.Equal(before[dir+"statement.note"], w.files[dir+"statement.note"]) {
		t.Error("a translation touched signed bytes")
	}
	for name, want := range map[string]string{"id.html": "Reviewed translation.", "th.html": "คำแปลโดยเครื่อง", "en.html": `hreflang="id"`} {
		if !strings.Contains(string(w.files[dir+name]), want) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
	for name, c := range map[string]struct {
		code string
		do   func(Files)
	}{
		"word of a translation": {DigestMismatch, func(f Files) {
			f[dir+"tr-id.json"] = bytes.Replace(f[dir+"tr-id.json"], []byte("Tidak"), []byte("Semua"), 1)
		}},
		"word of its page":         {FileChanged, func(f Files) { f[dir+"id.html"] = bytes.Replace(f[dir+"id.html"], []byte("Tidak"), []byte("Semua"), 1) }},
		"its signature removed":    {FileMissing, func(f Files) { delete(f, dir+"tr-id.note") }},
		"its signature of another": {BadSignature, func(f Files) { f[dir+"tr-id.note"] = f[dir+"statement.note"] }},
		"a translation removed":    {FileMissing, func(f Files) { delete(f, dir+"tr-th.json") }},
		"a translation put in":     {FileChanged, func(f Files) { f[dir+"tr-vi.json"] = f[dir+"tr-id.json"] }},
		"machine label taken off": {FileChanged, func(f Files) {
			f[dir+"th.html"] = bytes.Replace(f[dir+"th.html"], []byte("คำแปลโดยเครื่อง"), nil, 1)
		}},
		"taken out of the metadata": {BadMetadata, func(f Files) {
			f[metadataPath] = bytes.Replace(f[metadataPath], []byte(`"lang":"th"`), []byte(`"lang":"ti"`), 1)
		}},
		"all as before the metadata": {FileChanged, func(f Files) {
			maps.Copy(f, Files{metadataPath: before[metadataPath], metadataPath + ".note": before[metadataPath+".note"]})
		}},
	} {
		bad := maps.Clone(w.files)
		c.do(bad)
		r := Verify(bad, ok)
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == c.code }) {
			t.Errorf("%s: want %s, got %+v", name, c.code, r.Findings)
		}
	}
	stale := w.translated(t, 1, "vi", ReviewedTranslation, "a.example/statements")
	records, _, err := Load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	next, err := Next(records, uuid(1), Correction{"2026-03-01", "forces", "new", "newer", "clearer"}, func(*Statement) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	p := w.round()
	var m *Metadata
	if p.Published, m, err = Load(w.files); err != nil {
		t.Fatal(err)
	}
	if p.Translations, err = LoadTranslations(w.files, p.Published, m); err != nil {
		t.Fatal(err)
	}
	p.Drafts = []Draft{w.draft(t, next, "a.example/statements", "b.example/statements")}
	if w.files, err = p.Publish(); err != nil {
		t.Fatal(err)
	}
	if _, there := w.files[strings.Replace(dir, "/2/", "/3/", 1)+"id.html"]; there {
		t.Error("a translation of version 2 is shown with version 3")
	}
	if r := Verify(w.files, ok); !r.OK() || !strings.Contains(string(w.files[dir+"id.html"]), `class="old"`) {
		t.Errorf("after a new version: %+v", r.Findings)
	}
	if err := w.translate(t, stale); err == nil || !strings.Contains(err.Error(), "bound to version 2, the newest is 3") {
		t.Errorf("a translation of an older version: %v", err)
	}
}

func TestTranslationsRefused(t *testing.T) {
	w := newWorld(t)
	good := w.translated(t, 1, "id", ReviewedTranslation)
	for name, c := range map[string]struct {
		x    Translated
		want string
	}{
		"nobody":          {good, "nobody has signed it"},
		"no signatory":    {w.translated(t, 1, "id", ReviewedTranslation, "c.example/statements"), "no signatory of the statement has signed"},
		"authentic":       {w.translated(t, 1, "ja", OfficialTranslation, "a.example/statements"), "is an authentic language"},
		"rebuttal":        {w.translated(t, 2, "id", MachineTranslation), "not offered in machine translation"},
		"other statement": {Translated{JSON: bytes.Replace(good.JSON, []byte(good.t.Statement), []byte(strings.Repeat("0", 64)), 1)}, "bound to no version"},
		"other lines":     {Translated{JSON: bytes.Replace(good.JSON, []byte(`"forces"`), []byte(`"bases"`), 1)}, "the line ids are"},
	} {
		if err := w.translate(t, c.x); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	s := w.secrets["a.example/statements"]
	machine := w.translated(t, 1, "id", MachineTranslation)
	if err := machine.Sign(&s); err == nil {
		t.Error("a machine translation was signed")
	}
	for _, bad := range []string{`{"lang":"id"}`, `{"statement":"x"}`, string(good.JSON) + "{}", strings.Replace(string(good.JSON), `"id"`, `"Bahasa"`, 1),
		strings.Replace(string(good.JSON), "Tidak", "NATO SECRET Tidak", 1), strings.Replace(string(good.JSON), "Tidak", "\u202eTidak", 1)} {
		if _, err := ParseTranslation([]byte(bad)); err == nil {
			t.Errorf("%.80s was taken", bad)
		}
	}
}
