package link

import (
	"net/url"
	"slices"
	"strings"
)

// mobile hosts are the same site by another name; only these lose their prefix.
var mobile = map[string]string{"m.facebook.com": "facebook.com", "mobile.facebook.com": "facebook.com", "web.facebook.com": "facebook.com", "m.youtube.com": "youtube.com", "music.youtube.com": "youtube.com",
	"mobile.twitter.com": "twitter.com", "m.twitter.com": "twitter.com", "m.vk.com": "vk.com", "m.tiktok.com": "tiktok.com", "m.weibo.cn": "weibo.cn", "amp.theguardian.com": "theguardian.com",
	"amp.cnn.com": "cnn.com", "amp.dw.com": "dw.com", "m.dw.com": "dw.com", "en.m.wikipedia.org": "en.wikipedia.org", "ja.m.wikipedia.org": "ja.wikipedia.org"}

// shorteners lead elsewhere; where is not resolved here.
var shorteners = map[string]bool{"bit.ly": true, "t.co": true, "tinyurl.com": true, "goo.gl": true, "ow.ly": true, "is.gd": true, "buff.ly": true, "dlvr.it": true, "ift.tt": true, "fb.me": true, "lnkd.in": true,
	"trib.al": true, "clck.ru": true, "vk.cc": true, "cutt.ly": true, "rb.gy": true, "s.id": true, "amzn.to": true, "wp.me": true, "shorturl.at": true, "t.ly": true, "x.gd": true}

// twitterHosts are the platform and its front ends.
var twitterHosts = map[string]bool{"twitter.com": true, "x.com": true, "nitter.net": true, "fxtwitter.com": true, "vxtwitter.com": true, "fixupx.com": true}

// homes are platforms whose bare home page is no object.
var homes = map[string]bool{"twitter.com": true, "x.com": true, "facebook.com": true, "youtube.com": true, "instagram.com": true, "tiktok.com": true, "t.me": true, "vk.com": true, "google.com": true}

// unwrap returns the address that a carries, if it is a wrapper.
func unwrap(a *address) (inner string, archive bool) {
	param := func(keys ...string) string {
		for _, k := range keys {
			for _, p := range a.query {
				if p.key == k {
					if v, err := url.QueryUnescape(p.value); err == nil && (strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://")) {
						return v
					}
				}
			}
		}
		return ""
	}
	host := a.host
	google := strings.HasPrefix(host, "google.") || strings.HasPrefix(host, "news.google.")
	switch {
	case host == "l.facebook.com" || host == "lm.facebook.com" || host == "l.instagram.com":
		return param("u"), false
	case google && a.path == "/url":
		return param("url", "q"), false
	case google && strings.HasPrefix(a.path, "/amp/"):
		return ampPath(a, "/amp/"), false
	case (host == "vk.com" || host == "m.vk.com") && a.path == "/away.php":
		return param("to"), false
	case strings.HasSuffix(host, "youtube.com") && a.path == "/redirect":
		return param("q"), false
	case host == "t.me" && a.path == "/iv":
		return param("url"), false
	case strings.HasSuffix(host, ".cdn.ampproject.org"):
		for _, p := range []string{"/c/", "/v/", "/i/"} {
			if strings.HasPrefix(a.path, p) {
				return ampPath(a, p), false
			}
		}
	case strings.HasSuffix(host, ".translate.goog"):
		return translated(a), false
	case host == "web.archive.org":
		if rest, ok := strings.CutPrefix(a.path, "/web/"); ok {
			if _, target, ok := strings.Cut(rest, "/"); ok && target != "" {
				return withScheme(target) + queryOf(a), true
			}
		}
	}
	return "", false
}

// ampPath reads PREFIX[s/]host/path.
func ampPath(a *address, prefix string) string {
	rest := strings.TrimPrefix(a.path, prefix)
	rest = strings.TrimPrefix(rest, "s/")
	if rest == "" {
		return ""
	}
	return withScheme(rest) + queryOf(a)
}

func withScheme(s string) string {
	for _, p := range []string{"https://", "http://", "https:/", "http:/"} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return "https://" + rest
		}
	}
	return "https://" + s
}

func queryOf(a *address) string {
	s := ""
	for i, p := range a.query {
		s += string("?&"[min(i, 1)]) + p.key
		if p.hasValue {
			s += "=" + p.value
		}
	}
	return s
}

// translated undoes Google's host: hyphens stand for dots, two hyphens for one.
func translated(a *address) string {
	name := strings.TrimSuffix(a.host, ".translate.goog")
	name = strings.ReplaceAll(name, "--", "\x00")
	name = strings.ReplaceAll(name, "-", ".")
	name = strings.ReplaceAll(name, "\x00", "-")
	b := &address{host: name, path: a.path}
	for _, p := range a.query {
		if !strings.HasPrefix(p.key, "_x_tr_") {
			b.query = append(b.query, p)
		}
	}
	return "https://" + b.host + b.path + queryOf(b)
}

// site applies the rules of single sites and makes the key; false for pages
// that are nobody's object.
func (l *Link) site(a *address) bool {
	if to, ok := mobile[a.host]; ok {
		a.host = to
		l.Rules = append(l.Rules, "mobile")
	}
	segments := strings.Split(strings.TrimPrefix(a.path, "/"), "/")
	switch {
	case homes[a.host] && a.path == "" && len(a.query) == 0:
		return false
	case a.host == "youtu.be" && segments[0] != "":
		l.video(segments[0])
		return true
	case a.host == "youtube.com" || a.host == "youtube-nocookie.com":
		if id := videoID(a, segments); id != "" {
			l.video(id)
			return true
		}
	case twitterHosts[a.host]:
		if len(segments) >= 3 && (segments[1] == "status" || segments[1] == "statuses") && digits(segments[2]) {
			*l = Link{Key: "x.com/i/status/" + segments[2], Page: "x.com/i/status/" + segments[2], Site: "x.com", Rules: append(l.Rules, "status"), Archive: l.Archive}
			return true
		}
		if segments[0] == "intent" || segments[0] == "share" {
			return false
		}
		a.host = "x.com"
	case a.host == "t.me" && len(segments) == 3 && segments[0] == "s" && digits(segments[2]):
		a.path = "/" + segments[1] + "/" + segments[2]
		l.Rules = append(l.Rules, "telegram")
	case a.host == "facebook.com" && (segments[0] == "sharer" || segments[0] == "sharer.php" || segments[0] == "login" || segments[0] == "login.php" || segments[0] == "share.php"):
		return false
	case (a.host == "instagram.com" || a.host == "accounts.google.com" || a.host == "vk.com") && slices.Contains([]string{"accounts", "login", "signin", "share.php"}, segments[0]):
		return false
	}
	l.Short = shorteners[a.host]
	l.finish(a)
	return true
}

func videoID(a *address, segments []string) string {
	if a.path == "/watch" {
		for _, p := range a.query {
			if p.key == "v" && p.value != "" {
				return p.value
			}
		}
		return ""
	}
	if len(segments) >= 2 && slices.Contains([]string{"shorts", "live", "embed", "v"}, segments[0]) {
		return segments[1]
	}
	return ""
}

func (l *Link) video(id string) {
	key := "youtube.com/watch?v=" + id
	*l = Link{Key: key, Page: key, Site: "youtube.com", Rules: append(l.Rules, "youtube"), Archive: l.Archive}
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
