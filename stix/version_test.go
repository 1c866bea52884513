package stix

import (
	"bytes"
	"strings"
	"testing"
)

func TestSucceeds(t *testing.T) {
	const first = `{"type":"tool","id":"tool--` + u4 + `","created_by_ref":"identity--a",` + head + `,"name":"a"}`
	later := strings.Replace(first, `"modified":"2026-01-01`, `"modified":"2026-01-02`, 1)
	revoked := strings.Replace(first, `"name"`, `"revoked":true,"name"`, 1)
	for _, tt := range []struct{ name, previous, next, want string }{
		{"the same", first, strings.Replace(first, `"name":"a"`, `"revoked": false, "name" : "\u0061"`, 1), ""},
		{"another object", first, strings.Replace(first, u4, u5, 1), ""},
		{"a version", first, later, ""},
		{"an older version", later, first, ""},
		{"two contents", first, strings.Replace(first, `"a"}`, `"b"}`, 1), "conflict"},
		{"one instant spelt twice", first, strings.Replace(first, `"modified":"2026-01-01T00:00:00.000Z"`, `"modified":"2026-01-01T00:00:00.0000Z"`, 1), "conflict"},
		{"another creator", first, strings.Replace(later, "identity--a", "identity--b", 1), "creator"},
		{"another creation", first, strings.Replace(later, `"created":"2026-01-01`, `"created":"2026-01-02`, 1), "created"},
		{"after revocation", revoked, later, "revoked"},
		{"revocation that comes last", first, strings.Replace(revoked, `"modified":"2026-01-01`, `"modified":"2026-01-02`, 1), ""},
		{"older than the revocation", strings.Replace(revoked, `"modified":"2026-01-01`, `"modified":"2026-01-02`, 1), first, ""},
		{"unversioned", marking(`"name":"a"`), marking(`"name":"b"`), "conflict"},
	} {
		a, err := ParseObject([]byte(tt.previous))
		if err != nil {
			t.Fatal(err)
		}
		b, err := ParseObject([]byte(tt.next))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, p := range Succeeds(a, b) {
			got += p.Code
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The counts are those of the data's README: what is already held wins.
func TestSucceedsOnATTACK(t *testing.T) {
	held := map[string]map[int64]*Object{}
	newest := map[string]*Object{}
	revoked, conflicts := map[string]bool{}, 0
	for _, file := range []string{"ics-attack-10.1", "ics-attack-12.1", "mobile-attack-13.1", "mobile-attack-17.1"} {
		for it, err := range Scan(bytes.NewReader(shared(t, "attack/"+file+".json.gz")), Limits{}) {
			if err != nil || it.Err != nil {
				t.Fatal(err, it.Err)
			}
			o := it.Object
			if have := held[o.ID()][o.Version().Micro()]; have != nil {
				if len(Succeeds(have, o)) > 0 {
					conflicts++
				}
				continue
			}
			if held[o.ID()] == nil {
				held[o.ID()] = map[int64]*Object{}
			}
			held[o.ID()][o.Version().Micro()] = o
			for _, have := range held[o.ID()] {
				for _, p := range Succeeds(have, o) {
					if p.Code == "revoked" {
						revoked[o.ID()] = true
					}
				}
			}
			if n := newest[o.ID()]; n == nil || n.Version().Compare(o.Version()) < 0 {
				newest[o.ID()] = o
			}
		}
	}
	if conflicts != 8 || len(revoked) != 53 || len(newest) != 3677 {
		t.Errorf("%d conflicts, %d ids versioned after revocation, %d ids; want 8, 53, 3677", conflicts, len(revoked), len(newest))
	}
}

// The ids are the table of information.md section 2.1.
func TestDefinitions(t *testing.T) {
	for name, want := range map[string]string{
		"information-incident": "acd048dd-d6f1-5864-8ea7-c9c664aa8a98", "observation": "67513a66-b6c8-570e-821f-30fe10e3d89c",
		"assessment": "f1970f24-9a39-574c-b6c7-1849351711e3", "narrative": "3e25b301-ae6a-5f79-887d-e529880cfe0a",
		"claim": "01d3bd23-5a14-5c75-b33f-b0ce4f5d548b", "channel": "8f574772-960c-573d-b32d-d06112e7305a",
		"information-environment-impact": "5c2c9ddf-2281-5d57-98f6-7fbde0c0166f", "playbook": "1488b9ea-53d5-5a4b-ba00-487ab55b0670",
		"candidate-match": "48eae6e6-30fd-5d9d-b774-13a9dd6e8c72", "response": "3ac4f093-d2e5-5c80-8c03-9543ea16f45b",
		"translation": "6b2cdcb4-0f2f-544a-ab48-775fd248b596", "statement": "eccec2f9-55d0-532b-94f7-4ea429e0f045",
		"perception-observation": "bafe35a5-4114-583a-b3bb-a30a99bed570", "perception-estimate": "863722fe-796c-577b-b361-5ca388322e2f",
	} {
		id := ExtensionID(name)
		if id != "extension-definition--"+want {
			t.Errorf("%s: %s, want %s", name, id, want)
		}
		o, ok := Definition(id)
		if !ok || o.Name() != name {
			t.Errorf("no definition of %s", name)
		}
	}
	if len(Definitions()) != len(ownExtensions)+1 {
		t.Errorf("%d definitions", len(Definitions()))
	}
	claim, _ := Definition(ExtensionID("claim"))
	if s := claim.StringAt("schema"); !strings.HasPrefix(s, "new sdo x-causeway-claim") || !strings.Contains(s, "checkable! enum:yes|partly|no") || strings.Contains(s, "x-causeway-match") {
		t.Errorf("schema:\n%s", s)
	}
	// Every id the validator knows as this project's is one that is defined.
	for _, m := range []map[string]map[string]*shape{spec.added, spec.extends} {
		for id := range m {
			if _, ok := Definition(id); !ok && id[len("extension-definition--")+14] == '5' {
				t.Errorf("%s is judged and not defined", id)
			}
		}
	}
}
