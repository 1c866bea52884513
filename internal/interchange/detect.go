package interchange

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Detect tells what a file is by its beginning, and a DISARM bundle by its
// checksum. What begins like no known kind is taken for STIX, whose reader
// says what is wrong with it.
func Detect(text []byte) Kind {
	text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\ufeff")), " \t\r\n")
	if len(text) == 0 {
		return STIX
	}
	if text[0] != '{' && text[0] != '[' {
		return detectTable(text)
	}
	sum := sha256.Sum256(text)
	for _, f := range frameworks {
		if f.sha256 == hex.EncodeToString(sum[:]) {
			return DISARM
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	for range 3 {
		t, err := dec.Token()
		if err != nil {
			return STIX
		}
		if name, ok := t.(string); ok {
			if name == "Event" || name == "response" {
				return MISP
			}
			return STIX
		}
	}
	return STIX
}

func detectTable(text []byte) Kind {
	first, _, _ := strings.Cut(string(text[:min(len(text), 4096)]), "\n")
	switch {
	case strings.HasPrefix(first, "disarm_id"):
		return DISARM
	case strings.Contains(first, ",") || strings.TrimSpace(first) != "" && forms[strings.ToLower(strings.TrimSpace(first))] != nil:
		return CSV
	}
	return STIX
}
