package finding_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"causeway/coord"
	"causeway/coord/finding"
	"causeway/coord/read"
	"causeway/stix"

	"github.com/google/go-cmp/cmp"
)

// posts is one network of three accounts on four objects.
func posts() []byte {
	var b bytes.Buffer
	b.WriteString("object_id,account_id,content_id,timestamp_share\n")
	for o := range 4 {
		for a := range 3 {
			fmt.Fprintf(&b, "o%d,a%d,p%d-%d,%d\n", o, a, o, a, 1_700_000_000+1000*o+a)
		}
	}
	return b.Bytes()
}

func detect(t *testing.T) *coord.Result {
	src, err := read.Open(context.Background(), bytes.NewReader(posts()), read.Options{Layout: read.Generic()})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := coord.Detect(context.Background(), src, coord.Options{Semantics: coord.CooRTweet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestObjects(t *testing.T) {
	objects, err := finding.Objects(detect(t), finding.Params{MaxObjects: 3, Platform: "twitter"})
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]int{}
	ids := map[string]bool{}
	for _, o := range objects {
		types[o.Type()]++
		if ids[o.ID()] {
			t.Errorf("%s is there twice", o.ID())
		}
		ids[o.ID()] = true
	}
	want := map[string]int{"identity": 1, "extension-definition": 1, "incident": 1, "infrastructure": 1, "user-account": 3, "observed-data": 3, "relationship": 7}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Error(diff)
	}
	for _, o := range objects {
		for _, ref := range o.Refs() {
			if !ids[ref.ID] && ref.ID != stix.TLPClear { // the standard's own marking, known everywhere
				t.Errorf("%s refers to %s, which is not in the finding", o.ID(), ref.ID)
			}
		}
		if o.Type() != "incident" {
			continue
		}
		if left, _ := o.Get("extensions", finding.Extension, "coincidences_not_listed"); fmt.Sprint(left) != "1" {
			t.Errorf("coincidences_not_listed is %v, want 1", left)
		}
		for _, s := range o.Strings() {
			if strings.Contains(s, "inauthentic") {
				t.Errorf("a finding says %q", s)
			}
		}
	}
}

// TestSameFindingSameBytes: a partner who repeats the run gets the same objects.
func TestSameFindingSameBytes(t *testing.T) {
	text := func() string {
		objects, err := finding.Objects(detect(t), finding.Params{})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := stix.WriteBundle(&b, "bundle--00000000-0000-4000-8000-000000000000", func(yield func(*stix.Object, error) bool) {
			for _, o := range objects {
				if !yield(o, nil) {
					return
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if diff := cmp.Diff(text(), text()); diff != "" {
		t.Error(diff)
	}
}
