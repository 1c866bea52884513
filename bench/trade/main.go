// Command trade measures the engines of package trade on this machine and
// prints one line each; bench/trade.md keeps a run. The flows are drawn from a
// seed in the shape of one year of BACI (5,000 products, 200 countries).
//
//	go run ./bench/trade --rows 11000000 --nafta ../shared/data/trade/cp2015_nafta
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"causeway/trade/cascade"
	"causeway/trade/dependency"
	"causeway/trade/equilibrium"
	"causeway/trade/flows"
	"causeway/trade/place"
	"causeway/trade/sharing"
	"causeway/trade/table"
)

func main() {
	rows := flag.Int("rows", 11_000_000, "flows to draw")
	nafta := flag.String("nafta", "", "folder of the NAFTA data; empty leaves the equilibrium out")
	plan := flag.String("plan", "", "folder to write the plan's tables and result to, for plan.py; empty writes nothing")
	flag.Parse()
	fmt.Printf("%s, %d CPUs\n", runtime.Version(), runtime.NumCPU())
	for _, run := range []func() error{func() error { return measureFlows(*rows) }, measureCascade, func() error { return measurePlan(*plan) }, func() error { return measureEquilibrium(*nafta) }} {
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, "bench trade:", err)
			os.Exit(1)
		}
	}
}

// usage is the wall clock, the processor time and the largest memory so far.
func usage(what string, start time.Time, cpu time.Duration) {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		fmt.Fprintln(os.Stderr, "bench trade:", err)
	}
	used := time.Duration(ru.Utime.Nano()+ru.Stime.Nano()) - cpu
	fmt.Printf("%-58s wall %8.3f s  cpu %8.3f s  peak %5d MB\n", what, time.Since(start).Seconds(), used.Seconds(), ru.Maxrss/1024)
}

func cpuNow() time.Duration {
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

func measureFlows(rows int) error {
	dir, err := os.MkdirTemp("", "bench-trade")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "baci.csv")
	if err := draw(name, rows); err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	start, cpu := time.Now(), cpuNow()
	r := flows.NewReader()
	if err := r.CSV("baci.csv", f, flows.Columns{}); err != nil {
		return err
	}
	set, err := r.Set()
	if err != nil {
		return err
	}
	usage(fmt.Sprintf("read %d flows of %d products", set.Len(), len(set.Products)), start, cpu)
	count, dependent := 0, 0
	dependency.Measure(set, dependency.Question{}, func(i dependency.Indicator) {
		count++
		if i.GeoDep {
			dependent++
		}
	})
	usage(fmt.Sprintf("read, and %d indicators (%d dependent)", count, dependent), start, cpu)
	return nil
}

// draw writes flows with the columns of BACI.
func draw(name string, rows int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	rng := rand.New(rand.NewPCG(1, 2))
	countries := place.All()[:200]
	fmt.Fprintln(w, "t,i,j,k,v,q")
	const products = 5000
	for k := range products {
		code := (1+k/60)*10_000 + 100 + k%60*17
		if code/10_000 >= 77 {
			code += 10_000
		}
		for range rows / products {
			u := rng.Float64()
			i, j := countries[int(u*u*200)], countries[rng.IntN(200)]
			if i.M49 == j.M49 {
				continue
			}
			v := math.Pow(rng.Float64(), 4) * 1e5
			q := "NA"
			if rng.IntN(50) > 0 {
				q = fmt.Sprintf("%.3f", v*rng.Float64())
			}
			fmt.Fprintf(w, "2022,%d,%d,%06d,%.3f,%s\n", i.M49, j.M49, code, v, q)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func measureCascade() error {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 195
	w := &cascade.World{}
	s := cascade.Shock{Production: make([]float64, n)}
	for i := range n {
		w.Places = append(w.Places, fmt.Sprint("P", i))
		w.Production = append(w.Production, math.Exp(3*rng.NormFloat64()))
		w.Stock = append(w.Stock, w.Production[i]*rng.Float64()/2)
		for j := range n {
			if i != j && rng.IntN(3) == 0 {
				w.Links = append(w.Links, cascade.Link{From: i, To: j, Quantity: w.Production[i] * rng.Float64() / 150})
			}
		}
	}
	s.Production[0], s.Production[7] = -w.Production[0]/2, -w.Production[7]/2
	for _, rule := range []cascade.Rule{cascade.Proportional, cascade.ReserveBased} {
		start, cpu := time.Now(), cpuNow()
		r, err := cascade.Run(w, s, rule, cascade.Options{})
		if err != nil {
			return err
		}
		usage(fmt.Sprintf("cascade %s, %d countries, %d links, %d turns", rule, n, len(w.Links), r.Turns), start, cpu)
	}
	return nil
}

// measurePlan is 40 members x 200 suppliers x 12 months with a cost, a bound
// and a lag on three of four links.
func measurePlan(dir string) error {
	rng := rand.New(rand.NewPCG(3, 4))
	p := &sharing.Problem{Unit: "t", Months: 12}
	for i := range 200 {
		o := sharing.Offer{Name: fmt.Sprint("S", i), Keep: 500_000, Supply: make([]int64, 12)}
		for t := range o.Supply {
			o.Supply[t] = rng.Int64N(1_000_000)
		}
		p.Offers = append(p.Offers, o)
	}
	for j := range 40 {
		n := sharing.Need{Member: fmt.Sprint("M", j), Amount: make([]int64, 12)}
		for t := range n.Amount {
			n.Amount[t] = 1 + rng.Int64N(8_000_000)
		}
		p.Needs = append(p.Needs, n)
		for i := range 200 {
			if rng.IntN(4) > 0 {
				p.Routes = append(p.Routes, sharing.Route{From: fmt.Sprint("S", i), To: n.Member, Capacity: rng.Int64N(60_000), Lag: rng.IntN(3), Cost: 1 + rng.Int64N(1000)})
			}
		}
	}
	start, cpu := time.Now(), cpuNow()
	plan, err := p.Solve()
	if err != nil {
		return err
	}
	usage(fmt.Sprintf("plan 40 x 200 x 12: %d levels, %d shipments", len(plan.Levels), len(plan.Shipments)), start, cpu)
	fmt.Printf("  worst ratio %s, cost %s\n", plan.Levels[0].Ratio, plan.Cost)
	if dir == "" {
		return nil
	}
	return writePlan(dir, p, plan)
}

// writePlan writes the problem and the ratios reached as CSV.
func writePlan(dir string, p *sharing.Problem, plan *sharing.Plan) error {
	var offers, needs, routes strings.Builder
	offers.WriteString("supplier,month,quantity,keep\n")
	for _, o := range p.Offers {
		for t, q := range o.Supply {
			fmt.Fprintf(&offers, "%s,%d,%d,%d\n", o.Name, t+1, q, o.Keep)
		}
	}
	needs.WriteString("member,month,quantity,ratio\n")
	for _, s := range plan.Served {
		fmt.Fprintf(&needs, "%s,%d,%s,%.17g\n", s.Member, s.Month, s.Need, s.Ratio.Float())
	}
	routes.WriteString("from,to,capacity,lag,cost\n")
	for _, r := range p.Routes {
		fmt.Fprintf(&routes, "%s,%s,%d,%d,%d\n", r.From, r.To, r.Capacity, r.Lag, r.Cost)
	}
	for name, b := range map[string]*strings.Builder{"offers.csv": &offers, "needs.csv": &needs, "routes.csv": &routes} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func measureEquilibrium(dir string) error {
	if dir == "" {
		return nil
	}
	open := func(name string) (*table.Table, error) {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			if f, err = os.Open(filepath.Join(dir, name+".gz")); err != nil {
				return nil, err
			}
		}
		defer f.Close()
		return table.Read(name, f)
	}
	var files equilibrium.Files
	for name, into := range map[string]**table.Table{"trade.csv": &files.Trade, "intermediate_consumption.csv": &files.Intermediate,
		"final_consumption.csv": &files.Final, "value_added.csv": &files.ValueAdded, "theta.csv": &files.Theta} {
		var err error
		if *into, err = open(name); err != nil {
			return err
		}
	}
	for name, into := range map[string]*[]string{"regions.txt": &files.Regions, "sectors.txt": &files.Sectors} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		text, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			return err
		}
		for l := range strings.Lines(string(text)) {
			if l = strings.Trim(strings.TrimSpace(l), `"`); l != "" {
				*into = append(*into, l)
			}
		}
	}
	d, err := equilibrium.Read(files)
	if err != nil {
		return err
	}
	base, err := equilibrium.ReadScenario(files, d, "tariff_bln")
	if err != nil {
		return err
	}
	shock, err := equilibrium.ReadScenario(files, d, "tariff_cfl")
	if err != nil {
		return err
	}
	start, cpu := time.Now(), cpuNow()
	c, err := equilibrium.Compare(d, base, shock, equilibrium.Options{})
	if err != nil {
		return err
	}
	m, err := d.Region("Mexico")
	if err != nil {
		return err
	}
	usage(fmt.Sprintf("equilibrium 31 x 40, %d+%d steps, Mexico real wage %.4f %%", c.A.Iterations, c.B.Iterations, c.Effects[m].RealWage), start, cpu)
	return nil
}
