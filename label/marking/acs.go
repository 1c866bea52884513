package marking

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"causeway/label"
)

// ACSExtension is the marking extension of the United States' Access Control
// Specification 3.0.
const ACSExtension = "extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce"

// acsScheme is the scheme of the attributes an ACS marking asks for. Nobody
// holds one unless a security officer grants it.
const acsScheme = "acs"

// acsMarking is the extension. What decides nothing here is read as raw text,
// so that an unknown name still refuses it.
type acsMarking struct {
	ExtensionType  string            `json:"extension_type"`
	Name           json.RawMessage   `json:"name,omitempty"`
	Identifier     json.RawMessage   `json:"identifier,omitempty"`
	Created        json.RawMessage   `json:"create_date_time,omitempty"`
	Custodian      json.RawMessage   `json:"responsible_entity_custodian,omitempty"`
	Originator     json.RawMessage   `json:"responsible_entity_originator,omitempty"`
	Authority      json.RawMessage   `json:"authority_reference,omitempty"`
	Policy         string            `json:"policy_reference,omitempty"`
	Original       json.RawMessage   `json:"original_classification,omitempty"`
	Derivative     json.RawMessage   `json:"derivative_classification,omitempty"`
	Declassify     json.RawMessage   `json:"declassification,omitempty"`
	Resource       json.RawMessage   `json:"resource_disposition,omitempty"`
	PublicRelease  json.RawMessage   `json:"public_release,omitempty"`
	Control        json.RawMessage   `json:"control_set,omitempty"`
	Privileges     []json.RawMessage `json:"access_privilege,omitempty"`
	FurtherSharing []json.RawMessage `json:"further_sharing,omitempty"`
}

type acsControl struct {
	Classification string   `json:"classification,omitempty"`
	SCI            []string `json:"sci_controls,omitempty"`
	Caveats        []string `json:"caveat,omitempty"`
	Sensitivity    []string `json:"sensitivity,omitempty"`
	Determination  []string `json:"formal_determination,omitempty"`
	Nations        []string `json:"permitted_nationalities,omitempty"`
	Organisations  []string `json:"permitted_organizations,omitempty"`
	Shareability   []string `json:"shareability,omitempty"`
	Entities       []string `json:"entity,omitempty"`
	Logical        []string `json:"logical_authority_category,omitempty"`
}

// acsRule reads an ACS marking as conditions on attributes: each of
// classification, controls, caveats, sensitivities and determinations has to
// be held, and one of each list of nations, organisations, shareabilities and
// entities. The defaults stand in the query of the policy reference; anything
// but an explicit deny for both makes a marking that permits whatever it does
// not mention, which is refused here. Privileges and further sharing say more
// than reading and widen nothing.
func acsRule(body json.RawMessage) (label.Rule, error) {
	var m acsMarking
	if err := strict(body, &m); err != nil {
		return label.Rule{}, fmt.Errorf("ACS: %w", err)
	}
	u, err := url.Parse(m.Policy)
	if err != nil || u.Query().Get("privdefault") != "deny" || u.Query().Get("sharedefault") != "deny" {
		return label.Rule{}, errors.New("ACS: the policy reference does not set both defaults to deny")
	}
	var c acsControl
	if err := strict(m.Control, &c); err != nil {
		return label.Rule{}, fmt.Errorf("ACS: control set: %w", err)
	}
	if c.Classification == "" {
		return label.Rule{}, errors.New("ACS: the control set has no classification")
	}
	var rules []label.Rule
	need := func(tag string, anyOf ...string) {
		if err != nil || len(anyOf) == 0 {
			return
		}
		var as []label.Attribute
		for _, v := range anyOf {
			as = append(as, label.Attribute{Scheme: acsScheme, Tag: tag, Value: v})
		}
		var r label.Rule
		if r, err = label.Need(as...); err == nil {
			rules = append(rules, r)
		}
	}
	need("classification", c.Classification)
	for tag, values := range map[string][]string{
		"sci": c.SCI, "caveat": c.Caveats, "sensitivity": c.Sensitivity, "determination": c.Determination, "authority": c.Logical,
	} {
		for _, v := range values {
			need(tag, v)
		}
	}
	need("nation", c.Nations...)
	need("organisation", c.Organisations...)
	need("shareability", c.Shareability...)
	need("entity", c.Entities...)
	if err != nil {
		return label.Rule{}, fmt.Errorf("ACS: %w", err)
	}
	return label.Join(rules...)
}
