package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"causeway/label"
	"causeway/label/policies"
	"causeway/label/spif"
	"causeway/label/spiffing"
	"causeway/label/stanag4774"
)

// labelCmd is the group of commands about confidentiality labels. They work on
// files alone: what they answer is what a node with these policies would.
type labelCmd struct {
	Show      labelShowCmd      `cmd:"" help:"Say what a label or clearance means: marking, validity, the rule of who may read."`
	Decide    labelDecideCmd    `cmd:"" help:"Decide whether the holder of a clearance may read what all the given labels govern; exit 1 when not."`
	Join      labelJoinCmd      `cmd:"" help:"Join labels: print the exact rule for readers, or with --single the one label that says exactly it."`
	Translate labelTranslateCmd `cmd:"" help:"Write a label in the words of another policy, as an alternative label."`
	Cut       labelCutCmd       `cmd:"" help:"Make a tearline: new objects with new ids, in which nothing withheld is left."`
	Bind      labelBindCmd      `cmd:"" help:"Bind a label to a file (STANAG 4778), signed beside it by the node."`
	Verify    labelVerifyCmd    `cmd:"" help:"Check a binding: its signature, its labels and the data; exit 1 when anything is wrong."`
	Policies  labelPoliciesCmd  `cmd:"" help:"List the policies that the program ships, or print one as a SPIF file."`
}

// labelFiles are the files every command of the group reads.
type labelFiles struct {
	Policy []string `placeholder:"SPIF" help:"SPIF 2.1 file of a policy; may be repeated. Without it, the policies that the program ships."`
	Label  []string `placeholder:"L.xml" help:"STANAG 4774 label; may be repeated."`
	Groups string   `placeholder:"FILE" help:"JSON file of dated groups; without it, group values are plain values that a clearance lists."`
	Accept []string `placeholder:"ERRATUM" help:"Let a known deviation of published labels pass: no-creation-date, no-review-date, url-attribute, legacy-root."`
	At     string   `placeholder:"TIME" help:"The moment that is asked about, such as 2026-01-31T09:00:00Z; default now."`
	JSON   bool     `name:"json" help:"Answer in JSON."`
}

// inputError is a label, clearance or policy that was refused, with its file.
type inputError struct {
	file string
	err  error
}

func (e inputError) Error() string { return e.file + ": " + e.err.Error() }
func (e inputError) Unwrap() error { return e.err }

func (f *labelFiles) policies() (*label.Policies, error) {
	groups := label.Groups{}
	if f.Groups != "" {
		b, err := os.ReadFile(f.Groups)
		if err != nil {
			return nil, inputError{f.Groups, err}
		}
		if groups, err = label.ParseGroups(b); err != nil {
			return nil, inputError{f.Groups, err}
		}
	}
	if len(f.Policy) == 0 {
		return label.NewPolicies(groups, policies.Shipped()...)
	}
	var all []*label.Policy
	for _, name := range f.Policy {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, inputError{name, err}
		}
		p, err := spif.Parse(b)
		if err != nil {
			return nil, inputError{name, err}
		}
		all = append(all, p)
	}
	return label.NewPolicies(groups, all...)
}

// labels reads every label file.
func (f *labelFiles) labels(ps *label.Policies) ([]*label.Label, error) {
	if len(f.Label) == 0 {
		return nil, usagef("--label is missing: name at least one label file")
	}
	var accept []stanag4774.Erratum
	for _, a := range f.Accept {
		if !slices.Contains(stanag4774.Errata(), stanag4774.Erratum(a)) {
			return nil, usagef("--accept %s is not known: one of %v", a, stanag4774.Errata())
		}
		accept = append(accept, stanag4774.Erratum(a))
	}
	var out []*label.Label
	for _, name := range f.Label {
		l, err := readLabel(name, ps, accept)
		if err != nil {
			return nil, inputError{name, err}
		}
		out = append(out, l)
	}
	return out, nil
}

// readLabel reads a label in any of the notations: 4774 XML, that of the
// conformance data, or binary ESS.
func readLabel(name string, ps *label.Policies, accept []stanag4774.Erratum) (*label.Label, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	switch {
	case len(b) == 0:
		return nil, errors.New("no data to parse")
	case b[0] == 0x31: // an ASN.1 SET
		return spiffing.ParseESS(b, ps)
	case isSpiffing(b):
		return spiffing.ParseLabel(b, ps)
	}
	return stanag4774.ParseErratic(b, accept...)
}

func readClearance(name string, ps *label.Policies) (*label.Clearance, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if isSpiffing(b) {
		return spiffing.ParseClearance(b, ps)
	}
	return stanag4774.ParseClearance(b)
}

func isSpiffing(b []byte) bool {
	return bytes.Contains(b, []byte(spiffing.Namespace)) && !bytes.Contains(b, []byte("urn:nato:stanag:4774:"))
}

// printJSON writes v for machines.
func (p *process) printJSON(v any) error {
	e := json.NewEncoder(p.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type labelShowCmd struct {
	labelFiles
	Clearance []string `placeholder:"C.xml" help:"STANAG 4774 clearance to show; may be repeated."`
	Lang      string   `placeholder:"TAG" help:"Language of the marking, such as en, fr-CA or ja; default the policy's own."`
	Place     string   `placeholder:"CODE" help:"SPIF place code of the marking; default pageTopBottom."`
}

type labelShown struct {
	File           string   `json:"file"`
	Marking        string   `json:"marking"`
	Colour         string   `json:"colour,omitempty"`
	Policy         string   `json:"policy"`
	Classification string   `json:"classification,omitempty"`
	Valid          bool     `json:"valid"`
	Problems       []string `json:"problems,omitempty"`
	Rule           string   `json:"rule,omitempty"`
}

func (c *labelShowCmd) Run(p *process) error {
	ps, err := c.policies()
	if err != nil {
		return err
	}
	if len(c.Label)+len(c.Clearance) == 0 {
		return usagef("nothing to show: give --label or --clearance")
	}
	shown := []labelShown{}
	if len(c.Label) > 0 {
		labels, err := c.labels(ps)
		if err != nil {
			return err
		}
		for i, l := range labels {
			shown = append(shown, showLabel(ps, l, c.Label[i], c.Lang, c.Place))
		}
	}
	for _, name := range c.Clearance {
		cl, err := readClearance(name, ps)
		if err != nil {
			return inputError{name, err}
		}
		shown = append(shown, showClearance(ps, cl, name, c.Lang, c.Place))
	}
	if c.JSON {
		if err := p.printJSON(shown); err != nil {
			return err
		}
	}
	valid := true
	for _, s := range shown {
		valid = valid && s.Valid
		if !c.JSON {
			s.print(p)
		}
	}
	if !valid {
		return errCheckFailed
	}
	return nil
}

func showLabel(ps *label.Policies, l *label.Label, file, lang, place string) labelShown {
	m := ps.Marking(l, lang, place)
	s := labelShown{File: file, Marking: m.Text, Colour: m.Colour, Policy: l.PolicyName, Classification: l.Classification}
	for _, problem := range ps.Check(l) {
		s.Problems = append(s.Problems, problem.Text)
	}
	if s.Valid = len(s.Problems) == 0; s.Valid {
		r, err := ps.Rule(l)
		if s.Valid = err == nil; err != nil {
			s.Problems = append(s.Problems, err.Error())
		} else {
			s.Rule = r.Key()
		}
	}
	return s
}

func showClearance(ps *label.Policies, cl *label.Clearance, file, lang, place string) labelShown {
	s := labelShown{File: file, Marking: ps.ClearanceMarking(cl, lang, place).Text, Policy: cl.PolicyName, Valid: true}
	for _, problem := range ps.CheckClearance(cl) {
		s.Problems = append(s.Problems, problem.Text)
		s.Valid = s.Valid && problem.Code != "unknown-policy"
	}
	return s
}

func (s labelShown) print(p *process) {
	fmt.Fprintln(p.stdout, s.Marking)
	word := "valid"
	if !s.Valid {
		word = "invalid"
	}
	fmt.Fprintf(p.stdout, "  %s: %s\n", s.File, word)
	for _, t := range s.Problems {
		fmt.Fprintf(p.stdout, "  - %s\n", t)
	}
	if s.Rule != "" {
		fmt.Fprintf(p.stdout, "  rule: %s\n", s.Rule)
	}
}

type labelDecideCmd struct {
	labelFiles
	Clearance []string `placeholder:"C.xml" help:"STANAG 4774 clearance; may be repeated, one for each policy. Two of one policy count only where both agree."`
	Nation    string   `placeholder:"CODE" help:"Nation of the holder, such as JPN: dated groups ask for it."`
}

type labelDecision struct {
	Decision string        `json:"decision"`
	Reasons  []labelReason `json:"reasons"`
}

type labelReason struct {
	Allow bool   `json:"allow"`
	Code  string `json:"code"`
	Text  string `json:"text"`
}

func (c *labelDecideCmd) Run(p *process) error {
	d, err := c.decide()
	var usage usageError
	if errors.As(err, &usage) {
		return err
	}
	if err != nil {
		d = labelDecision{Reasons: []labelReason{{false, "refused", err.Error()}}}
	}
	if d.Decision != "allow" {
		d.Decision = "deny"
	}
	if c.JSON {
		if err := p.printJSON(d); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(p.stdout, d.Decision)
		for _, r := range d.Reasons {
			sign := "-"
			if r.Allow {
				sign = "+"
			}
			fmt.Fprintf(p.stdout, "  %s %s: %s\n", sign, r.Code, strings.ReplaceAll(r.Text, "\n", "; "))
		}
	}
	if d.Decision != "allow" {
		return errCheckFailed
	}
	return nil
}

func (c *labelDecideCmd) decide() (labelDecision, error) {
	var d labelDecision
	at, err := clock(c.At)
	if err != nil {
		return d, err
	}
	ps, err := c.policies()
	if err != nil {
		return d, err
	}
	labels, err := c.labels(ps)
	if err != nil {
		return d, err
	}
	h := label.Holder{Kind: label.Person, Nation: c.Nation, At: at}
	for _, name := range c.Clearance {
		cl, err := readClearance(name, ps)
		if err != nil {
			return d, inputError{name, err}
		}
		h.Clearances = append(h.Clearances, cl)
	}
	var rules, plain []label.Rule
	for i, l := range labels {
		r, err := ps.Rule(l)
		if err != nil {
			return d, inputError{c.Label[i], err}
		}
		t, err := ps.TagByTag(l)
		if err != nil {
			return d, inputError{c.Label[i], err}
		}
		rules, plain = append(rules, r), append(plain, t)
	}
	join, err := label.Join(rules...)
	if err != nil {
		return d, err
	}
	held, err := ps.Holdings(h)
	if err != nil {
		return d, err
	}
	answer := label.Decide(join, held)
	if answer.Allow && label.Allows(join, held) {
		d.Decision = "allow"
	}
	for _, r := range answer.Reasons {
		d.Reasons = append(d.Reasons, labelReason{r.Allow, r.Code, r.Text})
	}
	strict, err := label.Join(plain...)
	if err != nil {
		return d, err
	}
	if answer.Allow && !label.Allows(strict, held) {
		d.Reasons = append(d.Reasons, labelReason{true, "set-semantics", "a partner that judges each tag on its own would deny this"})
	}
	return d, nil
}

type labelJoinCmd struct {
	labelFiles
	Single bool `help:"Print the one 4774 label that says exactly the join, or refuse (exit 1)."`
}

type labelJoined struct {
	Rule    string     `json:"rule"`
	Clauses [][]string `json:"clauses"`
	Text    []string   `json:"text"`
	Label   string     `json:"label,omitempty"`
}

func (c *labelJoinCmd) Run(p *process) error {
	at, err := clock(c.At)
	if err != nil {
		return err
	}
	ps, err := c.policies()
	if err != nil {
		return err
	}
	labels, err := c.labels(ps)
	if err != nil {
		return err
	}
	join, err := c.join(ps, labels)
	if err != nil {
		return err
	}
	out := labelJoined{Rule: join.Key(), Clauses: join.Clauses(), Text: label.Describe(join)}
	if c.Single {
		b, err := single(ps, at, labels)
		if err != nil {
			return err
		}
		if out.Label = string(b); !c.JSON {
			_, err := p.stdout.Write(b)
			return err
		}
	}
	if c.JSON {
		return p.printJSON(out)
	}
	fmt.Fprintln(p.stdout, out.Rule)
	for _, t := range out.Text {
		fmt.Fprintf(p.stdout, "  %s\n", t)
	}
	return nil
}

func (c *labelJoinCmd) join(ps *label.Policies, labels []*label.Label) (label.Rule, error) {
	var rules []label.Rule
	for i, l := range labels {
		r, err := ps.Rule(l)
		if err != nil {
			return label.Rule{}, inputError{c.Label[i], err}
		}
		rules = append(rules, r)
	}
	return label.Join(rules...)
}

// single writes the one label of a join. A label of a notation without dates
// is created now.
func single(ps *label.Policies, at time.Time, labels []*label.Label) ([]byte, error) {
	at = at.Truncate(time.Second)
	l, err := ps.Single(at, labels...)
	if err != nil {
		return nil, err
	}
	dated := *l
	if dated.Created.IsZero() {
		dated.Created = at
	}
	if dated.Review.IsZero() && dated.Successor == nil {
		dated.Review = at
	}
	return stanag4774.WriteLabel(&dated)
}

type labelTranslateCmd struct {
	labelFiles
	To string `required:"" placeholder:"OID" help:"OID of the policy to translate to; its SPIF has to be among --policy."`
}

func (c *labelTranslateCmd) Run(p *process) error {
	ps, err := c.policies()
	if err != nil {
		return err
	}
	at, err := clock(c.At)
	if err != nil {
		return err
	}
	labels, err := c.labels(ps)
	if err != nil {
		return err
	}
	for i, l := range labels {
		out, err := ps.Translate(l, c.To)
		if err != nil {
			return inputError{c.Label[i], err}
		}
		if out.Created.IsZero() {
			out.Created = at
		}
		if out.Review.IsZero() {
			out.Review = at
		}
		b, err := stanag4774.WriteAlternative(out)
		if err != nil {
			return inputError{c.Label[i], err}
		}
		if _, err := p.stdout.Write(b); err != nil {
			return err
		}
	}
	return nil
}

type labelPoliciesCmd struct {
	Name string `arg:"" optional:"" help:"Print this policy's SPIF file."`
}

func (c *labelPoliciesCmd) Run(p *process) error {
	if c.Name != "" {
		b, ok := policies.Files()[c.Name]
		if !ok {
			return usagef("no policy %q is shipped: NATO, JPN, PUBLIC and TLP are", c.Name)
		}
		_, err := p.stdout.Write(b)
		return err
	}
	for _, policy := range policies.Shipped() {
		fmt.Fprintf(p.stdout, "%s\t%s\tversion %s\n", policy.Name(), policy.OID(), policy.Version())
	}
	return nil
}
