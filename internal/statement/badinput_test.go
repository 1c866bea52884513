package statement

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBadInput is the list of bad input that a statement meets: each is a
// clear refusal that says what to do. Polls have theirs in opinion,
// TestReadRefuses.
func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*Statement)
		want []string
	}{
		"link with a campaign parameter": {func(s *Statement) { s.Evidence[0].Locator += "?UTM_Source=x" }, []string{"hidden parameter UTM_Source", "remove it"}},
		"link with a session":            {func(s *Statement) { s.Evidence[0].Locator += "?sid=4711" }, []string{"hidden parameter sid", "remove it"}},
		"link with a text marker":        {func(s *Statement) { s.Evidence[0].Locator += "#:~:text=secret" }, []string{"hidden text marker", "remove it"}},
		"link with a user name":          {func(s *Statement) { s.CorrectionsU = "https://mei:pass@a.example/c" }, []string{"carries a user name", "remove it"}},
		"picture in the text":            {func(s *Statement) { body(s, "See data:image/png;base64,iVBORw0KGgo=") }, []string{"hidden metadata", "public address and hash as evidence"}},
		"picture by markup":              {func(s *Statement) { body(s, `See <img src="https://a.example/x.jpg">`) }, []string{"hidden metadata"}},
		"picture as a link":              {func(s *Statement) { s.Evidence[0].Locator = "data:image/jpeg;base64,/9j/4AAQSkZJRg==" }, []string{"hidden metadata"}},
		"Cyrillic letter in a name":      {func(s *Statement) { s.Signatories[1].Agency = "Ministrу B" }, []string{"look-alike letters", "write it in one script"}},
		"Greek letter in a name":         {func(s *Statement) { s.Signatories[1].Agency = "Μinistry B" }, []string{"look-alike letters", "write it in one script"}},
		"full-width letter in a name":    {func(s *Statement) { s.Signatories[1].Agency = "\uff2dinistry B" }, []string{"look-alike character", "use the plain one"}},
		"mathematical letter in a name":  {func(s *Statement) { s.Signatories[1].Agency = "𝐌inistry B" }, []string{"look-alike character", "use the plain one"}},
		"letter that turns the line":     {func(s *Statement) { s.Signatories[1].Agency = "Ministry\u202e B" }, []string{"U+202E", "remove it"}},
		"domain in another script":       {func(s *Statement) { s.Signatories[1].Domain = "b.exаmple" }, []string{"lower-case ASCII"}},
	} {
		s := sample(1, "cooperation-is-not")
		c.do(s)
		b, err := s.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(b)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
	}
}

func body(s *Statement, text string) {
	t := s.Texts["en"]
	t.Body = text
	s.Texts["en"] = t
}

// TestKeyRevoked: what was logged before a key was compromised or retired
// stays good; what was logged after fails, and says when.
func TestKeyRevoked(t *testing.T) {
	good := newWorld(t)
	for name, c := range map[string]struct {
		at   time.Duration // of the revocation, from the logging
		code string
	}{"before": {-time.Hour, KeyNotValid}, "at": {0, KeyNotValid}, "after": {time.Hour, ""}} {
		for _, kind := range []string{"compromised", "retired"} {
			policy := good.pinned()
			for i := range policy.Keys {
				if k := &policy.Keys[i]; k.Name == "b.example/statements" {
					at := day.Add(c.at)
					if kind == "retired" {
						k.RetiredAt = &at
					} else {
						k.Compromised = &at
					}
				}
			}
			r := Verify(good.files, VerifyOptions{Now: day.Add(2 * time.Hour), Policy: policy})
			found := slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.Code == KeyNotValid && strings.Contains(f.Text, kind) && strings.Contains(f.Text, "logged 2026-03-01T12:00:00Z")
			})
			if found != (c.code != "") || r.OK() != (c.code == "") {
				t.Errorf("%s %s the logging: %+v", kind, name, r.Findings)
			}
		}
	}
}

// TestWrongClock: a clock that cannot be trusted makes nothing valid, the
// reader's, a witness's or the publisher's.
func TestWrongClock(t *testing.T) {
	w := newWorld(t)
	for name, at := range map[string]time.Time{"never set": time.Unix(0, 0), "behind": day.AddDate(0, 0, -2)} {
		r := Verify(w.files, VerifyOptions{Now: at, Policy: w.pinned()})
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool {
			return f.Code == TimeUnknown && (strings.Contains(f.Text, "set it") || strings.Contains(f.Text, "one of them is wrong"))
		}) {
			t.Errorf("%s: %+v", name, r.Findings)
		}
	}
	p := newPublisher(t)
	p.draft(t, 5)
	for _, x := range p.witnesses {
		x.now = func() time.Time { return day.AddDate(0, 0, 1) }
	}
	if _, err := p.round(3); err == nil || !strings.Contains(err.Error(), "one of them is wrong") {
		t.Errorf("witnesses a day ahead: %v", err)
	}
}

// TestLogGap: an entry that is not there, at the beginning, within or at the
// end of the log, is a gap and nothing after it is reported.
func TestLogGap(t *testing.T) {
	w := newWorld(t)
	name := "tile/entries/000.p/5"
	whole := w.files[name]
	first := 2 + int(whole[0])<<8 + int(whole[1])
	for what, b := range map[string][]byte{"the first": whole[first:], "all": nil, "half of the last": whole[:len(whole)-100], "all but the first": whole[:first]} {
		bad := Files{}
		for n, x := range w.files {
			bad[n] = x
		}
		if bad[name] = b; b == nil {
			delete(bad, name)
		}
		r := Verify(bad, VerifyOptions{Now: day.Add(time.Hour), Policy: w.pinned()})
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == LogRewritten }) || len(r.Statements) > 0 {
			t.Errorf("%s: %+v", what, r.Findings)
		}
	}
}
