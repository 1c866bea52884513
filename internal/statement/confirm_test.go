package statement

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestConfirmations: a co-signature counts as confirmed only where the
// co-signer's own domain lists the digest, under its own signature.
func TestConfirmations(t *testing.T) {
	w := newWorld(t)
	meta, err := NewSecret("b.example/metadata", "metadata", "BE")
	if err != nil {
		t.Fatal(err)
	}
	pub, err := meta.Public(day.AddDate(0, -1, 0))
	if err != nil {
		t.Fatal(err)
	}
	records, _, err := Load(w.files)
	if err != nil {
		t.Fatal(err)
	}
	// B's own site holds no statement, only what it confirms.
	site := func(confirms ...string) Files {
		m := Metadata{CanonicalURL: "https://b.example/", Publisher: "Ministry B", Contact: "Press office", Keys: []Key{pub}, LogOrigin: "b.example/log", Confirms: confirms,
			Version: "1", LastUpdated: day, NextUpdate: day.AddDate(0, 1, 0)}
		raw, err := canonical(&m)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := meta.Sign(metadataNote(raw))
		if err != nil {
			t.Fatal(err)
		}
		return Files{metadataPath: raw, metadataPath + ".note": []byte(metadataNote(raw) + "\n" + sig)}
	}
	pinned := w.pinned()
	pinned.Keys = append(pinned.Keys, pub)
	good := site(Digest(records[1].JSON))
	forged := Files{metadataPath: bytes.Replace(good[metadataPath], []byte(Digest(records[1].JSON)), []byte(Digest(records[0].JSON)), 1), metadataPath + ".note": good[metadataPath+".note"]}
	for _, c := range []struct {
		name   string
		others map[string]Source
		want   [2]string // states of B on the first two entries
		why    string
	}{
		{"not asked", nil, [2]string{NotAsked, NotAsked}, "was not given"},
		{"one of two", map[string]Source{"b.example": good}, [2]string{Unconfirmed, Confirmed}, ""},
		{"nothing", map[string]Source{"b.example": site()}, [2]string{Unconfirmed, Unconfirmed}, ""},
		{"forged list", map[string]Source{"b.example": forged}, [2]string{NotAsked, NotAsked}, "no metadata key"},
		{"another's site", map[string]Source{"b.example": w.files}, [2]string{NotAsked, NotAsked}, "says that it is https://a.example/"},
		{"no site", map[string]Source{"b.example": Files{}}, [2]string{NotAsked, NotAsked}, "read the site of b.example"},
	} {
		for _, policy := range []*Metadata{pinned, w.pinned()} { // with B's key pinned, and without
			r := Verify(w.files, VerifyOptions{Now: day.Add(time.Hour), Policy: policy, Others: c.others})
			if !r.OK() {
				t.Fatalf("%s: %+v", c.name, r.Findings)
			}
			for i, want := range c.want {
				cs := r.Statements[i].Confirmations
				if len(cs) != 2 || cs[0].State != OwnSite || cs[1].State != want || !strings.Contains(cs[1].Why, c.why) {
					t.Errorf("%s, entry %d: %+v; want %s", c.name, i, cs, want)
				}
			}
		}
	}
}

func TestFolderConfirms(t *testing.T) {
	f := Folder(t.TempDir())
	d := strings.Repeat("ab", 32)
	for range 2 {
		if err := f.Confirm(d); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := f.confirms(); err != nil || len(got) != 1 || got[0] != d {
		t.Errorf("confirms %v, %v", got, err)
	}
	if err := f.Confirm("abc"); err == nil {
		t.Error("a short digest was taken")
	}
}
