package node

import (
	"context"
	"errors"
	"fmt"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/registry"
	"causeway/label/stanag4774"
	"causeway/label/stanag4778"
)

// bindingKind is the kind of the signed document beside a binding.
const bindingKind = "label-binding"

// Bind writes the binding of a label, and of alternative labels beside it, to
// data, and signs it. It does not judge whether whoever asks may label the data.
func (n *Node) Bind(ctx context.Context, xml []byte, alternatives [][]byte, data stanag4778.Digest) (binding, signature []byte, err error) {
	return n.bind(ctx, aboutLabels+data.URI(), xml, alternatives, data)
}

// bind is Bind, logged as an act on subject.
func (n *Node) bind(ctx context.Context, subject string, xml []byte, alternatives [][]byte, data stanag4778.Digest) (binding, signature []byte, err error) {
	l, err := stanag4774.ParseLabel(xml)
	if err != nil {
		return nil, nil, err
	}
	if _, err := n.Policies().Rule(l); err != nil {
		return nil, nil, fmt.Errorf("this label is not valid: %w", err)
	}
	if binding, err = stanag4778.Write(xml, alternatives, data); err != nil {
		return nil, nil, err
	}
	statement := stanag4778.State(binding, n.held.now()).Encode()
	act := audit.Act{Actor: "node", Verb: "bind-label", Subject: subject, Detail: map[string]string{"data": data.URI(), "policy": l.PolicyName, "classification": l.Classification}}
	if _, err := n.Vault.Act(ctx, act, nil); err != nil {
		return nil, nil, err
	}
	signature, err = n.Line.SignDetached(bindingKind, statement)
	return binding, signature, err
}

// errUnlabelled says that no 4774 label can be bound to an object.
var errUnlabelled = errors.New("it has no label that could be bound")

// BindRow binds the label of an object to its bytes. Of several labels the one
// that says exactly the same as all of them is bound, or none.
func (n *Node) BindRow(ctx context.Context, row vault.Row) (binding, signature []byte, err error) {
	e := row.Effective
	if len(e.Labels) == 0 {
		return nil, nil, errUnlabelled
	}
	xml := e.Labels[0]
	var alternatives [][]byte
	if len(e.Labels) > 1 {
		if xml, err = n.single(e); err != nil {
			return nil, nil, err
		}
	} else {
		for _, a := range e.Alternatives {
			if alternative, err := alternativeXML(a); err == nil {
				alternatives = append(alternatives, alternative)
			}
		}
	}
	return n.bind(ctx, row.ID, xml, alternatives, stanag4778.DigestOf(row.Raw))
}

// single gives the one label that says the same as several.
func (n *Node) single(e label.Effective) ([]byte, error) {
	var all []*label.Label
	for _, xml := range e.Labels {
		l, err := stanag4774.ParseLabel(xml)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	one, err := n.Policies().Single(n.held.now().UTC(), all...)
	if err != nil {
		return nil, err
	}
	return stanag4774.WriteLabel(one)
}

// alternativeXML is the alternative label inside its translator's document.
func alternativeXML(a label.Alternative) ([]byte, error) {
	body, err := line.BodyOf(translationKind, a.Signed)
	if err != nil {
		return nil, err
	}
	t, err := registry.DecodeTranslation(body)
	return []byte(t.XML), err
}

// Verified is what checking a binding found.
type Verified struct {
	*stanag4778.Binding
	Statement stanag4778.Statement
	Signer    *line.Identity
}

// VerifyBinding checks a binding against the signature beside it. Nothing of the
// binding is read before its bytes have verified. Whether the signer's keys are
// those of a node that may label is for [line.Line.Confirmed] and people to say.
func VerifyBinding(binding, signature []byte) (*Verified, error) {
	if len(binding) > stanag4778.MaxSize {
		return nil, fmt.Errorf("the binding has %d bytes; at most %d are read", len(binding), stanag4778.MaxSize)
	}
	id, signed, err := line.OpenDetached(bindingKind, signature)
	if err != nil {
		return nil, err
	}
	s, err := stanag4778.Check(signed, binding)
	if err != nil {
		return nil, err
	}
	b, err := stanag4778.Read(binding)
	if err != nil {
		return nil, err
	}
	return &Verified{b, s, id}, nil
}
