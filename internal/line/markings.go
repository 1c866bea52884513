package line

import (
	"errors"

	"causeway/label"
	"causeway/stix"
)

var errUnlabelled = errors.New("no marking decides")

// resolve refuses every marked object until label/marking can be asked.
func resolve(o *stix.Object, _ func(string) (*stix.Object, bool), _ *label.Policies) (label.Effective, error) {
	if len(o.MarkingRefs()) > 0 {
		return label.Effective{}, errors.New("this node does not read markings")
	}
	return label.Effective{}, errUnlabelled
}
