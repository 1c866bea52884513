package line

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// network is what three nodes speak over, each a process of its own, and what
// can happen to it.
type network interface {
	listens(i int) string // address that node i listens on
	reached(i int) string // address at which the others reach it
	command(i int, name string, args ...string) *exec.Cmd
	fault(i int, rng *rand.Rand) string // one thing that goes wrong on node i's link, and is over when it returns
}

// namespaces are three network namespaces of the kernel, each with a link to
// a fourth that routes between them: packets are really lost and late.
type namespaces struct {
	t      testing.TB
	prefix string
	netem  bool
}

// newNamespaces makes them, or says why the machine does not allow it.
func newNamespaces(t testing.TB) (*namespaces, error) {
	n := &namespaces{t: t, prefix: fmt.Sprintf("cwline%d", os.Getpid())}
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		for _, name := range []string{"hub", "0", "1", "2"} {
			exec.Command("ip", "netns", "del", n.ns(name)).Run() // it may not have come to be
		}
	})
	steps := [][]string{{"netns", "add", n.ns("hub")}}
	for i := range 3 {
		me, down := n.ns(strconv.Itoa(i)), fmt.Sprintf("d%d", i)
		steps = append(steps, []string{"netns", "add", me},
			[]string{"link", "add", "eth0", "netns", me, "type", "veth", "peer", "name", down, "netns", n.ns("hub")},
			[]string{"-n", me, "link", "set", "lo", "up"}, []string{"-n", me, "link", "set", "eth0", "up"}, []string{"-n", n.ns("hub"), "link", "set", down, "up"},
			[]string{"-n", me, "addr", "add", fmt.Sprintf("10.77.%d.2/24", i), "dev", "eth0"}, []string{"-n", n.ns("hub"), "addr", "add", fmt.Sprintf("10.77.%d.1/24", i), "dev", down},
			[]string{"-n", me, "route", "add", "default", "via", fmt.Sprintf("10.77.%d.1", i)})
	}
	for _, s := range steps {
		if out, err := exec.Command("ip", s...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ip %s: %w: %s", strings.Join(s, " "), err, out)
		}
	}
	if out, err := exec.Command("ip", "netns", "exec", n.ns("hub"), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("let the hub route: %w: %s", err, out)
	}
	if _, err := exec.LookPath("tc"); err == nil {
		n.netem = exec.Command("tc", "-n", n.ns("hub"), "qdisc", "add", "dev", "d0", "root", "netem", "delay", "1ms").Run() == nil
		exec.Command("tc", "-n", n.ns("hub"), "qdisc", "del", "dev", "d0", "root").Run()
	}
	return n, nil
}

func (n *namespaces) ns(name string) string { return n.prefix + name }

func (n *namespaces) listens(i int) string { return fmt.Sprintf("10.77.%d.2:4433", i) }

func (n *namespaces) reached(i int) string { return n.listens(i) }

func (n *namespaces) command(i int, name string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", n.ns(strconv.Itoa(i)), name}, args...)...)
}

// run changes the network; what it undoes need not be there any more.
func (n *namespaces) run(tool string, args ...string) {
	if out, err := exec.Command(tool, append([]string{"-n", n.ns("hub")}, args...)...).CombinedOutput(); err != nil {
		n.t.Logf("%s %s: %v: %s", tool, strings.Join(args, " "), err, out)
	}
}

func (n *namespaces) fault(i int, rng *rand.Rand) string {
	dev, host := fmt.Sprintf("d%d", i), fmt.Sprintf("10.77.%d.2/32", i)
	wait := func(most int) { time.Sleep(time.Duration(20+rng.IntN(most)) * time.Millisecond) }
	kinds := 4
	if n.netem {
		kinds = 5
	}
	switch rng.IntN(kinds) {
	case 0:
		n.run("ip", "link", "set", dev, "down")
		wait(300)
		n.run("ip", "link", "set", dev, "up")
		return "a cut link"
	case 1: // nobody is told: packets vanish
		n.run("ip", "route", "add", "blackhole", host)
		wait(300)
		n.run("ip", "route", "del", "blackhole", host)
		return "a black hole"
	case 2: // a short queue before a narrow link: late, and what does not fit is lost
		n.run("tc", "qdisc", "replace", "dev", dev, "root", "tbf", "rate", "400kbit", "burst", "4kb", "latency", "30ms")
		wait(300)
		n.run("tc", "qdisc", "del", "dev", dev, "root")
		return "a narrow link"
	case 3:
		n.run("ip", "link", "set", dev, "mtu", "576")
		wait(100)
		n.run("ip", "link", "set", dev, "mtu", "1500")
		return "short packets"
	}
	n.run("tc", "qdisc", "replace", "dev", dev, "root", "netem", "delay", "30ms", "20ms", "loss", "10%", "duplicate", "3%", "reorder", "10%")
	wait(400)
	n.run("tc", "qdisc", "del", "dev", dev, "root")
	return "loss, duplicates and reordering"
}

// loopback is the network of a machine that allows no other: bad links are
// made by proxies.
type loopback struct {
	links [3]*proxy
	hosts [3]string
}

func newLoopback(t testing.TB, seed uint64) *loopback {
	l := &loopback{}
	for i := range l.links {
		l.hosts[i] = freeAddress(t)
		l.links[i] = newProxy(t, seed+uint64(i))
		l.links[i].to = l.hosts[i]
	}
	return l
}

func (l *loopback) listens(i int) string { return l.hosts[i] }

func (l *loopback) reached(i int) string { return l.links[i].ln.Addr().String() }

func (l *loopback) command(_ int, name string, args ...string) *exec.Cmd {
	return exec.Command(name, args...)
}

func (l *loopback) fault(i int, rng *rand.Rand) string {
	if rng.IntN(2) == 0 {
		l.links[i].cut()
		return "cut connections"
	}
	l.links[i].set(true)
	time.Sleep(time.Duration(20+rng.IntN(300)) * time.Millisecond)
	l.links[i].set(false)
	return "a bad link"
}

// Three processes in a network of their own, under load, while links are cut,
// packets lost and late, and processes killed; then quiet: every version is
// at each entitled node once, and every receipt and log verifies.
func TestFaultsInANetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("CAUSEWAY_LINE_SEED"), 10, 64); err == nil {
		seed = s
	}
	var n network
	if ns, err := newNamespaces(t); err == nil {
		n = ns
		t.Logf("CAUSEWAY_LINE_SEED=%d, in network namespaces (netem: %v)", seed, ns.netem)
	} else {
		n = newLoopback(t, seed)
		t.Logf("CAUSEWAY_LINE_SEED=%d, on loopback: this machine makes no network namespaces: %v", seed, err)
	}
	var nodes [3]*testNode
	for i, nation := range []string{"BEL", "JPN", "DEU"} {
		x := newTestNode(t, nation, false)
		x.address, x.advertised = n.listens(i), n.reached(i)
		x.close()
		x.open()
		nodes[i] = x
	}
	for i := range nodes {
		befriend(t, nodes[i], nodes[(i+1)%3], "SECRET")
	}
	most := 5 * networkFaults()
	children := newChildren(t, n, nodes, most)
	rng := rand.New(rand.NewPCG(seed, 7))
	seen := map[string]int{}
	for range networkFaults() {
		i := rng.IntN(3)
		if rng.IntN(6) == 0 {
			children.stop(i)
			children.start(i)
			seen["a killed process"]++
			continue
		}
		seen[n.fault(i, rng)]++
	}
	t.Logf("%d faults: %v", networkFaults(), seen)
	for i := range nodes {
		eventually(t, "quiet at "+nodes[i].nation, func() bool {
			_, err := os.Stat(filepath.Join(nodes[i].dir, "quiet"))
			return err == nil
		})
	}
	for i := range nodes {
		children.stop(i)
		nodes[i] = reopen(t, nodes[i].dir)
		t.Cleanup(nodes[i].close)
	}
	for i, a := range nodes {
		count := 0
		for ; count < 2*most+7; count += 7 {
			if _, err := a.vault.As(a.reader()).Get(t.Context(), a.objects(count, 1)[0].ID()); err != nil {
				break
			}
		}
		var items []Item
		for _, o := range a.objects(0, count) {
			items = append(items, Item{o.ID(), o.Version().String()})
		}
		if count < most {
			t.Errorf("%s released %d, want %d", a.nation, count, most)
		}
		for j, b := range nodes {
			if i != j {
				checkOnce(t, a, b, items)
			}
		}
	}
}

// children are the processes of three nodes.
type children struct {
	t     testing.TB
	net   network
	nodes [3]*testNode
	names [3]string
	most  int
	procs [3]*exec.Cmd
}

// newChildren hands three nodes, which this process made, over to processes.
func newChildren(t testing.TB, n network, nodes [3]*testNode, most int) *children {
	c := &children{t: t, net: n, nodes: nodes, most: most}
	for i, x := range nodes {
		c.names[i] = x.name()
		x.close()
		if err := os.WriteFile(filepath.Join(x.dir, "meta"), fmt.Appendf(nil, "%s %s\n", x.nation, x.address), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range nodes {
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range c.procs {
			c.stop(i)
		}
	})
	return c
}

func (c *children) start(i int) {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := c.net.command(i, self, "-test.run=^TestNodeProcess$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), childDir+"="+c.nodes[i].dir, childSends+"="+c.names[(i+1)%3]+","+c.names[(i+2)%3],
		childCount+"="+strconv.Itoa(c.most), childPause+"=200ms")
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.procs[i] = cmd
}

func (c *children) stop(i int) {
	if c.procs[i] != nil {
		c.procs[i].Process.Kill()
		c.procs[i].Wait() // its error is the kill
		c.procs[i] = nil
	}
}
