package line

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"causeway/internal/vault"
)

// Run moves messages until ctx ends: for every partner that can be reached,
// one worker for each precedence, so that FLASH never waits behind ROUTINE
// and ROUTINE always moves; and a worker that fetches from partners that
// cannot reach this node. A failure of one partner never touches another.
func (l *Line) Run(ctx context.Context) error {
	l.runs.Store(true)
	defer l.runs.Store(false)
	var workers sync.WaitGroup
	defer workers.Wait()
	running := map[string]*worker{}
	defer func() {
		for _, w := range running {
			w.stop()
		}
	}()
	start := func(key string, work func(context.Context)) {
		if w := running[key]; w != nil && !w.ended.Load() {
			return
		}
		wctx, stop := context.WithCancel(ctx)
		w := &worker{stop: stop}
		running[key] = w
		workers.Go(func() {
			defer w.ended.Store(true)
			work(wctx)
		})
	}
	end := func(key string) {
		if w := running[key]; w != nil {
			w.stop()
			delete(running, key)
		}
	}
	if err := l.catchUpKeys(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	news := l.wakeup(runner)
	var tidied time.Time
	for {
		all, err := loadPartners(l.outside(ctx))
		if err != nil && ctx.Err() == nil {
			l.log.Error("the line cannot read its partners", "error", err)
		}
		routes, err := l.runRoutes(ctx, all, running, start, end)
		if err != nil && ctx.Err() == nil {
			l.log.Error("the line cannot read its routes", "error", err)
		}
		for _, p := range all {
			node := p.Node
			if p.State != Revoked && p.Answer != nil && p.Address != "" {
				start("answer/"+node, func(ctx context.Context) { l.handIn(ctx, node) })
			}
			if p.State != Active || p.Address == "" || routes[node] != "" {
				for _, lane := range precedences {
					end(laneKey(node, lane))
				}
			}
			if p.State != Active || p.Address == "" {
				end(node)
				continue
			}
			for _, lane := range precedences {
				if routes[node] == "" {
					start(laneKey(node, lane), func(ctx context.Context) { l.pushLane(ctx, node, lane) })
				}
			}
			if l.address != "" && !p.Fetch {
				end(node)
			} else {
				start(node, func(ctx context.Context) { l.fetch(ctx, node) })
			}
		}
		if now := l.now(); now.Sub(tidied) > time.Minute {
			tidied = now
			for _, p := range all {
				if err := l.expire(ctx, p.Node); err != nil && ctx.Err() == nil {
					l.log.Error("what waits too long cannot be given up", "partner", p.Node, "error", err)
				}
			}
			if err := l.expireTransit(ctx); err != nil && ctx.Err() == nil {
				l.log.Error("what is carried too long cannot be dropped", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-news:
		case <-time.After(5 * time.Second):
		}
	}
}

// runner is the name under which Run is woken: partners have changed.
const runner = "run"

// worker is one goroutine of Run.
type worker struct {
	stop  context.CancelFunc
	ended atomic.Bool
}

// wakeup gives the channel that tells the named worker to look.
func (l *Line) wakeup(key string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wakes[key] == nil {
		l.wakes[key] = make(chan struct{}, 1)
	}
	return l.wakes[key]
}

// touch notes that a partner answered, or why it did not.
func (l *Line) touch(node string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.contact[node]
	c.Tried = l.now()
	if err == nil {
		c.At, c.Reason, c.Shut = c.Tried, "", ""
	} else {
		c.Reason, c.Shut = err.Error(), ""
		var f failure
		if errors.As(err, &f) && f.Code == codeShut {
			c.Shut = f.Text
		}
	}
	l.contact[node] = c
}

// pushLane is the worker of one lane of one partner.
func (l *Line) pushLane(ctx context.Context, node string, p Precedence) {
	k := &link{line: l, node: node}
	defer k.close()
	met := false // the two sides compared what they remember
	l.work(ctx, k, laneKey(node, p), func() (bool, error) {
		worked, err := l.pushNext(ctx, k, p, &met)
		met = met && err == nil
		return worked, err
	})
}

// work takes one step after the other over a link: at once while there is
// something to do, after pauses that grow while it fails, and else when woken
// by name.
func (l *Line) work(ctx context.Context, k *link, name string, step func() (bool, error)) {
	woken := l.wakeup(name)
	pause := time.Duration(0)
	glances := 0
	for ctx.Err() == nil {
		worked, err := step()
		switch {
		case err != nil && ctx.Err() == nil:
			pause = min(max(2*pause, 200*time.Millisecond), l.limits.RetryMost)
			var later *retryLater
			if errors.As(err, &later) {
				pause = max(pause, later.after)
			}
			l.touch(k.node, err)
			l.log.Debug("a push did not go through", "partner", k.node, "lane", name, "error", err)
			k.close()
		case worked:
			pause, glances = 0, 0
			continue
		case glances < len(looks):
			// A wake comes from inside the transaction that enqueues; it may be
			// ahead of the commit.
			pause = looks[glances]
			glances++
		default:
			pause = idlePoll
		}
		select {
		case <-ctx.Done():
		case <-woken:
			glances = 0
			if err == nil {
				pause = 0
			}
		case <-time.After(pause):
		}
	}
}

// idlePoll is how often a worker looks without being woken: another server of
// this node may have released something.
const idlePoll = 10 * time.Second

// looks are the pauses between looks at a lane that was woken.
var looks = [...]time.Duration{2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond}

// pushNext sends the oldest message of a lane that has no receipt, composing
// one when there is none, and reports whether there was anything to do.
func (l *Line) pushNext(ctx context.Context, k *link, p Precedence, met *bool) (bool, error) {
	ready, err := l.anything(l.outside(ctx), k.node, p)
	if err == nil && !ready && p == Flash {
		err = k.greet(ctx)
	}
	if err != nil || !ready {
		return false, err
	}
	u := l.urgency(k.node)
	u.yield(ctx, p)
	defer u.enter(p)()
	if !*met {
		if err := k.meet(ctx, p); err != nil {
			return false, err
		}
		*met = true
	}
	msg, digest, err := l.oldest(ctx, k.node, p)
	if err != nil || msg == nil {
		return false, err
	}
	// The next message is made while this one travels.
	ahead := make(chan struct{})
	go func() {
		defer close(ahead)
		if !u.above(p) {
			l.composeAhead(ctx, k.node, p)
		}
	}()
	doc, err := k.put(ctx, msg, digest)
	<-ahead
	if err != nil {
		return false, err
	}
	if err := l.settle(ctx, k.node, doc); err != nil {
		return false, err
	}
	l.touch(k.node, nil)
	return true, nil
}

// composeAhead makes one message beyond the one that is under way. What goes
// wrong here goes wrong again when the message is needed, and is told then.
func (l *Line) composeAhead(ctx context.Context, node string, p Precedence) {
	var lane laneRecord
	var q queueRecord
	_, err1 := load(l.outside(ctx), spaceLane, laneKey(node, p), &lane)
	_, err2 := load(l.outside(ctx), spaceQueue, laneKey(node, p), &q)
	if err1 == nil && err2 == nil && q.Rows > 0 && lane.Seq-lane.Acked < 2 {
		if _, err := l.compose(ctx, node, p); err != nil && ctx.Err() == nil && !errors.Is(err, errMoved) {
			l.log.Debug("composing ahead", "partner", node, "error", err)
		}
	}
}

// oldest gives the first message of a lane without a receipt; nil when
// nothing waits.
func (l *Line) oldest(ctx context.Context, node string, p Precedence) ([]byte, Digest, error) {
	for {
		var lane laneRecord
		out := l.outside(ctx)
		if _, err := load(out, spaceLane, laneKey(node, p), &lane); err != nil {
			return nil, Digest{}, err
		}
		if lane.Acked < lane.Seq {
			msg, ok, err := out.Record(spaceMessage, seqKey(node, p, lane.Acked+1))
			if err != nil || !ok { // settled at this moment by another server
				return nil, Digest{}, err
			}
			h, _, _, err := cutMessage(msg)
			if err != nil {
				return nil, Digest{}, fmt.Errorf("read message %d for %s as stored: %w", lane.Acked+1, node, err)
			}
			return msg, h.Statement, nil
		}
		made, err := l.compose(ctx, node, p)
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return nil, Digest{}, err
		}
		if !made {
			var q queueRecord
			if _, err := load(out, spaceQueue, laneKey(node, p), &q); err != nil || q.Rows == 0 {
				return nil, Digest{}, err
			}
		}
	}
}

// next gives the most urgent message that waits for a partner.
func (l *Line) next(ctx context.Context, node string) ([]byte, error) {
	for _, p := range precedences {
		ready, err := l.anything(l.outside(ctx), node, p)
		if err != nil {
			return nil, err
		}
		if !ready {
			continue
		}
		if msg, _, err := l.oldest(ctx, node, p); err != nil || msg != nil {
			return msg, err
		}
	}
	return nil, nil
}

// fetch gets what waits at a partner that cannot reach this node, and hands
// in the receipts.
func (l *Line) fetch(ctx context.Context, node string) {
	k := &link{line: l, node: node}
	defer k.close()
	pause := time.Duration(0)
	for ctx.Err() == nil {
		err := l.fetchOne(ctx, k)
		if err == nil {
			pause = 0
			continue
		}
		if ctx.Err() == nil {
			l.touch(node, err)
		}
		k.close()
		pause = min(max(2*pause, 200*time.Millisecond), l.limits.RetryMost)
		var later *retryLater
		if errors.As(err, &later) {
			pause = max(pause, later.after)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// fetchOne asks once, waits for a message, takes it and hands in its receipt.
func (l *Line) fetchOne(ctx context.Context, k *link) error {
	st, err := l.exchangeFor(ctx, k.node)
	if err != nil {
		return err
	}
	body := mustCanonical(fetchRequest{State: *st, Wait: longPoll.Milliseconds()})
	var msg []byte
	res, err := k.do(ctx, http.MethodPost, pathFetch, bytes.NewReader(body), nil, &msg)
	if err != nil {
		return err
	}
	l.touch(k.node, nil)
	if res.StatusCode == http.StatusNoContent {
		return nil
	}
	if h, _, _, err := cutMessage(msg); err == nil && h.From != k.node {
		return l.fetchedRelayed(ctx, k, h, msg)
	}
	doc, err := l.receive(ctx, msg)
	if err != nil {
		return err
	}
	_, err = k.do(ctx, http.MethodPost, pathReceipt, bytes.NewReader(mustCanonical(doc)), nil, nil)
	return err
}

// handIn gives the answer to an invitation to the inviting node, where it can
// be reached; else a person carries the file.
func (l *Line) handIn(ctx context.Context, node string) {
	k := &link{line: l, node: node}
	defer k.close()
	for pause := 200 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, time.Minute) {
		p, err := loadPartner(l.outside(ctx), node)
		if err != nil || p.Answer == nil {
			return
		}
		_, err = k.do(ctx, http.MethodPost, pathAnswer, bytes.NewReader(p.Answer), nil, nil)
		var f failure
		if err == nil || errors.As(err, &f) && f.Code == "invitation" {
			// Taken, or refused for good: the same answer arrived by hand before.
			if err := l.act(ctx, "answer", node, func(tx *vault.Tx) error {
				now, err := loadPartner(tx, node)
				if err != nil {
					return err
				}
				now.Answer = nil
				return save(tx, spacePartner, node, now)
			}); err != nil {
				l.log.Error("an answer was handed in but not noted", "partner", node, "error", err)
			}
			return
		}
		l.touch(node, err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// Sync exchanges with every partner until nothing waits here and nothing
// waits there, or until the time is up, and gives the lines that are left
// with something waiting. On a node that serves it only waits for the workers
// that run anyway.
func (l *Line) Sync(ctx context.Context, timeout time.Duration) ([]LineStatus, error) {
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	var workers sync.WaitGroup
	defer workers.Wait()
	defer stop()
	if !l.runs.Load() {
		workers.Go(func() {
			if err := l.Run(ctx); err != nil {
				l.log.Error("the line does not run", "error", err)
			}
		})
	}
	for {
		var left []LineStatus
		all, err := l.Status(context.WithoutCancel(ctx))
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			if s.Partner.State == Active && s.Waiting > 0 {
				left = append(left, s)
			}
		}
		if len(left) == 0 || ctx.Err() != nil {
			return left, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}
