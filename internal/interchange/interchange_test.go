package interchange

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"causeway/stix"

	"github.com/google/go-cmp/cmp"
)

const creator = "identity--0b1c9e3c-6e5e-4f1e-9d7c-3b1d2a4c5e6f"

var now = stix.TimestampOf(time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC))

// read reads text and keeps the objects by id.
func read(t *testing.T, kind Kind, text string, opt Options) (map[string]*stix.Object, Report, error) {
	t.Helper()
	objects := map[string]*stix.Object{}
	report, err := Read(kind, strings.NewReader(text), opt, func(o *stix.Object) error {
		if p := stix.Broken(o); len(p) > 0 {
			t.Errorf("%s is invalid: %v", o.ID(), p)
		}
		objects[o.ID()] = o
		return nil
	})
	return objects, report, err
}

func texts(notes []Note) string {
	var b strings.Builder
	for _, n := range notes {
		b.WriteString(n.String() + "\n")
	}
	return b.String()
}

func sharedFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../../shared/data/" + name)
	if os.IsNotExist(err) {
		t.Skip("the shared data folder is not beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	if zr, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
		var out bytes.Buffer
		if _, err := out.ReadFrom(zr); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	return b
}

func TestSTIXKeepsBytesAndNamesTheBad(t *testing.T) {
	good := `{ "type":"mutex", "id":"mutex--eba44954-d4e4-5d3b-814c-2b17dd8de300" ,"name":"m"}`
	objects, report, err := read(t, STIX, `{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[`+good+",\n"+`{"type":"mutex","id":"mutex--x","name":"n"},{"a":1,"a":2}]}`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if o := objects["mutex--eba44954-d4e4-5d3b-814c-2b17dd8de300"]; o == nil || o.Text() != good || report.Taken != 1 {
		t.Errorf("took %v", objects)
	}
	if got := texts(report.Refused); strings.Count(got, "\n") != 2 || !strings.Contains(got, "line 2 (mutex--x): breaks the standard: id:") || !strings.Contains(got, "stands twice") {
		t.Errorf("refused:\n%s", got)
	}
	if _, err := Read(STIX, strings.NewReader(`{"objects":[`+good), Options{}, func(*stix.Object) error { return nil }); err == nil {
		t.Error("half a bundle read without an error")
	}
	if _, err := Read("xml", strings.NewReader(""), Options{}, nil); err == nil || !strings.Contains(err.Error(), "stix, attack, misp, disarm, csv") {
		t.Error(err)
	}
}

func TestATTACKRoundTrips(t *testing.T) {
	text := sharedFile(t, "stix/attack/ics-attack-10.1.json.gz")
	var objects []*stix.Object
	report, err := Read(ATTACK, bytes.NewReader(text), Options{}, func(o *stix.Object) error { objects = append(objects, o); return nil })
	if err != nil || report.Taken != 830 || len(report.Refused) != 0 {
		t.Fatalf("%v: took %d, refused %s", err, report.Taken, texts(report.Refused))
	}
	var out bytes.Buffer
	if _, err := Write(STIX, &out, objects, Options{}); err != nil {
		t.Fatal(err)
	}
	i := 0
	for it, err := range stix.Scan(&out, stix.Limits{}) {
		if err != nil || it.Err != nil || it.Object.Text() != objects[i].Text() {
			t.Fatalf("object %d changed on the way: %v %v", i, err, it.Err)
		}
		i++
	}
	if i != 830 {
		t.Errorf("%d objects came back", i)
	}
}

// The ids are those of information.md section 4.3.
func TestTechniqueID(t *testing.T) {
	if TaxonomyNamespace.String() != "637f9c1f-b5b9-56c8-a728-1d05a9a2dbb5" {
		t.Error(TaxonomyNamespace)
	}
	for key, want := range map[string]string{"1.7": "35ceea1b-2136-5536-a105-b874ffb15643", "1.6": "2ccfc427-b94a-53c6-94d9-b5cc61bae946"} {
		if got := TechniqueID(key, "T0117"); got != "attack-pattern--"+want {
			t.Errorf("%s: %s", key, got)
		}
	}
}

func TestDISARMBundles(t *testing.T) {
	for _, tt := range []struct {
		file, key         string
		techniques, verbs int
	}{{"DISARM_v1.6", "1.6", 391, 288}, {"DISARM_v1.7", "1.7", 445, 336}} {
		text := string(sharedFile(t, "stix/disarm/"+tt.file+".stix.json.gz"))
		objects, report, err := read(t, DISARM, text, Options{Creator: creator, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if report.ByType["attack-pattern"] != tt.techniques || report.ByType["relationship"] != tt.verbs || len(report.Refused) > 0 {
			t.Errorf("%s: took %v, refused:\n%s", tt.file, report.ByType, texts(report.Refused))
		}
		o := objects[TechniqueID(tt.key, "T0002")]
		if o == nil {
			t.Fatalf("%s: T0002 is not there under its id", tt.file)
		}
		if o.StringAt("kill_chain_phases", "0", "kill_chain_name") != "disarm" || o.StringAt("external_references", "0", "source_name") != "disarm" ||
			!strings.Contains(o.StringAt("external_references", "0", "description"), tt.key) || o.StringAt("external_references", "1", "external_id") == "" ||
			o.CreatedByRef() != creator || strings.Contains(o.Text(), "Windows") {
			t.Errorf("%s: %s", tt.file, o.Text())
		}
		for _, o := range objects {
			for _, r := range o.Refs() {
				if r.ID != creator && objects[r.ID] == nil {
					t.Errorf("%s: %s points at %s, which is not there", tt.file, o.ID(), r.ID)
				}
			}
		}
		again, _, err := read(t, DISARM, text, Options{Creator: creator})
		if err != nil || again[o.ID()].Text() != o.Text() {
			t.Errorf("%s: read twice gives other objects (%v)", tt.file, err)
		}
	}
}

func TestDISARMTables(t *testing.T) {
	for file, tt := range map[string]struct {
		key, id string
		rows    int
	}{
		"v1.6_techniques.csv":              {"1.6", TechniqueID("1.6", "T0002"), 391},
		"v1.6_tactics.csv":                 {"1.6", "", 16},
		"v2.0-observations_techniques.csv": {"2.0-obs-2026-07-19", TechniqueID("2.0-obs-2026-07-19", "T2001"), 383},
	} {
		text := string(sharedFile(t, "fimi/disarm/"+file))
		_, report, err := read(t, DISARM, text, Options{})
		if err == nil || !strings.Contains(err.Error(), "1.6, 1.7, 2.0-obs-2025-07-03") {
			t.Errorf("%s without a version: %v, %v", file, err, report)
		}
		objects, report, err := read(t, DISARM, text, Options{Framework: tt.key})
		if err != nil || report.Taken+len(report.Refused) != tt.rows+1 || len(report.Refused) > 0 {
			t.Errorf("%s: %v, took %d, refused:\n%s", file, err, report.Taken, texts(report.Refused))
		}
		if tt.id != "" && objects[tt.id] == nil {
			t.Errorf("%s: %s is missing", file, tt.id)
		}
	}
	if _, _, err := read(t, DISARM, "a,b\n1,2\n", Options{Framework: "1.6"}); err == nil {
		t.Error("a table of something else read as DISARM")
	}
	if _, _, err := read(t, DISARM, "", Options{Framework: "0.9"}); err == nil || !strings.Contains(err.Error(), `no DISARM version "0.9"`) {
		t.Error(err)
	}
}

const event = `{"Event": {"uuid": "5c1b2a3d-1111-4222-8333-444455556666", "info": "Fake news sites", "date": "2026-01-02", "timestamp": "1767500000",
 "distribution": "3", "Orgc": {"name": "CIRCL"}, "Tag": [{"name": "tlp:green"}, {"name": "estimative-language:likelihood-probability=\"likely\""}],
 "Attribute": [
  {"uuid": "5c1b2a3d-0001-4222-8333-444455556666", "type": "domain", "category": "Network activity", "value": "news.example", "to_ids": true, "timestamp": "1767500001", "distribution": "5", "comment": "clone",
   "Sighting": [{"uuid": "5c1b2a3d-00a1-4222-8333-444455556666", "type": "0", "date_sighting": "1767600000"}, {"uuid": "5c1b2a3d-00a2-4222-8333-444455556666", "type": "1", "date_sighting": "1767600000"}]},
  {"uuid": "5c1b2a3d-0002-4222-8333-444455556666", "type": "ip-dst|port", "value": "198.51.100.7|8443", "to_ids": true, "distribution": "5", "timestamp": "1767500001"},
  {"uuid": "5c1b2a3d-0003-4222-8333-444455556666", "type": "url", "value": "https://news.example/a'b", "to_ids": false, "distribution": "5", "timestamp": "1767500001", "Tag": [{"name": "TLP:AMBER+STRICT"}]},
  {"uuid": "5c1b2a3d-0004-4222-8333-444455556666", "type": "domain", "value": "secret.example", "to_ids": true, "distribution": "4", "sharing_group_id": "7", "timestamp": "1767500001", "SharingGroup": {"uuid": "aaaaaaaa-0000-4000-8000-000000000007", "name": "Five"}},
  {"uuid": "5c1b2a3d-0005-4222-8333-444455556666", "type": "domain", "value": "pap.example", "to_ids": true, "distribution": "5", "timestamp": "1767500001", "Tag": [{"name": "PAP:RED"}]},
  {"uuid": "5c1b2a3d-0006-4222-8333-444455556666", "type": "iban", "value": "XX00", "to_ids": true, "distribution": "5", "timestamp": "1767500001"},
  {"uuid": "5c1b2a3d-0007-4222-8333-444455556666", "type": "ip-src", "value": "300.1.1.1", "to_ids": true, "distribution": "5", "timestamp": "1767500001"},
  {"uuid": "5c1b2a3d-0008-4222-8333-444455556666", "type": "vulnerability", "value": "CVE-2014-0160", "to_ids": false, "distribution": "5", "timestamp": "1767500001"}],
 "Object": [
  {"uuid": "5c1b2a3d-0010-4222-8333-444455556666", "name": "file", "distribution": "5", "timestamp": "1767500001",
   "ObjectReference": [{"uuid": "5c1b2a3d-0090-4222-8333-444455556666", "relationship_type": "Drops_From", "referenced_uuid": "5c1b2a3d-0011-4222-8333-444455556666", "timestamp": "1767500001"}],
   "Attribute": [{"uuid": "5c1b2a3d-0012-4222-8333-444455556666", "type": "filename", "object_relation": "filename", "value": "a.exe", "to_ids": true, "distribution": "5"},
    {"uuid": "5c1b2a3d-0013-4222-8333-444455556666", "type": "md5", "object_relation": "md5", "value": "b365b9a80a06906fc9b400c06c33ff43", "to_ids": true, "distribution": "5"}]},
  {"uuid": "5c1b2a3d-0011-4222-8333-444455556666", "name": "narrative", "distribution": "5", "timestamp": "1767500001",
   "Attribute": [{"type": "text", "object_relation": "narrative-summary", "value": "The cables were cut by nobody"}, {"type": "text", "object_relation": "narrative-disproof", "value": "they were"}]}],
 "Galaxy": [{"type": "mitre-attack-pattern", "GalaxyCluster": [{"type": "mitre-attack-pattern", "uuid": "a62a8db3-f23a-4d8f-afd6-9dbc77e7813b", "value": "Phishing - T1566"}]},
  {"type": "disarm-techniques", "GalaxyCluster": [{"type": "disarm-techniques", "uuid": "782afafa-e997-571a-9b25-d04bb322480c", "value": "Facilitate State Propaganda"}]}]
}}`

func TestMISP(t *testing.T) {
	objects, report, err := read(t, MISP, event, Options{Creator: creator, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"indicator": 3, "observed-data": 1, "url": 1, "vulnerability": 1, "sighting": 1, "narrative": 1, "relationship": 1, "report": 1}
	if diff := cmp.Diff(want, report.ByType); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	ind := objects["indicator--5c1b2a3d-0001-4222-8333-444455556666"]
	if ind == nil || ind.StringAt("pattern") != "[domain-name:value = 'news.example']" || ind.CreatedByRef() != creator ||
		ind.Created().String() != "2026-01-02T00:00:00.000Z" || ind.Modified().String() != "2026-01-04T04:13:21.000Z" || cmp.Diff([]string{stix.TLPGreen}, ind.MarkingRefs()) != "" {
		t.Errorf("indicator: %v", ind.Text())
	}
	if p := objects["indicator--5c1b2a3d-0010-4222-8333-444455556666"].StringAt("pattern"); p != "[file:name = 'a.exe' AND file:hashes.MD5 = 'b365b9a80a06906fc9b400c06c33ff43']" {
		t.Error(p)
	}
	if rel := objects["relationship--5c1b2a3d-0090-4222-8333-444455556666"]; rel.StringAt("relationship_type") != "drops-from" {
		t.Error(rel.Text())
	}
	for id, o := range objects {
		if o.Type() == "url" && cmp.Diff([]string{stix.TLPGreen, stix.TLPAmberStrict}, o.MarkingRefs()) != "" {
			t.Errorf("%s lost a marking: %v", id, o.MarkingRefs())
		}
	}
	refused := texts(report.Refused)
	for _, must := range []string{"sharing group Five (aaaaaaaa-0000-4000-8000-000000000007)", `"PAP:RED"`, `"iban"`, "300.1.1.1", "a sighting of type 1", "narrative-disproof", "DISARM number without its version"} {
		if !strings.Contains(refused, must) {
			t.Errorf("refused should name %s:\n%s", must, refused)
		}
	}
	for _, secret := range []string{"secret.example", "pap.example"} {
		for _, o := range objects {
			if strings.Contains(o.Text(), secret) {
				t.Errorf("%s came through: %s", secret, o.Text())
			}
		}
	}
	// Told what the sharing group means, the attribute comes with that marking.
	mark := "marking-definition--11111111-2222-4333-8444-555566667777"
	objects, _, err = read(t, MISP, event, Options{SharingGroups: map[string][]string{"aaaaaaaa-0000-4000-8000-000000000007": {mark}}})
	if err != nil {
		t.Fatal(err)
	}
	if o := objects["indicator--5c1b2a3d-0004-4222-8333-444455556666"]; o == nil || cmp.Diff([]string{stix.TLPGreen, mark}, o.MarkingRefs()) != "" {
		t.Errorf("got %v", o)
	}
}

// Whatever a part says about its own audience counts inside an object too.
func TestMISPObjectsKeepTheAudienceOfTheirParts(t *testing.T) {
	const secret = `"distribution": "4", "SharingGroup": {"uuid": "aaaaaaaa-0000-4000-8000-000000000008", "name": "Four"}`
	for name, text := range map[string]string{
		"file":      strings.Replace(event, `"value": "b365b9a80a06906fc9b400c06c33ff43", "to_ids": true, "distribution": "5"`, `"value": "b365b9a80a06906fc9b400c06c33ff43", "to_ids": true, `+secret, 1),
		"narrative": strings.Replace(event, `"value": "The cables were cut by nobody"`, `"value": "b365b9a80a06906fc9b400c06c33ff43", `+secret, 1),
	} {
		if name == "narrative" {
			text = strings.Replace(text, `"type": "md5", "object_relation": "md5", "value": "b365b9a80a06906fc9b400c06c33ff43"`, `"type": "md5", "object_relation": "md5", "value": "00000000000000000000000000000000"`, 1)
		}
		objects, report, err := read(t, MISP, text, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			if strings.Contains(o.Text(), "b365b9a80a06906fc9b400c06c33ff43") {
				t.Errorf("%s: came through in %s", name, o.Text())
			}
		}
		if !strings.Contains(texts(report.Refused), "sharing group Four") {
			t.Errorf("%s: refused:\n%s", name, texts(report.Refused))
		}
	}
}

func TestMISPPublication(t *testing.T) {
	post := strings.Replace(event, `"Object": [`, `"Object": [
  {"uuid": "5c1b2a3d-0020-4222-8333-444455556666", "name": "microblog", "distribution": "5", "timestamp": "1767500001", "Attribute": [
    {"type": "text", "object_relation": "post", "value": "the cables cut themselves"},
    {"type": "text", "object_relation": "username", "value": "@cableguy"},
    {"type": "text", "object_relation": "type", "value": "Twitter"},
    {"type": "datetime", "object_relation": "creation-date", "value": "2026-01-03T10:00:00+02:00"},
    {"type": "link", "object_relation": "link", "value": "https://social.example/1"},
    {"type": "url", "object_relation": "url", "value": "https://social.example/2", "Tag": [{"name": "PAP:RED"}]}]},`, 1)
	objects, report, err := read(t, MISP, post, Options{Creator: creator})
	if err != nil {
		t.Fatal(err)
	}
	if report.ByType["media-content"] != 1 || report.ByType["user-account"] != 1 {
		t.Errorf("took %v\n%s", report.ByType, texts(report.Refused))
	}
	o := objects["observed-data--5c1b2a3d-0020-4222-8333-444455556666"]
	if o == nil || o.StringAt("first_observed") != "2026-01-03T08:00:00.000Z" {
		t.Errorf("got %v", o)
	}
	for _, o := range objects {
		if strings.Contains(o.Text(), "cut themselves") || strings.Contains(o.Text(), "example/2") {
			t.Errorf("%s came through", o.Text())
		}
		if o.Type() == "user-account" && (o.StringAt("account_login") != "cableguy" || o.StringAt("account_type") != "twitter") {
			t.Error(o.Text())
		}
	}
	if s := texts(report.Refused); !strings.Contains(s, "post the cables cut themselves") {
		t.Errorf("refused:\n%s", s)
	}
}

func TestMISPDeniesByDefault(t *testing.T) {
	for name, text := range map[string]string{
		"own organisation": strings.Replace(event, `"distribution": "3"`, `"distribution": "0"`, 1),
		"no distribution":  strings.Replace(event, `"distribution": "3",`, ``, 1),
		"unknown TLP":      strings.Replace(event, `tlp:green`, `tlp:ex:chr`, 1),
		"handling tag":     strings.Replace(event, `tlp:green`, `NATO:classification`, 1),
		"no uuid":          strings.Replace(event, `5c1b2a3d-1111-4222-8333-444455556666`, `x`, 1),
	} {
		objects, report, err := read(t, MISP, text, Options{})
		if err != nil || len(objects) != 0 || len(report.Refused) != 1 {
			t.Errorf("%s: %v, took %d, refused:\n%s", name, err, len(objects), texts(report.Refused))
		}
	}
	for _, bad := range []string{``, `{}`, `{"response":[]}`, `{"Event":`, `<xml/>`} {
		if _, _, err := read(t, MISP, bad, Options{}); err == nil {
			t.Errorf("%q read as a MISP file", bad)
		}
	}
	if _, report, _ := read(t, MISP, `{"response":[`+event+`,`+event+`]}`, Options{}); report.ByType["report"] != 2 {
		t.Errorf("two events of a response: %v", report.ByType)
	}
}

func TestMISPRoundTrip(t *testing.T) {
	objects, _, err := read(t, MISP, event, Options{Creator: creator})
	if err != nil {
		t.Fatal(err)
	}
	var list []*stix.Object
	for _, o := range objects {
		list = append(list, o)
	}
	labelled, err := stix.New("indicator", "", now).Set("pattern", "[url:value = 'x']").Set("pattern_type", "stix").Set("valid_from", now).
		Mark("marking-definition--11111111-2222-4333-8444-555566667777").Object()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	report, err := Write(MISP, &out, append(list, labelled), Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Event writtenEvent
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Event.UUID != "5c1b2a3d-1111-4222-8333-444455556666" || back.Event.Info != "Fake news sites" || back.Event.Distribution != "0" || cmp.Diff([]writtenTag{{"tlp:green"}}, back.Event.Tag) != "" {
		t.Errorf("event: %+v", back.Event)
	}
	values := map[string]bool{}
	for _, a := range back.Event.Attribute {
		values[a.Type+" "+a.Value] = a.ToIDs
	}
	if !values["domain news.example"] || values["url https://news.example/a'b"] || len(values) != 3 {
		t.Errorf("attributes: %v", values)
	}
	refused := texts(report.Refused)
	if !strings.Contains(refused, labelled.ID()) || !strings.Contains(refused, "more than a list of values") || strings.Contains(out.String(), `'x'`) {
		t.Errorf("refused:\n%s", refused)
	}
}

func TestCSV(t *testing.T) {
	table := "\ufefftype,value,name,valid_from,labels,confidence,tlp,colour\r\n" +
		"domain,news.example,\"Clone, of a paper\",2026-01-02,a|b,80,amber,red\r\n" +
		"ip-dst,300.1.1.1,,,,,,\r\n" +
		"sha256,aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f,'=1+1,2026-01-02T03:04:05Z,,,,\r\n" +
		"wombat,x,,,,,,\r\n" +
		"url,https://news.example/,,,,,purple,\r\n" +
		"domain,a.example,,2026-13-01,,,,\r\n" +
		"AS,AS15139,,,,101,,\r\n"
	objects, report, err := read(t, CSV, table, Options{Creator: creator, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if report.Taken != 2 || len(report.Refused) != 5 || !strings.Contains(texts(report.Changed), "colour") {
		t.Errorf("took %d, refused:\n%schanged:\n%s", report.Taken, texts(report.Refused), texts(report.Changed))
	}
	for _, must := range []string{"line 3: ip-dst", "line 5: wombat", "line 6: url", "line 7: domain", "line 8: cannot be said in STIX"} {
		if !strings.Contains(texts(report.Refused), must) {
			t.Errorf("refused does not name %q:\n%s", must, texts(report.Refused))
		}
	}
	var list []*stix.Object
	for _, o := range objects {
		list = append(list, o)
		if o.Name() == "Clone, of a paper" && (o.StringAt("pattern") != "[domain-name:value = 'news.example']" || o.StringAt("valid_from") != "2026-01-02T00:00:00.000Z" || cmp.Diff([]string{stix.TLPAmber}, o.MarkingRefs()) != "") {
			t.Error(o.Text())
		}
	}
	var out bytes.Buffer
	if _, err := Write(CSV, &out, list, Options{}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, row := range rows {
		for _, cell := range row {
			if formula(cell) {
				t.Errorf("a spreadsheet would run %q", cell)
			}
		}
	}
	back, report, err := read(t, CSV, out.String(), Options{Creator: creator, Now: now})
	if err != nil || len(report.Refused) > 0 {
		t.Fatal(err, texts(report.Refused))
	}
	for id, o := range objects {
		if b := back[id]; b == nil || b.Digest() != o.Digest() {
			t.Errorf("%s came back as %v", o.Text(), b)
		}
	}
	for _, bad := range []string{"", "a,b\n1,2\n", "type,value,type\n", "type,value\n\"a"} {
		if _, _, err := read(t, CSV, bad, Options{Now: now}); err == nil {
			t.Errorf("%q read as a table of indicators", bad)
		}
	}
	if _, report, err := read(t, CSV, "operation,domain\nRRN,news.example\n", Options{Now: now}); err != nil || report.Taken != 1 {
		t.Errorf("a table with a domain column: %v %+v", err, report)
	}
}

func TestDetect(t *testing.T) {
	for text, want := range map[string]Kind{
		event: MISP, `{"response":[]}`: MISP, ` [{"Event":{}}]`: MISP, `{"type":"bundle","Event":1}`: STIX, `{`: STIX, ``: STIX, `<xml/>`: STIX,
		"disarm_id,name\n": DISARM, "\ufefftype,value\n": CSV, "domain\na.example\n": CSV, "no idea\n": STIX,
	} {
		if got := Detect([]byte(text)); got != want {
			t.Errorf("%.30q: %s, want %s", text, got, want)
		}
	}
	if got := Detect(sharedFile(t, "stix/disarm/DISARM_v1.7.stix.json.gz")); got != DISARM {
		t.Errorf("DISARM 1.7: %s", got)
	}
	if got := Detect(sharedFile(t, "stix/attack/ics-attack-10.1.json.gz")); got != STIX {
		t.Errorf("ATT&CK: %s", got)
	}
}

func TestValues(t *testing.T) {
	for p, want := range map[string][]string{
		"[url:value = 'a' OR url:value IN ('b','c')]": {"a", "b", "c"},
		"[url:value = 'a' AND url:value = 'b']":       nil,
		"[url:value != 'a']":                          nil,
	} {
		o, err := stix.New("indicator", "", now).Set("pattern", p).Set("pattern_type", "stix").Set("valid_from", now).Object()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, Values(o)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p, diff)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("misp", event)
	f.Add("csv", "type,value\ndomain,a.example\n")
	f.Add("disarm", "disarm_id,name,tactic_id\nT1,a,TA1\n")
	f.Add("stix", `{"objects":[{"type":"mutex"}]}`)
	f.Fuzz(func(t *testing.T, kind, text string) {
		Read(Kind(kind), strings.NewReader(text), Options{Framework: "1.6", Now: now}, func(o *stix.Object) error {
			if p := stix.Broken(o); len(p) > 0 {
				t.Fatalf("handed on an invalid object: %v\n%s", p, o.Text())
			}
			return nil
		})
	})
}
