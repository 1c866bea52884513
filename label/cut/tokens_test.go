package cut

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causeway/stix"
)

func TestNames(t *testing.T) {
	for s, want := range map[string][]string{
		"":                                  nil,
		"The group moved.":                  nil,
		"The group of Crimson Heron moved.": {"Crimson Heron"},
		"Crimson Heron moved.":              {"Crimson Heron"},
		"Crimson moved.":                    nil, // one capitalised word begins a sentence
		"It is Crimson.":                    {"Crimson"},
		"It ended. Ports closed.":           nil,
		"It ended! Ports closed.":           nil,
		"Why? Ports closed.":                nil,
		"Seen: Ports closed.":               nil,
		"from Omsk, Tomsk and Perm":         {"Omsk", "Tomsk", "Perm"},
		"from Omsk; Tomsk":                  {"Omsk", "Tomsk"},
		"from Omsk. Tomsk fell":             {"Omsk"},
		"the (Crimson Heron) said":          {"Crimson Heron"},
		"unit 71 of Heron7 and X - Y":       {"Heron7", "X", "Y"},
		"情報源は常盤橋のスズキです":                     {"情報源", "常盤橋", "スズキ"},
		"サーバーと人":                            {"サーバー"},
		"漢字カタカナ":                            {"漢字", "カタカナ"},
	} {
		if diff := cmp.Diff(want, names(s)); diff != "" {
			t.Errorf("%q: %s", s, diff)
		}
	}
}

func TestTextTokens(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"name", "", nil},
		{"name", "Crimson", []string{"Crimson"}},
		{"name", "198.51.100.3", []string{"198.51.100.3"}},
		{"first_seen", "2026-01-01T00:00:00Z", nil},
		{"x", "identity--22222222-2222-4222-8222-222222222222", nil},
		{"pattern", "[ipv4-addr:value = '198.51.100.3' OR file:name = 'a\\'b']", []string{"[ipv4-addr:value = '198.51.100.3' OR file:name = 'a\\'b']", "198.51.100.3", "a\\'b"}},
		{"description", "Seen at 198.51.100.3, and from a@b.example.", []string{"Seen at 198.51.100.3, and from a@b.example.", "198.51.100.3", "a@b.example"}},
		{"description", "unit 71044 moved", []string{"unit 71044 moved", "71044"}},
		{"description", "one.two.three.four.five.six.seven.eight", []string{"one.two.three.four.five.six.seven.eight"}},
		{"description", "a-b-c-d-e-f-9999-g", []string{"a-b-c-d-e-f-9999-g"}},
		{"description", "a,b,c,d,e,f,9999,g", []string{"a,b,c,d,e,f,9999,g", "9999"}},
		{"description", " ... ", []string{" ... "}},
	} {
		if diff := cmp.Diff(c.want, textTokens(c.name, c.text)); diff != "" {
			t.Errorf("%s %q: %s", c.name, c.text, diff)
		}
	}
}

func TestTokensIn(t *testing.T) {
	o, err := stix.ParseObject([]byte(`{"type":"x-thing","id":"x-thing--1","name":"Alpha","number":71044,"small":710,"nested":{"list":["Beta",{"deep":"Gamma"}],"labels":["Delta"]},
		"sectors":["energy"],"x_refs":["Epsilon"],"x_ref":"Zeta","y_types":["Eta"],"ok":true}`))
	if err != nil {
		t.Fatal(err)
	}
	got := tokensOf(o)
	slices.Sort(got)
	if diff := cmp.Diff([]string{"71044", "Alpha", "Beta", "Gamma"}, got); diff != "" {
		t.Error(diff)
	}
	if got := tokensIn("nested.list[0]", "Beta"); len(got) != 1 {
		t.Error(got)
	}
	if got := tokensIn("labels[0]", "Delta"); got != nil {
		t.Error(got)
	}
}

func TestRewordedTokens(t *testing.T) {
	for _, c := range []struct {
		old, new any
		want     []string
	}{
		{json.Number("71044"), json.Number("70000"), nil},
		{"Run by Crimson Heron at 198.51.100.3", "Run by a group", []string{"198.51.100.3", "Crimson Heron"}},
		{"Run by Crimson Heron at 198.51.100.3", "Crimson Heron did it", []string{"198.51.100.3"}},
		{"Run by Crimson Heron at 198.51.100.3", "Run by CRIMSON-HERON", []string{"198.51.100.3"}},
		{"It is run by Crimson Heron against the ports of two countries", "It is run by a group against the ports of two countries", []string{"Crimson Heron"}},
		{"Crimson", "Red", []string{"Crimson"}},
	} {
		got := rewordedTokens("description", c.old, c.new)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v: %s", c.old, diff)
		}
	}
}

func TestFold(t *testing.T) {
	for s, want := range map[string]string{
		"ＡＢＣ": "abc", "É": "e", "a\u200bb": "ab", "a\nb": "a\nb", "a\x07b": "ab", "hxxp://x[.]y": "http://x.y", "a(at)b": "a@b", "が": "が", "Сrim": "crim", "ｶﾞ": "ガ",
	} {
		if got := fold(s); got != want {
			t.Errorf("%q folds to %q, want %q", s, got, want)
		}
	}
	if got := words(fold("Crimson-Heron 情報 x1")); !slices.Equal(got, []string{"crimson", "heron", "情", "報", "x1"}) {
		t.Errorf("%q", got)
	}
	if got := squeeze("a-b 1が"); got != "ab1が" {
		t.Errorf("%q", got)
	}
}

// From which length a token is looked for, and how close a near copy is.
func TestNearness(t *testing.T) {
	for _, c := range []struct{ token, text, how string }{
		{"ab", "ab", ""},
		{"abc", "abc", "copy"},
		{"橋", "橋", ""},
		{"盤橋", "常盤橋", "copy"},
		{"inca", "in canada", ""},
		{"inca", "the Inca road", "copy"},
		{"crimson", "cri mson", ""},
		{"crimsonx", "cri msonx", "copy"},
		{"crimsonx", "crimsony", "near copy"},
		{"crimsonx", "crimsyyx", ""},
		{"crimson", "crimsom", ""},
		{"abcdefghijklmnop", "abcdefgxijklmnyp", "near copy"},
		{"abcdefghijklmnop", "abxdefgxijklmnyp", ""},
		{"abcdefghijklmno", "abcdefgxijklmny", ""},
		{"常盤橋情報源東京都", "常盤橋情報源東京府", ""},
		{"one two three four five six seven eight", "he said two three four five six seven today", "passage"},
		{"one two three four five six seven eight", "he said two three four five six today", ""},
		{"one two three four five six seven eight", "one two three", ""},
		{"one two three four five six seven", "one two three four five six seven", "copy"},
		{"昨日の夜に東京の港で会った人は誰か", "夜に東京の港で会った人は誰", "passage"},
		{"昨日の夜に東京の港で会った人は誰か", "東京の港で会った人", ""},
	} {
		m, ok := newMark(c.token)
		how := ""
		if ok {
			how = m.in(newSubject(c.text))
		}
		if how != c.how {
			t.Errorf("%q in %q: %q, want %q", c.token, c.text, how, c.how)
		}
	}
}

func TestPaths(t *testing.T) {
	body := func() map[string]any {
		v, err := decode([]byte(`{"a":"x","l":[{"u":"1"},{"u":"2","n":[5,6]},"s"],"m":{"k":{"j":true}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for path, want := range map[string]string{
		"a":         `{"l":[{"u":"1"},{"n":[5,6],"u":"2"},"s"],"m":{"k":{"j":true}}}`,
		"l[0]":      `{"a":"x","l":[{"n":[5,6],"u":"2"},"s"],"m":{"k":{"j":true}}}`,
		"l[0].u":    `{"a":"x","l":[{"n":[5,6],"u":"2"},"s"],"m":{"k":{"j":true}}}`,
		"l[1].n[1]": `{"a":"x","l":[{"u":"1"},{"n":[5],"u":"2"},"s"],"m":{"k":{"j":true}}}`,
		"m.k.j":     `{"a":"x","l":[{"u":"1"},{"n":[5,6],"u":"2"},"s"]}`,
	} {
		b := body()
		if _, ok := remove(b, path); !ok || text(b) != want {
			t.Errorf("without %s: %s, want %s", path, text(b), want)
		}
	}
	for _, path := range []string{"", "b", "l[3]", "l[-1]", "l[x]", "a.b", "a[0]", "l.u", "m[0]"} {
		b := body()
		if _, ok := remove(b, path); ok || text(b) != text(body()) {
			t.Errorf("%q is there, or something else went", path)
		}
		if set(body(), path, 1) {
			t.Errorf("%q is set", path)
		}
	}
	b := body()
	if !set(b, "l[1].n[0]", "y") || !set(b, "a", "z") || !strings.Contains(text(b), `"n":["y",6]`) || !strings.Contains(text(b), `"a":"z"`) {
		t.Error(text(b))
	}
	if comparePaths("l[10]", "l[9]") <= 0 || comparePaths("a", "b") >= 0 || comparePaths("a[1].b", "a[1].b") != 0 {
		t.Error("paths are not in order")
	}
	single, _ := decode([]byte(`{"l":["x"],"z":1}`))
	if _, ok := remove(single, "l[0]"); !ok || text(single) != `{"z":1}` {
		t.Errorf("an empty list is left: %s", text(single))
	}
}
