package stix

import (
	"strings"
)

// tlp2Markings are the only marking definitions of TLP 2.0.
var tlp2Markings = map[string]string{"clear": TLPClear, "green": TLPGreen, "amber": TLPAmber, "amber+strict": TLPAmberStrict, "red": TLPRed}

func (c *checker) tlp2(e value) {
	level := e.get("tlp_2_0").str()
	if id, known := tlp2Markings[level]; known && c.root.get("id").str() != id {
		c.failf("tlp", "the only marking definition of TLP:%s is %s", strings.ToUpper(level), id)
	}
}

// tlp1Markings are the only marking definitions of TLP 1 (STIX 7.2.1.4).
var tlp1Markings = map[string]string{"white": TLPWhite, "green": TLP1Green, "amber": TLP1Amber, "red": TLP1Red}

// marking checks a marking definition (STIX 7.2.1).
func (c *checker) marking(f *found) {
	kind, definition := f.get("definition_type"), f.get("definition")
	if !f.get("extensions").ok() {
		if !kind.ok() {
			c.at("definition_type", "required", "is required without extensions")
		}
		if !definition.ok() {
			c.at("definition", "required", "is required without extensions")
		}
	}
	switch kind.str() {
	case "statement":
		if definition.is(kindObject) && !definition.get("statement").is(kindString) {
			c.at("definition", "required", "a statement is required")
		}
	case "tlp":
		c.tlp1(f, definition)
	}
	if c.warnings && len(f.get("created").str()) == len("2020-01-01T00:00:00Z") {
		c.push("created")
		c.warn("timestamp", "should be precise to the millisecond")
		c.pop()
	}
	own := f.get("id").str()
	f.get("object_marking_refs").elements(func(i int, e value) bool {
		if own != "" && e.str() == own {
			c.at("object_marking_refs", "circular", "a marking definition may not mark itself")
		}
		return true
	})
	f.get("granular_markings").elements(func(i int, e value) bool {
		if own != "" && e.get("marking_ref").str() == own {
			c.at("granular_markings", "circular", "a marking definition may not mark itself")
		}
		return true
	})
}

// tlp1 checks that a TLP marking is one of the four the standard prints, to
// the last property.
func (c *checker) tlp1(f *found, definition value) {
	level := definition.get("tlp").str()
	id, known := tlp1Markings[level]
	created, _ := ParseTimestamp(f.get("created").str())
	same := known && f.get("id").str() == id && definition.len() == 1 &&
		created.Micro() == 1484870400000000 && f.get("name").str() == "TLP:"+strings.ToUpper(level)
	f.v.members(func(name string, _ value) bool {
		switch name {
		case "type", "spec_version", "id", "created", "definition_type", "definition", "name":
		default:
			same = false
		}
		return same
	})
	if !same {
		c.fail("tlp", "is not one of the four TLP marking definitions of STIX 7.2.1.4")
	}
}

// selectors checks that each selector of a granular marking leads to something
// on the marked object (STIX 7.2.3).
func (c *checker) selectors(f *found) {
	f.get("selectors").elements(func(i int, e value) bool {
		if e.is(kindString) && !c.selects(e.str()) {
			c.at("selectors", "selector", "%q selects nothing on this object", e.str())
		}
		return true
	})
}

// selects follows a selector: names and "[n]", parted by dots.
func (c *checker) selects(selector string) bool {
	v := c.root
	for part := range strings.SplitSeq(selector, ".") {
		want := kindObject
		if strings.HasPrefix(part, "[") {
			n, ok := strings.CutSuffix(part[1:], "]")
			if !ok || n == "" || !digits(n) {
				return false
			}
			part, want = n, kindList
		}
		if !v.is(want) {
			return false
		}
		if v = c.child(v, part); !v.ok() {
			return false
		}
	}
	return true
}
