package line

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

// The paths of the protocol, version 1 (docs/protocol/line.md, "Transport").
const (
	pathState   = "/line/1/state"
	pathMessage = "/line/1/message/" // followed by the digest of the statement
	pathFetch   = "/line/1/fetch"
	pathReceipt = "/line/1/receipt"
	pathAnswer  = "/line/1/answer"
	pathMatch   = "/line/1/match/"
	pathRelay   = "/line/1/relay/" // followed by the digest of the statement
	pathNews    = "/line/1/news"
	pathArrived = "/line/1/arrived"
)

const (
	headerOffset = "Upload-Offset" // bytes of the message that the receiver has
	headerLength = "Upload-Length" // bytes of the whole message
)

// State is what one side tells the other when they meet.
type exchange struct {
	Node     string      `json:"node"`
	Versions [2]int      `json:"versions"`
	Lanes    []LaneState `json:"lanes"`             // what this side received
	Waiting  bool        `json:"waiting,omitempty"` // something waits here for the asker
}

// Serve answers partners on ln until ctx ends. It is a listener of its own:
// nothing of the pages or of TAXII can be reached through it.
func (l *Line) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           l.Handler(),
		TLSConfig:         l.serverTLS(),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(l.log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if srv.Shutdown(stop) != nil {
			srv.Close()
		}
	}()
	err := srv.Serve(tls.NewListener(ln, srv.TLSConfig))
	if errors.Is(err, http.ErrServerClosed) {
		<-done
		return nil
	}
	return fmt.Errorf("serve the line: %w", err)
}

// Handler is the protocol's HTTP side. It trusts r.TLS for who asks.
func (l *Line) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathState, l.asPartner(l.serveState))
	mux.HandleFunc("HEAD "+pathMessage+"{digest}", l.asPartner(l.serveOffset))
	mux.HandleFunc("PUT "+pathMessage+"{digest}", l.asPartner(l.serveMessage))
	mux.HandleFunc("POST "+pathFetch, l.asPartner(l.serveFetch))
	mux.HandleFunc("POST "+pathReceipt, l.asPartner(l.serveReceipt))
	mux.HandleFunc("POST "+pathAnswer, l.serveAnswer)
	mux.HandleFunc("POST "+pathMatch+"{step}", l.asPartner(l.serveMatch))
	mux.HandleFunc("HEAD "+pathRelay+"{digest}", l.asPartner(l.serveOffset))
	mux.HandleFunc("PUT "+pathRelay+"{digest}", l.asPartner(l.serveRelay))
	mux.HandleFunc("DELETE "+pathRelay+"{digest}", l.asPartner(l.serveDrop))
	mux.HandleFunc("POST "+pathNews, l.asPartner(l.serveNews))
	mux.HandleFunc("POST "+pathArrived, l.asPartner(l.serveArrived))
	return mux
}

// codeShut is the code of a failure because the line is not open on the
// answering side.
const codeShut = "not-open"

// failure is an error as it crosses: a code for the program and a text for
// the people of the other side, which never says more than they may know.
type failure struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func (f failure) Error() string { return f.Text }

func fail(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(mustCanonical(failure{code, text}))
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(mustCanonical(v))
}

// asPartner lets only active partners through to h.
func (l *Line) asPartner(h func(http.ResponseWriter, *http.Request, *partnerRecord)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.PeerCertificates) != 1 {
			fail(w, http.StatusForbidden, "key", errPeer.Error())
			return
		}
		pin, err := pinOf(r.TLS.PeerCertificates[0].PublicKey)
		if err != nil {
			fail(w, http.StatusForbidden, "key", errPeer.Error())
			return
		}
		p, err := l.partnerByPin(r.Context(), pin)
		switch {
		case errors.Is(err, ErrNoPartner):
			fail(w, http.StatusForbidden, "key", errPeer.Error())
		case err != nil:
			l.unavailable(w, "find the partner", err)
		case p.State != Active:
			fail(w, http.StatusForbidden, codeShut, "the line is not open on this side ("+string(p.State)+"); its operator has to open it")
		default:
			h(w, r, p)
		}
	}
}

// unavailable answers what went wrong on this side without saying what.
func (l *Line) unavailable(w http.ResponseWriter, doing string, err error) {
	l.log.Error("the line cannot answer", "doing", doing, "error", err)
	w.Header().Set("Retry-After", "10")
	fail(w, http.StatusServiceUnavailable, "unavailable", "this node cannot store or read at the moment; try again later")
}

func (l *Line) serveState(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	st, err := l.exchangeFor(r.Context(), p.Node)
	if err != nil {
		l.unavailable(w, "tell the state", err)
		return
	}
	answer(w, st)
}

// exchangeFor says what this node received from a partner.
func (l *Line) exchangeFor(ctx context.Context, node string) (*exchange, error) {
	out := l.outside(ctx)
	x := &exchange{Node: l.Node(), Versions: [2]int{oldestVersion, newestVersion}}
	for _, p := range precedences {
		var in inboxRecord
		if _, err := load(out, spaceInbox, laneKey(node, p), &in); err != nil {
			return nil, err
		}
		st := LaneState{Precedence: p, Stream: in.Stream, Seq: in.Seq, Head: in.Head}
		x.Lanes = append(x.Lanes, st)
		ready, err := l.anything(out, node, p)
		if err != nil {
			return nil, err
		}
		x.Waiting = x.Waiting || ready
	}
	if !x.Waiting {
		return x, scan(out, spaceTransitQueue, node+"/", func(string, []byte) error {
			x.Waiting = true
			return errStop
		})
	}
	return x, nil
}

// anything says whether a lane has something to send.
func (l *Line) anything(r records, node string, p Precedence) (bool, error) {
	var lane laneRecord
	var q queueRecord
	if _, err := load(r, spaceLane, laneKey(node, p), &lane); err != nil {
		return false, err
	}
	if _, err := load(r, spaceQueue, laneKey(node, p), &q); err != nil {
		return false, err
	}
	return lane.Acked < lane.Seq || q.Rows > 0, nil
}

// serveOffset says how much of a message is here, so that a cut push goes on
// at that byte.
func (l *Line) serveOffset(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	n, err := l.parts.size(p.Node, r.PathValue("digest"))
	if err != nil {
		fail(w, http.StatusBadRequest, "digest", err.Error())
		return
	}
	w.Header().Set(headerOffset, strconv.FormatInt(n, 10))
}

// serveMessage takes a message, or the rest of one, and answers with the
// receipt; a relay gets it sealed to the sender.
func (l *Line) serveMessage(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	msg, ok := l.takeMessage(w, r, p)
	if !ok {
		return
	}
	h, _, _, err := cutMessage(msg)
	if err == nil && h.From != p.Node {
		n, err := l.receiveRelayed(r.Context(), p, h, msg)
		if err == nil {
			answer(w, n)
			return
		}
		l.answerReceipt(w, SignedReceipt{}, err)
		return
	}
	doc, err := l.receive(r.Context(), msg)
	l.answerReceipt(w, doc, err)
}

// takeMessage reads a message, or the rest of one; where it is not whole, it
// has answered.
func (l *Line) takeMessage(w http.ResponseWriter, r *http.Request, p *partnerRecord) ([]byte, bool) {
	offset, err1 := strconv.ParseInt(r.Header.Get(headerOffset), 10, 64)
	length, err2 := strconv.ParseInt(r.Header.Get(headerLength), 10, 64)
	if err1 != nil || err2 != nil || offset < 0 || length < 1 || offset > length || length > maxMessage {
		fail(w, http.StatusBadRequest, "length", fmt.Sprintf("%s and %s have to say where the message goes on and how long it is, at most %d bytes", headerOffset, headerLength, int64(maxMessage)))
		return nil, false
	}
	if wait := l.charge(p.Node, length-offset); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		fail(w, http.StatusTooManyRequests, "quota", "this partner's share of this node is used up for now")
		return nil, false
	}
	body := &paced{r: http.MaxBytesReader(w, r.Body, length-offset), control: http.NewResponseController(w), rate: l.limits.Rate, grace: l.limits.Grace, start: time.Now()}
	msg, err := l.parts.take(p.Node, r.PathValue("digest"), offset, length, body)
	if err != nil {
		var at *offsetError
		if errors.As(err, &at) {
			w.Header().Set(headerOffset, strconv.FormatInt(at.have, 10))
			fail(w, http.StatusConflict, "offset", at.Error())
			return nil, false
		}
		fail(w, http.StatusBadRequest, "body", err.Error())
		return nil, false
	}
	return msg, true
}

// answerReceipt sends a receipt, or why there is none.
func (l *Line) answerReceipt(w http.ResponseWriter, doc SignedReceipt, err error) {
	switch {
	case err == nil:
		answer(w, doc)
	case errors.Is(err, errGap):
		fail(w, http.StatusConflict, "gap", errGap.Error())
	case errors.Is(err, errTwin):
		fail(w, http.StatusConflict, "twin", errTwin.Error())
	case errors.Is(err, errNotHere), errors.Is(err, ErrNoPartner), errors.Is(err, ErrSuspended):
		fail(w, http.StatusForbidden, codeShut, "this node does not take messages of this sender")
	case errors.Is(err, errSealed), errors.Is(err, errBadSignature), errors.Is(err, errMessage):
		fail(w, http.StatusUnprocessableEntity, "message", err.Error())
	default:
		l.unavailable(w, "store a message", err)
	}
}

// serveReceipt takes the receipt for a message that was fetched.
func (l *Line) serveReceipt(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	var doc Document
	if !readBody(w, r, maxReceipt*2, &doc) {
		return
	}
	if err := l.settle(r.Context(), p.Node, doc); err != nil {
		fail(w, http.StatusUnprocessableEntity, "receipt", err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// fetchRequest is what a partner that cannot be reached sends to get what
// waits for it.
type fetchRequest struct {
	State exchange `json:"state"`
	Wait  int64    `json:"wait"` // most milliseconds to wait for something
}

// serveFetch gives the caller the most urgent message that waits for it, or
// nothing after the wait.
func (l *Line) serveFetch(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	var req fetchRequest
	if !readBody(w, r, 256<<10, &req) {
		return
	}
	for _, st := range req.State.Lanes {
		var lane laneRecord
		if _, err := load(l.outside(r.Context()), spaceLane, laneKey(p.Node, st.Precedence), &lane); err != nil {
			l.unavailable(w, "read a lane", err)
			return
		}
		if err := l.reconcile(r.Context(), p.Node, lane, st); err != nil {
			l.unavailable(w, "compare the state", err)
			return
		}
	}
	l.touch(p.Node, nil)
	deadline := time.NewTimer(min(time.Duration(req.Wait)*time.Millisecond, longPoll))
	defer deadline.Stop()
	woken := l.wakeup(p.Node + "/fetch")
	for {
		msg, err := l.next(r.Context(), p.Node)
		if err == nil && msg == nil {
			msg, err = l.nextTransit(r.Context(), p.Node)
		}
		if err != nil {
			l.unavailable(w, "read what waits", err)
			return
		}
		if msg != nil {
			w.Header().Set("Content-Type", "application/octet-stream")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(msg))
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-deadline.C:
			w.WriteHeader(http.StatusNoContent)
			return
		case <-woken:
		case <-time.After(time.Second):
		}
	}
}

// serveAnswer is the one door for somebody who is not a partner yet.
func (l *Line) serveAnswer(w http.ResponseWriter, r *http.Request) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) != 1 {
		fail(w, http.StatusForbidden, "key", errPeer.Error())
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDocument))
	if err != nil {
		fail(w, http.StatusBadRequest, "body", "the answer is too long")
		return
	}
	acc, err := parseAcceptance(b)
	if err != nil {
		fail(w, http.StatusForbidden, "invitation", "the answer cannot be read")
		return
	}
	pin, err := pinOf(r.TLS.PeerCertificates[0].PublicKey)
	if err != nil || pin != acc.identity.TLS {
		fail(w, http.StatusForbidden, "key", "the answer names another transport key than this connection's")
		return
	}
	if _, err := l.Accept(r.Context(), PartnerReader(acc.identity.Node), b); err != nil {
		l.log.Warn("an answer to an invitation was refused", "from", acc.identity.Node, "error", err)
		fail(w, http.StatusForbidden, "invitation", ErrInvitation.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64, v any) bool {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		err = dec.Decode(v)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "body", "the request cannot be read")
		return false
	}
	return true
}

// paced reads a body and gives up on one that is slower than rate: a sender
// that trickles cannot hold a connection for ever.
type paced struct {
	r       io.Reader
	control *http.ResponseController
	rate    int64
	grace   time.Duration // before rate counts
	start   time.Time
	n       int64
}

func (p *paced) Read(b []byte) (int, error) {
	if len(b) > 64<<10 {
		b = b[:64<<10]
	}
	p.control.SetReadDeadline(p.start.Add(p.grace + time.Duration(float64(p.n)/float64(p.rate)*float64(time.Second))))
	n, err := p.r.Read(b)
	p.n += int64(n)
	return n, err
}
