package httpd_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"causeway/internal/people"
)

// polls are waves of a public and an elite in the region, invented.
func polls() string {
	var b strings.Builder
	b.WriteString("country,target,population,year,share_pct,n\n")
	for i, c := range []string{"IDN", "PHL", "VNM", "THA", "MMR", "MYS"} {
		for year := 2015; year < 2024; year++ {
			fmt.Fprintf(&b, "%s,JPN,public,%d,%d,1000\n", c, year, 30+8*i+(year*7+i)%5)
		}
	}
	for year := 2019; year < 2024; year++ {
		fmt.Fprintf(&b, "IDN,JPN,elite,%d,%d,180\n", year, 70+year%3)
	}
	b.WriteString("SGP,JPN,public,2020,50,1000\n") // one wave: not enough
	return b.String()
}

// bring brings in a table of polls, as the page does.
func (s session) bring(t *testing.T, csv string) (*http.Response, string) {
	t.Helper()
	_, page := s.do(t, http.MethodGet, "/public/perception", nil)
	token := hiddenToken.FindStringSubmatch(page)
	oid := regexp.MustCompile(`name="policy" value="([0-9.]+)" checked`).FindStringSubmatch(page)
	if token == nil || oid == nil {
		t.Fatal("the form has no token or no label")
	}
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, v := range map[string]string{"token": token[1], "name": "Polls of the region", "source": "Invented for a test", "policy": oid[1], "class." + oid[1]: "UNMARKED"} {
		if err := w.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	f, err := w.CreateFormFile("csv", "polls.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(csv)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/public/perception", &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "causeway", Value: s.token})
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer, out.String()
}

var regionFigure = regexp.MustCompile(`South-East Asia, newest year</dt><dd>([0-9.]+) %<small>[^<]*weighted: ([a-z]+)`)

// TestPerceptionPage: weights stand side by side and can be changed, elite and
// public are two series, a country without enough data has no line, and what
// is drawn can be taken away.
func TestPerceptionPage(t *testing.T) {
	w := found(t)
	s := w.as(t, w.person(t, people.Spokesperson), "en")
	for name, c := range map[string]struct{ row, want string }{
		"a share above 100":  {"IDN,JPN,public,2001,104,900", "outside 0 to 100"},
		"no n":               {"IDN,JPN,public,2001,50,", "n is missing"},
		"two waves one date": {"IDN,JPN,public,2015,50,900", "two waves of IDN on JPN (public) carry the date"},
		"an old name":        {"BUR,JPN,public,2001,50,900", "MMR"},
	} {
		if answer, body := s.bring(t, polls()+c.row+"\n"); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, c.want) {
			t.Errorf("%s: %s, want %q", name, answer.Status, c.want)
		}
	}
	answer, body := s.bring(t, polls())
	path := answer.Header.Get("Location")
	if answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", answer.Status, body)
	}
	figures := func(query string) map[string]string {
		_, page := s.do(t, http.MethodGet, path+query, nil)
		out := map[string]string{}
		for _, m := range regionFigure.FindAllStringSubmatch(page, -1) {
			out[m[2]] = m[1]
		}
		return out
	}
	plain := figures("?target=JPN")
	if len(plain) != 2 || plain["equal"] == "" && plain["population"] == "" {
		// equal weights miss five of eleven states: refused, and said so
		if _, page := s.do(t, http.MethodGet, path, nil); !strings.Contains(page, "not enough data") {
			t.Errorf("figures %v", plain)
		}
	}
	low, high := figures("?target=JPN&w.IDN=1&w.MYS=0.001"), figures("?target=JPN&w.IDN=0.001&w.MYS=1")
	if low["chosen"] == "" || high["chosen"] == "" || low["chosen"] >= high["chosen"] {
		t.Errorf("chosen weights give %v and %v", low, high)
	}
	_, page := s.do(t, http.MethodGet, path+"?target=JPN&event=2020", nil)
	for _, want := range []string{"is not proof", "not enough data", `name="w.IDN"`, "?event=2020&amp;picture=panel-idn", "ribbon g4"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	answer, picture := s.do(t, http.MethodGet, path+"?target=JPN&picture=panel-idn", nil)
	if answer.StatusCode != http.StatusOK || !strings.HasPrefix(picture, "<svg") {
		t.Errorf("the picture: %s %.80s", answer.Status, picture)
	}
	answer, csv := s.do(t, http.MethodGet, path+"/estimates.csv?target=JPN", nil)
	if answer.StatusCode != http.StatusOK || !strings.Contains(csv, "IDN,JPN,elite") {
		t.Errorf("the table: %s %.200s", answer.Status, csv)
	}
}
