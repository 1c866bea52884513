package coord

// Summary is what a reader needs to judge and repeat a run; it is summary.json.
type Summary struct {
	Version          string  `json:"version"`
	Semantics        string  `json:"semantics"`
	WindowSeconds    float64 `json:"window_s"`
	MinParticipation int     `json:"min_participation"`
	MinWeight        int     `json:"min_weight"`
	MinWeightReason  string  `json:"min_weight_reason,omitempty"`
	FDR              float64 `json:"fdr,omitempty"`
	Seed             uint64  `json:"seed"`

	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
	// Notes are what a reader of the numbers must know: base rates, caps,
	// what a test cannot exclude.
	Notes []string `json:"notes,omitempty"`

	Input   InputSummary   `json:"input"`
	Network NetworkSummary `json:"network"`
	Test    *TestSummary   `json:"test,omitempty"`
	Load    LoadSummary    `json:"engine"`
}

// InputSummary counts the posts.
type InputSummary struct {
	Rows             int64            `json:"posts"`
	Objects          int64            `json:"objects"`
	SharedObjects    int64            `json:"objects_of_two_accounts"`
	Accounts         int64            `json:"accounts"`
	Contents         int64            `json:"contents"`
	Eligible         int64            `json:"eligible_accounts"`
	FirstTime        string           `json:"first_time,omitempty"`
	LastTime         string           `json:"last_time,omitempty"`
	Kinds            map[string]int64 `json:"posts_by_kind,omitempty"`
	Repeats          int64            `json:"repeated_posts"`
	Conflicts        int64            `json:"content_conflicts"`
	SelfShares       int64            `json:"self_shares"`
	NoObject         int64            `json:"posts_without_object"`
	ConflictRows     []int64          `json:"content_conflict_rows,omitempty"`
	FullMinutePct    float64          `json:"posts_at_second_00_pct"`
	Files            []File           `json:"files,omitempty"`
	PredictedPairs   int64            `json:"post_pairs_in_window"`
	PairsAfterFilter int64            `json:"post_pairs_kept"`
}

// File is one file of the input, as it was given.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// NetworkSummary describes the edges reported.
type NetworkSummary struct {
	Edges       int     `json:"edges"`
	Nodes       int     `json:"nodes"`
	Components  int     `json:"components"`
	Largest     int     `json:"largest_component"`
	MaxWeight   int64   `json:"max_weight"`
	Communities int     `json:"communities"`
	Modularity  float64 `json:"modularity"`
	// EdgeWeight and Threshold are coortweet's quantile and its value.
	EdgeWeight float64 `json:"edge_weight_quantile,omitempty"`
	Threshold  float64 `json:"edge_weight_threshold,omitempty"`
	AboveEdges int     `json:"edges_above_threshold,omitempty"`
	AboveNodes int     `json:"nodes_above_threshold,omitempty"`
	Declared   int     `json:"declared_edges,omitempty"`
	Apart      int     `json:"edges_set_apart,omitempty"`
}

// TestSummary describes the tests of the corrected semantics.
type TestSummary struct {
	Predicted     int64   `json:"candidate_post_pairs"`
	Candidates    int64   `json:"candidate_pairs"`
	Tested        int64   `json:"tested_pairs"`
	Family        float64 `json:"family_pairs"`
	SyncFamily    float64 `json:"sync_family_pairs"`
	Cutoff        float64 `json:"p_cutoff"`
	Undecidable   int64   `json:"undecidable_pairs"`
	NotAssessed   int64   `json:"accounts_not_assessed"`
	BlockSeconds  float64 `json:"overlap_block_s"`
	HeavyObjects  int     `json:"heavy_objects"`
	Overdispersed float64 `json:"overdispersion_phi"`
	PhiSample     float64 `json:"phi_account_sample"`
	NullEdges     int64   `json:"edges_in_null_replicate"`
	NullPosts     int64   `json:"posts_in_null_replicate"`
}

// LoadSummary says what the run took.
type LoadSummary struct {
	Memory   int64  `json:"memory_bytes"`
	Spilled  bool   `json:"spilled"`
	Parts    int    `json:"partitions"`
	Platform string `json:"platform,omitempty"`
}

// Verdicts of a network.
const (
	Coordinated    = "coordinated"                // edges that chance does not explain
	Popularity     = "consistent with popularity" // enough data, nothing beyond chance
	Explained      = "one owner or feed"          // every edge is declared or set apart
	NotEnough      = "not enough data"
	NotTested      = "not tested" // compat semantics: counts without odds
	baseRateNotice = "Most accounts that share the same popular things within a minute are strangers. A network is evidence of coordination, never of inauthenticity: shared interest, a common owner, a syndicated feed, schedulers and fans who re-share a leader can all produce it."
)
