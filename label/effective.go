package label

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Effective is what governs a stored version: the rule, and what it was
// computed from. The vault keeps it beside the version.
type Effective struct {
	Rule   Rule
	Labels [][]byte // the 4774 XML of each source label, as received
	TLP    string   // the strictest TLP colour of the sources; "" for none
}

type effectiveWire struct {
	V      int      `json:"v"`
	Rule   string   `json:"rule"`
	Labels [][]byte `json:"labels,omitempty"`
	TLP    string   `json:"tlp,omitempty"`
}

// Encode writes e so that DecodeEffective gives it back.
func (e Effective) Encode() []byte {
	b, err := json.Marshal(effectiveWire{1, e.Rule.Key(), e.Labels, e.TLP})
	if err != nil {
		panic(err) // strings and bytes always encode
	}
	return b
}

// DecodeEffective reads what Encode wrote. On an error the caller treats the
// version as readable by nobody, which the returned zero value means.
func DecodeEffective(b []byte) (Effective, error) {
	var w effectiveWire
	if err := json.Unmarshal(b, &w); err != nil {
		return Effective{}, fmt.Errorf("read effective label: %w", err)
	}
	if w.V != 1 {
		return Effective{}, errors.New("read effective label: unknown form")
	}
	r, err := ParseRule(w.Rule)
	if err != nil {
		return Effective{}, fmt.Errorf("read effective label: %w", err)
	}
	return Effective{r, w.Labels, w.TLP}, nil
}
