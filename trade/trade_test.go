package trade

import (
	"encoding/json"
	"math"
	"testing"
)

// TestFigures: an unknown figure is no number in any form.
func TestFigures(t *testing.T) {
	for _, c := range []struct {
		f    Figure
		text string
		json string
	}{
		{Known(0.5), "0.5", "0.5"}, {Figure{}, "0", "0"}, {Unknown("no %s", "data"), "", `{"unknown":"no data"}`},
		{Known(math.NaN()), "", `{"unknown":"not a finite number"}`}, {Known(math.Inf(1)), "", `{"unknown":"not a finite number"}`},
	} {
		b, err := json.Marshal(c.f)
		if err != nil || string(b) != c.json || c.f.String() != c.text {
			t.Errorf("%+v: %s, %q, %v; want %s, %q", c.f, b, c.f.String(), err, c.json, c.text)
		}
		var back Figure
		if err := json.Unmarshal(b, &back); err != nil || back != c.f {
			t.Errorf("%s reads as %+v, %v", b, back, err)
		}
	}
	for _, bad := range []string{`"0.5"`, `{}`, `{"unknown":""}`, `[1]`, `null`} {
		var f Figure
		if err := json.Unmarshal([]byte(bad), &f); err == nil {
			t.Errorf("%s was read as %+v", bad, f)
		}
	}
}
