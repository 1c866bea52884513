package stix

import (
	"math"
	"strconv"
	"strings"
)

// kinds are the checks of values that need no argument; compile.go makes those
// that do.
var kinds = map[string]func(*checker, value){
	"any":            func(*checker, value) {},
	"scalar":         (*checker).scalar,
	"slug":           advised("vocabulary", "should be lower case with hyphens between words", isSlug),
	"priority-class": advised("vocabulary", "should end in _CLASS", func(s string) bool { return strings.HasSuffix(s, "_CLASS") }),
	"media-type":     advised("media-type", "should be a media type of the IANA registry", isMediaType),
	"own-id":         (*checker).ownID,
	"spec-version":   (*checker).specVersion,
	"creator":        (*checker).creator,
	"not": func(c *checker, _ value) {
		c.fail("not-applicable", "this type of object has no such property (STIX 3.2)")
	},
	"extensions": func(c *checker, v value) { c.extensions(v) },
	"container":  func(c *checker, v value) { c.container(v) },
	"contents":   (*checker).contents,
	"time":       (*checker).time,
	"time-ms":    (*checker).timeMillis,
	"hashes":     func(c *checker, v value) { c.hashes(v) },
	"bin":        text("base64", "base64 (RFC 4648)", isBase64),
	"hex":        text("hex", "an even number of digits 0-9 and a-f", isHex),
	"uri":        unlessDefanged(text("uri", "a URL of RFC 3986", isURI)),
	"host":       unlessDefanged(text("host", "a domain name (RFC 1034, RFC 5890)", isHost)),
	"email":      unlessDefanged(text("email", "an e-mail address (RFC 5322, without display name)", isEmail)),
	"ipv4":       unlessDefanged(text("address", "an IPv4 address or network in CIDR notation", withCIDR(isIPv4, 32))),
	"ipv6":       unlessDefanged(text("address", "an IPv6 address or network in CIDR notation", withCIDR(isIPv6, 128))),
	"mac":        text("address", "a MAC address: six lower-case hex pairs with colons", isMAC),
	"lang":       text("language", "a language code of RFC 5646", isLanguage),
	"mime":       text("media-type", "a media type of the IANA registry", isMediaType),
	"charset":    text("charset", "a character set of the IANA registry", func(s string) bool { return charsets.has(strings.ToLower(s)) }),
	"cpe":        text("cpe", "a CPE 2.3 name", isCPE),
	"hive":       text("hive", "a full registry key: the hive must be written out, as HKEY_LOCAL_MACHINE", isFullHive),
}

var (
	binary      = text("base64", "base64 (RFC 4648)", isBase64)
	hexadecimal = text("hex", "an even number of digits 0-9 and a-f", isHex)
)

// is checks the JSON kind of a value.
func (c *checker) is(v value, k kind) bool {
	if got := v.kind(); got != k {
		if got != kindNull { // everyNode has said so
			c.fail("type", got.String()+" stands where "+k.String()+" should")
		}
		return false
	}
	return true
}

func (c *checker) integer(v value, lo, hi float64) {
	if !c.is(v, kindNumber) {
		return
	}
	s := v.raw()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) {
		c.fail("type", "a whole number should stand here")
		return
	}
	c.within(f, lo, hi)
}

func (c *checker) float(v value, lo, hi float64) {
	if !c.is(v, kindNumber) {
		return
	}
	f, _ := strconv.ParseFloat(v.raw(), 64)
	c.within(f, lo, hi)
}

func (c *checker) within(f, lo, hi float64) {
	switch {
	case f >= lo && f <= hi:
	case math.IsInf(hi, 1):
		c.failf("range", "%s is below %s", decimal(f), decimal(lo))
	default:
		c.failf("range", "%s is outside %s to %s", decimal(f), decimal(lo), decimal(hi))
	}
}

// scalar is a string or a whole number.
func (c *checker) scalar(v value) {
	if !v.is(kindString) {
		c.integer(v, math.Inf(-1), math.Inf(1))
	}
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (c *checker) word(v value, vocab words, name string, open bool) {
	if !c.is(v, kindString) {
		return
	}
	s := v.str()
	switch {
	case vocab.has(s):
	case !open:
		c.failf("enum", "%q is not one of %s", s, name)
	case c.warnings:
		c.warn("vocabulary", strconv.Quote(s)+" is not in "+name)
	}
}

func (c *checker) dictionary(v value, item func(*checker, value)) {
	if !c.is(v, kindObject) {
		return
	}
	v.members(func(name string, e value) bool {
		c.push(name)
		item(c, e)
		c.pop()
		return true
	})
}

func (c *checker) part(v value, sh *shape) {
	if c.is(v, kindObject) {
		c.members(v, sh)
	}
}

// ref checks a reference: its form and the type it points at. In a container
// of deprecated observed-data it is a key of that container.
//
// Inside an SCO a UUID that is none is a warning only. STIX 2.9 asks for more,
// but the OASIS schemas check nothing there, the producers followed them, and
// the type is what decides whether the reference makes sense.
func (c *checker) ref(v value, t *targets) {
	if !c.is(v, kindString) {
		return
	}
	s := v.str()
	if c.local.ok() {
		if target := c.child(c.local, s); target.ok() {
			if typ := target.get("type").str(); typ != "" && !t.allow(typ) {
				c.failf("reference", "points at an object of type %s, not at %s", typ, t.text)
			}
			return
		} else if !strings.Contains(s, "--") {
			c.failf("reference", "%q is not a key of the container", s)
			return
		}
	}
	typ, uuid, _ := strings.Cut(s, "--")
	switch {
	case !isTypeName(typ):
		c.failf("identifier", "%q is not of the form type--UUID", s)
	case !t.allow(typ):
		c.failf("reference", "points at an object of type %s, not at %s", typ, t.text)
	case isUUID(uuid):
	case c.sco:
		c.warn("identifier", "the part after -- is not a UUID of RFC 4122")
	default:
		c.failf("identifier", "%q is not of the form type--UUID with a UUID of RFC 4122", s)
	}
}

// identifier checks "type--UUID" (STIX 2.9); typ "" is any type. It gives the
// version of the UUID, or 0.
func (c *checker) identifier(s, typ string) byte {
	got, uuid, _ := strings.Cut(s, "--")
	switch {
	case !isTypeName(got) || !isUUID(uuid):
		c.failf("identifier", "%q is not of the form type--UUID with a UUID of RFC 4122", s)
	case typ != "" && got != typ:
		c.failf("identifier", "the id begins with %q, the type is %q", got, typ)
	default:
		return uuid[14] - '0'
	}
	return 0
}

func (c *checker) typeName(v value) {
	if !v.is(kindString) {
		return // said where the property is judged
	}
	typ := v.str()
	c.push("type")
	defer c.pop()
	if !isTypeName(typ) {
		c.failf("name", "%q is not a type name: 3 to 250 of a-z, 0-9 and single hyphens, beginning with a letter", typ)
	} else if typ == "action" {
		c.fail("reserved", "the name is reserved (STIX 3.8)")
	}
}

func (c *checker) time(v value) {
	if !c.is(v, kindString) {
		return
	}
	if _, err := ParseTimestamp(v.str()); err != nil {
		c.fail("timestamp", err.Error())
	}
}

// timeMillis is a time of at least three fraction digits (STIX 3.2).
func (c *checker) timeMillis(v value) {
	if !c.is(v, kindString) {
		return
	}
	t, err := ParseTimestamp(v.str())
	if err != nil {
		c.fail("timestamp", err.Error())
	} else if len(t.digits()) < 3 {
		c.fail("timestamp", "must be precise to the millisecond: three or more digits after the dot")
	}
}

// text makes a check of a predicate on strings.
func text(code, want string, ok func(string) bool) func(*checker, value) {
	return func(c *checker, v value) {
		if !c.is(v, kindString) {
			return
		}
		if s := v.str(); !ok(s) {
			c.failf(code, "%q is not %s", s, want)
		}
	}
}

// advised makes a check that only warns.
func advised(code, want string, ok func(string) bool) func(*checker, value) {
	return func(c *checker, v value) {
		if c.is(v, kindString) && c.warnings && !ok(v.str()) {
			c.warn(code, want)
		}
	}
}

// unlessDefanged lifts a check when the object says that its values were defanged
// (STIX 3.2), as "example[.]com".
func unlessDefanged(check func(*checker, value)) func(*checker, value) {
	return func(c *checker, v value) {
		if c.defanged {
			c.is(v, kindString)
			return
		}
		check(c, v)
	}
}

// digestLength is the number of hex digits of each digest (STIX 10.7).
var digestLength = map[string]int{"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128, "SHA3-256": 64, "SHA3-512": 128}

// hashes checks a dictionary of digests (STIX 2.7).
func (c *checker) hashes(v value) {
	if !c.is(v, kindObject) {
		return
	}
	v.members(func(name string, e value) bool {
		c.push(name)
		defer c.pop()
		if len(name) < 3 {
			c.fail("key", "the name of a hash algorithm is 3 to 250 long")
		}
		if !c.is(e, kindString) {
			return true
		}
		s := e.str()
		switch n := digestLength[name]; {
		case n > 0:
			if len(s) != n || !allHex(s) {
				c.failf("hash", "%q is no %s digest: %d hex digits", s, name, n)
			}
		case name == "SSDEEP":
			if !isSSDEEP(s) {
				c.failf("hash", "%q is no SSDEEP hash", s)
			}
		case name == "TLSH":
			if t := strings.TrimPrefix(s, "T1"); len(t) != 70 || !allHex(t) {
				c.failf("hash", "%q is no TLSH hash: 70 hex digits", s)
			}
		case c.warnings && !spec.vocabs["hash-algorithm-ov"].has(name):
			c.warn("vocabulary", "the name is not in hash-algorithm-ov")
		}
		return true
	})
}
