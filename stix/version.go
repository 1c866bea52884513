package stix

// Succeeds says what is wrong with next when previous, another version of the
// same id, is already held (STIX 3.6): the rules that take two objects to see.
// The order in which the two were received does not matter.
//
//	conflict  one version, two contents: neither may replace the other
//	creator   somebody else than the creator made a version
//	created   the time of creation changed
//	revoked   a version follows the one that revoked the object
//
// Objects of different ids have nothing to do with each other: no problems. An
// object without versions, as an SCO or a marking definition, may only come
// again as it was, or be a conflict.
func Succeeds(previous, next *Object) (problems []Problem) {
	if previous.id != next.id {
		return nil
	}
	fail := func(path, code, text string) {
		problems = append(problems, Problem{Path: path, Code: code, Text: text})
	}
	if previous.Version().Compare(next.Version()) == 0 {
		if previous.Digest() != next.Digest() {
			fail("modified", "conflict", "this version is held with other content; every copy of a version must be the same")
		}
		return problems
	}
	if previous.modified.IsZero() && next.modified.IsZero() {
		fail("created", "conflict", "an object of this type has no versions; a change needs a new id")
		return problems
	}
	if previous.CreatedByRef() != next.CreatedByRef() {
		fail("created_by_ref", "creator", "only the creator may make a version")
	}
	if previous.created.Compare(next.created) != 0 {
		fail("created", "created", "must not change from version to version")
	}
	earlier := previous
	if next.modified.Compare(previous.modified) < 0 {
		earlier = next
	}
	if earlier.Revoked() {
		fail("revoked", "revoked", "a version follows the one that revoked the object; revocation is permanent")
	}
	return problems
}
