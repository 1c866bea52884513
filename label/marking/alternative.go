package marking

import (
	"encoding/base64"
	"fmt"
	"strings"

	"causeway/stix"
)

// alternativeBody is the alternative extension of a marking definition.
type alternativeBody struct {
	ExtensionType string `json:"extension_type"`
	Signed        string `json:"signed"`
}

// Beside writes a translator's signed document as a marking definition that
// travels beside the label of the definition of that id, and is governed by it.
// Its id is made from the document: the same alternative is one object.
func Beside(definition string, signed []byte, made stix.Timestamp, creator string) (*stix.Object, error) {
	text := base64.StdEncoding.EncodeToString(signed)
	o, err := stix.New("marking-definition", stix.NamedID("marking-definition", stix.Namespace, "alternative label\n"+definition+"\n"+text), made).
		Ref("created_by_ref", creator).
		Set("name", "alternative label").
		Mark(definition).
		Set("extensions", map[string]any{stix.AlternativeExtension: map[string]any{"extension_type": "property-extension", "signed": text}}).Object()
	if err != nil {
		return nil, fmt.Errorf("write alternative label: %w", err)
	}
	return o, nil
}

// SignedAlternative gives the signed document of a marking definition that
// carries an alternative label; ok is false for every other object. Nobody has
// checked the signatures.
func SignedAlternative(o *stix.Object) (signed []byte, ok bool) {
	body, ok := o.Extension(stix.AlternativeExtension)
	if !ok || o.Type() != "marking-definition" {
		return nil, false
	}
	var e alternativeBody
	if strict(body, &e) != nil || e.ExtensionType != "property-extension" {
		return nil, false
	}
	signed, err := base64.StdEncoding.Strict().DecodeString(e.Signed)
	return signed, err == nil && len(signed) > 0
}

// LabelOf gives the 4774 XML of a marking definition that carries a label.
func LabelOf(o *stix.Object) (xml []byte, ok bool) {
	body, ok := o.Extension(stix.LabelExtension)
	if !ok || o.Type() != "marking-definition" {
		return nil, false
	}
	var e extensionBody
	if strict(body, &e) != nil || strings.TrimSpace(e.Label) == "" {
		return nil, false
	}
	return []byte(e.Label), true
}
