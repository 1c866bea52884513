package desk

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func goodAssessment() Assessment {
	a := Assessment{
		Subjects: []string{"grouping--1"}, Kind: "coordination", Judgement: "They are run together.",
		Likelihood: "likely", Confidence: "low", Basis: []string{"observed-data--1"}, Expires: noon.AddDate(1, 0, 0),
	}
	for _, label := range CoordinationAlternatives {
		a.Alternatives = append(a.Alternatives, Alternative{Label: label, Status: "plausible", Reason: "not looked into"})
	}
	return a
}

func TestAssessmentRules(t *testing.T) {
	if err := goodAssessment().check(noon); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Assessment)
		want   string
	}{
		"no subject":             {func(a *Assessment) { a.Subjects = nil }, "at least one object"},
		"kind":                   {func(a *Assessment) { a.Kind = "guilt" }, "kind"},
		"no judgement":           {func(a *Assessment) { a.Judgement = " " }, "judgement"},
		"likelihood":             {func(a *Assessment) { a.Likelihood = "90 %" }, "likelihood"},
		"confidence":             {func(a *Assessment) { a.Confidence = "very" }, "confidence"},
		"no basis":               {func(a *Assessment) { a.Basis = nil }, "observation"},
		"no alternative":         {func(a *Assessment) { a.Alternatives = nil }, "alternative"},
		"expired":                {func(a *Assessment) { a.Expires = noon }, "has passed"},
		"status":                 {func(a *Assessment) { a.Alternatives[0].Status = "no" }, "status"},
		"no reason":              {func(a *Assessment) { a.Alternatives[0].Reason = "" }, "say why"},
		"ruled out by nothing":   {func(a *Assessment) { a.Alternatives[0].Status = "ruled-out" }, "without evidence"},
		"an alternative ignored": {func(a *Assessment) { a.Alternatives = a.Alternatives[1:] }, CoordinationAlternatives[0]},
		"too long":               {func(a *Assessment) { a.Judgement = strings.Repeat("x", longestText+1) }, "longer"},
	} {
		a := goodAssessment()
		a.Alternatives = slices.Clone(a.Alternatives)
		c.change(&a)
		if err := a.check(noon); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to name %q", name, err, c.want)
		}
	}
}
