package table

import "strings"

// Nearest returns the candidate closest to name by edit distance (letter case
// ignored, a swap of neighbours is one edit), if one is near enough to be a likely slip: within a third of the
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

// distance counts insertions, deletions, replacements and swaps of neighbours
// between a and b (optimal string alignment), or gives any value >= cap once
// it is certain to be at least that.
func distance(a, b []rune, cap int) int {
	if len(a)-len(b) >= cap || len(b)-len(a) >= cap {
		return cap
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i, ra := range a {
		row[0] = i + 1
		for j, rb := range b {
			d := last[j]
			if ra != rb {
				d++
			}
			d = min(d, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && ra == b[j-1] && a[i-1] == rb {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
