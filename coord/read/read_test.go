package read_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"causeway/coord"
	"causeway/coord/read"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
)

// rows reads everything and states each post in a line.
func rows(src coord.Source) ([]string, error) {
	var out []string
	var b coord.Batch
	for {
		err := src.Next(&b)
		for _, p := range b.Posts {
			out = append(out, fmt.Sprintf("%v %s %s %s %d", p.Kind, p.Object, p.Account, p.Content, p.Time))
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

func open(t testing.TB, in []byte, opt read.Options) ([]string, read.Skipped, error) {
	t.Helper()
	src, err := read.Open(context.Background(), bytes.NewReader(in), opt)
	if err != nil {
		return nil, read.Skipped{}, err
	}
	defer src.Close()
	out, err := rows(src)
	return out, src.Skipped(), err
}

const header = "object_id,account_id,content_id,timestamp_share\n"

func TestForms(t *testing.T) {
	want := []string{"object o 1 a1 c1 1700000000000000", "object o,2 a2 c\"2 1700000001500000"}
	csv := header + "o 1,a1,c1,1700000000\n\"o,2\",a2,\"c\"\"2\",1700000001.5\n"
	zip := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(s))
		w.Close()
		return b.String()
	}
	std := func(s string) string {
		w, _ := zstd.NewWriter(nil)
		return string(w.EncodeAll([]byte(s), nil))
	}
	for name, in := range map[string]string{
		"csv":           csv,
		"crlf and bom":  "\ufeff" + strings.ReplaceAll(csv, "\n", "\r\n"),
		"no last line":  strings.TrimSuffix(csv, "\n"),
		"blank lines":   strings.ReplaceAll(csv, "\n", "\n\n"),
		"gzip":          zip(csv),
		"zstd":          std(csv),
		"semicolons":    "object_id;account_id;content_id;timestamp_share\no 1;a1;c1;1700000000\n\"o,2\";a2;\"c\"\"2\";1700000001.5\n",
		"other order":   "timestamp,user_id,x,message_id,object\n1700000000,a1,,c1,o 1\n1700000001.5,a2,,\"c\"\"2\",\"o,2\"\n",
		"iso":           header + "o 1,a1,c1,2023-11-14T22:13:20Z\n\"o,2\",a2,\"c\"\"2\",2023-11-15T00:13:21.5+02:00\n",
		"utc":           header + "o 1,a1,c1,2023-11-14 22:13:20\n\"o,2\",a2,\"c\"\"2\",2023-11-14 22:13:21.5\n",
		"milliseconds":  header + "o 1,a1,c1,1700000000000\n\"o,2\",a2,\"c\"\"2\",1700000001500\n",
		"json":          `{"object_id":"o 1","account_id":"a1","content_id":"c1","timestamp_share":1700000000}` + "\n" + `{"timestamp_share":1700000001.5,"x":{"y":[1,"}"]},"content_id":"c\"2","account_id":"a2","object_id":"o,2"}` + "\n",
		"json, gzipped": zip(`{"object_id":"o 1","account_id":"a1","content_id":"c1","timestamp_share":1700000000}` + "\n" + `{"object_id":"o,2","account_id":"a2","content_id":"c\u00222","timestamp_share":1.7000000015e9}`),
	} {
		got, _, err := open(t, []byte(in), read.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestParquet(t *testing.T) {
	type post struct {
		Object  string `parquet:"object_id"`
		Account string `parquet:"account_id"`
		Content int64  `parquet:"content_id"`
		Time    int64  `parquet:"timestamp_share,timestamp(millisecond)"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[post](&b)
	if _, err := w.Write([]post{{"o1", "a1", 7, 1700000000000}, {"o2", "a2", 8, -1500}}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	src, err := read.Parquet(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()), read.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	got, err := rows(src)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"object o1 a1 7 1700000000000000", "object o2 a2 8 -1500000"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestBadInput: every error names the row, and the column where there is one.
func TestBadInput(t *testing.T) {
	good := header + "o,a,c1,1700000000\n"
	for _, test := range []struct{ name, in, want string }{
		{"empty file", "", "empty"},
		{"no column", "object_id,account_id,time\n", "content_id"},
		{"twice a column", "object_id,object_id,account_id,content_id,timestamp_share\n", "twice"},
		{"too few fields", good + "o,a\n", "row 2 (line 3)"},
		{"too many fields", good + "o,a,c,1700000000,x\n", "row 2 (line 3)"},
		{"not a number", good + "o,a,c2,soon\n", "row 2 (line 3), column timestamp_share"},
		{"changes to milliseconds", good + "o,a,c2,1700000000000\n", "row 2 (line 3), column timestamp_share"},
		{"changes to iso", good + "o,a,c2,2023-11-14T22:13:20Z\n", "row 2 (line 3), column timestamp_share"},
		{"no time", good + "o,a,c2,\n", "row 2 (line 3), column timestamp_share"},
		{"empty account", good + "o,,c2,1700000000\n", "row 2 (line 3), column account_id"},
		{"empty object", good + ",a,c2,1700000000\n", "row 2 (line 3), column object_id"},
		{"open quote", good + "\"o,a,c2,1700000000\n", "row 2 (line 3)"},
		{"stray quote", good + "o\"x,a,c2,1700000000\n", "row 2 (line 3)"},
		{"not utf-8", good + "o,a\xff,c2,1700000000\n", "row 2 (line 3), column account_id"},
		{"long row", good + strings.Repeat("x", 10<<20) + ",a,c2,1700000000\n", "longer than"},
		{"json, broken", `{"object_id":"o","account_id":"a","content_id":"c","timestamp_share":1}` + "\n{\"object_id\":", "row 2 (line 2)"},
		{"json, no account", `{"object_id":"o","content_id":"c","timestamp_share":1}`, "row 1 (line 1), column account_id"},
		{"truncated gzip", string(truncatedGzip()), "truncated"},
	} {
		_, _, err := open(t, []byte(test.in), read.Options{File: "posts.csv", Layout: read.Generic()})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "posts.csv") {
			t.Errorf("%s: got %v, want it to say %q and the file", test.name, err, test.want)
		}
	}
}

func truncatedGzip() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	fmt.Fprint(w, header)
	for i := range 20000 {
		fmt.Fprintf(w, "o%d,a%d,c%d,%d\n", i*7919%1000, i*31%97, i, 1700000000+i)
	}
	w.Close()
	return b.Bytes()[:b.Len()/2]
}

func TestSkipBadRows(t *testing.T) {
	in := header + "o,a,c1,1700000000\no,,c2,1700000001\no,a,c3,soon\no,a,c4,1700000002\n"
	got, skipped, err := open(t, []byte(in), read.Options{Skip: true})
	if err != nil || len(got) != 2 || skipped.Count != 2 || !strings.Contains(skipped.First[0], "row 2") {
		t.Errorf("%v, %v, %v: want two posts and two bad rows", got, skipped, err)
	}
}

// TestRowNumbersAcrossBlocks: the place of a bad row is right far into a file
// whose quoted fields hold line ends.
func TestRowNumbersAcrossBlocks(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(header)
	for i := range 60_000 {
		fmt.Fprintf(&b, "\"object with\na line end %d\",account,content-%d,%d\n", i, i, 1700000000+i)
	}
	b.WriteString("o,a,c,never\n")
	_, _, err := open(t, b.Bytes(), read.Options{})
	var e *read.Error
	if !errors.As(err, &e) || e.Row != 60_001 || e.Line != 120_002 {
		t.Errorf("%v: want row 60001, line 120002", err)
	}
}

func TestLayouts(t *testing.T) {
	for _, test := range []struct {
		layout, in string
		want       []string
	}{
		{"twarc", `{"id":"10","author_id":"u1","created_at":"2021-08-22T10:00:00.000Z","text":"RT hello","referenced_tweets":[{"type":"quoted","id":"7"},{"type":"retweeted","id":"9"}],"entities":{"urls":[{"expanded_url":"https://www.example.com/a?utm_source=x"}],"hashtags":[{"tag":"News"}]}}`,
			[]string{"repost 9", "reply ", "url example.com/a", "hashtag news", "text RT hello"}},
		{"twarc1", `{"id_str":"10","user":{"id_str":"u1"},"created_at":"Sun Aug 22 10:00:00 +0000 2021","full_text":"hi","retweeted_status":{"id_str":"9"},"in_reply_to_status_id_str":null,"entities":{"urls":[],"hashtags":[]}}`,
			[]string{"repost 9", "reply ", "url ", "hashtag ", "text hi"}},
		{"io-archive", "tweetid,userid,tweet_time,retweet_tweetid,in_reply_to_tweetid,urls,hashtags,tweet_text\n10,u1,2021-08-22 10:00,9,,\"['https://example.com/a', 'https://example.com/b']\",\"[News, x]\",hi\n",
			[]string{"repost 9", "reply ", "url example.com/a", "url example.com/b", "hashtag news", "hashtag x", "text hi"}},
		{"telegram", `{"_":"Message","id":10,"peer_id":{"_":"PeerChannel","channel_id":5},"date":"2021-08-22T10:00:00+00:00","message":"hi","fwd_from":{"from_id":{"channel_id":7},"channel_post":3}}`,
			[]string{"repost 7/3", "url ", "text hi"}},
		{"bluesky", `{"did":"u1","time_us":1629626400000000,"kind":"commit","commit":{"collection":"app.bsky.feed.repost","rkey":"k","record":{"subject":{"uri":"at://x/y"}}}}` + "\n" + `{"did":"u1","time_us":1629626400000001,"kind":"identity"}` + "\n" +
			`{"did":"u1","time_us":1629626400000000,"kind":"commit","commit":{"collection":"app.bsky.feed.like","rkey":"l","record":{"subject":{"uri":"at://x/y"}}}}`,
			[]string{"repost at://x/y", "reply ", "url ", "hashtag ", "text ", "repost ", "reply ", "url ", "hashtag ", "text "}},
		{"tiktok", `{"id":10,"username":"u1","create_time":1629626400,"music_id":77,"hashtag_names":["a","B"],"video_description":"hi"}`,
			[]string{"object 77", "hashtag a", "hashtag b", "text hi"}},
		{"youtube", `{"id":{"videoId":"v"},"snippet":{"channelId":"u1","publishedAt":"2021-08-22T10:00:00Z","title":"hi","description":""}}`,
			[]string{"hashtag ", "text hi"}},
		{"crowdtangle", `{"platformId":"10","account":{"id":1},"date":"2021-08-22 10:00:00","expandedLinks":[{"expanded":"https://m.facebook.com/x"}],"message":"hi"}`,
			[]string{"url facebook.com/x", "text hi"}},
		{"facebook", "id,post_owner.id,creation_time,text,link_attachment.link,hashtags\n10,1,2021-08-22T10:00:00+00:00,hi,https://example.com/x,\n",
			[]string{"url example.com/x", "hashtag ", "text hi"}},
		{"cnt", "message_id,user_id,username,repost_id,reply_id,message,timestamp,urls\n10,u1,n,9,,hi,1629626400,\n", []string{"repost 9"}},
	} {
		t.Run(test.layout, func(t *testing.T) {
			l, err := read.LayoutByName(test.layout)
			if err != nil {
				t.Fatal(err)
			}
			for _, layout := range []read.Layout{l, {}} { // by name, and recognised
				src, err := read.Open(context.Background(), strings.NewReader(test.in), read.Options{Layout: layout})
				if err != nil {
					t.Fatal(err)
				}
				defer src.Close()
				var got []string
				var b coord.Batch
				for {
					err := src.Next(&b)
					for _, p := range b.Posts {
						got = append(got, fmt.Sprintf("%v %s", p.Kind, p.Object))
						if p.Time != 1629626400000000 {
							t.Errorf("time %d", p.Time)
						}
					}
					if err == io.EOF {
						break
					} else if err != nil {
						t.Fatal(err)
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestMappingFile(t *testing.T) {
	l, err := read.ParseLayout([]byte(`{"name":"mine","account":"who","content":"id","time":"when","clock":"utc","traces":[{"kind":"url","column":"link","list":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := open(t, []byte("id,who,when,link\n1,a,2021-08-22 10:00:00,https://example.com/x https://example.com/y\n"), read.Options{Layout: l})
	if diff := cmp.Diff([]string{"url example.com/x a 1 1629626400000000", "url example.com/y a 1 1629626400000000"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := read.ParseLayout([]byte(`{"account":"a","unknown":1}`)); err == nil {
		t.Error("an unknown field was taken")
	}
}

func TestPseudonyms(t *testing.T) {
	in := []byte(header + "o,alice,c1,1700000000\no,bob,c2,1700000001\no,alice,c3,1700000002\n")
	names := func(key string) []string {
		src, err := read.Open(context.Background(), bytes.NewReader(in), read.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		out, err := rows(read.Pseudonyms(src, []byte(key)))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	a, b := names("key one"), names("key two")
	if a[0] == b[0] || strings.Contains(strings.Join(a, " "), "alice") {
		t.Errorf("%v and %v: want different pseudonyms", a, b)
	}
	if strings.Fields(a[0])[2] != strings.Fields(a[2])[2] || strings.Fields(a[0])[2] == strings.Fields(a[1])[2] {
		t.Errorf("%v: want one pseudonym for one account", a)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(header + "o,a,c1,1700000000\n\"o\n\",a,\"c\"\"\",1\n"))
	f.Add([]byte(`{"object_id":"o","account_id":"a","content_id":"c","timestamp_share":1}`))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		src, err := read.Open(context.Background(), bytes.NewReader(in), read.Options{})
		if err != nil {
			return
		}
		defer src.Close()
		_, _ = rows(src)
	})
}
