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

// ClientOptions say whom a client talks to, as whom, and how patiently.
type ClientOptions struct {
	// URL is any address on the server; its origin is the only one that
	// gets the credentials. It must be https and carry no credentials.
	URL string

	Username, Password string // HTTP Basic, if Username is set
	Token              string // otherwise sent as a bearer token, if set

	TLS       *tls.Config // pins, client certificates; nil: PKIX with the system's roots
	PlainHTTP bool        // allow http; for servers on this machine
	UserAgent string      // product and version; "causeway-taxii/1" if empty

	MaxBody  int64         // octets of an answer, decompressed; 256 MiB if 0
	Attempts int           // tries per request; 6 if 0
	MaxWait  time.Duration // longest wait between tries, and the longest Retry-After obeyed; 2 min if 0
}

// Client speaks TAXII 2.1 to one server. It tries a request again when the
// server or the network says "later", waiting as long as Retry-After asks and
// otherwise ever longer. Repeating a POST is harmless: an object that is
// already stored is a success. Methods may be called concurrently.
type Client struct {
	o      ClientOptions
	origin *url.URL
	http   *http.Client

	fragile bool // a request without an answer is not sent again
}

// NewClient makes a client. It does not touch the network.
func NewClient(o ClientOptions) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("make TAXII client: %w", err)
	}
	switch {
	case u.User != nil:
		return nil, errors.New("make TAXII client: credentials do not belong in the URL; set Username and Password")
	case u.Host == "":
		return nil, fmt.Errorf("make TAXII client: %q is not an absolute URL", o.URL)
	case u.Scheme != "https" && !(u.Scheme == "http" && o.PlainHTTP):
		return nil, fmt.Errorf("make TAXII client: %q is not https", o.URL)
	}
	if o.UserAgent == "" {
		o.UserAgent = "causeway-taxii/1"
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 256 << 20
	}
	if o.Attempts <= 0 {
		o.Attempts = 6
	}
	if o.MaxWait <= 0 {
		o.MaxWait = 2 * time.Minute
	}
	config := o.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	c := &Client{o: o, origin: &url.URL{Scheme: u.Scheme, Host: u.Host}}
	c.http = &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			TLSClientConfig:       config,
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   15 * time.Second,
			ResponseHeaderTimeout: 2 * time.Minute,
			IdleConnTimeout:       90 * time.Second,
		},
		CheckRedirect: c.redirect,
	}
	return c, nil
}

// redirect lets a GET move within its origin and nothing else: a redirect
// must carry neither credentials nor objects elsewhere.
func (c *Client) redirect(r *http.Request, via []*http.Request) error {
	switch {
	case via[0].Method != http.MethodGet:
		return fmt.Errorf("the server redirects a %s; use the address it names: %s", via[0].Method, r.URL)
	case !c.sameOrigin(r.URL):
		return fmt.Errorf("the server redirects to another origin: %s", r.URL)
	case len(via) > 3:
		return errors.New("the server redirects again and again")
	}
	return nil
}

func (c *Client) sameOrigin(u *url.URL) bool {
	return u.Scheme == c.origin.Scheme && strings.EqualFold(u.Host, c.origin.Host)
}

// Discover asks for the server's description. API roots come back as absolute
// URLs; those on another origin need a client of their own.
func (c *Client) Discover(ctx context.Context) (Discovery, error) {
	base := c.origin.JoinPath("taxii2/")
	var d Discovery
	if _, err := c.get(ctx, base.String(), nil, &d); err != nil {
		return d, fmt.Errorf("discover: %w", err)
	}
	absolute := func(s string) (string, error) {
		u, err := base.Parse(s)
		if err != nil || u.Host == "" || u.RawQuery != "" {
			return "", fmt.Errorf("discover: the server names an API root that is no URL: %.200q", s)
		}
		return u.String(), nil
	}
	var err error
	for i, root := range d.APIRoots {
		if d.APIRoots[i], err = absolute(root); err != nil {
			return d, err
		}
	}
	if d.Default != "" {
		d.Default, err = absolute(d.Default)
	}
	return d, err
}

// Root describes an API root.
func (c *Client) Root(ctx context.Context, root string) (APIRoot, error) {
	var r APIRoot
	_, err := c.get(ctx, join(root), nil, &r)
	return r, wrap("get API root", err)
}

// Collections lists the collections of an API root.
func (c *Client) Collections(ctx context.Context, root string) ([]Collection, error) {
	var list collections
	_, err := c.get(ctx, join(root, "collections"), nil, &list)
	return list.Collections, wrap("get collections", err)
}

// CollectionURL is the address of a collection, by id or alias.
func CollectionURL(root, idOrAlias string) string { return join(root, "collections", idOrAlias) }

// Collection describes one collection, by its address.
func (c *Client) Collection(ctx context.Context, collection string) (Collection, error) {
	var v Collection
	_, err := c.get(ctx, join(collection), nil, &v)
	return v, wrap("get collection", err)
}

// Add sends objects in one envelope. The status may still be pending; see
// [Client.Wait]. It says what became of each object: a nil error does not
// mean that any was stored.
func (c *Client) Add(ctx context.Context, collection string, objects []json.RawMessage) (Status, error) {
	var b bytes.Buffer
	b.WriteString(`{"objects":[`)
	for i, o := range objects {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(o)
	}
	b.WriteString("]}")
	var s Status
	_, err := c.do(ctx, http.MethodPost, join(collection, "objects"), nil, b.Bytes(), &s)
	return s, wrap("add objects", err)
}

// Status asks what became of an Add.
func (c *Client) Status(ctx context.Context, root, id string) (Status, error) {
	var s Status
	_, err := c.get(ctx, join(root, "status", id), nil, &s)
	return s, wrap("get status", err)
}

// Wait asks for a status until it is complete.
func (c *Client) Wait(ctx context.Context, root string, s Status) (Status, error) {
	for pause := time.Second; s.Status != Complete; pause = min(2*pause, 30*time.Second) {
		if err := sleep(ctx, pause); err != nil {
			return s, err
		}
		next, err := c.Status(ctx, root, s.ID)
		if err != nil {
			return s, err
		}
		s = next
	}
	return s, nil
}

// Delete removes versions of an object from a collection. Without m.Versions
// servers differ: ours removes all, the OASIS reference server the newest.
func (c *Client) Delete(ctx context.Context, collection, object string, m Match) error {
	q := params{match: Match{Versions: m.Versions, SpecVersions: m.SpecVersions}}.filter()
	_, err := c.do(ctx, http.MethodDelete, join(collection, "objects", object), q, nil, nil)
	return wrap("delete object", err)
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// join appends path segments to an address and ends it with the slash that
// TAXII wants.
func join(base string, segments ...string) string {
	u := strings.TrimSuffix(base, "/") + "/"
	for _, s := range segments {
		u += url.PathEscape(s) + "/"
	}
	return u
}

func (c *Client) get(ctx context.Context, address string, q url.Values, into any) (http.Header, error) {
	return c.do(ctx, http.MethodGet, address, q, nil, into)
}

// getOnce is get for a request that must not be sent again after it got no
// answer.
func (c *Client) getOnce(ctx context.Context, address string, q url.Values, into any) (http.Header, error) {
	once := *c
	once.fragile = true
	return once.get(ctx, address, q, into)
}

// do sends a request, again where that may help, and decodes the answer.
func (c *Client) do(ctx context.Context, method, address string, q url.Values, body []byte, into any) (http.Header, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if !c.sameOrigin(u) {
		return nil, fmt.Errorf("%s is not on %s; make a client for it", u.Redacted(), c.origin)
	}
	u.RawQuery = q.Encode()
	for attempt := 1; ; attempt++ {
		header, err := c.once(ctx, method, u.String(), body, into)
		wait, again := c.later(err, header, attempt)
		if !again || ctx.Err() != nil {
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
	case err == nil, attempt >= c.o.Attempts, c.fragile && !answered:
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

// once sends a request one time.
func (c *Client) once(ctx context.Context, method, address string, body []byte, into any) (http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.fragile {
		// net/http sends a request again by itself when a kept connection
		// breaks, unless its body cannot be read twice.
		r.Body, r.GetBody = io.NopCloser(strings.NewReader("")), nil
	}
	r.Header.Set("Accept", MediaType)
	r.Header.Set("User-Agent", c.o.UserAgent)
	if body != nil {
		r.Header.Set("Content-Type", MediaType)
	}
	switch {
	case c.o.Username != "":
		r.SetBasicAuth(c.o.Username, c.o.Password)
	case c.o.Token != "":
		r.Header.Set("Authorization", "Bearer "+c.o.Token)
	}
	res, err := c.http.Do(r)
	if err != nil {
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
	case into == nil:
		return res.Header, nil
	}
	if err := decode(b, into); err != nil {
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
