package sharing

import (
	"fmt"
	"math"
	"strconv"

	"causeway/trade/table"
)

// NeedsGeneral reports whether the tables describe a problem that is no flow:
// a column of losses or of products.
func NeedsGeneral(t Tables) bool {
	return column(t.Offers, "loss") >= 0 || column(t.Routes, "loss") >= 0 || column(t.Offers, "product") >= 0 || column(t.Needs, "product") >= 0
}

// ReadGeneral reads the tables of [Read] with the columns product (offers and
// needs) and loss (a fraction; of what an offer carries over a month, of what a
// route sends), and substitutes (nil for none): member, of, for, worth, limit.
// Every quantity must be known.
func ReadGeneral(t Tables, substitutes *table.Table) (*General, error) {
	r := &planReader{Tables: t, p: &Problem{Months: t.Months}}
	if err := r.months(); err != nil {
		return nil, err
	}
	g := &General{Unit: t.Unit, Months: r.p.Months}
	for _, step := range []func(*General) error{r.generalOffers, r.generalNeeds, r.generalRoutes} {
		if err := step(g); err != nil {
			return nil, err
		}
	}
	if substitutes != nil {
		if err := readSubstitutes(g, substitutes); err != nil {
			return nil, err
		}
	}
	return g, g.check()
}

// real reads a number of zero or more; an empty or missing cell is ifEmpty.
func real(t *table.Table, row, col int, ifEmpty float64) (float64, error) {
	if col < 0 || t.Text(row, col) == "" {
		return ifEmpty, nil
	}
	v, err := t.Number(row, col)
	if err == nil && v < 0 {
		err = fmt.Errorf("%s: %s is negative; want zero or more", t.Where(row, col), t.Text(row, col))
	}
	return v, err
}

func textOf(t *table.Table, row, col int) string {
	if col < 0 {
		return ""
	}
	return t.Text(row, col)
}

func (r *planReader) generalOffers(g *General) error {
	t := r.Offers
	at, err := t.Columns("supplier", "quantity")
	if err != nil {
		return err
	}
	product, month, keep, loss := column(t, "product"), column(t, "month"), column(t, "keep"), column(t, "loss")
	index := map[[2]string]int{}
	for i := range t.Rows {
		key := [2]string{t.Text(i, at[0]), textOf(t, i, product)}
		k, ok := index[key]
		if !ok {
			k = len(g.Offers)
			index[key] = k
			g.Offers = append(g.Offers, GeneralOffer{key[0], key[1], make([]float64, g.Months), math.Inf(1), 0})
		}
		o := &g.Offers[k]
		q, err := t.Number(i, at[1])
		if err == nil {
			o.Supply[max(monthOf(t, i, month), 1)-1] += q
			o.Keep, err = real(t, i, keep, o.Keep)
		}
		if err == nil {
			o.Loss, err = real(t, i, loss, o.Loss)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *planReader) generalNeeds(g *General) error {
	t := r.Needs
	at, err := t.Columns("member", "quantity")
	if err != nil {
		return err
	}
	product, month, floor := column(t, "product"), column(t, "month"), column(t, "floor")
	index := map[[2]string]int{}
	for i := range t.Rows {
		key := [2]string{t.Text(i, at[0]), textOf(t, i, product)}
		k, ok := index[key]
		if !ok {
			k = len(g.Needs)
			index[key] = k
			g.Needs = append(g.Needs, GeneralNeed{key[0], key[1], make([]float64, g.Months), 0})
		}
		q, err := t.Number(i, at[1])
		if err != nil {
			return err
		}
		if m := monthOf(t, i, month); m > 0 {
			g.Needs[k].Amount[m-1] += q
		} else {
			for m := range g.Months {
				g.Needs[k].Amount[m] += q
			}
		}
		if floor >= 0 && t.Text(i, floor) != "" {
			thousand, err := thousandths(t, i, floor)
			if err != nil {
				return err
			}
			g.Needs[k].Floor = float64(thousand) / 1000
		}
	}
	return nil
}

func (r *planReader) generalRoutes(g *General) error {
	t := r.Routes
	at, err := t.Columns("from", "to")
	if err != nil {
		return err
	}
	capacity, lag, cost, loss := column(t, "capacity"), column(t, "lag"), column(t, "cost"), column(t, "loss")
	var offers, needs []string
	for _, o := range g.Offers {
		offers = append(offers, o.Name)
	}
	for _, n := range g.Needs {
		needs = append(needs, n.Member)
	}
	for i := range t.Rows {
		if err := known(t, i, at[0], "supplier", offers); err != nil {
			return err
		}
		if err := known(t, i, at[1], "member", needs); err != nil {
			return err
		}
		route := GeneralRoute{From: t.Text(i, at[0]), To: t.Text(i, at[1])}
		if route.Capacity, err = real(t, i, capacity, math.Inf(1)); err != nil {
			return err
		}
		if route.Cost, err = real(t, i, cost, 0); err != nil {
			return err
		}
		if route.Loss, err = real(t, i, loss, 0); err != nil {
			return err
		}
		if text := textOf(t, i, lag); text != "" {
			if route.Lag, err = strconv.Atoi(text); err != nil {
				return fmt.Errorf("%s: %q; want whole months", t.Where(i, lag), text)
			}
		}
		g.Routes = append(g.Routes, route)
	}
	return nil
}

func readSubstitutes(g *General, t *table.Table) error {
	at, err := t.Columns("member", "of", "for", "worth", "limit")
	if err != nil {
		return err
	}
	for i := range t.Rows {
		s := Substitute{Member: t.Text(i, at[0]), Of: t.Text(i, at[1]), For: t.Text(i, at[2])}
		if s.Worth, err = t.Number(i, at[3]); err != nil {
			return err
		}
		if s.Limit, err = t.Number(i, at[4]); err != nil {
			return err
		}
		g.Substitutes = append(g.Substitutes, s)
	}
	return nil
}
