package lp

import (
	"errors"
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

func TestSmallPrograms(t *testing.T) {
	// maximise 3x + 2y, x + y <= 4, x + 3y <= 7, x <= 3: x = 3, y = 1.
	p := &Problem{}
	x, y := p.Column(-3, 0, 3), p.Column(-2, 0, math.Inf(1))
	a, b := p.Row(math.Inf(-1), 4), p.Row(math.Inf(-1), 7)
	p.Set(a, x, 1)
	p.Set(a, y, 1)
	p.Set(b, x, 1)
	p.Set(b, y, 3)
	s, err := p.Solve()
	if err != nil || math.Abs(s.Objective+11) > 1e-9 || math.Abs(s.X[x]-3) > 1e-9 || math.Abs(s.X[y]-1) > 1e-9 {
		t.Fatalf("%+v, %v; want 3, 1", s, err)
	}
	if math.Abs(s.Price[a]+2) > 1e-9 || math.Abs(s.Price[b]) > 1e-9 {
		t.Errorf("prices %v; want -2, 0", s.Price)
	}
	p.SetRow(a, 9, math.Inf(1)) // now x + y >= 9, and x + 3y <= 7 with x <= 3
	var infeasible *InfeasibleError
	if _, err := p.Solve(); !errors.As(err, &infeasible) || len(infeasible.Rows) == 0 {
		t.Errorf("error %v, want the rows that cannot hold", err)
	}
	q := &Problem{}
	q.Column(-1, 0, math.Inf(1))
	if _, err := q.Solve(); !errors.Is(err, ErrUnbounded) {
		t.Errorf("error %v, want unbounded", err)
	}
	q.SetBounds(0, 2, 1)
	if _, err := q.Solve(); err == nil {
		t.Error("crossed bounds were taken")
	}
}

// random draws a program with equalities, ranges, free and boxed variables,
// some of them badly scaled or degenerate. Most have a point that keeps every
// bound; one in eight has a row that may not.
func random(r *rand.Rand) *Problem {
	p := &Problem{}
	n, m := 1+r.IntN(24), 1+r.IntN(20)
	scale := math.Pow10(r.IntN(5) - 2)
	point := make([]float64, n)
	for j := range n {
		low, high := 0.0, math.Inf(1)
		point[j] = float64(r.IntN(10)) * scale
		cost := float64(r.IntN(15) - 1)
		switch r.IntN(6) {
		case 0:
			high = point[j] + float64(r.IntN(9))*scale
			cost = float64(r.IntN(21) - 12)
		case 1:
			low = math.Inf(-1)
			high = point[j]
			cost = -cost
		case 2:
			low = math.Inf(-1)
		}
		p.Column(cost, low, high)
	}
	act := make([]float64, m)
	rows := make([][]float64, m)
	for i := range m {
		rows[i] = make([]float64, n)
		for j := range n {
			if r.IntN(3) == 0 {
				rows[i][j] = float64(r.IntN(9) - 3)
				act[i] += rows[i][j] * point[j]
			}
		}
		v, slack := act[i], float64(r.IntN(3))*scale
		if r.IntN(8*m) == 0 {
			v += 5 * scale
		}
		switch r.IntN(4) {
		case 0:
			p.Row(v, v)
		case 1:
			p.Row(v-slack, v+slack)
		case 2:
			p.Row(v-slack, math.Inf(1))
		default:
			p.Row(math.Inf(-1), v+slack)
		}
		for j, c := range rows[i] {
			if c > 0 || c < 0 {
				p.Set(i, j, c)
			}
		}
	}
	return p
}

// text is the program in the CPLEX format.
func (p *Problem) text() string {
	var b strings.Builder
	b.WriteString("Minimize\n obj: 0 dummy")
	for j, c := range p.cost {
		fmt.Fprintf(&b, " %+.17g x%d", c, j)
	}
	b.WriteString("\nSubject To\n zero: dummy = 0\n")
	for i := range p.rowLow {
		var row strings.Builder
		row.WriteString("0 dummy")
		for j, col := range p.columns {
			for _, e := range col {
				if int(e.row) == i {
					fmt.Fprintf(&row, " %+.17g x%d", e.value, j)
				}
			}
		}
		lo, hi := p.rowLow[i], p.rowHigh[i]
		if !math.IsInf(lo, -1) {
			fmt.Fprintf(&b, " l%d: %s >= %.17g\n", i, row.String(), lo)
		}
		if !math.IsInf(hi, 1) {
			fmt.Fprintf(&b, " h%d: %s <= %.17g\n", i, row.String(), hi)
		}
	}
	b.WriteString("Bounds\n")
	for j := range p.cost {
		lo, hi := "-inf", "+inf"
		if !math.IsInf(p.low[j], -1) {
			lo = strconv.FormatFloat(p.low[j], 'g', -1, 64)
		}
		if !math.IsInf(p.high[j], 1) {
			hi = strconv.FormatFloat(p.high[j], 'g', -1, 64)
		}
		fmt.Fprintf(&b, " %s <= x%d <= %s\n", lo, j, hi)
	}
	b.WriteString("End\n")
	return b.String()
}

// TestAgainstGLPK solves 30 random programs, or 500 with CAUSEWAY_GLPK=1, by
// both: status and optimum agree, and our vertex keeps every bound.
func TestAgainstGLPK(t *testing.T) {
	if _, err := exec.LookPath("glpsol"); err != nil {
		t.Skip("glpsol is not installed (Debian glpk-utils)")
	}
	programs := 30
	if os.Getenv("CAUSEWAY_GLPK") != "" {
		programs = 500
	}
	dir := t.TempDir()
	count := map[string]int{}
	for seed := range programs {
		p := random(rand.New(rand.NewPCG(uint64(seed), 23)))
		s, err := p.Solve()
		in, out := filepath.Join(dir, "p.lp"), filepath.Join(dir, "p.sol")
		if err := os.WriteFile(in, []byte(p.text()), 0o600); err != nil {
			t.Fatal(err)
		}
		log, runErr := exec.Command("glpsol", "--lp", in, "--nopresol", "-w", out).CombinedOutput()
		if runErr != nil {
			t.Fatalf("glpsol: %v\n%s\n%s", runErr, log, p.text())
		}
		sol, readErr := os.ReadFile(out)
		if readErr != nil {
			t.Fatal(readErr)
		}
		status, want := "", 0.0
		for _, line := range strings.Split(string(sol), "\n") {
			if f := strings.Fields(line); len(f) == 7 && f[0] == "s" {
				status = f[4] + f[5]
				want, _ = strconv.ParseFloat(f[6], 64)
			}
		}
		count[status]++
		var infeasible *InfeasibleError
		switch {
		case status == "ff":
			if err != nil || math.Abs(s.Objective-want) > 1e-6*math.Max(1, math.Abs(want)) {
				t.Fatalf("seed %d: %v (%v), GLPK finds %v\n%s", seed, s, err, want, p.text())
			}
			p.holds(t, seed, s.X)
		case errors.As(err, &infeasible):
			if status[0] != 'n' && status[0] != 'i' {
				t.Fatalf("seed %d: infeasible, GLPK says %s", seed, status)
			}
		case errors.Is(err, ErrUnbounded):
			if status != "fn" {
				t.Fatalf("seed %d: unbounded, GLPK says %s", seed, status)
			}
		default:
			t.Fatalf("seed %d: %v, GLPK says %s", seed, err, status)
		}
	}
	t.Logf("%d programs by GLPK's status: %v", programs, count)
}

func (p *Problem) holds(t *testing.T, seed int, x []float64) {
	t.Helper()
	act := make([]float64, len(p.rowLow))
	for j, v := range x {
		if tol := 1e-7 * (1 + math.Abs(v)); v < p.low[j]-tol || v > p.high[j]+tol {
			t.Fatalf("seed %d: column %d is %v outside %v to %v", seed, j, v, p.low[j], p.high[j])
		}
		for _, e := range p.columns[j] {
			act[e.row] += e.value * v
		}
	}
	for i, v := range act {
		if tol := 1e-6 * (1 + math.Abs(v)); v < p.rowLow[i]-tol || v > p.rowHigh[i]+tol {
			t.Fatalf("seed %d: row %d is %v outside %v to %v", seed, i, v, p.rowLow[i], p.rowHigh[i])
		}
	}
}
