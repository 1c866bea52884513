package taxii

import "strings"

// Challenge is one way in which a server asks for credentials.
type Challenge struct {
	Scheme string            // lower case: "basic", "bearer"
	Params map[string]string // names in lower case
}

// ParseChallenges reads WWW-Authenticate fields (RFC 9110 section 11.6.1). One
// field may hold several challenges, and commas and quotes inside parameters.
// What cannot be read is left out.
func ParseChallenges(fields []string) []Challenge {
	var list []Challenge
	for _, field := range fields {
		for _, item := range splitQuoted(field) {
			item = strings.TrimSpace(item)
			head, rest, spaced := strings.Cut(item, " ")
			name, value, isParam := strings.Cut(item, "=")
			switch {
			case item == "":
			case isParam && (!spaced || strings.Contains(head, "=") || strings.HasPrefix(strings.TrimSpace(rest), "=")):
				// A further parameter of the challenge before it.
				if len(list) > 0 {
					list[len(list)-1].param(name, value)
				}
			default:
				c := Challenge{strings.ToLower(head), map[string]string{}}
				if name, value, ok := strings.Cut(rest, "="); ok {
					c.param(name, value)
				}
				list = append(list, c)
			}
		}
	}
	return list
}

func (c Challenge) param(name, value string) {
	value = strings.TrimSpace(value)
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(value[1 : len(value)-1])
	}
	c.Params[strings.ToLower(strings.TrimSpace(name))] = value
}
