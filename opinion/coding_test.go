package opinion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestKrippendorff is the worked example of Krippendorff (2011): four
// observers, twelve units, nominal alpha 0.743.
func TestKrippendorff(t *testing.T) {
	var codes []Code
	for k, row := range []string{"1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."} {
		for i, v := range strings.Fields(row) {
			if v != "." {
				codes = append(codes, Code{fmt.Sprintf("u%02d", i), fmt.Sprint("n", k), v})
			}
		}
	}
	c, err := Agree(codes, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(c.Alpha-0.743) > 5e-4 {
		t.Errorf("alpha %.4f, published 0.743", c.Alpha)
	}
	if c.Status != Insufficient || c.Prevalence != nil || c.Items[0].Posterior != nil {
		t.Errorf("12 items give an estimate: %+v", c)
	}
}

// coded draws items of three classes coded by five nations, one of which reads
// "b" for most of what is "a".
func coded(seed uint64, items int) (codes []Code, truth map[string]string) {
	rng := rand.New(rand.NewPCG(seed, 1))
	truth = map[string]string{}
	classes := []string{"a", "b", "c"}
	for i := range items {
		item := fmt.Sprintf("item%03d", i)
		j := rng.IntN(3)
		truth[item] = classes[j]
		for k := range 5 {
			if rng.IntN(5) == 0 {
				continue
			}
			said := j
			right := 0.85
			if k == 4 && j == 0 {
				right = 0.55
			}
			if rng.Float64() > right {
				said = (j + 1 + rng.IntN(2)) % 3
				if k == 4 {
					said = (j + 1) % 3
				}
			}
			codes = append(codes, Code{item, fmt.Sprint("N", k), classes[said]})
		}
	}
	return codes, truth
}

// TestDawidSkene: the posterior beats the majority, the odd nation's matrix
// shows where it differs, the interval holds the truth, and dissent stays.
func TestDawidSkene(t *testing.T) {
	codes, truth := coded(3, 400)
	c, err := Agree(codes, truth, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.Status != OK || c.Gold < 0.93 || c.GoldItems != 400 {
		t.Fatalf("%s %v, gold %v of %d", c.Status, c.Reasons, c.Gold, c.GoldItems)
	}
	odd := c.Confusions[4]
	if math.Abs(odd.Rate[0][0]-0.55) > 0.1 || odd.Low[0][0] > 0.55 || odd.High[0][0] < 0.55 {
		t.Errorf("N4 on a: %v [%v, %v], want 0.55", odd.Rate[0][0], odd.Low[0][0], odd.High[0][0])
	}
	dissent := 0
	for _, it := range c.Items {
		dissent += len(it.Dissent)
		for _, n := range it.Dissent {
			if it.Votes[n] == it.Likely {
				t.Errorf("%s: %s agrees and is called dissent", it.Item, n)
			}
		}
	}
	if dissent == 0 {
		t.Error("no dissent is kept")
	}
	again := slices.Clone(codes)
	slices.Reverse(again)
	d, err := Agree(again, truth, 1)
	if err != nil || !reflect.DeepEqual(c, d) {
		t.Errorf("the order of codes matters (%v)", err)
	}
}

func TestCodesRefused(t *testing.T) {
	if _, err := Agree([]Code{{"i", "JPN", "a"}, {"i", "JPN", "b"}}, nil, 1); err == nil || !strings.Contains(err.Error(), "give one code") {
		t.Errorf("two codes: %v", err)
	}
	if _, err := Agree([]Code{{"i", "", "a"}}, nil, 1); err == nil {
		t.Error("a code without a nation was taken")
	}
	var codes []Code
	for i := range 40 {
		for k := range 3 {
			codes = append(codes, Code{fmt.Sprint(i), fmt.Sprint(k), "a"})
		}
	}
	c, err := Agree(codes, nil, 1)
	if err != nil || c.Status != Insufficient || !math.IsNaN(c.Alpha) {
		t.Errorf("one class only: %+v, %v", c, err)
	}
}
