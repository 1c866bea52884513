package coord

import "fmt"

// Kind says what kind of trace an object is. Kinds are detected apart and
// combined at the end; ids of different kinds never meet.
type Kind uint8

const (
	Object Kind = iota // whatever the object column holds
	Repost             // the post that was shared again
	URL                // a canonical address
	Page               // an address without its query
	Site               // a registrable domain
	Hashtag
	Reply // the post that was answered
	Mention
	Text  // near-duplicate text
	Image // an image, by hash
	Video
	numKinds
)

var kindNames = [numKinds]string{"object", "repost", "url", "page", "site", "hashtag", "reply", "mention", "text", "image", "video"}

// String returns the name used in evidence.csv and mapping files.
func (k Kind) String() string {
	if k < numKinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind is the inverse of [Kind.String].
func ParseKind(s string) (Kind, error) {
	for i, n := range kindNames {
		if n == s {
			return Kind(i), nil
		}
	}
	return 0, fmt.Errorf("unknown kind %q: want one of %v", s, kindNames)
}

// MarshalText and UnmarshalText use the name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

func (k *Kind) UnmarshalText(b []byte) (err error) {
	*k, err = ParseKind(string(b))
	return err
}

// Post is one act of sharing. The slices belong to the source and are valid
// until its next call.
type Post struct {
	Kind    Kind
	Object  []byte // what was shared; empty: nothing of this kind (cnt still counts the content as seen)
	Account []byte
	Content []byte // the post itself
	Time    int64  // microseconds since 1970-01-01 UTC
	Row     int64  // where it came from, for messages: 1 is the first row after a header
}

// Batch is a run of posts in input order.
type Batch struct {
	Posts []Post
	Done  int64 // bytes of input consumed so far, for progress
	Total int64 // bytes of input, 0 when unknown
}

// Source yields posts in input order. Next fills b, reusing its memory, and
// returns io.EOF after the last post; any other error ends the run and says
// where in the input it arose.
type Source interface {
	Next(b *Batch) error
}
