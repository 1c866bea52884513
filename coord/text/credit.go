package text

import (
	"regexp"

	"causeway/coord"
)

// agencies are news agencies by the forms in which a text credits them.
var agencies = []struct {
	name  string
	forms string // alternatives of a regular expression
}{
	{"afp", "AFP|Agence France-Presse"}, {"ap", "AP|Associated Press|AP通信"}, {"reuters", "Reuters|ロイター|로이터|路透社?|Рейтер"},
	{"dpa", "dpa"}, {"efe", "EFE"}, {"ansa", "ANSA"}, {"kyodo", "Kyodo|Kyodo News|共同通信|共同"}, {"jiji", "Jiji|Jiji Press|時事通信|時事"},
	{"yonhap", "Yonhap|연합뉴스|聯合ニュース"}, {"xinhua", "Xinhua|新华社|新華社"}, {"tass", "TASS|ТАСС"}, {"ria", "RIA Novosti|РИА Новости"}, {"interfax", "Interfax|Интерфакс"},
	{"antara", "ANTARA|Antara"}, {"bernama", "Bernama"}, {"vna", "VNA|TTXVN"}, {"pti", "PTI"}, {"aap", "AAP"}, {"ukrinform", "Ukrinform|Укрінформ"},
}

// credits match an agency only where a credit stands: in brackets, after a
// dateline ("TOKYO (Kyodo) -", "ROMA, 3 mar (ANSA)", "PARIS, AFP -"), behind
// "Source:" or as the last words after a dash. A text that merely speaks of an
// agency is not its copy.
var credits = func() (out []*regexp.Regexp) {
	for _, a := range agencies {
		out = append(out, regexp.MustCompile(`[(（\[【/](?:`+a.forms+`)[)）\]】/]`+
			`|^[^.。\n]{2,40}[,，] ?(?:`+a.forms+`) ?[-–—]`+
			`|(?:Source|Sources|Quelle|Fuente|Fonte|Источник|出典|配信|来源|來源) ?[:：] ?(?:`+a.forms+`)(?:[^\pL]|$)`+
			`|[-–—] ?(?:`+a.forms+`)[.。]?\s*$`))
	}
	return out
}()

// credit names the agency that a text credits, "" when it credits none.
func credit(raw string) string {
	for i, c := range credits {
		if c.MatchString(raw) {
			return agencies[i].name
		}
	}
	return ""
}

// named is the object of a cluster of texts: "like:" and the content id of the
// first, with the agency before them where the first credits one.
func named(raw, content string) string {
	if agency := credit(raw); agency != "" {
		return coord.CreditPrefix + agency + ":" + content
	}
	return "like:" + content
}
