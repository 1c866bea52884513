package sharing

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"causeway/trade/table"
)

// Tables are the CSV tables of a plan.
type Tables struct {
	Offers *table.Table // supplier, quantity, and optionally month (1 if missing), keep
	Needs  *table.Table // member, quantity, and optionally month (every month if missing), floor, keep
	Routes *table.Table // from, to, and optionally capacity (no bound if empty), lag, cost
	Months int          // 0: the last month the tables name
	Unit   string
}

// MaxDecimals bounds the decimals of quantities and of costs.
const MaxDecimals = 9

// Read builds a problem. Quantities are decimals, read exactly. An offer
// whose quantity is empty or a text such as W is withheld: it is not zero. A
// floor is a fraction or a percentage with at most three decimals of a
// fraction.
func Read(t Tables) (*Problem, error) {
	r := &planReader{Tables: t, p: &Problem{Unit: t.Unit, Months: t.Months}}
	for _, step := range []func() error{r.months, r.decimals, r.offers, r.needs, r.routes} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r.p, r.p.check()
}

type planReader struct {
	Tables
	p    *Problem
	unit *big.Int // 10^Decimals
	cost *big.Int
}

// column is the index of an optional column, or -1.
func column(t *table.Table, name string) int {
	if i, err := t.Column(name); err == nil {
		return i
	}
	return -1
}

func (r *planReader) months() error {
	for _, t := range []*table.Table{r.Offers, r.Needs} {
		c := column(t, "month")
		if c < 0 {
			continue
		}
		for i := range t.Rows {
			text := t.Text(i, c)
			if text == "" {
				continue
			}
			m, err := strconv.Atoi(text)
			last := MaxMonths
			if r.Months > 0 {
				last = r.Months
			}
			if err != nil || m < 1 || m > last {
				return fmt.Errorf("%s: %q; want a month from 1 to %d", t.Where(i, c), text, last)
			}
			r.p.Months = max(r.p.Months, m)
		}
	}
	r.p.Months = max(r.p.Months, 1)
	return nil
}

// decimal reads an exact decimal number of a cell.
func decimal(t *table.Table, row, col int) (*big.Rat, error) {
	text := strings.ReplaceAll(t.Text(row, col), ",", "")
	c := t.Cell(row, col)
	if !c.Known() || len(text) > 40 || strings.ContainsAny(text, "eE—/") {
		if c.Known() && c.Text == "—" {
			return new(big.Rat), nil
		}
		return nil, fmt.Errorf("%s: %q; want a plain decimal number", t.Where(row, col), c.Text)
	}
	v, ok := new(big.Rat).SetString(text)
	if !ok || v.Sign() < 0 {
		return nil, fmt.Errorf("%s: %q; want a number of zero or more", t.Where(row, col), c.Text)
	}
	return v, nil
}

// decimals finds how many decimals the quantities and the costs have.
func (r *planReader) decimals() error {
	count := func(t *table.Table, name string, into *int) error {
		c := column(t, name)
		if c < 0 {
			return nil
		}
		for i := range t.Rows {
			if cell := t.Cell(i, c); !cell.Known() {
				continue
			}
			v, err := decimal(t, i, c)
			if err != nil {
				return err
			}
			n, exact := v.FloatPrec()
			if !exact || n > MaxDecimals {
				return fmt.Errorf("%s: %q has more than %d decimals; use a smaller unit", t.Where(i, c), t.Text(i, c), MaxDecimals)
			}
			*into = max(*into, n)
		}
		return nil
	}
	for _, c := range []struct {
		t    *table.Table
		name string
		into *int
	}{{r.Offers, "quantity", &r.p.Decimals}, {r.Offers, "keep", &r.p.Decimals}, {r.Needs, "quantity", &r.p.Decimals}, {r.Needs, "keep", &r.p.Decimals},
		{r.Routes, "capacity", &r.p.Decimals}, {r.Routes, "cost", &r.p.CostDecimals}} {
		if err := count(c.t, c.name, c.into); err != nil {
			return err
		}
	}
	ten := big.NewInt(10)
	r.unit = new(big.Int).Exp(ten, big.NewInt(int64(r.p.Decimals)), nil)
	r.cost = new(big.Int).Exp(ten, big.NewInt(int64(r.p.CostDecimals)), nil)
	return nil
}

// whole reads a cell in units of 1/unit; an empty cell is ifEmpty.
func whole(t *table.Table, row, col int, unit *big.Int, ifEmpty int64) (int64, error) {
	if col < 0 || t.Text(row, col) == "" {
		return ifEmpty, nil
	}
	v, err := decimal(t, row, col)
	if err != nil {
		return 0, err
	}
	v.Mul(v, new(big.Rat).SetInt(unit))
	if !v.IsInt() || !v.Num().IsInt64() {
		return 0, fmt.Errorf("%s: %q is too large; use a larger unit", t.Where(row, col), t.Text(row, col))
	}
	return v.Num().Int64(), nil
}

func monthOf(t *table.Table, row, col int) int {
	if col < 0 {
		return 0
	}
	m, _ := strconv.Atoi(t.Text(row, col)) // checked by months; empty is 0
	return m
}

func (r *planReader) offers() error {
	t := r.Offers
	at, err := t.Columns("supplier", "quantity")
	if err != nil {
		return err
	}
	month, keep := column(t, "month"), column(t, "keep")
	index := map[string]int{}
	for i := range t.Rows {
		name := t.Text(i, at[0])
		if name == "" {
			return fmt.Errorf("%s: the supplier has no name", t.Where(i, at[0]))
		}
		k, ok := index[name]
		if !ok {
			k = len(r.p.Offers)
			index[name] = k
			r.p.Offers = append(r.p.Offers, Offer{Name: name, Supply: make([]int64, r.p.Months), Keep: Unlimited})
		}
		o := &r.p.Offers[k]
		if keep >= 0 && t.Text(i, keep) != "" {
			if o.Keep, err = whole(t, i, keep, r.unit, Unlimited); err != nil {
				return err
			}
		}
		if !t.Cell(i, at[1]).Known() {
			o.Withheld = true
			continue
		}
		q, err := whole(t, i, at[1], r.unit, 0)
		if err != nil {
			return err
		}
		o.Supply[max(monthOf(t, i, month), 1)-1] += q
	}
	return nil
}

func (r *planReader) needs() error {
	t := r.Needs
	at, err := t.Columns("member", "quantity")
	if err != nil {
		return err
	}
	month, keep, floor := column(t, "month"), column(t, "keep"), column(t, "floor")
	index := map[string]int{}
	for i := range t.Rows {
		name := t.Text(i, at[0])
		if name == "" {
			return fmt.Errorf("%s: the member has no name", t.Where(i, at[0]))
		}
		k, ok := index[name]
		if !ok {
			k = len(r.p.Needs)
			index[name] = k
			r.p.Needs = append(r.p.Needs, Need{Member: name, Amount: make([]int64, r.p.Months)})
		}
		n := &r.p.Needs[k]
		q, err := whole(t, i, at[1], r.unit, 0)
		if err != nil {
			return err
		}
		if t.Text(i, at[1]) == "" {
			return fmt.Errorf("%s: the need is empty; write 0 only if nothing is needed", t.Where(i, at[1]))
		}
		if m := monthOf(t, i, month); m > 0 {
			n.Amount[m-1] += q
		} else {
			for m := range n.Amount {
				n.Amount[m] += q
			}
		}
		if keep >= 0 && t.Text(i, keep) != "" {
			if n.Keep, err = whole(t, i, keep, r.unit, 0); err != nil {
				return err
			}
		}
		if floor >= 0 && t.Text(i, floor) != "" {
			if n.Floor, err = thousandths(t, i, floor); err != nil {
				return err
			}
		}
	}
	return nil
}

func thousandths(t *table.Table, row, col int) (int64, error) {
	bare, percent := strings.CutSuffix(t.Text(row, col), "%")
	v, ok := new(big.Rat).SetString(strings.TrimSpace(bare))
	if ok && len(bare) < 20 {
		v.Mul(v, big.NewRat(1000, 1))
		if percent {
			v.Quo(v, big.NewRat(100, 1))
		}
		if v.IsInt() && v.Sign() >= 0 && v.Cmp(big.NewRat(1000, 1)) <= 0 {
			return v.Num().Int64(), nil
		}
	}
	return 0, fmt.Errorf("%s: %q; want a fraction such as 0.8 or 80%%, with at most three decimals of the fraction", t.Where(row, col), t.Text(row, col))
}

func (r *planReader) routes() error {
	t := r.Routes
	at, err := t.Columns("from", "to")
	if err != nil {
		return err
	}
	capacity, lag, cost := column(t, "capacity"), column(t, "lag"), column(t, "cost")
	offers, needs := make([]string, len(r.p.Offers)), make([]string, len(r.p.Needs))
	for i, o := range r.p.Offers {
		offers[i] = o.Name
	}
	for i, n := range r.p.Needs {
		needs[i] = n.Member
	}
	for i := range t.Rows {
		route := Route{From: t.Text(i, at[0]), To: t.Text(i, at[1])}
		if err := known(t, i, at[0], "supplier", offers); err != nil {
			return err
		}
		if err := known(t, i, at[1], "member", needs); err != nil {
			return err
		}
		if route.Capacity, err = whole(t, i, capacity, r.unit, Unlimited); err != nil {
			return err
		}
		if route.Cost, err = whole(t, i, cost, r.cost, 0); err != nil {
			return err
		}
		if lag >= 0 && t.Text(i, lag) != "" {
			if route.Lag, err = strconv.Atoi(t.Text(i, lag)); err != nil {
				return fmt.Errorf("%s: %q; want whole months", t.Where(i, lag), t.Text(i, lag))
			}
		}
		r.p.Routes = append(r.p.Routes, route)
	}
	return nil
}

func known(t *table.Table, row, col int, what string, names []string) error {
	name := t.Text(row, col)
	for _, n := range names {
		if n == name {
			return nil
		}
	}
	hint := ""
	if near, ok := table.Nearest(name, names); ok {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return fmt.Errorf("%s: unknown %s %q%s", t.Where(row, col), what, name, hint)
}

// ReadTreaty reads member, consumption, net_imports, available.
func ReadTreaty(t *table.Table) ([]Country, error) {
	at, err := t.Columns("member", "consumption", "net_imports", "available")
	if err != nil {
		return nil, err
	}
	var out []Country
	for i := range t.Rows {
		c := Country{Name: t.Text(i, at[0])}
		for k, into := range []**big.Rat{&c.Consumption, &c.NetImports, &c.Available} {
			if *into, err = decimal(t, i, at[k+1]); err != nil {
				return nil, err
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// ReadClaims reads name, claim.
func ReadClaims(t *table.Table) (names []string, claims []*big.Rat, err error) {
	at, err := t.Columns("name", "claim")
	if err != nil {
		return nil, nil, err
	}
	for i := range t.Rows {
		v, err := decimal(t, i, at[1])
		if err != nil {
			return nil, nil, err
		}
		names, claims = append(names, t.Text(i, at[0])), append(claims, v)
	}
	return names, claims, nil
}
