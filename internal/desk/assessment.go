package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/label"
	"causeway/stix"
)

// AssessmentExtension defines the type x-causeway-assessment.
var AssessmentExtension = stix.ExtensionID("assessment")

// Likelihoods are the seven bands of estimative language (ICD 203, as the
// MISP taxonomy estimative-language carries them), from least to most likely.
var Likelihoods = []string{"almost-no-chance", "very-unlikely", "unlikely", "roughly-even-chance", "likely", "very-likely", "almost-certain"}

// Confidences are the grades of analytic confidence. They say how good the
// basis is, which is another question than how likely the judgement is.
var Confidences = []string{"low", "moderate", "high"}

// Kinds are what an assessment may be about.
var Kinds = []string{"coordination", "attribution", "foreign-dimension", "impact", "same-as", "exposure", "narrative-coding", "other"}

// Alternative is another explanation that was considered.
type Alternative struct {
	Label    string   `json:"label"`
	Status   string   `json:"status"` // supported, plausible, ruled-out, untested
	Reason   string   `json:"reason"`
	Evidence []string `json:"evidence_refs,omitempty"`
	Change   string   `json:"would_change_if,omitempty"`
}

// AlternativeStatuses are the states of an alternative.
var AlternativeStatuses = []string{"supported", "plausible", "ruled-out", "untested"}

// CoordinationAlternatives must each be addressed before accounts may be
// called coordinated.
var CoordinationAlternatives = []string{"one-account-posting-often", "common-wire-or-press-release", "organic-event-driven-interest", "counter-speech-or-fact-check"}

// Assessment is what a person concludes.
type Assessment struct {
	Subjects     []string // objects it is about
	Kind         string
	Judgement    string // one sentence
	Likelihood   string
	Confidence   string
	Basis        []string // observations it rests on
	Alternatives []Alternative
	Assumptions  []string
	Gaps         []string
	DissentsFrom string // assessment that this one contradicts
	Supersedes   string
	Expires      time.Time
}

// longestText bounds every text a person writes in an assessment, in bytes.
const longestText = 20_000

func (a Assessment) check(now time.Time) error {
	switch {
	case len(a.Subjects) == 0:
		return errors.New("assessment: name at least one object it is about")
	case !slices.Contains(Kinds, a.Kind):
		return fmt.Errorf("assessment: kind %q is none of %v", a.Kind, Kinds)
	case strings.TrimSpace(a.Judgement) == "":
		return errors.New("assessment: write the judgement, in one sentence")
	case !slices.Contains(Likelihoods, a.Likelihood):
		return fmt.Errorf("assessment: likelihood %q is none of %v", a.Likelihood, Likelihoods)
	case !slices.Contains(Confidences, a.Confidence):
		return fmt.Errorf("assessment: confidence %q is none of %v", a.Confidence, Confidences)
	case len(a.Basis) == 0:
		return errors.New("assessment: name at least one observation it rests on")
	case len(a.Alternatives) == 0:
		return errors.New("assessment: consider at least one alternative explanation")
	case !a.Expires.After(now):
		return fmt.Errorf("assessment: it would expire on %s, which has passed", a.Expires.Format(time.DateOnly))
	}
	for _, text := range append([]string{a.Judgement}, append(a.Assumptions, a.Gaps...)...) {
		if len(text) > longestText {
			return fmt.Errorf("assessment: a text is longer than %d bytes", longestText)
		}
	}
	for _, alt := range a.Alternatives {
		switch {
		case !slices.Contains(AlternativeStatuses, alt.Status):
			return fmt.Errorf("assessment: alternative %q: status %q is none of %v", alt.Label, alt.Status, AlternativeStatuses)
		case strings.TrimSpace(alt.Reason) == "":
			return fmt.Errorf("assessment: alternative %q: say why it is %s", alt.Label, alt.Status)
		case alt.Status == "ruled-out" && len(alt.Evidence) == 0:
			return fmt.Errorf("assessment: alternative %q cannot be ruled out without evidence", alt.Label)
		}
	}
	if a.Kind == "coordination" {
		for _, must := range CoordinationAlternatives {
			if !slices.ContainsFunc(a.Alternatives, func(alt Alternative) bool { return alt.Label == must }) {
				return fmt.Errorf("assessment: coordination may not be judged before the alternative %q is addressed", must)
			}
		}
	}
	return nil
}

// Assess stores a person's assessment under a label and gives its id.
func (d *Desk) Assess(ctx context.Context, by people.Person, a Assessment, l *label.Label) (id string, err error) {
	if err := need(by, "assess", people.Analyst); err != nil {
		return "", err
	}
	if err := a.check(d.Now()); err != nil {
		return "", err
	}
	v, err := d.view(by)
	if err != nil {
		return "", err
	}
	for _, ref := range slices.Concat(a.Subjects, a.Basis) {
		if _, err := v.Get(ctx, ref); err != nil {
			return "", fmt.Errorf("assessment: %s: %w", ref, err)
		}
	}
	id = stix.NewID("x-causeway-assessment")
	act := audit.Act{Actor: by.ReaderID(), Verb: "assess", Subject: id, Detail: map[string]string{"kind": a.Kind}}
	return id, d.put(ctx, act, l, func(mark string, created stix.Timestamp) ([]*stix.Object, error) {
		b := stix.New("x-causeway-assessment", id, created).
			Ref("created_by_ref", d.Identity).
			Set("subject_refs", a.Subjects).
			Set("kind", a.Kind).
			Set("judgement", a.Judgement).
			Set("likelihood", a.Likelihood).
			Set("analytic_confidence", a.Confidence).
			Set("basis_refs", a.Basis).
			Set("alternatives", alternatives(a.Alternatives)).
			Set("method", "human").
			Set("author_role", string(people.Analyst)).
			Set("key_assumptions", a.Assumptions).
			Set("gaps", a.Gaps).
			Ref("dissents_from_ref", a.DissentsFrom).
			Ref("supersedes_ref", a.Supersedes).
			Set("expires", stix.TimestampOf(a.Expires)).
			Set("extensions", map[string]any{AssessmentExtension: map[string]any{"extension_type": "new-sdo"}}).
			Mark(mark)
		o, err := b.Object()
		return []*stix.Object{o}, err
	})
}

func alternatives(all []Alternative) (out []map[string]any) {
	for _, a := range all {
		m := map[string]any{"label": a.Label, "status": a.Status, "reason": a.Reason}
		if len(a.Evidence) > 0 {
			m["evidence_refs"] = a.Evidence
		}
		if a.Change != "" {
			m["would_change_if"] = a.Change
		}
		out = append(out, m)
	}
	return out
}

// Opinions are the grades of agreement of STIX 4.13, from strongest dissent.
var Opinions = []string{"strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"}

// Comment stores the agency's opinion on an object as a STIX opinion: the
// short form of dissent or agreement, which travels with the object.
func (d *Desk) Comment(ctx context.Context, by people.Person, on, opinion, explanation string, l *label.Label) (id string, err error) {
	if err := need(by, "give an opinion", people.Analyst); err != nil {
		return "", err
	}
	if !slices.Contains(Opinions, opinion) {
		return "", fmt.Errorf("opinion %q is none of %v", opinion, Opinions)
	}
	if strings.TrimSpace(explanation) == "" || len(explanation) > longestText {
		return "", fmt.Errorf("explain the opinion in 1 to %d bytes", longestText)
	}
	v, err := d.view(by)
	if err != nil {
		return "", err
	}
	if _, err := v.Get(ctx, on); err != nil {
		return "", fmt.Errorf("opinion on %s: %w", on, err)
	}
	id = stix.NewID("opinion")
	act := audit.Act{Actor: by.ReaderID(), Verb: "comment", Subject: id, Detail: map[string]string{"on": on, "opinion": opinion}}
	return id, d.put(ctx, act, l, func(mark string, created stix.Timestamp) ([]*stix.Object, error) {
		o, err := stix.New("opinion", id, created).
			Ref("created_by_ref", d.Identity).
			Set("explanation", explanation).
			Set("opinion", opinion).
			Set("object_refs", []string{on}).
			Mark(mark).Object()
		return []*stix.Object{o}, err
	})
}
