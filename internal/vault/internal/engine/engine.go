// Package engine says what the vault asks of a database. The two engines keep
// the same facts, each in SQL of its own; what the facts mean (who may see
// what, since when, in which order) is decided once, in the vault.
//
// Facts are rules, labels, versions, events and audit leaves. Everything else
// (feeds, holders, tallies, the search index) is derived from them and can be
// made again.
package engine

import (
	"context"
	"errors"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrLocked is wrapped when another process works on the same store.
var ErrLocked = errors.New("in use by another process")

// Micros is a time in microseconds since 1970, UTC.
type Micros = int64

// State is what every write begins from.
type State struct {
	Entries    int64  // size of the audit log
	At         Micros // time of the newest entry; the clock of the store never goes below it
	NextVID    int64  // number of the next version, from 1
	Indexed    int64  // versions up to this one are in the search index
	Generation int64  // changes whenever feeds or readers do
}

// Rule, Label and Kind are interned values: a small number in the row of
// each version, the value once. Numbers are given in order from 1.
type Rule struct {
	N   int64
	Key string
}

// Label is one interned effective label.
type Label struct {
	N, Rule int64
	Body    []byte
}

// Kind is one interned object type.
type Kind struct {
	N    int64
	Name string
}

// Version is one version of one object from one source. VID is its number in
// the store.
type Version struct {
	VID        int64
	ID         string
	Modified   Micros // what orders the versions of an object; 0 where it has none
	Text       string // the version as its producer wrote it
	Kind       int64
	Spec       string
	CreatedBy  string
	Source     string
	Collection string
	Label      int64 // in force
	Rule       int64 // of Label
	First      int64 // label at storing
	At         Micros
	Act        int64
	Content    []byte // digest of what the object says, equal for equal content
	Digest     []byte // SHA-256 of the producer's bytes
	Gone       bool   // withdrawn: the bytes are no longer kept
	Raw        []byte
}

// Event is one thing that happened to a stored version.
type Event struct {
	Act, N       int64 // entry, and place among its events
	At           Micros
	Kind         string // release, recall, relabel, withdraw
	VID          int64
	Reader       string // release, recall: whose; else ""
	By           string // reader id of who did it
	Text         string // rule or reason
	Before, Then int64  // relabel: labels
	ID, Version  string // of the version; filled in on reading
}

// Feed is the order in which versions became available to the readers that
// follow it. Owner is the one reader of a feed that needs releases, or "".
type Feed struct {
	N      int64
	Owner  string
	Key    string // digest of the holdings it was made for
	Fresh  bool   // holds no late availability: new readers may join
	Last   Micros // newest availability ever given in it
	Behind int64  // versions from this one on have not been judged for it; 0: none
}

// Flags of a feed row.
const (
	Latest  = 0 // newest version of its object in this feed
	Older   = 1 // a newer version is in this feed
	Shadow  = 2 // another source's record of the same version stands for it
	Removed = -1
)

// Place is one row of a feed: a version, and when it became available there.
type Place struct {
	Feed  int64
	Added Micros
	VID   int64
	Kind  int64
	Flag  int
}

// Tally is how many visible versions of one kind under one rule a feed holds.
type Tally struct {
	Feed, Rule, Kind int64
	Total, Latest    int64
}

// Row is one version as a feed shows it.
type Row struct {
	Place
	Version
}

// Select is a question to one feed. Conditions must all hold; empty ones
// always do.
type Select struct {
	Feed    int64
	Allowed []byte // Allowed[rule] == 1: the asker may see it, judged for this question
	// What to walk, the smallest first; else the feed itself.
	IDs   []string
	Terms []string // versions whose text holds every term
	RefTo string   // versions that refer to this object

	Kinds      []int64
	Labels     []int64 // nil: any
	Specs      []string
	Collection string
	CreatedBy  string
	Source     string
	All        bool    // every version; else any of the following three
	First      bool    // the oldest visible
	Last       bool    // the newest visible
	Times      []int64 // exactly these
	Since      Micros  // modified at or after
	Until      Micros  // modified before; 0: no end

	After  Micros // added strictly later
	Before Micros // added strictly earlier; 0: no end
	Newest bool   // order by added descending
	Limit  int    // 0: no limit
	// MaxBytes of Raw to give; the row that goes beyond is the last one
	// given, so that the asker sees that there is more. 0: no limit.
	MaxBytes int
	Bare     bool   // without Raw
	Facts    bool   // with VID, At and Act
	HeldBy   string // demand a release to this reader beside the place; "": none is needed
}

// Indexed is what one version is looked up by: the ids it refers to, and the
// terms of its texts.
type Indexed struct {
	VID         int64
	Refs, Terms []string
}

// Leaf is one stored audit entry with its opening.
type Leaf struct {
	Index       int64
	Salt, Entry []byte
}

// Read is one consistent state of the store.
type Read interface {
	State() (State, error)
	Rules(after int64) ([]Rule, error)
	Labels(after int64) ([]Label, error)
	Kinds(after int64) ([]Kind, error)

	Feeds() ([]Feed, error)
	FeedOf(reader string) (Feed, bool, error)
	Readers() (map[string]int64, error)

	// Rows yields what answers the question, in order. The row is good until
	// yield returns, its Raw stays.
	Rows(s Select, yield func(*Row) error) error
	Count(Select) (int64, error)
	Tallies(feed int64) ([]Tally, error)

	// Versions gives every record of these ids that is not gone, without Raw,
	// ordered by id, modified and VID.
	Versions(ids []string) ([]Version, error)
	// Scan gives versions from a VID on, in order, with Raw when raw is set.
	Scan(from int64, raw bool, limit int) ([]Version, error)
	// ByRule gives versions with a VID above after, not gone, under any of the
	// rules, in order, with Rule, Kind, At, ID and Modified only.
	ByRule(rules []int64, after int64, limit int) ([]Version, error)
	// HeldBy gives what was released to the reader, like ByRule.
	HeldBy(reader string, after int64, limit int) ([]Version, error)
	Holders(vids []int64) (map[int64][]string, error)
	Places(feed int64, vids []int64) ([]Place, error)
	PlacesOf(vid int64) ([]Place, error)
	FeedPlaces(feed int64, after Micros, limit int) ([]Place, error)
	Events(ids []string) ([]Event, error)
	ScanEvents(act, n int64, limit int) ([]Event, error)

	Record(space, key string) ([]byte, bool, error)
	Records(space, prefix string, yield func(space, key string, value []byte) error) error

	Spaces() ([]string, error)

	Hashes(indexes []int64) ([]tlog.Hash, error)
	Leaf(index int64) (Leaf, error)
	Setting(name string) (string, error) // "" when absent

	// Audit checks derived tables against facts and names each difference.
	Audit(yield func(text string)) error
}

// Write is a transaction that is alone: no other writes until it ends.
type Write interface {
	Read
	SetState(State) error
	AddRule(Rule) error
	AddLabel(Label) error
	AddKind(Kind) error
	AddVersions([]Version) error
	SetLabel(vid, label, rule int64) error
	Withdraw(vids []int64) error // drops bytes, references, words and holders
	AddEvents([]Event) error
	Hold(reader string, vids []int64, act int64) error
	Unhold(reader string, vids []int64) error

	PutFeed(Feed) error
	DropFeed(feed int64) error
	PutReader(reader string, feed int64) error
	DropReader(reader string) error
	AddPlaces([]Place) error
	// Supersede marks, in these feeds, places of this version as Older where
	// they were Latest, and gives the feeds in which it did.
	Supersede(vid int64, feeds []int64) ([]int64, error)
	// SetFlag changes or, with Removed, deletes one place.
	SetFlag(Place) error
	AddTallies([]Tally) error // adds the numbers, which may be negative

	Index([]Indexed) error

	PutRecord(space, key string, value []byte) error
	DeleteRecord(space, key string) error
	AddLeaf(Leaf, int64, []tlog.Hash) error
	SetSetting(name, value string) error
	// Announce tells other processes, after commit, which feeds grew.
	Announce(feeds []int64) error
}

// Engine is one open store.
type Engine interface {
	Read(ctx context.Context, do func(Read) error) error
	// Write runs do in one transaction, durable when Write returns; lazy
	// lets the last moments be lost with the machine, never with the process.
	Write(ctx context.Context, lazy bool, do func(Write) error) error
	// Announced gives the feeds that other processes announce, or nil when
	// there are no others.
	Announced() <-chan []int64
	Close() error
}
