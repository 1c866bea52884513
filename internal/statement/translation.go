package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// States of a translation.
const (
	MachineTranslation  = "machine"  // by a program, read by nobody: labelled so at the top, never signed
	ReviewedTranslation = "reviewed" // by or checked by a person, signed by a signatory
	OfficialTranslation = "official" // the signatory's own text, signed
)

// A Translation is a text in a language that is not authentic. It is bound to
// the exact bytes of one version by their digest and never touches them: a new
// version leaves it behind, and it is then shown only with the old one.
type Translation struct {
	Statement  string `json:"statement"` // digest of the version
	Lang       string `json:"lang"`      // BCP 47
	Status     string `json:"status"`
	Translator string `json:"translator_role"` // an office or "program", not a person
	Text       Text   `json:"text"`
}

// TranslationRef is how the signed metadata name a translation: nothing that
// is not named there belongs to the site.
type TranslationRef struct {
	Statement string `json:"statement"`
	Lang      string `json:"lang"`
	SHA256    string `json:"sha256"` // of the translation's bytes
}

// Translated is a translation with its signatures; Note is empty for a machine
// translation.
type Translated struct {
	JSON, Note []byte
	t          *Translation
}

// ParseTranslation reads a translation as a person wrote it or as it is
// published, with the rules of every public text.
func ParseTranslation(b []byte) (*Translation, error) {
	if len(b) > maxStatement {
		return nil, fmt.Errorf("parse a translation: %d bytes, more than %d", len(b), maxStatement)
	}
	var t Translation
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return nil, fmt.Errorf("parse a translation: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse a translation: bytes follow the record")
	}
	c, err := canonical(&t)
	if err != nil {
		return nil, err
	}
	for _, text := range [][]byte{b, c} {
		if err := plainText(string(text)); err != nil {
			return nil, fmt.Errorf("parse a translation: %w", err)
		}
	}
	switch {
	case !hashForm.MatchString(t.Statement):
		return nil, errors.New("parse a translation: statement is the digest of the version, 64 lower-case hex digits")
	case !langForm.MatchString(t.Lang):
		return nil, fmt.Errorf("parse a translation: lang %q is no BCP 47 tag", t.Lang)
	case !slices.Contains([]string{MachineTranslation, ReviewedTranslation, OfficialTranslation}, t.Status):
		return nil, fmt.Errorf("parse a translation: status %q is not machine, reviewed or official", t.Status)
	case strings.TrimSpace(t.Translator) == "" || strings.TrimSpace(t.Text.Title) == "" || strings.TrimSpace(t.Text.Body) == "":
		return nil, errors.New("parse a translation: translator_role, title and body are needed")
	}
	if err := nothingHidden(c); err != nil {
		return nil, fmt.Errorf("parse a translation: %w", err)
	}
	return &t, nil
}

// NewTranslated gives the canonical bytes of a translation, unsigned.
func NewTranslated(t *Translation) (Translated, error) {
	b, err := canonical(t)
	if err != nil {
		return Translated{}, err
	}
	_, err = ParseTranslation(b)
	return Translated{JSON: b, t: t}, err
}

// NoteText is what signs a translation.
func (t *Translation) NoteText() (string, error) {
	b, err := canonical(t)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return fmt.Sprintf("causeway.translation/v1\n%s\n%s\n%s\n%s\n", t.Statement, t.Lang, t.Status, base64.StdEncoding.EncodeToString(sum[:])), nil
}

// Sign adds a signatory's two signatures.
func (x *Translated) Sign(k *Secret) error {
	t, err := ParseTranslation(x.JSON)
	if err != nil {
		return err
	}
	if t.Status == MachineTranslation {
		return errors.New("sign: a machine translation is never signed; have it reviewed first")
	}
	if k.Purpose != "statement" {
		return fmt.Errorf("sign: key %s is for %s, not for statements", k.Name, k.Purpose)
	}
	text, err := t.NoteText()
	if err != nil {
		return err
	}
	if len(x.Note) == 0 {
		x.Note = []byte(text + "\n")
	}
	if strings.Contains(string(x.Note), "— "+k.Name+" ") {
		return fmt.Errorf("sign: key %s has signed already", k.Name)
	}
	sig, err := k.Sign(text)
	x.Note = append(x.Note, sig...)
	return err
}

// bind finds the version a translation belongs to and checks that it says the
// same lines.
func (t *Translation) bind(records []Record, at index) (int, error) {
	if i, ok := at[t.Statement]; ok {
		s := records[i].s
		var want, got []string
		for _, l := range s.Lines {
			want = append(want, l.ID)
		}
		for _, l := range t.Text.Lines {
			got = append(got, l.ID)
		}
		switch {
		case slices.Contains(s.Authentic, t.Lang):
			return 0, fmt.Errorf("%s is an authentic language of %s: correct the statement instead", t.Lang, s.ID)
		case !slices.Equal(want, got):
			return 0, fmt.Errorf("the line ids are %v, the statement's are %v", got, want)
		case s.Kind == "rebuttal" && t.Status == MachineTranslation:
			return 0, errors.New("a rebuttal is not offered in machine translation: have it reviewed first")
		case s.Kind == "retraction":
			return 0, errors.New("the version is a retraction; its authentic texts are enough")
		}
		return i, nil
	}
	return 0, errors.New("it is bound to no version of this log: the digest names other bytes")
}

// signed checks the note of a translation against the signatories of its
// version.
func (x *Translated) signed(s *Statement, keys []Key) error {
	if x.t.Status == MachineTranslation {
		if len(x.Note) > 0 {
			return errors.New("a machine translation is never signed")
		}
		return nil
	}
	if len(x.Note) == 0 {
		return fmt.Errorf("nobody has signed it: a %s translation is signed by a signatory", x.t.Status)
	}
	text, err := x.t.NoteText()
	if err != nil {
		return err
	}
	got, by, err := openNote(x.Note, keys, "statement")
	if err != nil {
		return err
	}
	if got != text {
		return errors.New("the signed note is about other words")
	}
	for _, b := range by {
		for _, g := range s.Signatories {
			if g.Key == b.Key.Name && b.Key.Compromised == nil {
				return nil
			}
		}
	}
	return errors.New("no signatory of the statement has signed it")
}

func (x *Translated) path(s *Statement) string { return s.dir() + "tr-" + x.t.Lang }

// LoadTranslations reads the translations a site's metadata name.
func LoadTranslations(src Source, records []Record, m *Metadata) ([]Translated, error) {
	if m == nil {
		return nil, nil
	}
	var out []Translated
	at := indexOf(records)
	for _, ref := range m.Translations {
		x, _, err := readTranslation(src, ref, records, at)
		if err != nil {
			return nil, fmt.Errorf("load the translation into %s: %w", ref.Lang, err)
		}
		out = append(out, x)
	}
	return out, nil
}

// readTranslation reads one, and says under which code it fails.
func readTranslation(src Source, ref TranslationRef, records []Record, at index) (x Translated, code string, err error) {
	i, err := (&Translation{Statement: ref.Statement, Lang: ref.Lang, Status: ReviewedTranslation}).place(at)
	if err != nil {
		return x, Malformed, err
	}
	name := records[i].s.dir() + "tr-" + ref.Lang
	if x.JSON, err = src.Read(name + ".json"); err != nil {
		return x, FileMissing, err
	}
	if Digest(x.JSON) != ref.SHA256 {
		return x, DigestMismatch, errors.New("the signed metadata name other words")
	}
	if x.t, err = ParseTranslation(x.JSON); err != nil {
		return x, Malformed, err
	}
	if x.t.Statement != ref.Statement || x.t.Lang != ref.Lang {
		return x, DigestMismatch, errors.New("it is bound to another version or language than the metadata say")
	}
	if _, err = x.t.bind(records, at); err != nil {
		return x, Malformed, err
	}
	if x.t.Status != MachineTranslation {
		if x.Note, err = src.Read(name + ".note"); err != nil {
			return x, FileMissing, err
		}
	}
	return x, "", nil
}

// place finds the version without looking at the text.
func (t *Translation) place(at index) (int, error) {
	i, ok := at[t.Statement]
	if !ok || !langForm.MatchString(t.Lang) {
		return 0, errors.New("it is bound to no version of this log")
	}
	return i, nil
}

// index finds versions by their digest.
type index map[string]int

func indexOf(records []Record) index {
	at := make(index, len(records))
	for i, r := range records {
		at[Digest(r.JSON)] = i
	}
	return at
}

// join puts new translations among the published ones and lists them for the
// metadata. A new one must be bound to the newest version: a text that
// translates superseded words is not published as current.
func join(old, drafted []Translated, records []Record, latest map[string]int, keys []Key) ([]Translated, []TranslationRef, error) {
	type key struct{ statement, lang string }
	out, have := slices.Clone(old), map[key]int{}
	for i, x := range out {
		have[key{x.t.Statement, x.t.Lang}] = i
	}
	at := indexOf(records)
	for _, x := range drafted {
		var err error
		if x.t, err = ParseTranslation(x.JSON); err != nil {
			return nil, nil, err
		}
		i, err := x.t.bind(records, at)
		if err == nil && latest[records[i].s.ID] != i {
			err = fmt.Errorf("it is bound to version %d, the newest is %d: translate the newest", records[i].s.Version, records[latest[records[i].s.ID]].s.Version)
		}
		if err == nil {
			err = x.signed(records[i].s, keys)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("publish the translation into %s: %w", x.t.Lang, err)
		}
		if i, ok := have[key{x.t.Statement, x.t.Lang}]; ok {
			out[i] = x
			continue
		}
		have[key{x.t.Statement, x.t.Lang}] = len(out)
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b Translated) int {
		if c := strings.Compare(a.t.Statement, b.t.Statement); c != 0 {
			return c
		}
		return strings.Compare(a.t.Lang, b.t.Lang)
	})
	var refs []TranslationRef
	for _, x := range out {
		refs = append(refs, TranslationRef{x.t.Statement, x.t.Lang, Digest(x.JSON)})
	}
	return out, refs, nil
}

// statusLabel says in the page's own language what kind of translation it is,
// and falls back to English.
func statusLabel(lang, status string) string {
	base, _, _ := strings.Cut(lang, "-")
	machine := map[string]string{
		"id": "Terjemahan mesin, tidak ditandatangani.", "ms": "Terjemahan mesin, tidak ditandatangani.", "vi": "Bản dịch máy, không có chữ ký.",
		"th": "คำแปลโดยเครื่อง ไม่มีการลงนาม", "fil": "Salin ng makina, walang lagda.", "km": "ការបកប្រែដោយម៉ាស៊ីន គ្មានហត្ថលេខា", "lo": "ແປໂດຍເຄື່ອງ ບໍ່ມີລາຍເຊັນ",
		"my": "စက်ဖြင့် ဘာသာပြန်ထားသည်၊ လက်မှတ်မပါ။", "ja": "機械翻訳です。署名されていません。",
	}
	switch status {
	case MachineTranslation:
		if text, ok := machine[base]; ok {
			return text
		}
		return "Machine translation, not signed."
	case OfficialTranslation:
		return "Official translation."
	}
	return "Reviewed translation."
}
