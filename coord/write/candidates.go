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
	return table(w, CandidateColumns, func(row *row) error {
		for i := range r.Candidates {
			c := &r.Candidates[i]
			if err := edgeFields(row.text(c.AccountA).text(c.AccountB), &c.Edge).text(c.Verdict).end(); err != nil {
				return err
			}
		}
		return nil
	})
}
