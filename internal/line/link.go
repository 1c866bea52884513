package line

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// retryLater is a partner's wish to be left alone for a while.
type retryLater struct {
	after time.Duration
	err   error
}

func (r *retryLater) Error() string { return r.err.Error() }
func (r *retryLater) Unwrap() error { return r.err }

// link is a connection to one partner, made when it is needed and made anew
// when either side's keys have changed.
type link struct {
	line   *Line
	node   string
	client *http.Client
	base   string
	made   string // what the client was made for
}

func (k *link) close() {
	if k.client != nil {
		k.client.CloseIdleConnections()
		k.client = nil
	}
}

func (k *link) open(ctx context.Context) error {
	p, err := loadPartner(k.line.outside(ctx), k.node)
	if err != nil {
		return err
	}
	if p.State != Active && p.State != Comparing {
		return fmt.Errorf("%w: it is %s here", ErrSuspended, p.State)
	}
	made := fmt.Sprint(p.Address, p.Knows, p.Keys[0].Digest())
	if k.client != nil && made == k.made {
		return nil
	}
	k.close()
	if k.client, err = k.line.client(p); err != nil {
		return err
	}
	k.base, k.made = "https://"+p.Address, made
	return nil
}

// do makes one request and reads a short answer into v. Answers that are not
// 200 or 204 become errors with the partner's own words.
func (k *link) do(ctx context.Context, method, path string, body io.Reader, head http.Header, v any) (*http.Response, error) {
	if err := k.open(ctx); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, k.base+path, body)
	if err != nil {
		return nil, err
	}
	for name, values := range head {
		req.Header[name] = values
	}
	res, err := k.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reach %s: %w", k.node, plain(err))
	}
	defer res.Body.Close()
	limit := int64(maxReceipt * 2)
	switch v.(type) {
	case *news, *[]news:
		limit = maxNews
	}
	if raw, ok := v.(*[]byte); ok {
		if res.StatusCode == http.StatusOK {
			*raw, err = readAtMost(res.Body, maxMessage)
			return res, err
		}
	}
	b, err := readAtMost(res.Body, limit)
	if err != nil {
		return res, fmt.Errorf("read the answer of %s: %w", k.node, err)
	}
	switch res.StatusCode {
	case http.StatusOK:
		if v == nil || method == http.MethodHead {
			return res, nil
		}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		if err := dec.Decode(v); err != nil {
			return res, fmt.Errorf("read the answer of %s: %w", k.node, err)
		}
		return res, nil
	case http.StatusNoContent:
		return res, nil
	}
	f := failure{Code: "answer", Text: "it answered " + res.Status}
	if json.Unmarshal(b, &f) != nil || len(f.Text) > maxReason {
		f = failure{Code: "answer", Text: "it answered " + res.Status}
	}
	err = fmt.Errorf("%s answered: %w", k.node, f)
	if s, aerr := strconv.Atoi(res.Header.Get("Retry-After")); aerr == nil && s > 0 {
		return res, &retryLater{min(time.Duration(s)*time.Second, time.Hour), err}
	}
	return res, err
}

// meet compares what both sides remember of lanes before anything is sent.
func (k *link) meet(ctx context.Context, lanes ...Precedence) error {
	mine := map[Precedence]laneRecord{}
	for _, p := range lanes {
		var lane laneRecord
		if _, err := load(k.line.outside(ctx), spaceLane, laneKey(k.node, p), &lane); err != nil {
			return err
		}
		mine[p] = lane
	}
	var x exchange
	if _, err := k.do(ctx, http.MethodGet, pathState, nil, nil, &x); err != nil {
		return err
	}
	if err := k.line.learn(ctx, k.node, &x); err != nil {
		return err
	}
	for _, st := range x.Lanes {
		if lane, ok := mine[st.Precedence]; ok {
			if err := k.line.reconcile(ctx, k.node, lane, st); err != nil {
				return err
			}
		}
	}
	return nil
}

// greetEvery is how often partners meet when nothing else is said: a node
// that went back to a backup is found out on a quiet day, too.
const greetEvery = time.Minute

// greet meets a partner that was silent for long.
func (k *link) greet(ctx context.Context) error {
	l := k.line
	l.mu.Lock()
	quiet := l.now().Sub(l.contact[k.node].At)
	l.mu.Unlock()
	if quiet < greetEvery {
		return nil
	}
	if err := k.meet(ctx, precedences[:]...); err != nil {
		return err
	}
	l.touch(k.node, nil)
	return nil
}

// learn keeps what a partner says of the protocol versions it speaks. What it
// may speak only ever grows, so that nobody can talk it down.
func (l *Line) learn(ctx context.Context, node string, x *exchange) error {
	if x.Node != node {
		return fmt.Errorf("%s answered as %q", node, x.Node)
	}
	p, err := loadPartner(l.outside(ctx), node)
	if err != nil {
		return err
	}
	if x.Versions[1] <= p.Versions[1] {
		return nil
	}
	if _, err := negotiate(x.Versions[0], x.Versions[1]); err != nil {
		return err
	}
	_, err = l.commit(ctx, audit.Act{Actor: PartnerReader(node), Verb: "protocol", Subject: node}, func(tx *vault.Tx) error {
		p, err := loadPartner(tx, node)
		if err != nil {
			return err
		}
		p.Versions = [2]int{max(p.Versions[0], x.Versions[0]), max(p.Versions[1], x.Versions[1])}
		return save(tx, spacePartner, node, p)
	})
	return err
}

// put pushes one message of this node and gives its receipt.
func (k *link) put(ctx context.Context, msg []byte, digest Digest) (SignedReceipt, error) {
	var doc SignedReceipt
	err := k.upload(ctx, pathMessage, msg, digest, &doc)
	return doc, err
}

// upload pushes a message, from the byte where an earlier push stopped, and
// reads the answer.
func (k *link) upload(ctx context.Context, to string, msg []byte, digest Digest, v any) error {
	path := to + digest.String()
	offset := int64(0)
	if len(msg) > 256<<10 { // asking costs a round trip; a short message is sent again
		res, err := k.do(ctx, http.MethodHead, path, nil, nil, nil)
		if err != nil {
			return err
		}
		if n, err := strconv.ParseInt(res.Header.Get(headerOffset), 10, 64); err == nil && n >= 0 && n <= int64(len(msg)) {
			offset = n
		}
	}
	head := http.Header{headerOffset: {strconv.FormatInt(offset, 10)}, headerLength: {strconv.Itoa(len(msg))},
		"Content-Type": {"application/octet-stream"}}
	_, err := k.do(ctx, http.MethodPut, path, bytes.NewReader(msg[offset:]), head, v)
	return err
}

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("it is longer than %d bytes", limit)
	}
	return b, err
}

// plain takes the method and the address off an HTTP client's error.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
