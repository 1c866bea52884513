package taxiiapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/stanag4774"
	"causeway/taxii"
)

// SignIn signs requests in by the API tokens of people: a program reads as
// the person whose token it holds, and may write where the person is an
// analyst. Passwords are not taken: they are for people, and checking one is
// slow on purpose.
func SignIn(v *vault.Vault, registry *people.Registry, policies func() *label.Policies) func(*http.Request) (Requester, error) {
	return func(r *http.Request) (Requester, error) {
		token, ok := Token(r)
		if !ok {
			return Requester{}, taxii.ErrUnauthenticated
		}
		person, err := registry.Session(r.Context(), token)
		if errors.Is(err, people.ErrSession) {
			return Requester{}, taxii.ErrUnauthenticated
		} else if err != nil {
			return Requester{}, err
		}
		reader, err := registry.Reader(person)
		if err != nil {
			return Requester{}, err
		}
		who := Requester{Reader: reader, Write: person.Has(people.Analyst)}
		if who.Write && r.Method == http.MethodPost {
			if who.Unlabelled, err = unlabelled(r.Context(), v, policies()); err != nil {
				return Requester{}, err
			}
		}
		return who, nil
	}
}

const keyUnlabelled = "unlabelled"

// SetUnlabelled decides what governs objects that arrive without a marking: a
// label, as STANAG 4774 XML, or nothing, and then they are refused. by is the
// reader id of who decides.
func SetUnlabelled(ctx context.Context, v *vault.Vault, policies *label.Policies, by string, xml []byte) error {
	if xml != nil {
		if _, err := effective(policies, xml); err != nil {
			return fmt.Errorf("set the label of unlabelled objects: %w", err)
		}
	}
	act := audit.Act{Actor: by, Verb: "set-label", Subject: "taxii inbox", Detail: map[string]string{"label": string(xml)}}
	_, err := v.Act(ctx, act, func(tx *vault.Tx) error {
		if xml == nil {
			return tx.DeleteRecord(space, keyUnlabelled)
		}
		return tx.PutRecord(space, keyUnlabelled, xml)
	})
	return err
}

// unlabelled gives what SetUnlabelled decided. The label is read again each
// time, under the policies in force.
func unlabelled(ctx context.Context, v *vault.Vault, policies *label.Policies) (*label.Effective, error) {
	xml, ok, err := v.Record(ctx, space, keyUnlabelled)
	if err != nil || !ok {
		return nil, err
	}
	e, err := effective(policies, xml)
	return &e, err
}

func effective(policies *label.Policies, xml []byte) (label.Effective, error) {
	l, err := stanag4774.ParseLabel(xml)
	if err != nil {
		return label.Effective{}, err
	}
	return policies.Govern(l, xml)
}
