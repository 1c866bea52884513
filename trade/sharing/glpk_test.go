package sharing

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestAgainstGLPK compares plans with the linear programs they solve, run by
// GLPK's glpsol (Debian glpk-utils): each level is the optimum of its stage, no
// need of a level could have more, and the cost is the least. It runs 600
// random problems with CAUSEWAY_GLPK=1 (.ci/test-glpk), else 20.
func TestAgainstGLPK(t *testing.T) {
	if _, err := exec.LookPath("glpsol"); err != nil {
		t.Skip("glpsol is not installed (Debian glpk-utils)")
	}
	problems := 20
	if os.Getenv("CAUSEWAY_GLPK") != "" {
		problems = 600
	}
	dir := t.TempDir()
	programs, infeasible := 0, 0
	for seed := range problems {
		p := randomPlan(rand.New(rand.NewPCG(uint64(seed), 11)))
		plan, err := p.Solve()
		lp := newProgram(p)
		if err != nil {
			if _, ok := lp.solve(t, dir, "Minimize", "0 w"); ok {
				t.Fatalf("seed %d: %v, but GLPK finds a plan", seed, err)
			}
			infeasible++
			continue
		}
		programs += compare(t, dir, seed, p, plan, lp)
	}
	t.Logf("%d problems, %d infeasible in both, %d linear programs agree", problems, infeasible, programs)
}

// randomPlan draws a problem with stocks, lags, storage, floors and costs.
func randomPlan(r *rand.Rand) *Problem {
	p := &Problem{Unit: "t", Months: 1 + r.IntN(4)}
	for i := range 1 + r.IntN(4) {
		o := Offer{Name: fmt.Sprint("S", i), Supply: make([]int64, p.Months), Keep: int64(r.IntN(40)) - 1}
		for t := range o.Supply {
			if r.IntN(3) > 0 {
				o.Supply[t] = r.Int64N(60)
			}
		}
		p.Offers = append(p.Offers, o)
	}
	for j := range 1 + r.IntN(4) {
		n := Need{Member: fmt.Sprint("J", j), Amount: make([]int64, p.Months)}
		if r.IntN(6) == 0 {
			n.Member = "S0" // a member with an offer of its own
			for _, m := range p.Needs {
				if m.Member == "S0" {
					n.Member = fmt.Sprint("J", j)
				}
			}
		}
		if r.IntN(3) == 0 {
			n.Keep = int64(r.IntN(30)) - 1
		}
		if r.IntN(12) == 0 {
			n.Floor = int64(r.IntN(500))
		}
		for t := range n.Amount {
			if r.IntN(4) > 0 {
				n.Amount[t] = 1 + r.Int64N(60)
			}
		}
		p.Needs = append(p.Needs, n)
		for _, o := range p.Offers {
			if o.Name != n.Member && r.IntN(3) > 0 {
				p.Routes = append(p.Routes, Route{o.Name, n.Member, int64(r.IntN(30)) - 1, r.IntN(3), 1 + r.Int64N(9)})
			}
		}
	}
	return p
}

// glpkProgram is the problem as a linear program: x for network arcs, y for the
// fraction of each demand met, w for the worst of the free ones.
type glpkProgram struct {
	b      *builder
	common string // balances and bounds
	bounds string
	cost   string
}

func newProgram(p *Problem) *glpkProgram {
	b := p.build(false)
	lp := &glpkProgram{b: b}
	var c, bounds, cost strings.Builder
	in, out := map[int][]int{}, map[int][]int{}
	for k, a := range b.net.Arcs {
		out[a.From], in[a.To] = append(out[a.From], k), append(in[a.To], k)
		if a.Cap >= 0 {
			fmt.Fprintf(&bounds, " 0 <= x%d <= %d\n", k, a.Cap)
		}
		fmt.Fprintf(&cost, " + %d x%d", a.Cost, k)
	}
	at := map[int][]int{}
	for k, d := range b.net.Demands {
		at[d.Node] = append(at[d.Node], k)
		fmt.Fprintf(&bounds, " %.17g <= y%d <= 1\n", float64(d.Floor)/float64(d.Amount), k)
	}
	for v, s := range b.net.Supply {
		if len(in[v])+len(out[v])+len(at[v]) == 0 {
			continue
		}
		fmt.Fprintf(&c, " b%d:", v)
		for _, k := range out[v] {
			fmt.Fprintf(&c, " + x%d", k)
		}
		for _, k := range in[v] {
			fmt.Fprintf(&c, " - x%d", k)
		}
		for _, k := range at[v] {
			fmt.Fprintf(&c, " + %d y%d", b.net.Demands[k].Amount, k)
		}
		fmt.Fprintf(&c, " <= %d\n", s)
	}
	lp.common, lp.bounds, lp.cost = c.String(), bounds.String(), "0 w"+cost.String()
	return lp
}

// solve writes the program, runs glpsol and reads the optimum.
func (lp *glpkProgram) solve(t *testing.T, dir, sense, objective string, extra ...string) (float64, bool) {
	t.Helper()
	text := sense + "\n obj: " + objective + "\nSubject To\n" + lp.common + strings.Join(extra, "") + " dummy: w >= 0\nBounds\n" + lp.bounds + " 0 <= w <= 1\nEnd\n"
	in, out := filepath.Join(dir, "p.lp"), filepath.Join(dir, "p.sol")
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command("glpsol", "--lp", in, "-w", out).CombinedOutput(); err != nil {
		t.Fatalf("glpsol: %v\n%s\n%s", err, b, text)
	}
	sol, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(sol), "\n") {
		if f := strings.Fields(line); len(f) == 7 && f[0] == "s" {
			v, err := strconv.ParseFloat(f[6], 64)
			return v, err == nil && f[4] == "f" && f[5] == "f"
		}
	}
	return 0, false
}

// compare checks each stage and returns how many programs it solved.
func compare(t *testing.T, dir string, seed int, p *Problem, plan *Plan, lp *glpkProgram) int {
	t.Helper()
	index := map[string]int{}
	for key, k := range lp.b.demand {
		index[fmt.Sprintf("%s %d", p.Needs[key[0]].Member, key[1]+1)] = k
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Max(1, math.Abs(b)) }
	solved := 0
	fixed, exact := "", ""
	free := map[int]bool{}
	for _, l := range plan.Levels {
		for _, n := range l.Needs {
			free[index[n]] = true
		}
	}
	for _, l := range plan.Levels {
		level := l.Ratio.Float()
		worst, atLeast, sum := "", "", ""
		for k := range len(lp.b.net.Demands) {
			if free[k] {
				worst += fmt.Sprintf(" f%d: y%d - w >= 0\n", k, k)
				atLeast += fmt.Sprintf(" f%d: y%d >= %.17g\n", k, k, level-1e-12)
			}
		}
		for _, n := range l.Needs {
			k := index[n]
			sum += fmt.Sprintf(" + y%d", k)
			delete(free, k)
			exact += fmt.Sprintf(" e%d: y%d >= %.17g\n", k, k, level-1e-12)
		}
		if got, ok := lp.solve(t, dir, "Maximize", "w", fixed, worst); !ok || !near(got, level) {
			t.Fatalf("seed %d: level %v, GLPK finds %v (%v)", seed, level, got, ok)
		}
		if got, ok := lp.solve(t, dir, "Maximize", sum, fixed, atLeast); !ok || !near(got, level*float64(len(l.Needs))) {
			t.Fatalf("seed %d: needs %v at level %v, GLPK gives them %v together", seed, l.Needs, level, got)
		}
		fixed = exact
		solved += 2
	}
	if len(p.Routes) > 0 {
		if got, ok := lp.solve(t, dir, "Minimize", lp.cost, exact); !ok || !near(got/float64(lp.b.scale), plan.Cost.Float()) {
			t.Fatalf("seed %d: cost %v, GLPK finds %v", seed, plan.Cost, got/float64(lp.b.scale))
		}
		solved++
	}
	return solved
}
