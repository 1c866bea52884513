package statement

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// What the words leave out has no match: form.find gives what its regular
// expression alone gives.
func TestFormsSearchAll(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"TLP", "tlp", " :", ":", "NATO ", "COSMIC ", "EU ", "RESTRICTED", "conFIDential", "\u017fecret", "SECRET", "TOP SECRET", "//", "NOFORN",
		"nofo\u0052n", "REL TO", "REL", "EASABLE", " TO", "relea\u017fable to", "ORCON", "特定秘密", "極秘", "【秘】", "incident--", "0a1b2c3d-", "9f00-", "-", "data:", "image/png", ";", ",",
		"![", "a](", "<img", "<\u017fvg", "<object", "\u212a", " ", "a", "é"})
	differs := func(b []byte) string {
		for _, f := range []form{internalID, markingForm, embedded} {
			if got, want := f.find(b, bytes.ToLower(b)), f.re.Find(b); !bytes.Equal(got, want) {
				return fmt.Sprintf("%q: found %q, the expression %q", b, got, want)
			}
		}
		return ""
	}
	for _, s := range []string{"tlp :", "eu \u017fecret", "RE\u017fTRICTED//", "relea\u017fable to", "Rel To", "NoForn", "Orcon", "特定秘密", "極秘", "【秘】", "a--01234567-89ab-", "DATA:a/b,", "![](", "<\u017fvg>"} {
		if markingForm.re.FindString(s)+internalID.re.FindString(s)+embedded.re.FindString(s) == "" {
			t.Fatalf("%q matches nothing and shows nothing", s)
		}
		if why := differs([]byte(s)); why != "" {
			t.Fatal(why)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		var b []byte
		for _, p := range rapid.SliceOfN(pieces, 0, 6).Draw(r, "pieces") {
			b = append(b, p...)
		}
		if why := differs(b); why != "" {
			r.Fatal(why)
		}
	})
}
