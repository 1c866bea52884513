package vault

import "errors"

// WithdrawFrom removes what one source said of a version ("" for all), as
// [Tx.Withdraw] does; what other sources said of it stays. It reports whether
// there was anything to remove, and whether no other source's record is left.
func (t *Tx) WithdrawFrom(source, id, version, why string) (removed, last bool, err error) {
	vs, err := t.versions(id, version, true)
	if errors.Is(err, ErrNotFound) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	theirs := vs[:0:0]
	for _, v := range vs {
		if v.Source == source {
			theirs = append(theirs, v)
		}
	}
	if len(theirs) == 0 {
		return false, false, nil
	}
	return true, len(theirs) == len(vs), t.fail(t.withdraw(theirs, id, why))
}
