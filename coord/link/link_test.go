package link

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCanonical(t *testing.T) {
	for _, test := range [][2]string{
		{"HTTP://WWW.Example.com:80/a/../b/?utm_source=x&b=2&a=1#top", "example.com/b?a=1&b=2"},
		{"https://m.youtube.com/watch?v=dQw4w9WgXcQ&t=5s", "youtube.com/watch?v=dQw4w9WgXcQ"},
		{"https://youtu.be/dQw4w9WgXcQ?si=z", "youtube.com/watch?v=dQw4w9WgXcQ"},
		{"https://www.youtube.com/shorts/dQw4w9WgXcQ", "youtube.com/watch?v=dQw4w9WgXcQ"},
		{"https://www-example-com.cdn.ampproject.org/c/s/www.example.com/n/1?fbclid=q", "example.com/n/1"},
		{"https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.com%2Fx%3Fid%3D7", "example.com/x?id=7"},
		{"https://例え.jp/%e3%81%82/", "xn--r8jz45g.jp/%E3%81%82"},
		{"https://example.com/view.php?tid=1", "example.com/view.php?tid=1"},
		{"https://example.com/view.php?tid=2", "example.com/view.php?tid=2"},
		{"https://www.google.com/url?q=https://example.org/a&sa=D", "example.org/a"},
		{"https://vk.com/away.php?to=https%3A%2F%2Fexample.org", "example.org"},
		{"https://example-com.translate.goog/p/1?_x_tr_sl=ru&a=1", "example.com/p/1?a=1"},
		{"https://web.archive.org/web/20220101000000/https://example.com/a?b=1", "example.com/a?b=1"},
		{"https://twitter.com/somebody/status/123?s=20", "x.com/i/status/123"},
		{"https://t.me/s/channel/45", "t.me/channel/45"},
		{"(see https://example.com/a_(b))", ""},
		{"https://example.com/a_(b)", "example.com/a_(b)"},
		{"https://example.com/a).", "example.com/a"},
		{"https://example.com/%7euser", "example.com/~user"},
		{"https://example.com/#!/route", "example.com#!/route"},
		{"https://example.com/x…", ""},
		{"https://example.com/x...", ""},
		{"ftp://example.com/x", ""},
		{"javascript:alert(1)", ""},
		{"https://twitter.com/", ""},
		{"https://twitter.com/intent/tweet?text=x", ""},
		{"https://www.facebook.com/sharer/sharer.php?u=https://example.com", ""},
		{"https://example.com/?blank=&a", "example.com?a&blank="},
		{"http://user@example.com:8080/x", "example.com:8080/x"},
		{"", ""},
	} {
		l, ok := Canonical(test[0])
		if ok != (test[1] != "") || l.Key != test[1] {
			t.Errorf("%s: %q %v, want %q", test[0], l.Key, ok, test[1])
		}
	}
}

func TestSiteAndFlags(t *testing.T) {
	l, _ := Canonical("https://news.example.co.jp/a?id=1")
	if l.Site != "example.co.jp" || l.Page != "news.example.co.jp/a" {
		t.Errorf("site %s, page %s", l.Site, l.Page)
	}
	if l, _ := Canonical("https://bit.ly/abc"); !l.Short {
		t.Error("a shortener is not flagged")
	}
	if l, _ := Canonical("https://web.archive.org/web/2022/http://example.com/"); !l.Archive {
		t.Error("an archive copy is not flagged")
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add("HTTP://WWW.Example.com:80/a/../b/?utm_source=x&b=2&a=1#top")
	f.Add("https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.com%2Fx%3Fid%3D7")
	f.Add("https://a.b/%zz?%=&=%41#/")
	f.Fuzz(func(t *testing.T, raw string) {
		l, ok := Canonical(raw)
		if !ok {
			return
		}
		again, ok := Canonical("https://" + l.Key)
		if !ok || again.Key != l.Key {
			t.Errorf("%q -> %q -> %q %v", raw, l.Key, again.Key, ok)
		}
	})
}

// TestUnlistedKeysNeverMerge: two addresses that differ in a key that is not on
// the list have different keys.
func TestUnlistedKeysNeverMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringMatching(`[a-z]{1,6}`).Draw(t, "key")
		v := rapid.StringMatching(`[a-zA-Z0-9]{1,6}`).Draw(t, "value")
		w := rapid.StringMatching(`[a-zA-Z0-9]{1,6}`).Draw(t, "other")
		if v == w || tracking[key] {
			return
		}
		a, _ := Canonical("https://example.com/view?" + key + "=" + v)
		b, _ := Canonical("https://example.com/view?" + key + "=" + w)
		if a.Key == b.Key || !strings.Contains(a.Key, v) {
			t.Fatalf("%s merges %s and %s", key, v, w)
		}
	})
}
