package write_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"causeway/coord"
	"causeway/coord/read"
	"causeway/coord/write"

	"github.com/google/go-cmp/cmp"
)

// posts has names that every format must escape.
const posts = `object_id,account_id,content_id,timestamp_share
o1,"a<b>&""x""",p1,1700000000
o1,"=cmd, 'q'",p2,1700000030.5
o1,日本,p3,1700000031
o2,"a<b>&""x""",p4,1700000100
o2,"=cmd, 'q'",p5,1700000101
`

func detect(t *testing.T, sem coord.Semantics) *coord.Result {
	src, err := read.Open(context.Background(), strings.NewReader(posts), read.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := coord.Detect(context.Background(), src, coord.Options{Semantics: sem, MinParticipation: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func text(t *testing.T, to func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := to(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEdges(t *testing.T) {
	r := detect(t, coord.CooRTweet)
	rows, err := csv.NewReader(strings.NewReader(text(t, func(w io.Writer) error { return write.Edges(w, r) }))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, row := range rows {
		got = append(got, row[:9])
	}
	want := [][]string{
		{"account_a", "account_b", "weight", "distinct_objects", "posts_a", "posts_b", "mean_delta_s", "p_value", "q_value"},
		{"=cmd, 'q'", `a<b>&"x"`, "2", "2", "2", "2", "15.75", "", ""},
		{"=cmd, 'q'", "日本", "1", "1", "1", "1", "0.5", "", ""},
		{`a<b>&"x"`, "日本", "1", "1", "1", "1", "31", "", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEvidence(t *testing.T) {
	r := detect(t, coord.CNT)
	rows, err := csv.NewReader(strings.NewReader(text(t, func(w io.Writer) error { _, err := write.Evidence(w, r); return err }))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"=cmd, 'q'", `a<b>&"x"`, "object", "o1", "p2", "1700000030.5", "p1", "1700000000", "-30.5", "3", "", "", "b"}
	if diff := cmp.Diff(want, rows[1]); diff != "" || len(rows) != 5 {
		t.Errorf("%d rows; %s", len(rows), diff)
	}
}

// TestXML: both graph formats are well-formed and give every name back.
func TestXML(t *testing.T) {
	r := detect(t, coord.CooRTweet)
	at := r.Layout(1)
	for name, s := range map[string]string{
		"graphml": text(t, func(w io.Writer) error { return write.GraphML(w, r) }),
		"gexf":    text(t, func(w io.Writer) error { return write.GEXF(w, r, at) }),
		"drawing": write.Drawing(r, at, 800),
	} {
		var ids []string
		d := xml.NewDecoder(strings.NewReader(s))
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "node" {
				ids = append(ids, e.Attr[0].Value)
			}
		}
		if want := []string{"=cmd, 'q'", `a<b>&"x"`, "日本"}; name != "drawing" && !slices.Equal(ids, want) {
			t.Errorf("%s: nodes %q, want %q", name, ids, want)
		}
	}
}

// TestReport: the page escapes names, says what it is, and asks nothing of any
// other place.
func TestReport(t *testing.T) {
	r := detect(t, coord.CooRTweet)
	digest, err := write.Evidence(io.Discard, r)
	if err != nil {
		t.Fatal(err)
	}
	s := text(t, func(w io.Writer) error { return write.Report(w, r, r, r.Layout(1), digest) })
	for _, bad := range []string{"a<b>", "<script", "src=", "href=", "@import", "url("} {
		if strings.Contains(s, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	for _, want := range []string{"NOT LABELLED", "not an assessment", "<svg", "日本", "a&lt;b&gt;"} {
		if !strings.Contains(s, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestFloat(t *testing.T) {
	for _, test := range []struct {
		us   int64
		want string
	}{{0, "0"}, {1_500_000, "1.5"}, {-500_000, "-0.5"}, {-12_000_001, "-12.000001"}} {
		if got := write.Seconds(test.us); got != test.want {
			t.Errorf("%d us: %s, want %s", test.us, got, test.want)
		}
	}
}
