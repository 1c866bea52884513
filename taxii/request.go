package taxii

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// call is one request and where its answer goes.
type call struct {
	method, address string
	query           url.Values
	body            []byte
	into            any  // decoded into, unless nil
	once            bool // not sent again when no answer came
}

func (c *Client) get(ctx context.Context, address string, into any) (http.Header, error) {
	return c.do(ctx, call{method: http.MethodGet, address: address, into: into})
}

// do sends a request, again where that may help, and decodes the answer.
func (c *Client) do(ctx context.Context, q call) (http.Header, error) {
	u, err := url.Parse(q.address)
	if err != nil {
		return nil, err
	}
	if !c.sameOrigin(u) {
		return nil, fmt.Errorf("%s is not on %s; make a client for it", u.Redacted(), c.origin)
	}
	u.RawQuery = q.query.Encode()
	q.address = u.String()
	for attempt := 1; ; attempt++ {
		header, err := c.send(ctx, q)
		wait, again := c.later(err, header, attempt)
		if !again || ctx.Err() != nil || q.once && errors.Is(err, errTransport) {
			return header, err
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// errTransport marks failures of the network, as opposed to a server's answer.
var errTransport = errors.New("no answer")

// later decides whether and when to try again.
func (c *Client) later(err error, header http.Header, attempt int) (time.Duration, bool) {
	var e *Error
	answered := errors.As(err, &e)
	switch {
	case err == nil, attempt >= c.o.Attempts:
		return 0, false
	case answered && e.HTTPStatus != 429 && e.HTTPStatus != 408 && e.HTTPStatus/100 != 5, answered && e.HTTPStatus == 501:
		return 0, false
	case !answered && !errors.Is(err, errTransport):
		return 0, false
	}
	if asked, ok := retryAfter(header.Get("Retry-After"), time.Now()); ok {
		return asked, asked <= c.o.MaxWait // longer than our patience: tell the caller now
	}
	return c.pause(attempt), true
}

// pause is how long to wait after the nth failure in a row: ever longer, and
// spread, so that many clients do not return at once.
func (c *Client) pause(n int) time.Duration {
	d := min(500*time.Millisecond<<min(n-1, 20), c.o.MaxWait)
	return d/2 + rand.N(d/2+1)
}

// retryAfter reads seconds or an HTTP date.
func retryAfter(s string, now time.Time) (time.Duration, bool) {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < 1<<31 {
		return time.Duration(n) * time.Second, true
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}

// sleep waits or gives the reason why it did not.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// send sends a request one time.
func (c *Client) send(ctx context.Context, q call) (http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, q.address, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	if q.once {
		// net/http sends a request again by itself when a kept connection
		// breaks, unless its body cannot be read twice.
		r.Body, r.GetBody = io.NopCloser(strings.NewReader("")), nil
	}
	r.Header.Set("Accept", MediaType)
	r.Header.Set("User-Agent", c.o.UserAgent)
	if q.body != nil {
		r.Header.Set("Content-Type", MediaType)
	}
	switch {
	case c.o.Username != "":
		r.SetBasicAuth(c.o.Username, c.o.Password)
	case c.o.Token != "":
		r.Header.Set("Authorization", "Bearer "+c.o.Token)
	}
	res, err := c.http.Do(r)
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted), errors.Is(err, errRedirect): // the same next time
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errTransport, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, c.o.MaxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: read answer: %w", errTransport, err)
	case int64(len(b)) > c.o.MaxBody:
		return nil, fmt.Errorf("the answer has more than %d octets; ask with a smaller limit", c.o.MaxBody)
	case res.StatusCode/100 != 2:
		return res.Header, answerError(res, b)
	case q.into == nil:
		return res.Header, nil
	}
	if err := decode(b, q.into); err != nil {
		kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
		return res.Header, fmt.Errorf("the answer (%.60q) cannot be read: %w", kind, err)
	}
	return res.Header, nil
}

// decode reads a whole answer.
func decode(b []byte, into any) error {
	if list, ok := into.(*listBody); ok {
		return list.parse(b)
	}
	return json.Unmarshal(b, into)
}

// answerError makes an Error from an answer, with or without a TAXII body.
func answerError(res *http.Response, b []byte) *Error {
	var said struct { // http_status is left out: foreign servers write it as a number
		Title       string `json:"title"`
		Description string `json:"description"`
		ErrorID     string `json:"error_id"`
		ErrorCode   string `json:"error_code"`
	}
	if json.Unmarshal(b, &said) != nil || said.Title == "" {
		said.Title = http.StatusText(res.StatusCode)
	}
	e := &Error{Title: said.Title, Description: said.Description, ErrorID: said.ErrorID, ErrorCode: said.ErrorCode}
	e.HTTPStatus = res.StatusCode
	if e.HTTPStatus == http.StatusUnauthorized {
		e.Challenges = ParseChallenges(res.Header.Values("WWW-Authenticate"))
	}
	return e
}
