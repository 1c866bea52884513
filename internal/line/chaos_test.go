package line

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// proxy is a bad link to one node: it cuts connections after random bytes,
// delays, and can be shut.
type proxy struct {
	ln     net.Listener
	to     string
	mu     sync.Mutex
	rng    *rand.Rand
	faults bool
	conns  map[net.Conn]bool
}

func newProxy(t testing.TB, seed uint64) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln, rng: rand.New(rand.NewPCG(seed, 1)), conns: map[net.Conn]bool{}}
	t.Cleanup(func() { ln.Close(); p.cut() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go p.carry(c)
		}
	}()
	return p
}

// fault draws how many bytes a connection lives and how long it dawdles; no
// limit while the link is good.
func (p *proxy) fault() (limit int64, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.faults {
		return 1 << 60, 0
	}
	return p.rng.Int64N(60_000), time.Duration(p.rng.IntN(20)) * time.Millisecond
}

func (p *proxy) carry(in net.Conn) {
	defer in.Close()
	p.mu.Lock()
	to := p.to
	p.conns[in] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.conns, in)
		p.mu.Unlock()
	}()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	limit, delay := p.fault()
	time.Sleep(delay)
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{out, in}, {in, out}} {
		go func() {
			io.CopyN(way[0], way[1], limit)
			done <- struct{}{}
		}()
	}
	<-done
}

// cut ends every connection now.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *proxy) set(faults bool) {
	p.mu.Lock()
	p.faults = faults
	p.mu.Unlock()
	if !faults {
		p.cut()
	}
}

// faultCount is how many random faults a run makes: few in "go test", 1,000
// in "make test-line".
func faultCount() int {
	if n, err := strconv.Atoi(os.Getenv("CAUSEWAY_LINE_FAULTS")); err == nil && n > 0 {
		return n
	}
	return 30
}

// networkFaults is how many of the faults are made in a network of the test's
// own, where the machine allows; the others are made in this process.
func networkFaults() int { return faultCount() / 5 }

// Random cuts, kills, duplicates, delays and failing writes across three
// nodes under load, then quiet: every version is at each entitled node once,
// none elsewhere, every receipt verifies, and so do the logs.
func TestRandomFaultsOnThreeNodes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("CAUSEWAY_LINE_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("CAUSEWAY_LINE_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	nodes := make([]*testNode, 3)
	links := make([]*proxy, 3)
	for i, nation := range []string{"BEL", "JPN", "DEU"} {
		n := newTestNode(t, nation, true)
		n.limits.BatchItems = 5
		links[i] = newProxy(t, seed+uint64(i))
		links[i].to = n.address
		n.advertised = links[i].ln.Addr().String()
		n.close()
		n.open()
		nodes[i] = n
	}
	for i := range nodes {
		befriend(t, nodes[i], nodes[(i+1)%3], "SECRET")
	}
	for i, n := range nodes {
		links[i].set(true)
		n.start()
	}
	sent := map[[2]int][]Item{}
	serial := 0
	for range faultCount() - networkFaults() {
		i := rng.IntN(3)
		n := nodes[i]
		switch rng.IntN(10) {
		case 0, 1, 2, 3: // load
			to := rng.IntN(2)
			j := (i + 1 + to) % 3
			objs := n.objects(serial, 1+rng.IntN(8))
			serial += len(objs)
			// BEL and DEU see what is NATO's; JPN sees only what is released to it.
			eff := n.effective("SECRET", "JPN")
			sent[[2]int{i, j}] = append(sent[[2]int{i, j}], n.release(Precedence(rng.IntN(4)), eff, objs, nodes[j].name())...)
		case 4: // what Japan may not see is enqueued for it all the same
			if nodes[1] != n {
				objs := n.objects(serial, 2)
				serial += 2
				n.release(Flash, n.effective("SECRET"), objs, nodes[1].name())
			}
		case 5: // kill
			n.halt()
			n.close()
			n.open()
			n.start()
		case 6:
			links[i].cut()
		case 7: // the disk is full for a moment
			n.failing([]string{"compose", "receive", "receipt"}[rng.IntN(3)], 1, rng.IntN(2) == 0)
		case 8: // a duplicate of whatever waits
			n.duplicate(nodes[(i+1)%3])
		case 9:
			time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond)
		}
	}
	for i, n := range nodes {
		links[i].set(false)
		n.failing("", 0, false)
	}
	for i, n := range nodes {
		for j, m := range nodes {
			if i != j {
				eventually(t, "quiet between "+n.nation+" and "+m.nation, func() bool { return n.status(m.name()).Waiting == 0 })
			}
		}
	}
	for _, n := range nodes {
		n.halt()
	}
	for i, n := range nodes {
		for j, m := range nodes {
			if i != j {
				checkOnce(t, n, m, sent[[2]int{i, j}])
			}
		}
	}
}

// duplicate hands every message that waits for another node to it directly,
// beside the workers.
func (n *testNode) duplicate(to *testNode) {
	ctx := context.Background()
	for _, p := range precedences {
		var lane laneRecord
		if _, err := load(n.line.outside(ctx), spaceLane, laneKey(to.name(), p), &lane); err != nil {
			n.t.Fatal(err)
		}
		for seq := lane.Seq; seq > lane.Acked; seq-- { // in the wrong order, too
			msg, ok, err := n.vault.Record(ctx, spaceMessage, seqKey(to.name(), p, seq))
			if err != nil {
				n.t.Fatal(err)
			}
			if ok {
				to.line.receive(ctx, msg) // its error is the fault that is made
			}
		}
	}
}

// parts that a killed receiver kept are used: a push goes on at the byte.
func TestResumeAtTheByte(t *testing.T) {
	s, err := newSpool(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	node, digest := "bel-aaaaaaaaaaaaaaaa", "abababababababababababababababababababababababababababababababab"
	want := make([]byte, 300_000)
	for i := range want {
		want[i] = byte(i * 7)
	}
	cut := io.MultiReader(limited(want[:100_000]), failingReader{})
	if _, err := s.take(node, digest, 0, int64(len(want)), cut); err == nil {
		t.Fatal("a cut message was taken")
	}
	if s, err = newSpool(s.dir); err != nil { // a restart
		t.Fatal(err)
	}
	n, err := s.size(node, digest)
	if err != nil || n != 100_000 {
		t.Fatalf("%d bytes kept, %v", n, err)
	}
	got, err := s.take(node, digest, n, int64(len(want)), limited(want[n:]))
	if err != nil || string(got) != string(want) {
		t.Fatalf("the message is not whole: %v", err)
	}
	if n, err := s.size(node, digest); err != nil || n != 0 {
		t.Errorf("%d bytes left, %v", n, err)
	}
}

func limited(b []byte) io.Reader { return &sliceReader{b} }

type sliceReader struct{ b []byte }

func (r *sliceReader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, net.ErrClosed }
