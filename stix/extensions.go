package stix

import (
	"strings"
)

// extensions checks the dictionary of extensions (STIX 3.2, 7.3): those of the
// facility by their id, the predefined ones by their name.
func (c *checker) extensions(v value) {
	if !c.is(v, kindObject) {
		return
	}
	typ := c.root.get("type").str()
	v.members(func(key string, e value) bool {
		c.push(key)
		defer c.pop()
		if !c.is(e, kindObject) {
			return true
		}
		switch {
		case strings.HasPrefix(key, "extension-definition--"):
			c.facility(key, typ, e)
		case c.predefined(typ, key):
			c.part(e, spec.parts[key])
		default:
			c.customExtension(key, e)
		}
		return true
	})
}

// customExtension checks an extension of the older kind (STIX 11.3). That its
// name must end in "-ext" the standard says, and forgets in its own example: a
// warning.
func (c *checker) customExtension(key string, e value) {
	if kind := e.get("extension_type"); kind.ok() {
		c.extensionType(kind)
	}
	if strings.ContainsAny(key, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ") || len(key) < 3 {
		c.fail("key", "the name of a custom extension is 3 to 250 of a-z, 0-9 and hyphens")
	}
	e.members(func(name string, _ value) bool {
		for _, b := range []byte(name) {
			if !(b >= 'a' && b <= 'z' || isDigit(b) || b == '_') {
				c.at(name, "name", "is not made of a-z, 0-9 and \"_\"")
				break
			}
		}
		return true
	})
	c.warn("extension", "the key should be the id of an extension definition or a predefined name (STIX 3.2, 11.3)")
}

func (c *checker) predefined(typ, key string) bool {
	sh := spec.types[typ]
	if sh == nil {
		return false
	}
	for _, name := range sh.extensions {
		if name == key {
			return true
		}
	}
	return false
}

// facility checks one extension that has a definition.
func (c *checker) facility(id, typ string, e value) {
	c.identifier(id, "extension-definition")
	kind := e.get("extension_type")
	if !kind.ok() {
		c.fail("required", "extension_type is required")
	} else {
		c.extensionType(kind)
	}
	if strings.HasPrefix(kind.str(), "new-") {
		return
	}
	sh := spec.extends[id][typ]
	if sh == nil {
		sh = spec.extends[id]["*"]
	}
	if sh != nil {
		if id == TLP2Extension {
			c.tlp2(e)
		}
		c.members(e, sh)
	}
}

func (c *checker) extensionType(v value) {
	c.push("extension_type")
	c.word(v, spec.vocabs["extension-type-enum"], "extension-type-enum", false)
	c.pop()
}

// extensionDefinition: extension_properties names properties, and only where
// the extension puts some at the top (STIX 7.3.1).
func (c *checker) extensionDefinition(f *found) {
	names := f.get("extension_properties")
	if !names.ok() {
		return
	}
	top := false
	f.get("extension_types").elements(func(_ int, e value) bool {
		top = top || e.str() == "toplevel-property-extension"
		return true
	})
	if !top {
		c.at("extension_properties", "exclusive", "may stand only when extension_types has toplevel-property-extension")
	}
	names.elements(func(i int, e value) bool {
		if e.is(kindString) && !isPropertyName(e.str()) {
			c.at("extension_properties", "name", "%q is not the name of a property", e.str())
		}
		return true
	})
}
