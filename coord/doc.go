// Package coord finds accounts that share the same things at the same time
// more often than chance explains: posts in, a network with odds and evidence
// out.
//
//	posts (kind, object, account, content, time)
//	  -> one sort by (object, time) and a sliding window
//	  -> pairs of posts -> edges between accounts
//	  -> p-values against a time-aware null, q-values, verdicts
//	  -> communities, layout, evidence
//
// Three semantics are declared and never mixed: [CooRTweet] and [CNT]
// reproduce those tools pair by pair and edge by edge; [Corrected] is the
// default, defined in docs/detection.md.
//
// The package is pure: posts come from a [Source], scratch space from a
// [Scratch], and no file, network or clock is touched. The same posts give the
// same result byte for byte, in any row order under [Corrected].
//
// A result is a finding, what a program computed. It never says that somebody
// is inauthentic: that is an assessment, and a person makes it.
package coord

// Version names the rules that computed a result. It changes whenever the same
// posts and options may give another result, so that a partner who repeats a
// finding knows whether to expect the same numbers.
const Version = "causeway-coord/2"
