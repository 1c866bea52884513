package pattern

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// good are patterns from the examples of STIX 9.8 and others of every kind.
var good = []string{
	`[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']`,
	`[email-message:from_ref.value MATCHES '.+\\@example\\.com$' AND email-message:body_multipart[*].body_raw_ref.name MATCHES '^Final Report.+\\.exe$']`,
	`[file:hashes.MD5 = '79054025255fb1a26e4bc422aef54eb4'] FOLLOWEDBY [windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\foo\\bar'] WITHIN 300 SECONDS`,
	`[user-account:account_type = 'unix' AND user-account:user_id = '1007' AND user-account:account_login = 'Peter']`,
	`[artifact:mime_type = 'application/vnd.tcpdump.pcap' AND artifact:payload_bin MATCHES '\\xd4\\xc3']`,
	`([file:name = 'foo.dll'] AND [file:size > 10]) OR ([process:command_line LIKE '%.dll' ] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00.5Z' REPEATS 5 TIMES)`,
	`[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_port NOT IN (80, 443)]`,
	`[ipv4-addr:value ISSUBSET '198.51.100.0/24' OR ipv6-addr:value ISSUPERSET '2001:db8::/32']`,
	`[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0] /* packed */ // yes`,
	`[x509-certificate:issuer == 'CN=WEBMAIL' AND x509-certificate:is_self_signed <> false]`,
	`[NOT EXISTS file:name]`,
	`[file:magic_number_hex = h'ffd8' OR file:content_ref.payload_bin = b'/9g=' OR file:size = -1 OR file:size = +0.5e3]`,
	`[x-foo-bar:bizz[-1] IN ()]`,
	`[windows-registry-key:values[*].data='badstuff']`,
	`[file:id = 'a']`,
}

func TestParse(t *testing.T) {
	for _, s := range good {
		if err := Check(s); err != nil {
			t.Errorf("%s\n%v", s, err)
		}
	}
	for _, tt := range []struct {
		text string
		at   int
	}{
		{``, 0},
		{`file:name = 'a'`, 0},
		{`[file:name = 'a'`, 16},
		{`[file:name = 'a]`, 13},
		{`[file:name = 'a\n']`, 15},
		{`[file:hashes."SHA-256" = 'a']`, 13},
		{`[file:hashes.SHA-256 = 'a']`, 13},
		{`[ab:yzz = 'a']`, 1},
		{`[file:n = 'a']`, 6},
		{`[File:name = 'a']`, 1},
		{`[file:name = a]`, 13},
		{`[file:name like 'a']`, 11},
		{`[file:name LIKE 1]`, 16},
		{`[file:name > true]`, 13},
		{`[file:size = 01]`, 13},
		{`[file:size = 99999999999999999999]`, 13},
		{`[file:name = h'abc']`, 13},
		{`[file:name = b'a']`, 13},
		{`[file:name = t'2026-02-30T00:00:00Z']`, 13},
		{`[file:name = 'a'] WITHIN 5 SECONDS WITHIN 6 SECONDS`, 35},
		{`[file:name = 'a'] WITHIN 0 SECONDS`, 25},
		{`[file:name = 'a'] REPEATS 0 TIMES`, 26},
		{`[file:name = 'a'] START t'2026-01-02T00:00:00Z' STOP t'2026-01-01T00:00:00Z'`, 18},
		{`[file:name = 'a'] [file:name = 'b']`, 18},
		{`[file:name = 'a' /*]`, 17},
		{`[file:name = 'a'] AND`, 21},
		{"[file:name = 'a']\x00", 17},
		{strings.Repeat("(", MaxDepth+1) + `[file:name = 'a']`, MaxDepth + 1},
		{`[` + strings.Repeat("(", 1_000_00) + `file:name = 'a']`, MaxDepth + 1},
	} {
		err := Check(tt.text)
		e, ok := err.(*Error)
		if !ok || e.Offset != tt.at {
			t.Errorf("%.80s\ngot %v, want an error at byte %d", tt.text, err, tt.at)
		}
	}
	// Chains are not depth.
	long := `[file:name = 'a'` + strings.Repeat(` OR file:name = 'a'`, 10_000) + `]` + strings.Repeat(` AND [file:name = 'a']`, 10_000)
	if err := Check(long); err != nil {
		t.Error(err)
	}
}

func TestAlternatives(t *testing.T) {
	for text, want := range map[string]int{
		`[url:value = 'a']`: 1,
		`[url:value = 'a' OR (url:value = 'b' OR file:name IN ('c'))]`: 3,
		`[url:value = 'a'] OR [url:value = 'b']`:                       2,
		`[url:value = 'a' AND url:value = 'b']`:                        0,
		`[url:value = 'a'] AND [url:value = 'b']`:                      0,
		`[url:value = 'a'] REPEATS 2 TIMES`:                            0,
	} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		tests, ok := p.Alternatives()
		if ok != (want > 0) || ok && len(tests) != want {
			t.Errorf("%s: %d tests, %v; want %d", text, len(tests), ok, want)
		}
	}
	s := `it's \ here`
	p, err := Parse(`[file:name = ` + Quote(s) + `]`)
	if err != nil {
		t.Fatal(err)
	}
	p.Tests(func(test Test) {
		if test.Values[0] != s {
			t.Errorf("got %q back, want %q", test.Values[0], s)
		}
	})
}

func at(second int) time.Time { return time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC) }

// sightings: an address at second 0, a file from 10 to 20 seen three times, an
// e-mail at 100.
var sightings = []Observation{
	{at(0), at(0), 1, map[string]map[string]any{"a": {"type": "ipv4-addr", "value": "198.51.100.7"}}},
	{at(10), at(20), 3, map[string]map[string]any{
		"f": {"type": "file", "name": "caf\u0065\u0301.dll", "size": int64(7), "magic_number_hex": "ffd8", "ctime": "2026-01-01T00:00:00.500Z",
			"extensions": map[string]any{"windows-pebinary-ext": map[string]any{"sections": []any{map[string]any{"entropy": 1.5}, map[string]any{"entropy": 7.5}}}}},
		"g": {"type": "file", "name": "b", "size": int64(1)},
	}},
	{at(100), at(100), 1, map[string]map[string]any{
		"m": {"type": "email-message", "from_ref": "e", "is_multipart": false},
		"e": {"type": "email-addr", "value": "a@example.com"},
	}},
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []int
	}{
		{`[ipv4-addr:value = '198.51.100.7']`, []int{0}},
		{`[ipv4-addr:value ISSUBSET '198.51.100.0/24']`, []int{0}},
		{`[ipv4-addr:value ISSUBSET '203.0.113.0/24']`, nil},
		{`[ipv4-addr:value NOT ISSUBSET '203.0.113.0/24']`, []int{0}},
		{`[ipv4-addr:value ISSUPERSET '198.51.100.7']`, []int{0}},
		{`[ipv4-addr:value ISSUBSET '2001:db8::/32']`, nil},
		{`[file:name LIKE 'caf_.%']`, []int{1}},
		{`[file:name MATCHES '^café.dll$']`, []int{1}},
		{`[file:name MATCHES '(?=x)']`, nil},
		{`[file:name = 'b' AND file:size = 1]`, []int{1}},
		{`[file:name = 'b' AND file:size = 7]`, nil}, // not on one object
		{`[file:name = 'b' AND file:size = 7 OR file:size >= 7.0]`, []int{1}},
		{`[file:size IN (3, 7)]`, []int{1}},
		{`[file:size != 'x']`, []int{1}},
		{`[file:magic_number_hex = h'FFD8']`, []int{1}},
		{`[file:magic_number_hex = b'/9g=']`, []int{1}},
		{`[file:ctime > t'2026-01-01T00:00:00Z']`, []int{1}},
		{`[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]`, []int{1}},
		{`[file:extensions.'windows-pebinary-ext'.sections[0].entropy > 7.0]`, nil},
		{`[file:extensions.'windows-pebinary-ext'.sections[-1].entropy > 7.0]`, []int{1}},
		{`[EXISTS file:hashes]`, nil},
		{`[NOT EXISTS file:hashes]`, []int{1}},
		{`[file:hashes.MD5 != 'a']`, nil}, // nothing there to differ
		{`[email-message:from_ref.value = 'a@example.com' AND email-message:is_multipart = false]`, []int{2}},
		{`[ipv4-addr:value LIKE '%'] AND [file:size = 1]`, []int{0, 1}},
		{`[file:size = 7] AND [file:size = 1]`, nil}, // one observation only
		{`[ipv4-addr:value LIKE '%'] FOLLOWEDBY [file:size = 1]`, []int{0, 1}},
		{`[file:size = 1] FOLLOWEDBY [ipv4-addr:value LIKE '%']`, nil},
		{`([ipv4-addr:value LIKE '%'] AND [file:size = 1]) WITHIN 10 SECONDS`, []int{0, 1}},
		{`([ipv4-addr:value LIKE '%'] AND [file:size = 1]) WITHIN 9 SECONDS`, nil},
		{`[file:size = 1] REPEATS 3 TIMES`, []int{1}},
		{`[file:size = 1] REPEATS 4 TIMES`, nil},
		{`[file:size = 1] START t'2026-01-01T00:00:20Z' STOP t'2026-01-01T00:01:00Z'`, []int{1}},
		{`[file:size = 1] START t'2026-01-01T00:00:00Z' STOP t'2026-01-01T00:00:10Z'`, nil}, // STOP is outside
		{`[file:size = 9] OR [email-addr:value LIKE '%@example.com']`, []int{2}},
	} {
		p, err := Parse(tt.text)
		if err != nil {
			t.Error(err)
			continue
		}
		got, ok, err := p.Match(sightings)
		if err != nil || ok != (tt.want != nil) || cmp.Diff(tt.want, got) != "" {
			t.Errorf("%s: %v %v %v, want %v", tt.text, got, ok, err, tt.want)
		}
	}
}

func TestMatchIsBounded(t *testing.T) {
	many := make([]Observation, 60)
	for i := range many {
		many[i] = Observation{at(i), at(i), 1, map[string]map[string]any{"a": {"type": "mutex", "name": "m"}}}
	}
	p, err := Parse(`[mutex:name = 'm'] REPEATS 30 TIMES`)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Match(many); err != ErrTooMany {
		t.Errorf("got %v, want ErrTooMany", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range good {
		f.Add(s)
	}
	f.Add(`[a:b='`)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Offset < 0 || e.Offset > max(len(s), MaxBytes) {
				t.Fatalf("%v", err)
			}
			return
		}
		p.Tests(func(test Test) {
			if test.Type == "" || len(test.Path) == 0 {
				t.Fatalf("a test without path in %q", s)
			}
		})
		if _, _, err := p.Match(sightings); err != nil && err != ErrTooMany {
			t.Fatal(err)
		}
	})
}
