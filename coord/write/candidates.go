package write

import (
	"io"

	"causeway/coord"
)

// CandidateColumns are the columns of candidates.csv.
var CandidateColumns = append(append([]string{}, EdgeColumns[:17]...), "verdict")

// Candidates writes candidates.csv: the best pairs that were tested and not
// reported, with why.
func Candidates(w io.Writer, r *coord.Result) error {
	return table(w, CandidateColumns, func(row func(...string) error) error {
		for i := range r.Candidates {
			c := &r.Candidates[i]
			e := &c.Edge
			if err := row(c.AccountA, c.AccountB, count(e.Weight), count(e.Objects), count(e.PostsA), count(e.PostsB), Float(e.MeanDelta),
				Float(e.P), Float(e.Q), count(e.PostPairs), count(e.SharedObjects), Float(e.FirstShareA), Float(e.PSync), Float(e.QSync), Float(e.POverlap), Float(e.QOverlap), e.Signals, c.Verdict); err != nil {
				return err
			}
		}
		return nil
	})
}
