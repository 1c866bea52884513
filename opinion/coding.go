package opinion

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// A Code is one nation's reading of one item: a narrative, an incident.
type Code struct {
	Item, Nation, Class string
}

// The least a Dawid-Skene estimate needs; below it only the raw votes are
// given.
const (
	MinCodedItems     = 30
	MinNationsPerItem = 3.0
)

// bootstraps is the number of resampled item sets behind an interval of a
// confusion matrix.
const bootstraps = 200

// A Coding is what several nations' codes say together. It never replaces a
// nation's own code: every vote and every dissent stays in Items.
type Coding struct {
	Classes []string `json:"classes"`
	Nations []string `json:"nations"`
	// Alpha is Krippendorff's alpha for nominal data: 1 is agreement, 0 what
	// chance gives. NaN is told by AlphaReason.
	Alpha       float64     `json:"-"`
	AlphaReason string      `json:"alpha_reason,omitempty"`
	Items       []CodedItem `json:"items"`
	Status      string      `json:"status"` // OK, or Insufficient: raw votes only
	Reasons     []string    `json:"reasons,omitempty"`
	// Prevalence is the share of each class; Confusions what each nation says
	// of items of each class. A nation's matrix is for that nation to see.
	Prevalence []float64   `json:"prevalence,omitempty"`
	Confusions []Confusion `json:"confusions,omitempty"`
	Rounds     int         `json:"rounds,omitempty"`
	// Gold is the share of gold items whose most likely class is the known
	// one: a bias all nations share is invisible to the model without it.
	Gold      float64 `json:"gold,omitempty"`
	GoldItems int     `json:"gold_items,omitempty"`
}

// A CodedItem is one item with every vote.
type CodedItem struct {
	Item      string            `json:"item"`
	Votes     map[string]string `json:"votes"` // by nation
	Posterior []float64         `json:"posterior,omitempty"`
	Likely    string            `json:"likely,omitempty"`
	Dissent   []string          `json:"dissent,omitempty"` // nations whose code is another than Likely
}

// A Confusion is how one nation codes: Rate[j][l] is the estimated chance that
// it says class l of an item of class j, with a 90 % interval over items.
type Confusion struct {
	Nation string      `json:"nation"`
	Rate   [][]float64 `json:"rate"`
	Low    [][]float64 `json:"low"`
	High   [][]float64 `json:"high"`
	Coded  int         `json:"coded"`
}

// coding is the data in indices: code[i][k] is the class of item i by nation k,
// -1 where missing.
type coding struct {
	classes int
	code    [][]int
}

// Agree joins the codes of several nations: agreement, and where there is
// enough the model of Dawid and Skene (1979), Applied Statistics 28(1), with a
// prior of 1 off and 4 on the diagonal. gold holds the known class of some
// items (may be nil). Two codes of one nation for one item are an error.
func Agree(codes []Code, gold map[string]string, seed uint64) (*Coding, error) {
	c, data, err := tabulate(codes)
	if err != nil {
		return nil, err
	}
	c.Alpha, c.AlphaReason = krippendorff(data)
	perItem := float64(len(codes)) / float64(len(c.Items))
	switch {
	case len(c.Items) < MinCodedItems:
		c.Reasons = append(c.Reasons, fmt.Sprintf("%d items; an estimate needs %d", len(c.Items), MinCodedItems))
	case perItem < MinNationsPerItem:
		c.Reasons = append(c.Reasons, fmt.Sprintf("%.1f nations an item; an estimate needs %g", perItem, MinNationsPerItem))
	case len(c.Classes) < 2:
		c.Reasons = append(c.Reasons, "every code is the same class")
	}
	c.Status = Insufficient
	if len(c.Reasons) > 0 {
		return c, nil
	}
	fit := dawidSkene(data, len(c.Nations))
	for k := range c.Nations {
		for j := range c.Classes {
			for l, r := range fit.confusion[k][j] {
				if r > fit.confusion[k][j][j] {
					c.Reasons = append(c.Reasons, fmt.Sprintf("%s says %q of items of class %q more often than %q: the labels may have switched", c.Nations[k], c.Classes[l], c.Classes[j], c.Classes[j]))
				}
			}
		}
	}
	if len(c.Reasons) > 0 {
		return c, nil
	}
	c.Status, c.Prevalence, c.Rounds = OK, fit.prevalence, fit.rounds
	c.confusions(data, fit, seed)
	hits := 0
	for i := range c.Items {
		it := &c.Items[i]
		it.Posterior = fit.posterior[i]
		it.Likely = c.Classes[most(it.Posterior)]
		for _, n := range c.Nations {
			if v, ok := it.Votes[n]; ok && v != it.Likely {
				it.Dissent = append(it.Dissent, n)
			}
		}
		if known, ok := gold[it.Item]; ok {
			c.GoldItems++
			if known == it.Likely {
				hits++
			}
		}
	}
	if c.GoldItems > 0 {
		c.Gold = float64(hits) / float64(c.GoldItems)
	}
	return c, nil
}

func tabulate(codes []Code) (*Coding, *coding, error) {
	c := &Coding{}
	items := map[string]int{}
	for n, x := range codes {
		if x.Item == "" || x.Nation == "" || x.Class == "" {
			return nil, nil, fmt.Errorf("join codes: row %d lacks an item, a nation or a class; leave a missing code out", n+1)
		}
		c.Classes = append(c.Classes, x.Class)
		c.Nations = append(c.Nations, x.Nation)
		i, ok := items[x.Item]
		if !ok {
			i = len(c.Items)
			items[x.Item] = i
			c.Items = append(c.Items, CodedItem{Item: x.Item, Votes: map[string]string{}})
		}
		if old, twice := c.Items[i].Votes[x.Nation]; twice {
			return nil, nil, fmt.Errorf("join codes: %s codes %q as %q and as %q; give one code", x.Nation, x.Item, old, x.Class)
		}
		c.Items[i].Votes[x.Nation] = x.Class
	}
	if len(c.Items) == 0 {
		return nil, nil, fmt.Errorf("join codes: there are none")
	}
	for _, s := range []*[]string{&c.Classes, &c.Nations} {
		slices.Sort(*s)
		*s = slices.Compact(*s)
	}
	slices.SortFunc(c.Items, func(a, b CodedItem) int { return cmp.Compare(a.Item, b.Item) })
	d := &coding{classes: len(c.Classes)}
	for _, it := range c.Items {
		row := make([]int, len(c.Nations))
		for k, n := range c.Nations {
			row[k] = -1
			if v, ok := it.Votes[n]; ok {
				row[k], _ = slices.BinarySearch(c.Classes, v)
			}
		}
		d.code = append(d.code, row)
	}
	return c, d, nil
}

// krippendorff is alpha for nominal data (Krippendorff 2011, Computing
// Krippendorff's Alpha-Reliability): one minus observed over expected
// disagreement, on the coincidences of pairs within items.
func krippendorff(d *coding) (float64, string) {
	total := make([]float64, d.classes)
	agree, n := 0.0, 0.0
	for _, row := range d.code {
		count := make([]float64, d.classes)
		m := 0.0
		for _, v := range row {
			if v >= 0 {
				count[v]++
				m++
			}
		}
		if m < 2 {
			continue
		}
		for v, x := range count {
			agree += x * (x - 1) / (m - 1)
			total[v] += x
		}
		n += m
	}
	expected := 0.0
	for _, x := range total {
		expected += x * (x - 1)
	}
	switch {
	case n < 2:
		return math.NaN(), "no item has two codes"
	case expected >= n*(n-1)*(1-1e-12):
		return math.NaN(), "every code is the same class: there is no disagreement to expect"
	}
	return 1 - (n-agree)/(n-expected/(n-1)), ""
}

// skene is a fitted model.
type skene struct {
	prevalence []float64
	confusion  [][][]float64 // nation, true class, said class
	posterior  [][]float64   // item, class
	rounds     int
}

// dawidSkene runs expectation maximisation from vote shares.
func dawidSkene(d *coding, nations int) skene {
	J := d.classes
	s := skene{prevalence: make([]float64, J), confusion: make([][][]float64, nations), posterior: make([][]float64, len(d.code))}
	for k := range s.confusion {
		s.confusion[k] = make([][]float64, J)
		for j := range J {
			s.confusion[k][j] = make([]float64, J)
		}
	}
	for i, row := range d.code {
		s.posterior[i] = make([]float64, J)
		votes := 0.0
		for _, v := range row {
			if v >= 0 {
				s.posterior[i][v]++
				votes++
			}
		}
		for j := range J {
			s.posterior[i][j] /= votes
		}
	}
	for s.rounds = 1; s.rounds <= 200; s.rounds++ {
		s.maximise(d)
		if s.expect(d) < 1e-6 {
			break
		}
	}
	return s
}

func (s *skene) maximise(d *coding) {
	J := d.classes
	sum := 0.0
	for j := range J {
		s.prevalence[j] = 1
		for _, p := range s.posterior {
			s.prevalence[j] += p[j]
		}
		sum += s.prevalence[j]
	}
	for j := range J {
		s.prevalence[j] /= sum
	}
	for k := range s.confusion {
		for j := range J {
			row, sum := s.confusion[k][j], 0.0
			for l := range J {
				row[l] = 1
				if l == j {
					row[l] = 4
				}
			}
			for i, codes := range d.code {
				if v := codes[k]; v >= 0 {
					row[v] += s.posterior[i][j]
				}
			}
			for _, x := range row {
				sum += x
			}
			for l := range J {
				row[l] /= sum
			}
		}
	}
}

// expect renews the posteriors, in logs, and returns the largest change.
func (s *skene) expect(d *coding) float64 {
	J := d.classes
	change := 0.0
	logs := make([]float64, J)
	for i, codes := range d.code {
		top := math.Inf(-1)
		for j := range J {
			logs[j] = math.Log(s.prevalence[j])
			for k, v := range codes {
				if v >= 0 {
					logs[j] += math.Log(s.confusion[k][j][v])
				}
			}
			top = max(top, logs[j])
		}
		sum := 0.0
		for j := range J {
			logs[j] = math.Exp(logs[j] - top)
			sum += logs[j]
		}
		for j := range J {
			p := logs[j] / sum
			change = max(change, math.Abs(p-s.posterior[i][j]))
			s.posterior[i][j] = p
		}
	}
	return change
}

// confusions writes the matrices with intervals from resampled items.
func (c *Coding) confusions(d *coding, fit skene, seed uint64) {
	J, K := d.classes, len(c.Nations)
	draws := make([][]float64, K*J*J)
	rng := rand.New(rand.NewPCG(seed, 0x5ca1ab1e))
	for range bootstraps {
		b := &coding{classes: J}
		for range d.code {
			b.code = append(b.code, d.code[rng.IntN(len(d.code))])
		}
		again := dawidSkene(b, K)
		for k := range K {
			for j := range J {
				for l := range J {
					at := (k*J+j)*J + l
					draws[at] = append(draws[at], again.confusion[k][j][l])
				}
			}
		}
	}
	for k, n := range c.Nations {
		x := Confusion{Nation: n}
		for _, row := range d.code {
			if row[k] >= 0 {
				x.Coded++
			}
		}
		for j := range J {
			low, high := make([]float64, J), make([]float64, J)
			for l := range J {
				v := draws[(k*J+j)*J+l]
				slices.Sort(v)
				low[l], high[l] = v[bootstraps/20], v[bootstraps-1-bootstraps/20]
			}
			x.Rate, x.Low, x.High = append(x.Rate, fit.confusion[k][j]), append(x.Low, low), append(x.High, high)
		}
		c.Confusions = append(c.Confusions, x)
	}
}

func most(p []float64) int {
	at := 0
	for j, x := range p {
		if x > p[at] {
			at = j
		}
	}
	return at
}
