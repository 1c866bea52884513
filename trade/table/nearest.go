package table

import "strings"

// Nearest returns the candidate closest to name by edit distance (letter case
// ignored), if one is near enough to be a likely slip: within a third of the
// name's length, at least two edits. Ties go to the earlier candidate.
func Nearest(name string, candidates []string) (string, bool) {
	want := []rune(strings.ToLower(name))
	best, at := max(2, len(want)/3)+1, -1
	for i, c := range candidates {
		if d := distance(want, []rune(strings.ToLower(c)), best); d < best {
			best, at = d, i
		}
	}
	if at < 0 || len(want) == 0 {
		return "", false
	}
	return candidates[at], true
}

// distance is the Levenshtein distance of a and b, or any value >= cap once
// it is certain to be at least that.
func distance(a, b []rune, cap int) int {
	if len(a)-len(b) >= cap || len(b)-len(a) >= cap {
		return cap
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, ra := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, rb := range b {
			d := diagonal
			if ra != rb {
				d++
			}
			diagonal = row[j+1]
			row[j+1] = min(d, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
