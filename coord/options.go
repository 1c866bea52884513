package coord

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// Semantics says which definition of an edge applies.
type Semantics uint8

const (
	// Corrected weighs an edge by distinct objects shared in sync and tests it
	// against a time-aware null.
	Corrected Semantics = iota
	// CooRTweet reproduces detect_groups and generate_coordinated_network of
	// CooRTweet 2.1.3 with remove_loops = TRUE: weight is the number of post
	// pairs.
	CooRTweet
	// CNT reproduces co_retweet of coordination-network-toolkit 1.5.2: weight
	// is the number of distinct posts of the busier direction.
	CNT
)

// String returns the name used on the command line and in summary.json.
func (s Semantics) String() string {
	switch s {
	case Corrected:
		return "corrected"
	case CooRTweet:
		return "coortweet"
	case CNT:
		return "cnt"
	}
	return fmt.Sprintf("semantics(%d)", uint8(s))
}

// ParseSemantics is the inverse of [Semantics.String].
func ParseSemantics(s string) (Semantics, error) {
	for _, v := range []Semantics{Corrected, CooRTweet, CNT} {
		if v.String() == s {
			return v, nil
		}
	}
	return 0, fmt.Errorf("unknown semantics %q: want corrected, coortweet or cnt", s)
}

// Scratch gives temporary files to a run whose posts do not fit in
// [Options.Memory]. The caller owns the place; coord closes every file it
// creates, and closing must remove it.
type Scratch interface {
	Create() (ScratchFile, error)
}

// ScratchFile is written once from start to end, then read at any place.
type ScratchFile interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// Options are the parameters of a run. The zero value of each field means its
// default; every one that changes a result is echoed in [Summary].
type Options struct {
	Semantics Semantics
	// Window is the longest time between two posts that count as in sync,
	// inclusive. Default 60 s; at least 0.
	Window time.Duration
	// MinParticipation is the least number of posts (coortweet: rows,
	// corrected: distinct contents) an account needs. Default 2; cnt has none.
	MinParticipation int
	// MinWeight drops edges below it. Under Corrected it is k, the least number
	// of distinct objects: default 2, raised when the predicted candidates do
	// not fit the budget. In the other two it filters edges: default 1.
	MinWeight int
	// FDR is the false discovery rate at which edges are reported under
	// Corrected. Default 0.05.
	FDR float64
	// Memory is the budget in bytes for posts and pairs. Default 4 GiB. Names
	// of accounts and objects are always held in memory.
	Memory int64
	// Scratch holds what exceeds Memory. Without it such a run is refused.
	Scratch Scratch
	// EdgeWeight is the quantile that coortweet's weight_threshold column
	// compares with. Default 0.5.
	EdgeWeight float64
	// Seed fixes communities and the null replicate. Default 1.
	Seed uint64
	// Resolution is the density that a community must exceed (constant Potts
	// model). Default 0.05; Modularity uses modularity instead.
	Resolution float64
	Modularity bool
	// Declared lists accounts with a known common owner or feed: edges between
	// two accounts of one list are computed and marked, not counted as findings.
	Declared map[string]string
	// Facts lists what is known of accounts that tells an owner, such as
	// "analytics UA-1" or "registrant Example Ltd". Edges between two accounts
	// with a fact in common are set apart, unless so many share it that it is a
	// service's.
	Facts map[string][]string
	// Advise, if set, is shown each large array before anything is written to
	// it. The arrays are read at random: a caller may ask the system to back
	// them with huge pages, which saves most of their cost.
	Advise func(memory []byte)
	// Progress is told of each stage; total is 0 when unknown.
	Progress func(stage string, done, total int64)
}

// MaxWindow bounds Options.Window: beyond a week, "at the same time" means
// nothing and the number of pairs explodes.
const MaxWindow = 7 * 24 * time.Hour

func (o *Options) normalise() error {
	if o.Window == 0 {
		o.Window = 60 * time.Second
	}
	if o.Window < 0 || o.Window > MaxWindow {
		return fmt.Errorf("window %v: want more than 0 and at most %v", o.Window, MaxWindow)
	}
	if o.Window%time.Microsecond != 0 {
		return fmt.Errorf("window %v: want whole microseconds", o.Window)
	}
	if o.MinParticipation == 0 {
		o.MinParticipation = 2
	}
	if o.MinParticipation < 0 {
		return fmt.Errorf("min participation %d: want at least 1", o.MinParticipation)
	}
	if o.MinWeight < 0 {
		return fmt.Errorf("min weight %d: want at least 1", o.MinWeight)
	}
	if o.FDR == 0 {
		o.FDR = 0.05
	}
	if !(o.FDR > 0 && o.FDR < 1) {
		return fmt.Errorf("false discovery rate %v: want more than 0 and less than 1", o.FDR)
	}
	if o.EdgeWeight == 0 {
		o.EdgeWeight = 0.5
	}
	if !(o.EdgeWeight > 0 && o.EdgeWeight <= 1) {
		return fmt.Errorf("edge weight quantile %v: want more than 0 and at most 1", o.EdgeWeight)
	}
	if o.Memory == 0 {
		o.Memory = 4 << 30
	}
	if o.Memory < MinMemory {
		return fmt.Errorf("memory %d bytes: want at least %d MiB", o.Memory, MinMemory>>20)
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Resolution == 0 {
		o.Resolution = 0.05
	}
	if !(o.Resolution > 0) {
		return errors.New("resolution: want more than 0")
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	return nil
}

// MinMemory is the least [Options.Memory]: below it the sort buffers alone
// would not fit.
const MinMemory = 1 << 20

func (o *Options) window() int64 { return o.Window.Microseconds() }
