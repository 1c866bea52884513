package sharing

import (
	"fmt"
	"math/big"
)

// A Country is one participant of the International Energy Program, with
// quantities in any one unit and period.
type Country struct {
	Name        string
	Consumption *big.Rat // in the base period, > 0
	// NetImports of the base year fix the emergency reserve commitment (Art
	// 2); a net exporter has 0.
	NetImports *big.Rat
	Available  *big.Rat // normal production + actual net imports now, >= 0
}

// A Right is what the treaty gives one country and asks of it.
type Right struct {
	Name        string   `json:"name"`
	Permissible *big.Rat `json:"permissible"` // consumption after restraint
	Drawdown    *big.Rat `json:"drawdown"`    // obligation to draw the reserve down
	Supply      *big.Rat `json:"supply_right"`
	Allocation  *big.Rat `json:"allocation"` // > 0: right to more imports, < 0: obligation to supply
}

// An Activation is the state of the program: which articles apply and what
// they allocate. The allocations add up to zero exactly.
type Activation struct {
	Articles  []string `json:"articles"` // triggered, with the figure that did it
	Restraint *big.Rat `json:"restraint"`
	Shortfall *big.Rat `json:"shortfall"` // permissible consumption - supplies available to the group
	Rights    []Right  `json:"rights"`
	Notes     []string `json:"notes,omitempty"`
}

// Treaty applies the allocation of the Agreement on an International Energy
// Program (1974, as amended): the group triggers of Art 13 (supply down by at
// least 7 % of base consumption, restraint 7 %) and Art 14 (at least 12 %,
// 10 %), with the rights of Art 7; else Art 17 for each country that loses more
// than 7 % (it absorbs 7 % and has a right to the rest, shared by the others in
// proportion to base consumption, Art 8). All arithmetic is exact.
func Treaty(countries []Country) (*Activation, error) {
	base, available, commitment := new(big.Rat), new(big.Rat), new(big.Rat)
	seen := map[string]bool{}
	for _, c := range countries {
		switch {
		case seen[c.Name]:
			return nil, fmt.Errorf("apply treaty: %q stands twice", c.Name)
		case c.Consumption.Sign() <= 0:
			return nil, fmt.Errorf("apply treaty: base consumption of %q is %s; want more than zero", c.Name, c.Consumption.RatString())
		case c.NetImports.Sign() < 0:
			return nil, fmt.Errorf("apply treaty: net imports of %q are %s; give a net exporter 0", c.Name, c.NetImports.RatString())
		case c.Available.Sign() < 0:
			return nil, fmt.Errorf("apply treaty: available supply of %q is %s; want zero or more", c.Name, c.Available.RatString())
		}
		seen[c.Name] = true
		base.Add(base, c.Consumption)
		available.Add(available, c.Available)
		commitment.Add(commitment, c.NetImports)
	}
	if base.Sign() <= 0 {
		return nil, fmt.Errorf("apply treaty: no countries")
	}
	loss := new(big.Rat).Quo(new(big.Rat).Sub(base, available), base)
	a := &Activation{Restraint: new(big.Rat), Shortfall: new(big.Rat)}
	percent := func(r *big.Rat) string { return new(big.Rat).Mul(r, big.NewRat(100, 1)).FloatString(2) + " %" }
	switch {
	case loss.Cmp(big.NewRat(12, 100)) >= 0:
		a.Restraint.SetFrac64(10, 100)
		a.Articles = append(a.Articles, "Art 14: the group loses "+percent(loss)+", at least 12 %")
	case loss.Cmp(big.NewRat(7, 100)) >= 0:
		a.Restraint.SetFrac64(7, 100)
		a.Articles = append(a.Articles, "Art 13: the group loses "+percent(loss)+", at least 7 %")
	default:
		a.selective(countries, percent)
		return a, nil
	}
	if commitment.Sign() <= 0 {
		return nil, fmt.Errorf("apply treaty: nobody has net imports, so nobody has a reserve commitment to draw on")
	}
	keep := new(big.Rat).Sub(big.NewRat(1, 1), a.Restraint)
	a.Shortfall.Sub(new(big.Rat).Mul(keep, base), available)
	if a.Shortfall.Sign() < 0 {
		a.Notes = append(a.Notes, "restraint saves more than is missing; the drawdown obligations are negative, that is, reserves may be refilled")
	}
	for _, c := range countries {
		r := Right{Name: c.Name, Permissible: new(big.Rat).Mul(keep, c.Consumption), Drawdown: new(big.Rat).Quo(c.NetImports, commitment)}
		r.Drawdown.Mul(r.Drawdown, a.Shortfall)
		r.Supply = new(big.Rat).Sub(r.Permissible, r.Drawdown)
		r.Allocation = new(big.Rat).Sub(r.Supply, c.Available)
		a.Rights = append(a.Rights, r)
	}
	return a, nil
}

// selective applies Art 17 and 8.
func (a *Activation) selective(countries []Country, percent func(*big.Rat) string) {
	trigger := big.NewRat(7, 100)
	absorbed, claims := make([]*big.Rat, len(countries)), make([]*big.Rat, len(countries))
	claim, others := new(big.Rat), new(big.Rat)
	for i, c := range countries {
		lost := new(big.Rat).Sub(c.Consumption, c.Available)
		if new(big.Rat).Quo(lost, c.Consumption).Cmp(trigger) > 0 { // "exceeding" 7 %
			absorbed[i] = new(big.Rat).Mul(trigger, c.Consumption)
			claims[i] = lost.Sub(lost, absorbed[i])
			claim.Add(claim, claims[i])
			lostShare := new(big.Rat).Quo(new(big.Rat).Sub(c.Consumption, c.Available), c.Consumption)
			a.Articles = append(a.Articles, "Art 17: "+c.Name+" loses "+percent(lostShare)+", more than 7 %")
		} else {
			others.Add(others, c.Consumption)
		}
	}
	if claim.Sign() > 0 && others.Sign() == 0 {
		a.Notes = append(a.Notes, "every country lost more than 7 %, so nobody is left to share the rights")
	}
	for i, c := range countries {
		r := Right{Name: c.Name, Permissible: new(big.Rat).Set(c.Consumption), Drawdown: new(big.Rat), Supply: new(big.Rat), Allocation: new(big.Rat)}
		switch {
		case claims[i] != nil && others.Sign() > 0:
			r.Permissible.Sub(c.Consumption, absorbed[i])
			r.Allocation.Set(claims[i])
		case claims[i] == nil && claim.Sign() > 0:
			r.Allocation.Neg(new(big.Rat).Quo(new(big.Rat).Mul(claim, c.Consumption), others))
		}
		r.Supply.Add(c.Available, r.Allocation)
		a.Rights = append(a.Rights, r)
	}
}
