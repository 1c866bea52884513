package line

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/internal/vault"
	"causeway/label/policies"

	"golang.org/x/mod/sumdb/note"
)

// The test binary runs again as a node of its own, to be killed.
const (
	childDir   = "CAUSEWAY_LINE_CHILD"
	childSends = "CAUSEWAY_LINE_CHILD_SENDS" // to whom, with commas
	childCount = "CAUSEWAY_LINE_CHILD_COUNT" // how many objects in all
	childPause = "CAUSEWAY_LINE_CHILD_PAUSE" // between two releases
)

// childObjects is how many objects the sending child releases in all.
const childObjects = 400

// TestNodeProcess is no test of its own: it is the child's program.
func TestNodeProcess(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("runs only as the child of TestKilledProcesses")
	}
	n := reopen(t, dir)
	n.start()
	var to []string
	if s := os.Getenv(childSends); s != "" {
		to = strings.Split(s, ",")
	}
	most, err := strconv.ParseInt(os.Getenv(childCount), 10, 64)
	if err != nil {
		most = childObjects
	}
	pause, err := time.ParseDuration(os.Getenv(childPause))
	if err != nil {
		pause = 3 * time.Millisecond
	}
	for len(to) > 0 {
		count, err := n.vault.As(n.reader()).Count(t.Context(), vault.Match{Source: "local", Versions: []string{"all"}})
		if err != nil {
			t.Fatal(err)
		}
		if count >= most {
			break
		}
		n.release(Precedence(count/7%4), n.effective("SECRET", "JPN"), n.objects(int(count), 7), to...)
		time.Sleep(pause)
	}
	quiet := func() bool {
		for _, node := range to {
			if n.status(node).Waiting > 0 {
				return false
			}
		}
		return true
	}
	for !quiet() {
		time.Sleep(50 * time.Millisecond)
	}
	if err := os.WriteFile(filepath.Join(dir, "quiet"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for {
		time.Sleep(time.Hour) // until it is killed
	}
}

// reopen opens a test node that another process made.
func reopen(t testing.TB, dir string) *testNode {
	t.Helper()
	meta, err := os.ReadFile(filepath.Join(dir, "meta"))
	if err != nil {
		t.Fatal(err)
	}
	nation, address, _ := strings.Cut(strings.TrimSpace(string(meta)), " ")
	n := &testNode{t: t, nation: nation, identity: testIdentity(nation), dir: dir, address: address,
		limits: Limits{RetryMost: 100 * time.Millisecond, BatchItems: 10}}
	skey, err := os.ReadFile(filepath.Join(dir, "audit.key"))
	if err != nil {
		t.Fatal(err)
	}
	if n.signer, err = note.NewSigner(string(skey)); err != nil {
		t.Fatal(err)
	}
	if n.policies, err = policies.Set("security officer"); err != nil {
		t.Fatal(err)
	}
	if n.ring, err = LoadRing(filepath.Join(dir, "line.key")); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		// The killed process may hold the folder's lock for a moment.
		v, err := vault.Open(t.Context(), vault.Config{Dir: dir})
		if err == nil {
			v.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	n.open()
	return n
}

// Two processes under load, killed with SIGKILL again and again; then quiet:
// each object is there once and each message has one receipt.
func TestKilledProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("CAUSEWAY_LINE_KILLS")); err == nil {
		kills = n
	}
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	to := b.name()
	for _, n := range []*testNode{a, b} {
		n.close()
		if err := os.WriteFile(filepath.Join(n.dir, "meta"), fmt.Appendf(nil, "%s %s\n", n.nation, n.address), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start := func(n *testNode, sends string) *exec.Cmd {
		c := exec.Command(self, "-test.run=^TestNodeProcess$", "-test.timeout=10m")
		c.Env = append(os.Environ(), childDir+"="+n.dir, childSends+"="+sends)
		c.SysProcAttr = &syscall.SysProcAttr{}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	stop := func(c *exec.Cmd) {
		c.Process.Kill()
		c.Wait() // its error is the kill
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	sender, receiver := start(a, to), start(b, "")
	for range kills {
		time.Sleep(time.Duration(100+rng.IntN(500)) * time.Millisecond)
		if rng.IntN(2) == 0 {
			stop(sender)
			sender = start(a, to)
		} else {
			stop(receiver)
			receiver = start(b, "")
		}
	}
	stop(sender)
	stop(receiver)
	a, b = reopen(t, a.dir), reopen(t, b.dir)
	t.Cleanup(a.close)
	t.Cleanup(b.close)
	count, err := a.vault.As(a.reader()).Count(t.Context(), vault.Match{Source: "local", Versions: []string{"all"}})
	if err != nil {
		t.Fatal(err)
	}
	b.start()
	a.start()
	eventually(t, "quiet", func() bool { st := a.status(to); return st.Waiting == 0 && st.Held == count })
	a.halt()
	b.halt()
	var items []Item
	for _, o := range a.objects(0, int(count)) {
		items = append(items, Item{o.ID(), o.Version().String()})
	}
	if count == 0 {
		t.Log("nothing was released between the kills")
	}
	checkOnce(t, a, b, items)
}
