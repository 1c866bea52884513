package stix

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseObjectRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth) + `1` + strings.Repeat(`}`, MaxDepth)
	if _, err := ParseObject([]byte(deep)); err != nil {
		t.Errorf("depth %d: %v", MaxDepth, err)
	}
	for _, tt := range []struct {
		name, text string
		want       Error
	}{
		{"duplicate", "{\"a\":1,\n\"b\":[{\"c\":1,\"\\u0063\":2}]}", Error{Line: 2, Path: "b[0].c", Code: "duplicate-name"}},
		{"utf8", "{\"a\":\"\xff\"}", Error{Line: 1, Code: "utf8"}},
		{"surrogate", `{"a":"\ud800"}`, Error{Line: 1, Path: "a", Code: "syntax"}},
		{"control", "{\"a\":\"\x01\"}", Error{Line: 1, Path: "a", Code: "syntax"}},
		{"trailing", "{}\n{}", Error{Line: 2, Code: "trailing-data"}},
		{"half", `{"a":{"b":`, Error{Line: 1, Path: "a.b", Code: "syntax"}},
		{"leading zero", `{"a":01}`, Error{Line: 1, Path: "a", Code: "syntax"}},
		{"bare dot", `{"a":1.}`, Error{Line: 1, Path: "a", Code: "syntax"}},
		{"plus", `{"a":+1}`, Error{Line: 1, Path: "a", Code: "syntax"}},
		{"comma", `{"a":1,}`, Error{Line: 1, Code: "syntax"}},
		{"word", `{"a":nul}`, Error{Line: 1, Path: "a", Code: "syntax"}},
		{"list", `[]`, Error{Line: 1, Code: "not-an-object"}},
		{"empty", ``, Error{Line: 1, Code: "syntax"}},
		{"deep", `{"x":` + deep + `}`, Error{Line: 1, Path: "x" + strings.Repeat(".a", MaxDepth-1), Code: "depth"}},
		{"long", `{"x":"` + strings.Repeat("x", MaxObjectBytes) + `"}`, Error{Line: 1, Code: "size"}},
	} {
		_, err := ParseObject([]byte(tt.text))
		var got *Error
		if !errors.As(err, &got) {
			t.Errorf("%s: got %v, want an *Error", tt.name, err)
			continue
		}
		tt.want.Text = got.Text
		if diff := cmp.Diff(tt.want, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

const sample = `{ "type": "indicator", "spec_version": "2.1",
 "id": "indicator--6a8f3b3e-0b9d-4c11-9e3a-1d2c3b4a5968", "created_by_ref": "identity--a1b0c9d8-5f33-4c0a-8a68-9ad4c6a6c111",
 "created": "2026-01-02T03:04:05.000Z", "modified": "2026-01-02T03:04:05.123456789Z", "revoked": true,
 "name": "a \u00e9\ud83d\ude00\n", "pattern": "[a:b = 1]", "pattern_type": "stix", "valid_from": "2026-01-02T03:04:05Z",
 "object_marking_refs": ["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],
 "granular_markings": [{"selectors": ["name"], "lang": "fr"}],
 "extensions": {"extension-definition--60e33e71-22ae-447d-a9ee-488846205169": {"n": 3, "who_ref": "identity--b"}} }`

func TestObject(t *testing.T) {
	in := []byte(sample)
	o, err := ParseObject(in)
	if err != nil {
		t.Fatal(err)
	}
	clear(in)
	if string(o.Raw()) != sample {
		t.Error("Raw is not what the producer sent")
	}
	if o.Name() != "a é😀\n" || !o.Revoked() || o.Type() != "indicator" || o.Version().String() != "2026-01-02T03:04:05.123456789Z" {
		t.Errorf("got %q %v %q %q", o.Name(), o.Revoked(), o.Type(), o.Version())
	}
	wantRefs := []Ref{
		{"created_by_ref", "identity--a1b0c9d8-5f33-4c0a-8a68-9ad4c6a6c111"},
		{"object_marking_refs", TLPClear},
		{"extensions." + LabelExtension + ".who_ref", "identity--b"},
	}
	if diff := cmp.Diff(wantRefs, o.Refs()); diff != "" {
		t.Errorf("Refs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]GranularMarking{{Selectors: []string{"name"}, Lang: "fr"}}, o.GranularMarkings()); diff != "" {
		t.Errorf("GranularMarkings (-want +got):\n%s", diff)
	}
	if n, ok := o.Get("extensions", LabelExtension, "n"); !ok || n != int64(3) {
		t.Errorf("Get: %v %v", n, ok)
	}
	if s := o.StringAt("granular_markings", "0", "selectors", "0"); s != "name" {
		t.Errorf("StringAt: %q", s)
	}
	found := 0
	for path, s := range o.Strings() {
		if path == "granular_markings[0].selectors[0]" && s == "name" {
			found++
		}
	}
	if found != 1 {
		t.Errorf("Strings gave the selector %d times", found)
	}
}

func TestTimestamp(t *testing.T) {
	for _, bad := range []string{"", "2026-02-29T00:00:00Z", "2026-01-01t00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00",
		"2026-01-01T24:00:00Z", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:60Z", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00,1Z", "2020-01-201T17:00:00Z"} {
		if ts, err := ParseTimestamp(bad); err == nil {
			t.Errorf("%q parsed as %v", bad, ts.Time())
		}
	}
	parse := func(s string) Timestamp {
		ts, err := ParseTimestamp(s)
		if err != nil {
			t.Fatal(err)
		}
		return ts
	}
	order := []string{"1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2000-02-29T12:00:00.1Z", "2000-02-29T12:00:00.10000000000000000001Z", "2000-02-29T12:00:00.2Z", "2016-12-31T23:59:60Z", "2026-01-01T00:00:00Z"}
	for i := range order {
		for j := range order {
			if got, want := parse(order[i]).Compare(parse(order[j])), sign(i-j); got != want {
				t.Errorf("%s against %s: %d, want %d", order[i], order[j], got, want)
			}
		}
		want, err := time.Parse(time.RFC3339Nano, order[i])
		if err == nil && parse(order[i]).Micro() != want.UnixMicro() {
			t.Errorf("%s: %d µs, want %d", order[i], parse(order[i]).Micro(), want.UnixMicro())
		}
	}
	if parse("2026-01-01T00:00:00Z").Compare(parse("2026-01-01T00:00:00.000Z")) != 0 {
		t.Error("trailing zeros make another instant")
	}
	if got := TimestampOf(time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600))).String(); got != "2026-01-02T02:04:05.000006Z" {
		t.Error(got)
	}
}

func sign(n int) int { return max(-1, min(1, n)) }

// The vectors of RFC 8785 section 3.2.2 and appendix B.
func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001,-0,1e21,1e-7,123456789012345680000],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`: `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1e+21,1e-7,123456789012345680000],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		`{"\u20ac":"Euro","\r":"CR","\ufb33":"Dalet","1":"One","\ud83d\ude00":"Emoji","\u0080":"Control","\u00f6":"O"}`:                                                                                          "{\"\\r\":\"CR\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"O\",\"€\":\"Euro\",\"😀\":\"Emoji\",\"\ufb33\":\"Dalet\"}",
	} {
		o, err := ParseObject([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(o.Canonical())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	a, _ := ParseObject([]byte(`{"a":1.0,"revoked":false}`))
	b, _ := ParseObject([]byte(` {"a":1} `))
	c, _ := ParseObject([]byte(`{"a":1,"revoked":true}`))
	if a.Digest() != b.Digest() || a.Digest() == c.Digest() {
		t.Error("Digest does not tell content from writing")
	}
}

// The ids were computed apart from this program, with Python's uuid.uuid5.
func TestSCOID(t *testing.T) {
	for _, tt := range []struct {
		typ        string
		properties map[string]any
		want       string
	}{
		{"ipv4-addr", map[string]any{"value": "198.51.100.3", "x": 1}, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"},
		{"domain-name", map[string]any{"value": "example.com"}, "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"},
		{"autonomous-system", map[string]any{"number": 15139}, "autonomous-system--3aa27478-50b5-5ab8-9da9-cdc12b657fff"},
	} {
		got, err := SCOID(tt.typ, tt.properties)
		if err != nil || got != tt.want {
			t.Errorf("%s: %s %v, want %s", tt.typ, got, err, tt.want)
		}
	}
	both, _ := SCOID("file", map[string]any{"hashes": map[string]string{"SHA-256": "aa", "MD5": "bb"}})
	one, _ := SCOID("file", map[string]any{"hashes": map[string]any{"MD5": "bb"}})
	if both != one {
		t.Error("the hash preferred is not the only one that counts")
	}
	if _, err := SCOID("indicator", nil); err == nil {
		t.Error("an id for a type that is no SCO")
	}
	if Namespace.String() != "e36a37e7-85c5-50ba-8154-0ffbfa0b7b8e" {
		t.Error(Namespace)
	}
}

func scan(t *testing.T, text string, l Limits) (out []string, end error) {
	t.Helper()
	for it, err := range Scan(iotestReader{strings.NewReader(text)}, l) {
		switch {
		case err != nil:
			end = err
		case it.Err != nil:
			out = append(out, it.Err.Error())
		default:
			out = append(out, it.Object.ID())
		}
	}
	return out, end
}

// iotestReader gives one byte at a time.
type iotestReader struct{ r *strings.Reader }

func (r iotestReader) Read(b []byte) (int, error) { return r.r.Read(b[:1]) }

func TestScan(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		limits     Limits
		want       []string
		end        string
	}{
		{"bundle", "{\"type\":\"bundle\",\"id\":\"bundle--1\",\n\"objects\":[{\"id\":\"a\"},\n {\"id\":\"b}\\\"]\"} ]}\n", Limits{}, []string{"a", `b}"]`}, ""},
		{"type after the objects", `{"objects":[{"id":"a"}],"type":"bundle"}`, Limits{}, []string{"a"}, ""},
		{"empty bundle", `{"type":"bundle","id":"bundle--1"}`, Limits{}, nil, ""},
		{"empty envelope", `{"more":false}`, Limits{}, nil, ""},
		{"no objects at all", ``, Limits{}, nil, ""},
		{"array", ` [ {"id":"a"} , {"id":"b"} ] `, Limits{}, []string{"a", "b"}, ""},
		{"lines", "{\"id\":\"a\"}\n\n{\"id\":\"b\"}", Limits{}, []string{"a", "b"}, ""},
		{"object with objects", `{"type":"observed-data","id":"a","objects":{"0":{}}}`, Limits{}, []string{"a"}, ""},
		{"a bad one among good", "[{\"id\":\"a\"},\n{\"id\":\"b\",\"id\":\"c\"},7,{\"id\":\"d\"}]", Limits{},
			[]string{"a", `line 2: id: the name "id" stands twice in one object`, "line 2: a number stands where an object should", "d"}, ""},
		{"half a bundle", "{\"type\":\"bundle\",\"objects\":[{\"id\":\"a\"},\n{\"id\":\"b\"", Limits{}, []string{"a"}, "line 2: the text is cut off in the middle of an object"},
		{"objects twice", `{"objects":[{"id":"a"}],"objects":[]}`, Limits{}, []string{"a"}, `line 1: objects: the name "objects" stands twice in one object`},
		{"broken wrapper", `{"objects":[{"id":"a"}],"x":tru}`, Limits{}, []string{"a"}, `line 1: x: 't' stands where a value should`},
		{"no comma", `[{"id":"a"} {"id":"b"}]`, Limits{}, []string{"a"}, `line 1: '{' stands where "," or "]" should, after an object`},
		{"too large one", `[{"id":"a"},{"id":"` + strings.Repeat("x", 50) + `"},{"id":"c"}]`, Limits{ObjectBytes: 40}, []string{"a", "line 1: larger than 40 bytes", "c"}, ""},
		{"stream too large", `[{"id":"a"},{"id":"b"}]`, Limits{Bytes: 15}, []string{"a"}, "line 1: the text is larger than 15 bytes"},
		{"broken lines", "{\"id\":\"a\"}\nrubbish\n{\"id\":\n{\"id\":\"d\"}\n", Limits{Lines: true},
			[]string{"a", "line 2: 'r' stands where a value should", "line 3: id: the text ends where a value should stand", "d"}, ""},
		{"too long a line", strings.Repeat(" ", 100) + "\n{\"id\":\"a\"}", Limits{Lines: true, ObjectBytes: 20}, []string{"line 1: larger than 20 bytes", "a"}, ""},
		{"deep", strings.Repeat("[", 100000), Limits{}, nil, "line 1: the text is cut off in the middle of an object"},
	} {
		got, end := scan(t, tt.text, tt.limits)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if text := ""; end != nil || tt.end != "" {
			if end != nil {
				text = end.Error()
			}
			if text != tt.end {
				t.Errorf("%s ended with %q, want %q", tt.name, text, tt.end)
			}
		}
	}
}

func TestScanWrapperAndBundle(t *testing.T) {
	a, _ := ParseObject([]byte("{\"id\": \"a\"}"))
	b, _ := ParseObject([]byte("{ \"id\":\"b\" }"))
	var out bytes.Buffer
	objs := func(yield func(*Object, error) bool) { _ = yield(a, nil) && yield(b, nil) }
	if err := WriteBundle(&out, "bundle--7", iter.Seq2[*Object, error](objs)); err != nil {
		t.Fatal(err)
	}
	id := ""
	var texts []string
	for it, err := range Scan(&out, Limits{Wrapper: func(name string, v []byte) {
		if name == "id" {
			id = string(v)
		}
	}}) {
		if err != nil || it.Err != nil {
			t.Fatal(err, it.Err)
		}
		texts = append(texts, it.Object.Text())
	}
	if diff := cmp.Diff([]string{a.Text(), b.Text(), `"bundle--7"`}, append(texts, id)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBuilder(t *testing.T) {
	at := TimestampOf(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	o, err := New("identity", "identity--0b1c9e3c-6e5e-4f1e-9d7c-3b1d2a4c5e6f", at).Set("name", "<&>").Set("roles", []string{}).Mark(TLPGreen).Mark(TLPRed).Object()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"identity","spec_version":"2.1","id":"identity--0b1c9e3c-6e5e-4f1e-9d7c-3b1d2a4c5e6f","created":"2026-03-04T05:06:07.000Z","modified":"2026-03-04T05:06:07.000Z","name":"<&>","object_marking_refs":["` + TLPGreen + `","` + TLPRed + `"]}`
	if diff := cmp.Diff(want, o.Text()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sco, err := New("ipv4-addr", "", Timestamp{}).Set("value", "198.51.100.3").Object()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"type":"ipv4-addr","spec_version":"2.1","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","value":"198.51.100.3"}`, sco.Text()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFrom(t *testing.T) {
	o, err := ParseObject([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	cut, err := From(o).Set("id", "indicator--0b1c9e3c-6e5e-4f1e-9d7c-3b1d2a4c5e6f").Drop("extensions").Set("pattern", "[url:value = 'x']").Object()
	if err != nil {
		t.Fatal(err)
	}
	if cut.ID() == o.ID() || len(cut.Extensions()) != 0 || cut.Name() != o.Name() || !strings.Contains(cut.Text(), `"2026-01-02T03:04:05.123456789Z"`) {
		t.Errorf("got %s", cut.Text())
	}
}

func FuzzParseObject(f *testing.F) {
	for _, s := range []string{sample, `{}`, `{"a":[1,-0.5e+3,"\ud83d\ude00",true,false,null,{}]}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"a`, `[[[[`} {
		f.Add([]byte(s))
	}
	for _, tt := range musts {
		f.Add([]byte(tt.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := ParseObject(b)
		if err != nil {
			return
		}
		Validate(o)
		o.Refs()
		once := o.Canonical()
		again, err := ParseObject(once)
		if err != nil {
			t.Fatalf("the canonical form does not parse: %v\n%s", err, once)
		}
		if twice := again.Canonical(); !bytes.Equal(once, twice) {
			t.Fatalf("canonical twice:\n%s\n%s", once, twice)
		}
	})
}

// What a stream holds does not depend on the pieces it comes in.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"type":"bundle","id":"b","objects":[{"id":"a"},{"id":"\\"},7,"x"]}`, `[{"a":[[]]}] {"b":1}`, `{"objects":[{"a`, "{}\n\n[]", `{"more":true,"objects":[true,{"id":"c"}],"next":"\""}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		read := func(r io.Reader) (out []string) {
			for it, err := range Scan(r, Limits{ObjectBytes: 1 << 16}) {
				switch {
				case err != nil:
					out = append(out, "end: "+err.Error())
				case it.Err != nil:
					out = append(out, it.Err.Error())
				default:
					out = append(out, it.Object.Text())
				}
			}
			return out
		}
		if diff := cmp.Diff(read(strings.NewReader(s)), read(iotestReader{strings.NewReader(s)})); diff != "" {
			t.Fatalf("%q (whole -, byte by byte +):\n%s", s, diff)
		}
	})
}
