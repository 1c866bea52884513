// Package stanag4778 writes and reads bindings of confidentiality labels to
// data (STANAG 4778), as far as public sources state their form; the text of
// the standard was not available (docs/adr/0102).
//
// A binding names its data by a SHA-384 digest in an ni URI (RFC 6920), holds
// the originator's label and, beside it, alternative labels, and is signed from
// outside, over its exact bytes: see [Statement]. A signature inside the XML
// would have to be found by reference before it can be checked, which is what
// wrapping attacks live on; here nothing is looked for before the whole file
// has verified. Reading is for the edge: what one other reader could understand
// differently is refused.
package stanag4778

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"causeway/label"
	"causeway/label/internal/xmltree"
	"causeway/label/stanag4774"
)

// Namespace of bindings.
const Namespace = "urn:nato:stanag:4778:bindinginformation:1:0"

// MaxSize is the largest binding that is read, in bytes.
const MaxSize = 1 << 20

// maxAlternatives bounds the alternative labels of one binding.
const maxAlternatives = 16

var limits = xmltree.Limits{Size: MaxSize, Depth: 40, Nodes: 40_000}

// Digest is the SHA-384 digest of bound data or of a binding.
type Digest [sha512.Size384]byte

// DigestOf is the digest of bytes.
func DigestOf(b []byte) Digest { return sha512.Sum384(b) }

const digestScheme = "ni:///sha-384;"

// URI names data by its digest (RFC 6920 section 3).
func (d Digest) URI() string { return digestScheme + base64.RawURLEncoding.EncodeToString(d[:]) }

// parseDigest reads the name of data. Only SHA-384 is accepted, and only the
// one spelling of it: nothing is ever fetched.
func parseDigest(uri string) (d Digest, err error) {
	text, ok := strings.CutPrefix(uri, digestScheme)
	if !ok {
		if rest, isNI := strings.CutPrefix(uri, "ni:///"); isNI {
			name, _, _ := strings.Cut(rest, ";")
			return d, fmt.Errorf("the digest algorithm %q is not accepted: only sha-384 is", name)
		}
		return d, fmt.Errorf("the reference %q names data by a place, not by a digest", uri)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != len(d) {
		return d, fmt.Errorf("the reference %q is not a SHA-384 digest", uri)
	}
	return Digest(b), nil
}

// Binding is a label bound to data.
type Binding struct {
	Label        *label.Label
	Alternatives []*label.Label
	Data         Digest
}

// Write writes the binding of an originator's label, and of alternative labels
// beside it, to data. The labels are 4774 XML; their bytes are kept.
func Write(originator []byte, alternatives [][]byte, data Digest) ([]byte, error) {
	var w bytes.Buffer
	w.WriteString(`<BindingInformation xmlns="` + Namespace + `"><MetadataBindingContainer><MetadataBinding>` + "\n")
	for _, xml := range append([][]byte{originator}, alternatives...) {
		root, err := rootOf(xml)
		if err != nil {
			return nil, fmt.Errorf("bind label: %w", err)
		}
		w.WriteString("<Metadata>")
		w.Write(root)
		w.WriteString("</Metadata>\n")
	}
	w.WriteString(`<DataReference URI="` + data.URI() + `"/>` + "\n</MetadataBinding></MetadataBindingContainer></BindingInformation>\n")
	if _, err := Read(w.Bytes()); err != nil {
		return nil, fmt.Errorf("bind label: %w", err)
	}
	return w.Bytes(), nil
}

// rootOf cuts off what stands before the element of a document that was read
// before: a byte order mark and the XML declaration.
func rootOf(xml []byte) ([]byte, error) {
	xml = bytes.TrimSpace(bytes.TrimPrefix(xml, []byte("\ufeff")))
	if bytes.HasPrefix(xml, []byte("<?xml")) {
		_, rest, ok := bytes.Cut(xml, []byte("?>"))
		if !ok {
			return nil, errors.New("the XML declaration does not end")
		}
		xml = bytes.TrimSpace(rest)
	}
	return xml, nil
}

// Read reads a binding. It refuses what xmltree refuses (entities, document
// types, bombs), a signature inside, more than one container, binding or data
// reference, embedded data, metadata by reference, two labels of one role or of
// one policy, and labels that stanag4774 refuses. It checks no signature.
func Read(b []byte) (*Binding, error) {
	root, err := xmltree.Parse(b, limits)
	if err != nil {
		return nil, fmt.Errorf("read binding: %w", err)
	}
	out, err := read(root)
	if err != nil {
		return nil, fmt.Errorf("read binding: %w", err)
	}
	return out, nil
}

func read(root *xmltree.Node) (*Binding, error) {
	if root.Space != Namespace || root.Local != "BindingInformation" {
		return nil, fmt.Errorf("the document is %s of namespace %q, not BindingInformation", root.Local, root.Space)
	}
	container, err := only(root, "MetadataBindingContainer")
	if err != nil {
		return nil, err
	}
	binding, err := only(container, "MetadataBinding")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(binding.Allow(false), binding.NoText()); err != nil {
		return nil, err
	}
	out := &Binding{}
	for i, n := range binding.Children {
		last := i == len(binding.Children)-1
		switch {
		case n.Space == Namespace && n.Local == "Metadata" && !last:
			err = out.metadata(n)
		case n.Space == Namespace && n.Local == "DataReference" && last:
			err = out.data(n)
		default:
			err = fmt.Errorf("line %d: %s is not accepted here: a binding has its labels, and then one reference to its data", n.Line, n.Local)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case out.Label == nil:
		return nil, errors.New("it binds no originator's label")
	case out.Data == Digest{}:
		return nil, errors.New("it refers to no data")
	}
	return out, nil
}

// only gives the one child of an element, which has to have this name.
func only(n *xmltree.Node, local string) (*xmltree.Node, error) {
	if err := errors.Join(n.Allow(false), n.NoText()); err != nil {
		return nil, err
	}
	for _, c := range n.Children {
		if c.Local == "Signature" {
			return nil, fmt.Errorf("line %d: there is a signature inside the binding; only one over all of its bytes, beside it, is accepted", c.Line)
		}
	}
	if len(n.Children) != 1 || n.Children[0].Space != Namespace || n.Children[0].Local != local {
		return nil, fmt.Errorf("line %d: %s has %d elements; exactly one %s is accepted", n.Line, n.Local, len(n.Children), local)
	}
	return n.Children[0], nil
}

func (b *Binding) metadata(n *xmltree.Node) error {
	if err := errors.Join(n.Allow(false), n.NoText()); err != nil {
		return err
	}
	if len(n.Children) != 1 {
		return fmt.Errorf("line %d: Metadata has %d elements, not one", n.Line, len(n.Children))
	}
	l, role, err := stanag4774.Element(n.Children[0])
	if err != nil {
		return err
	}
	if role == stanag4774.Originator {
		if b.Label != nil {
			return fmt.Errorf("line %d: there are two originator's labels", n.Line)
		}
		b.Label = l
		return nil
	}
	if len(b.Alternatives) == maxAlternatives {
		return fmt.Errorf("line %d: there are more than %d alternative labels", n.Line, maxAlternatives)
	}
	for _, a := range b.Alternatives {
		if a.PolicyOID == l.PolicyOID && a.PolicyName == l.PolicyName {
			return fmt.Errorf("line %d: there are two alternative labels of the policy %s", n.Line, l.PolicyName)
		}
	}
	b.Alternatives = append(b.Alternatives, l)
	return nil
}

func (b *Binding) data(n *xmltree.Node) error {
	if err := errors.Join(n.Allow(false, "URI"), n.NoText()); err != nil {
		return err
	}
	if len(n.Children) > 0 {
		return fmt.Errorf("line %d: DataReference has elements of its own", n.Line)
	}
	uri, _ := n.Attr("URI")
	var err error
	if b.Data, err = parseDigest(uri); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

// Statement is what a node signs of a binding, beside it: the digest of its
// exact bytes, and when.
type Statement struct {
	V       int       `json:"v"`
	Binding []byte    `json:"sha384"`
	Made    time.Time `json:"made"`
}

// State makes the statement about a binding.
func State(binding []byte, made time.Time) Statement {
	d := DigestOf(binding)
	return Statement{1, d[:], made.UTC().Truncate(time.Second)}
}

// Encode writes the bytes that are signed.
func (s Statement) Encode() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // bytes and times of four-digit years always encode
	}
	return b
}

// Check reads the bytes that were signed, and says whether they are about this
// binding.
func Check(signed, binding []byte) (Statement, error) {
	var s Statement
	if err := json.Unmarshal(signed, &s); err != nil {
		return s, fmt.Errorf("read the signed statement: %w", err)
	}
	if string(s.Encode()) != string(signed) || s.V != 1 || s.Made.IsZero() {
		return s, errors.New("read the signed statement: it is not in the form in which statements are written")
	}
	if d := DigestOf(binding); !bytes.Equal(s.Binding, d[:]) {
		return s, errors.New("the binding is not the one that was signed: it was changed, or wrapped, or is another")
	}
	return s, nil
}
