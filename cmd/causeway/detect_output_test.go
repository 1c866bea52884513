package main

import (
	"strings"
	"testing"

	"causeway/coord"
)

// TestStatedNetworks: the largest networks are stated up to the bounds, and the
// rest is counted.
func TestStatedNetworks(t *testing.T) {
	network := func(sizes ...int) *coord.Result {
		r := &coord.Result{}
		for _, n := range sizes {
			r.Communities = append(r.Communities, coord.Community{Members: make([]int, n)})
		}
		return r
	}
	pairs := make([]int, networksStated+5)
	for i := range pairs {
		pairs[i] = 2
	}
	for name, test := range map[string]struct {
		r    *coord.Result
		want int
		left string
	}{
		"all":                  {network(5, 3, 2, 1), 3, ""},
		"too many":             {network(pairs...), networksStated, "1000 largest of 1005"},
		"one is too large":     {network(accountsStated+1, 2), 1, "1 largest of 2"},
		"none":                 {network(), 0, ""},
		"too many accounts":    {network(accountsStated-1, 2, 2), 1, "1 largest of 3"},
		"up to the last place": {network(accountsStated-4, 2, 2), 3, ""},
	} {
		stated, left := statedNetworks(test.r)
		if len(stated) != test.want || !strings.Contains(left, test.left) || (left == "") != (test.left == "") {
			t.Errorf("%s: %d stated, %q", name, len(stated), left)
		}
	}
}
