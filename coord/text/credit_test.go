package text

import "testing"

// TestCredit: an agency is credited where credits stand, and not where a text
// speaks of one.
func TestCredit(t *testing.T) {
	for raw, want := range map[string]string{
		"TOKYO (Kyodo) -- The government said on Monday":     "kyodo",
		"【ロンドン共同】英政府は":                                       "",
		"政府は方針を決めた。（共同通信）":                                   "kyodo",
		"【時事】首相は記者会見で":                                       "jiji",
		"PARIS, AFP - Le ministre a déclaré":                 "afp",
		"ROMA (ANSA) - Il governo ha approvato":              "ansa",
		"The port will close for a week - Reuters":           "reuters",
		"The port will close for a week. Source: Reuters":    "reuters",
		"МОСКВА /ТАСС/. В среду":                             "tass",
		"Reuters is wrong about the port, says the minister": "",
		"The app stores ap files in a map":                   "",
		"I read AP every day and so should you":              "",
		"":                                                   "",
	} {
		if got := credit(raw); got != want {
			t.Errorf("%q credits %q, want %q", raw, got, want)
		}
	}
}
