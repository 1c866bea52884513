package line

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
	"causeway/stix"

	"golang.org/x/mod/sumdb/note"
)

// testNode is a whole node of a test: its vault, keys, and line.
type testNode struct {
	t          testing.TB
	nation     string
	identity   string // STIX identity it speaks for
	dir        string
	policies   *label.Policies
	signer     note.Signer
	ring       *Ring
	vault      *vault.Vault
	line       *Line
	address    string
	advertised string // where partners are told to go; empty: address
	limits     Limits
	injector   injector

	stop    context.CancelFunc
	running sync.WaitGroup
}

// testIdentity gives each nation a STIX identity of its own.
func testIdentity(nation string) string {
	return fmt.Sprintf("identity--%02x%02x%02x00-0000-4000-8000-000000000000", nation[0], nation[1], nation[2])
}

// newTestNode makes a node; reachable ones get an address on loopback.
func newTestNode(t testing.TB, nation string, reachable bool) *testNode {
	t.Helper()
	skey, vkey, err := note.GenerateKey(nil, "audit."+nation)
	if err != nil {
		t.Fatal(err)
	}
	n := &testNode{t: t, nation: nation, identity: testIdentity(nation), dir: t.TempDir(), limits: Limits{RetryMost: 200 * time.Millisecond, Checkpoint: 1}}
	if err := os.WriteFile(filepath.Join(n.dir, "audit.key"), []byte(skey), 0o600); err != nil {
		t.Fatal(err)
	}
	if n.signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	if n.policies, err = policies.Set("security officer"); err != nil {
		t.Fatal(err)
	}
	if n.ring, err = CreateRing(filepath.Join(n.dir, "line.key"), Founding{Nation: nation, Name: "Agency of " + nation,
		SpeaksFor: []string{n.identity}, LogKey: vkey, Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if reachable {
		n.address = freeAddress(t)
	}
	n.open()
	t.Cleanup(n.close)
	return n
}

// nextPort counts through ports below those that the system gives to
// connections, so that nobody takes a node's while it is down.
var nextPort atomic.Int64

func init() { nextPort.Store(int64(os.Getpid() % 20_000)) }

// freeAddress is an address on loopback that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 1000 {
		at := fmt.Sprintf("127.0.0.1:%d", 10_000+nextPort.Add(1)%20_000)
		if ln, err := net.Listen("tcp", at); err == nil {
			ln.Close()
			return at
		}
	}
	t.Fatal("no port is free")
	return ""
}

// open opens the node's store and line, as at a start of the program.
func (n *testNode) open() {
	n.t.Helper()
	ctx := context.Background()
	var err error
	if n.vault, err = vault.Open(ctx, vault.Config{Dir: n.dir}); err != nil {
		n.t.Fatal(err)
	}
	n.line, err = Open(ctx, Config{Vault: n.vault, Ring: n.ring, Policies: func() *label.Policies { return n.policies }, LogSigner: n.signer,
		Address: or(n.advertised, n.address), Spool: filepath.Join(n.dir, "spool"), Node: n.reader, Limits: n.limits,
		PartnersChanged: func(ctx context.Context, rs []vault.Reader) error { return n.vault.SetReaders(ctx, rs) }})
	if err == nil {
		n.line.commit = n.act
		err = n.line.announce(ctx)
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// start serves and runs the line until halt.
func (n *testNode) start() {
	n.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	if n.address != "" {
		ln, err := net.Listen("tcp", n.address)
		if err != nil {
			n.t.Fatal(err)
		}
		n.running.Go(func() {
			if err := n.line.Serve(ctx, ln); err != nil {
				n.t.Error(err)
			}
		})
	}
	n.running.Go(func() {
		if err := n.line.Run(ctx); err != nil {
			n.t.Error(err)
		}
	})
}

// halt stops the line; the store stays open.
func (n *testNode) halt() {
	if n.stop != nil {
		n.stop()
		n.running.Wait()
		n.stop = nil
	}
}

func (n *testNode) close() {
	n.halt()
	if n.vault != nil {
		n.vault.Close()
		n.vault = nil
	}
}

func (n *testNode) clearance(level string) *label.Clearance {
	c, err := policies.NationalClearance(n.nation, level)
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

// reader is the node as a reader of its own store, cleared for everything.
func (n *testNode) reader() vault.Reader {
	h, err := n.policies.Holdings(label.Holder{Kind: label.Person, Clearances: []*label.Clearance{n.clearance("TOP SECRET")}, Nation: n.nation,
		Names: []string{n.identity}, At: time.Now()})
	if err != nil {
		n.t.Fatal(err)
	}
	return vault.Reader{ID: "node", Kind: vault.Node, Holdings: h}
}

func (n *testNode) name() string { return n.line.Node() }

// befriend makes two nodes partners, each cleared up to level by the other.
func befriend(t testing.TB, a, b *testNode, level string) {
	t.Helper()
	ctx := context.Background()
	_, file, err := a.line.Invite(ctx, "person:a")
	if err != nil {
		t.Fatal(err)
	}
	at, err := b.line.Accept(ctx, "person:b", file)
	if err != nil {
		t.Fatal(err)
	}
	back, err := a.line.Accept(ctx, "person:a", at.Answer)
	if err != nil {
		t.Fatal(err)
	}
	if at.Code != back.Code || at.Code == "" {
		t.Fatalf("codes %q and %q differ", at.Code, back.Code)
	}
	for _, x := range []struct{ me, other *testNode }{{a, b}, {b, a}} {
		if err := x.me.line.Confirm(ctx, "person:x", x.other.name(), at.Code); err != nil {
			t.Fatal(err)
		}
		xml, err := stanag4774.WriteClearance(x.other.clearance(level))
		if err != nil {
			t.Fatal(err)
		}
		if err := x.me.line.SetClearance(ctx, "person:x", x.other.name(), xml); err != nil {
			t.Fatal(err)
		}
	}
}

// rule is who may read a NATO label releasable to some nations.
func (n *testNode) effective(classification string, to ...string) label.Effective {
	n.t.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r, err := n.policies.Rule(policies.NATOLabel(classification, now, now.AddDate(10, 0, 0), to...))
	if err != nil {
		n.t.Fatal(err)
	}
	return label.Effective{Rule: r}
}

// objects makes count objects of the node, the first numbered from.
func (n *testNode) objects(from, count int) []*stix.Object {
	n.t.Helper()
	out := make([]*stix.Object, count)
	ts, err := stix.ParseTimestamp("2026-11-24T12:00:00.000Z")
	if err != nil {
		n.t.Fatal(err)
	}
	for i := range out {
		id := fmt.Sprintf("campaign--%02x%02x%02x00-0000-4000-8000-%012x", n.nation[0], n.nation[1], n.nation[2], from+i)
		out[i], err = stix.New("campaign", id, ts).Ref("created_by_ref", n.identity).Set("name", fmt.Sprintf("Operation %s %d", n.nation, from+i)).Object()
		if err != nil {
			n.t.Fatal(err)
		}
	}
	return out
}

// release stores objects and releases them to partners, as the desk does.
func (n *testNode) release(p Precedence, eff label.Effective, objs []*stix.Object, to ...string) []Item {
	n.t.Helper()
	var items []Item
	_, err := n.vault.Act(context.Background(), audit.Act{Actor: "person:desk", Verb: "release"}, func(tx *vault.Tx) error {
		items = items[:0]
		puts := make([]vault.Put, len(objs))
		for i, o := range objs {
			puts[i] = vault.Put{Object: o, Effective: eff, Source: "local"}
		}
		outcomes, err := tx.Put(puts...)
		if err != nil {
			return err
		}
		for _, o := range outcomes {
			items = append(items, Item{o.ID, o.Version})
			for _, node := range to {
				if err := tx.Release(o.ID, o.Version, []string{PartnerReader(node)}, "by hand"); err != nil {
					return err
				}
			}
		}
		for _, node := range to {
			if err := n.line.Enqueue(tx, node, p, items); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return items
}

// recall takes items back from a partner, as the desk does.
func (n *testNode) recall(items []Item, from, why string) {
	n.t.Helper()
	_, err := n.vault.Act(context.Background(), audit.Act{Actor: "person:desk", Verb: "recall"}, func(tx *vault.Tx) error {
		for _, it := range items {
			if err := tx.Recall(it.ID, it.Version, []string{PartnerReader(from)}, why); err != nil {
				return err
			}
		}
		return n.line.EnqueueRecall(tx, from, items, why)
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

// holds counts what the node has from a partner.
func (n *testNode) holds(from string) int64 {
	n.t.Helper()
	c, err := n.vault.As(n.reader()).Count(context.Background(), vault.Match{Source: PartnerReader(from), Versions: []string{"all"}})
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

// status gives the line to one partner.
func (n *testNode) status(partner string) LineStatus {
	n.t.Helper()
	all, err := n.line.Status(context.Background())
	if err != nil {
		n.t.Fatal(err)
	}
	for _, st := range all {
		if st.Partner.NodeID == partner {
			return st
		}
	}
	n.t.Fatalf("%s is not a partner of %s", partner, n.nation)
	return LineStatus{}
}

// eventually waits for cond; it fails the test after a time that no healthy
// machine needs.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !cond(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// verified checks a node's audit log against its store.
func (n *testNode) verified() {
	n.t.Helper()
	v, err := note.NewVerifier(n.line.Self().LogKey)
	if err != nil {
		n.t.Fatal(err)
	}
	report, err := n.vault.Verify(context.Background(), note.VerifierList(v), nil)
	if err != nil {
		n.t.Fatal(err)
	}
	if !report.OK() {
		n.t.Errorf("the log of %s does not verify: %v", n.nation, report.Problems)
	}
}

// passOn releases what the node holds from others to a partner.
func (n *testNode) passOn(p Precedence, items []Item, to string) {
	n.t.Helper()
	_, err := n.vault.Act(context.Background(), audit.Act{Actor: "person:desk", Verb: "release"}, func(tx *vault.Tx) error {
		for _, it := range items {
			if err := tx.Release(it.ID, it.Version, []string{PartnerReader(to)}, "by hand"); err != nil {
				return err
			}
		}
		return n.line.Enqueue(tx, to, p, items)
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

// auditOf is an act that says nothing but its verb.
func auditOf(verb string) audit.Act { return audit.Act{Actor: "node", Verb: verb} }

// anonymous is one object that names no maker.
func anonymous(t testing.TB, name string) []*stix.Object {
	t.Helper()
	ts, err := stix.ParseTimestamp("2026-11-24T12:00:00.000Z")
	if err != nil {
		t.Fatal(err)
	}
	o, err := stix.New("campaign", "campaign--00000000-0000-4000-8000-000000000001", ts).Set("name", name).Object()
	if err != nil {
		t.Fatal(err)
	}
	return []*stix.Object{o}
}
