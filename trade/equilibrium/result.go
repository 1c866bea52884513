package equilibrium

import (
	"math"
)

// An Effect is what a shock does to one region, in percent.
type Effect struct {
	Region string `json:"region"`
	// TermsOfTrade, VolumeOfTrade and Technical are the first-order terms of
	// the published decomposition, Welfare their sum. For large shocks the sum
	// is not the real income of the same equilibrium: lost tariff revenue is
	// counted at first order only.
	TermsOfTrade  float64 `json:"terms_of_trade"`
	VolumeOfTrade float64 `json:"volume_of_trade"`
	Technical     float64 `json:"technical"`
	Welfare       float64 `json:"welfare"`
	RealWage      float64 `json:"real_wage"`   // w/P - 1
	RealIncome    float64 `json:"real_income"` // I/P - 1, exact, transfers included: the figure to use
	Price         float64 `json:"price"`       // consumer price index - 1, in units of world wage income
	Exports       float64 `json:"exports"`     // value of exports - 1
	Imports       float64 `json:"imports"`     // value of imports - 1
	TransferShare float64 `json:"transfer"`    // transfer received as share of income after
}

// A Comparison is a counterfactual world B against a baseline world A.
type Comparison struct {
	Effects []Effect
	A, B    *State
}

// Compare solves the baseline and the counterfactual and reports B against A,
// the procedure of the published tables: with deficits set to zero the
// baseline already differs from the data.
func Compare(d *Data, baseline, counterfactual Shock, opt Options) (*Comparison, error) {
	a, err := Solve(d, baseline, opt)
	if err != nil {
		return nil, err
	}
	b, err := Solve(d, counterfactual, opt)
	if err != nil {
		return nil, err
	}
	c := &Comparison{A: a, B: b, Effects: make([]Effect, len(d.Regions))}
	for n := range d.Regions {
		c.Effects[n] = effect(d, a, b, baseline, counterfactual, n)
	}
	return c, nil
}

// effect computes one region's row. With c = cost hat B/A and levels of A:
// ToT = 100/I sum E_nij (c_nj - 1) - M_nij (c_ij - 1); VoT = 100/I sum tau M
// (M'/(M + 1e-8) - c_ij); technical = -100/I sum M (1 + tau)(d - 1).
func effect(d *Data, a, b *State, base, shock Shock, n int) Effect {
	N, J := d.sizes()
	tot, vot, tech := 0.0, 0.0, 0.0
	var exA, exB, imA, imB float64
	for j := range J {
		own := b.Cost[n*J+j]/a.Cost[n*J+j] - 1
		for i := range N {
			out := d.Cell(j, i, n) // n exports to i
			in := d.Cell(j, n, i)  // n imports from i
			cost := b.Cost[i*J+j] / a.Cost[i*J+j]
			m := a.Flow[in]
			tot += a.Flow[out]*own - m*(cost-1)
			vot += a.Tariff[in] * m * (b.Flow[in]/(m+1e-8) - cost)
			if ice := ratio(shock.Iceberg, base.Iceberg, in); shock.Ban == nil || !shock.Ban[in] {
				tech -= m * (1 + a.Tariff[in]) * (ice - 1)
			}
			if i != n {
				exA, exB = exA+a.Flow[out], exB+b.Flow[out]
				imA, imB = imA+m, imB+b.Flow[in]
			}
		}
	}
	per := 100 / a.Income[n]
	price := 1.0
	for j := range J {
		price *= math.Exp(alpha(d, n, j) * math.Log(b.Price[n*J+j]/a.Price[n*J+j]))
	}
	wage := b.Wage[n] / a.Wage[n]
	after, before := b.Income[n]+b.Transfer[n], a.Income[n]+a.Transfer[n]
	return Effect{
		Region: d.Regions[n], TermsOfTrade: per * tot, VolumeOfTrade: per * vot, Technical: per * tech, Welfare: per * (tot + vot + tech),
		RealWage: 100 * (wage/price - 1), RealIncome: 100 * (after/before/price - 1), Price: 100 * (price - 1),
		Exports: percent(exA, exB), Imports: percent(imA, imB), TransferShare: b.Transfer[n] / after,
	}
}

func ratio(now, before []float64, k int) float64 {
	r := 1.0
	if now != nil {
		r = now[k]
	}
	if before != nil {
		r /= before[k]
	}
	return r
}

func percent(before, after float64) float64 {
	if !(before > 0) {
		return 0
	}
	return 100 * (after/before - 1)
}

// alpha is the final consumption share of sector j in region n.
func alpha(d *Data, n, j int) float64 {
	J := len(d.Sectors)
	total := 0.0
	for _, v := range d.Final[n*J : (n+1)*J] {
		total += v
	}
	return d.Final[n*J+j] / total
}

// Rebase turns a solved world into data, so that a shock can start from it:
// with the deficits at zero the result is a balanced world in which no shock
// means that every hat is 1.
func Rebase(d *Data, s *State) *Data {
	N, J := d.sizes()
	r := &Data{Regions: d.Regions, Sectors: d.Sectors, Flow: s.Flow, Tariff: s.Tariff, Deficit: append([]float64(nil), d.Deficit...),
		Theta: d.Theta, Input: make([]float64, N*J*J), Final: make([]float64, N*J), Value: make([]float64, N*J)}
	w := &world{N: N, J: J, gammaV: make([]float64, N*J), gamma: make([]float64, N*J*J), gammaT: make([]float64, N*J*J),
		alpha: make([]float64, N*J), wages: make([]float64, N), before: make([]float64, N)}
	w.calibrate(d)
	for n := range N {
		for j := range J {
			y := 0.0
			for m := range N {
				y += s.Flow[d.Cell(j, m, n)]
			}
			r.Value[n*J+j] = w.gammaV[n*J+j] * y
			for k := range J {
				r.Input[(n*J+k)*J+j] = w.gamma[(n*J+k)*J+j] * y
			}
			r.Final[n*J+j] = w.alpha[n*J+j] * s.Income[n]
		}
	}
	return r
}
