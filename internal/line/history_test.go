package line

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"causeway/internal/vault"

	"github.com/anishathalye/porcupine"
)

// What a lane is, as a sequential object: a queue that a receiver has a
// prefix of, of which the sender knows a prefix. Both prefixes only grow, and
// nothing is in them twice or out of order.
type laneModel struct {
	queue string // ids, one after the other, each idWidth long
	there int    // at least so many are at the receiver
	known int    // at least so many the sender has receipts for
}

const idWidth = 6

type laneOp struct {
	kind string // "release", "read" at the receiver, "held" at the sender
	ids  string // release: what goes in; read: what is there
	held int
}

var laneSpec = porcupine.Model{
	Init: func() any { return laneModel{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(laneModel), input.(laneOp), output.(laneOp)
		switch in.kind {
		case "release":
			s.queue += in.ids
			return true, s
		case "read":
			n := len(out.ids) / idWidth
			ok := n >= s.there && len(out.ids) <= len(s.queue) && s.queue[:len(out.ids)] == out.ids
			s.there = max(s.there, n)
			return ok, s
		default:
			ok := out.held >= s.known && out.held*idWidth <= len(s.queue)
			s.known, s.there = max(s.known, out.held), max(s.there, out.held)
			return ok, s
		}
	},
	Equal: func(a, b any) bool { return a == b },
	DescribeOperation: func(in, out any) string {
		return fmt.Sprintf("%s %v -> %v", in.(laneOp).kind, in.(laneOp).ids, out)
	},
}

// The history of one lane under concurrent releases, reads, kills and cuts is
// one that a single queue could have had.
func TestHistoryIsLinearizable(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	a.limits.BatchItems = 3
	link := newProxy(t, uint64(time.Now().UnixNano()))
	link.to = b.address
	b.advertised = link.ln.Addr().String()
	for _, n := range []*testNode{a, b} {
		n.close()
		n.open()
	}
	befriend(t, a, b, "SECRET")
	link.set(true)
	b.start()
	a.start()
	begin := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	record := func(client int, in laneOp, do func() laneOp) {
		call := time.Since(begin).Nanoseconds()
		out := do()
		mu.Lock()
		defer mu.Unlock()
		history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: time.Since(begin).Nanoseconds()})
	}
	const releases = 20
	var work sync.WaitGroup
	for w := range 2 {
		work.Go(func() {
			for i := range releases / 2 {
				from := w*10_000 + i*2
				ids := fmt.Sprintf("%06x%06x", from, from+1)
				record(w, laneOp{kind: "release", ids: ids}, func() laneOp {
					a.release(Routine, a.effective("SECRET", "JPN"), a.objects(from, 2), b.name())
					return laneOp{}
				})
			}
		})
	}
	read := func() laneOp {
		var ids []byte
		page, err := b.vault.As(b.reader()).Page(context.Background(), vault.Query{Match: vault.Match{Source: PartnerReader(a.name()), Versions: []string{"all"}}, Limit: 1000})
		if err != nil {
			t.Error(err)
		}
		for _, r := range page.Rows {
			ids = append(ids, r.ID[len(r.ID)-idWidth:]...)
		}
		return laneOp{ids: string(ids)}
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			case <-time.After(15 * time.Millisecond):
			}
			record(2, laneOp{kind: "read"}, read)
		}
	})
	readers.Go(func() {
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			case <-time.After(15 * time.Millisecond):
			}
			record(3, laneOp{kind: "held"}, func() laneOp { return laneOp{held: int(a.status(b.name()).Held)} })
		}
	})
	work.Wait()
	link.set(false)
	eventually(t, "quiet", func() bool { return a.status(b.name()).Held == 2*releases })
	close(done)
	readers.Wait()
	switch porcupine.CheckOperationsTimeout(laneSpec, history, 20*time.Second) {
	case porcupine.Illegal:
		t.Error("the history is none that one queue could have had")
	case porcupine.Unknown:
		t.Log("the checker ran out of time")
	}
	// The checker has teeth: a history with one object out of order is refused.
	bad := slices.Clone(history)
	last := len(bad) - 1
	for i, op := range bad {
		if op.Input.(laneOp).kind == "read" && len(op.Output.(laneOp).ids) == 2*releases*idWidth {
			last = i
		}
	}
	out := bad[last].Output.(laneOp)
	if len(out.ids) == 2*releases*idWidth {
		out.ids = out.ids[idWidth:] + out.ids[:idWidth]
		bad[last].Output = out
		if porcupine.CheckOperationsTimeout(laneSpec, bad, 20*time.Second) == porcupine.Ok {
			t.Error("a history that is out of order was accepted")
		}
	}
}
