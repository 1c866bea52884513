package sharing

import (
	"fmt"
	"math/big"
	"sort"
)

// A Division is one rule's answer to who gets (or pays) how much of a sum. The
// awards add up to the estate exactly.
type Division struct {
	Rule   string     `json:"rule"`
	Awards []*big.Rat `json:"awards"` // in the order of the claims
}

// Divide splits an estate over claims under four rules, side by side: partners
// choose, the program does not. Both are zero or more, and the estate is at
// most the sum of the claims.
//
//   - proportional: c_i E / sum c
//   - equal awards: min(c_i, lambda)
//   - equal losses: max(0, c_i - lambda)
//   - talmud: half-claims by equal awards up to half of all claims, then half of
//     each claim plus equal losses on the other halves (Aumann and Maschler
//     1985, Journal of Economic Theory 36)
func Divide(estate *big.Rat, claims []*big.Rat) ([]Division, error) {
	total := new(big.Rat)
	for i, c := range claims {
		if c.Sign() < 0 {
			return nil, fmt.Errorf("divide a sum: claim %d is %s; a claim is zero or more", i+1, c.RatString())
		}
		total.Add(total, c)
	}
	if estate.Sign() < 0 || estate.Cmp(total) > 0 {
		return nil, fmt.Errorf("divide a sum: %s to divide over claims of %s; want from zero to all claims", estate.RatString(), total.RatString())
	}
	proportional := make([]*big.Rat, len(claims))
	for i, c := range claims {
		proportional[i] = new(big.Rat)
		if total.Sign() > 0 {
			proportional[i].Quo(new(big.Rat).Mul(c, estate), total)
		}
	}
	return []Division{
		{"proportional", proportional},
		{"equal awards", equalAwards(estate, claims)},
		{"equal losses", equalLosses(estate, claims)},
		{"talmud", talmud(estate, total, claims)},
	}, nil
}

// equalAwards gives everybody the same up to their claim: claims are served in
// ascending order, each getting an equal part of what is left.
func equalAwards(estate *big.Rat, claims []*big.Rat) []*big.Rat {
	order := make([]int, len(claims))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return claims[order[a]].Cmp(claims[order[b]]) < 0 })
	out, left := make([]*big.Rat, len(claims)), new(big.Rat).Set(estate)
	for k, i := range order {
		part := new(big.Rat).Quo(left, big.NewRat(int64(len(order)-k), 1))
		if claims[i].Cmp(part) < 0 {
			part.Set(claims[i])
		}
		out[i] = part
		left.Sub(left, part)
	}
	return out
}

// equalLosses is the dual: losses are divided by equal awards.
func equalLosses(estate *big.Rat, claims []*big.Rat) []*big.Rat {
	loss := new(big.Rat).Neg(estate)
	for _, c := range claims {
		loss.Add(loss, c)
	}
	out := equalAwards(loss, claims)
	for i, c := range claims {
		out[i].Sub(c, out[i])
	}
	return out
}

func talmud(estate, total *big.Rat, claims []*big.Rat) []*big.Rat {
	half := big.NewRat(1, 2)
	halves := make([]*big.Rat, len(claims))
	for i, c := range claims {
		halves[i] = new(big.Rat).Mul(c, half)
	}
	middle := new(big.Rat).Mul(total, half)
	if estate.Cmp(middle) <= 0 {
		return equalAwards(estate, halves)
	}
	out := equalLosses(new(big.Rat).Sub(estate, middle), halves)
	for i := range out {
		out[i].Add(out[i], halves[i])
	}
	return out
}
