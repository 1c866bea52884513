package taxii

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// ErrNotFound is a Backend's one answer for what does not exist and for what
// exists and is hidden from the requester. ErrForbidden is for what the
// requester may know of and may not do. ErrUnauthenticated asks for
// credentials.
var (
	ErrNotFound        = errors.New("not found")
	ErrForbidden       = errors.New("forbidden")
	ErrUnauthenticated = errors.New("authentication needed")
)

// Backend is the exchange as one requester sees it. Counts, pages, versions
// and errors are computed on what that requester may see and on nothing else.
//
// Every method answers ErrNotFound for an API root or collection that is
// hidden or absent, in the same time. Any error that is neither one of this
// package's nor an [*Error] becomes a 500 without its text. Methods are called
// concurrently.
type Backend interface {
	// Requester names who asks: stable, the same in every server process.
	// Cursors are bound to it.
	Requester() string

	// Discovery describes the server. APIRoots hold what this requester may
	// use; an empty list is allowed.
	Discovery(ctx context.Context) (Discovery, error)

	// Root describes one API root by its name, a path segment. The handler
	// fills in Versions, and MaxContentLength where it is zero.
	Root(ctx context.Context, root string) (APIRoot, error)

	// Collections lists the collections of a root, those listed without any
	// access included, in an order that does not change: ascending by id.
	Collections(ctx context.Context, root string) ([]Collection, error)

	// Collection finds one listed collection by id or alias; an id wins.
	Collection(ctx context.Context, root, idOrAlias string) (Collection, error)

	// Page reads versions in the order in which they became available. It
	// is called for collections that the requester can read. With q.Object
	// set and no version of that object visible it answers ErrNotFound.
	Page(ctx context.Context, root, collection string, q Query) (Page, error)

	// Add stores what can be stored of an envelope's objects and tells the
	// fate of each. It is called for collections that the requester can
	// write. Objects are unparsed, in order, at least one. It MUST be
	// durable when it returns for every object it reports as a success, and
	// a failure's message MUST NOT tell whether the store holds something
	// that the requester may not see.
	Add(ctx context.Context, root, collection string, objects []json.RawMessage) (Status, error)

	// Delete removes the matching versions of one object from a collection
	// that the requester can read and write. No q.Versions means all.
	Delete(ctx context.Context, root, collection string, object string, m Match) error

	// Status finds the status of an earlier Add by the same requester.
	Status(ctx context.Context, root, id string) (Status, error)
}

// Match selects versions (section 3.4). Values inside a field are
// alternatives, fields must all hold, an empty field holds always except for
// the two defaults described here.
type Match struct {
	IDs   []string
	Types []string

	// Versions holds "all" alone, or any of "first", "last" and STIX
	// timestamps, compared as instants. Empty means "last".
	Versions []string

	// SpecVersions are STIX versions such as "2.1". Empty means, for each
	// object, the newest spec version in which it is held.
	SpecVersions []string
}

// Query is one page wanted. Evaluation order: the visible set, then Match's
// version choice, then AddedAfter, then After and Limit.
type Query struct {
	Match
	AddedAfter time.Time // only what became available strictly later; zero: everything
	Object     string    // only this object; empty: all
	After      int64     // only what follows this [Record.Seq]; 0: from the start
	Limit      int       // records at most, > 0
	MaxBytes   int       // a Backend may end a page early here, with More; at least one record
	Bare       bool      // Raw is not needed
}

// Record is one version of one object, as available to the requester.
type Record struct {
	ID          string
	Version     string    // as in [ManifestRecord.Version]
	SpecVersion string    // "2.0", "2.1"; decides the media type
	Added       time.Time // when it became available to this requester, microseconds
	Seq         int64     // its place in this requester's feed, > 0, strictly increasing with Added
	Raw         []byte    // the producer's bytes
}

// Page is a run of records, ascending by Seq.
type Page struct {
	Records []Record
	More    bool // at least one further visible record follows
}
