package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"causeway/label/cut"
	"causeway/label/marking"
	"causeway/label/stanag4774"
	"causeway/stix"
)

// labelCutCmd makes a tearline from files.
type labelCutCmd struct {
	Plan    string   `required:"" placeholder:"PLAN.json" help:"What to leave out, reword and withhold: {omit:[{id,path}], reword:[{id,path,value}], withhold:[], accept:[], keep:[]}."`
	Key     string   `required:"" placeholder:"FILE" help:"Secret for the new ids, one for each recipient; made when the file does not exist."`
	Creator string   `required:"" placeholder:"ID" help:"Identity that releases the cut."`
	Label   string   `placeholder:"L.xml" xor:"marking" help:"STANAG 4774 label of the cut."`
	TLP     string   `name:"tlp" placeholder:"COLOUR" xor:"marking" help:"TLP 2.0 colour of the cut, instead of a label: clear, green, amber, amber+strict or red."`
	Origins string   `placeholder:"FILE" help:"Write the table of new and original ids here. It is as secret as the originals."`
	At      string   `placeholder:"TIME" help:"Time of the cut; default now."`
	Files   []string `arg:"" placeholder:"FILE" help:"STIX files with the originals, one version of each."`
}

// cutPlan is the file of a plan.
type cutPlan struct {
	Omit     []cutPlace `json:"omit"`
	Reword   []cutWords `json:"reword"`
	Withhold []string   `json:"withhold"`
	Accept   []string   `json:"accept"`
	Keep     []string   `json:"keep"`
}

type cutPlace struct {
	ID   string `json:"id"`
	Path string `json:"path"`
}

type cutWords struct {
	ID    string `json:"id"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

func (c *labelCutCmd) Run(p *process) error {
	if c.Label == "" && c.TLP == "" {
		return usagef("say who may read the cut: give --label or --tlp")
	}
	plan, err := c.plan()
	if err != nil {
		return err
	}
	definition, err := c.definition(plan.At)
	if err != nil {
		return err
	}
	plan.Markings = []string{definition.ID()}
	if plan.Key, err = cutKey(c.Key); err != nil {
		return err
	}
	objects, err := c.objects()
	if err != nil {
		return err
	}
	result, err := cut.Make(objects, plan)
	var left *cut.LeftoverError
	if errors.As(err, &left) {
		for _, f := range left.Findings {
			fmt.Fprintf(p.stderr, "left: %s\n      harmless? add %q to \"accept\" in the plan\n", f, f.Key())
		}
		return fmt.Errorf("withheld content is left (%d times): nothing is written", len(left.Findings))
	}
	if err != nil {
		return err
	}
	if c.Origins != "" {
		b, err := json.MarshalIndent(result.Origins, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Origins, append(b, '\n'), 0o600); err != nil {
			return err
		}
	}
	for _, change := range result.Changes {
		fmt.Fprintln(p.stderr, describeChange(change))
	}
	return stix.WriteBundle(p.stdout, "", func(yield func(*stix.Object, error) bool) {
		for _, o := range append([]*stix.Object{definition}, result.Objects...) {
			if !yield(o, nil) {
				return
			}
		}
	})
}

// describeChange is one line of the difference.
func describeChange(c cut.Change) string {
	place := c.ID
	if c.Path != "" {
		place += " " + c.Path
	}
	switch {
	case c.After == "":
		return fmt.Sprintf("%s\t%s\t- %s", c.Why, place, c.Before)
	case c.Before == "":
		return fmt.Sprintf("%s\t%s\t+ %s", c.Why, place, c.After)
	}
	return fmt.Sprintf("%s\t%s\t- %s\t+ %s", c.Why, place, c.Before, c.After)
}

func (c *labelCutCmd) plan() (cut.Plan, error) {
	plan := cut.Plan{Creator: c.Creator}
	at, err := clock(c.At)
	if err != nil {
		return plan, err
	}
	if plan.At, err = stix.ParseTimestamp(at.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")); err != nil {
		return plan, err
	}
	b, err := os.ReadFile(c.Plan)
	if err != nil {
		return plan, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	d.UseNumber()
	var file cutPlan
	if err := d.Decode(&file); err != nil {
		return plan, inputError{c.Plan, err}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return plan, inputError{c.Plan, errors.New("there is more after the plan")}
	}
	for _, o := range file.Omit {
		plan.Omit = append(plan.Omit, cut.Place(o))
	}
	for _, r := range file.Reword {
		plan.Reword = append(plan.Reword, cut.Rewording(r))
	}
	plan.Withhold, plan.Accept, plan.Keep = file.Withhold, file.Accept, file.Keep
	return plan, nil
}

// definition is the marking definition of the cut.
func (c *labelCutCmd) definition(at stix.Timestamp) (*stix.Object, error) {
	if c.TLP != "" {
		d, err := marking.TLPDefinition(strings.ToLower(c.TLP))
		if err != nil {
			return nil, usagef("--tlp: %v", err)
		}
		return d, nil
	}
	b, err := os.ReadFile(c.Label)
	if err != nil {
		return nil, err
	}
	l, err := stanag4774.ParseLabel(b)
	if err != nil {
		return nil, inputError{c.Label, err}
	}
	return marking.Definition(l, at, c.Creator)
}

// cutKey reads the secret of a recipient, or makes one.
func cutKey(name string) ([]byte, error) {
	key, err := os.ReadFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(key)
	return key, errors.Join(err, f.Close())
}

// objects reads the originals; definitions of markings and extensions are not
// cut and are passed over.
func (c *labelCutCmd) objects() ([]*stix.Object, error) {
	var out []*stix.Object
	for _, name := range c.Files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for item, err := range stix.Scan(bytes.NewReader(b), stix.Limits{}) {
			if err == nil {
				err = item.Err
			}
			if err != nil {
				return nil, inputError{name, err}
			}
			if t := item.Object.Type(); t != "marking-definition" && t != "extension-definition" {
				out = append(out, item.Object)
			}
		}
	}
	return out, nil
}
