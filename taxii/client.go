package taxii

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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

// errRedirect begins the words for a redirect that is not followed.
var errRedirect = errors.New("the server redirects")

// redirect lets a GET move within its origin and nothing else: a redirect
// must carry neither credentials nor objects elsewhere.
func (c *Client) redirect(r *http.Request, via []*http.Request) error {
	switch {
	case via[0].Method != http.MethodGet:
		return fmt.Errorf("%w a %s; use the address it names: %s", errRedirect, via[0].Method, r.URL)
	case !c.sameOrigin(r.URL):
		return fmt.Errorf("%w to another origin: %s", errRedirect, r.URL)
	case len(via) > 3:
		return fmt.Errorf("%w again and again", errRedirect)
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
	if _, err := c.get(ctx, base.String(), &d); err != nil {
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
	_, err := c.get(ctx, join(root), &r)
	return r, wrap("get API root", err)
}

// Collections lists the collections of an API root.
func (c *Client) Collections(ctx context.Context, root string) ([]Collection, error) {
	var list collections
	_, err := c.get(ctx, join(root, "collections"), &list)
	return list.Collections, wrap("get collections", err)
}

// CollectionURL is the address of a collection, by id or alias.
func CollectionURL(root, idOrAlias string) string { return join(root, "collections", idOrAlias) }

// Collection describes one collection, by its address.
func (c *Client) Collection(ctx context.Context, collection string) (Collection, error) {
	var v Collection
	_, err := c.get(ctx, join(collection), &v)
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
	_, err := c.do(ctx, call{method: http.MethodPost, address: join(collection, "objects"), body: b.Bytes(), into: &s})
	return s, wrap("add objects", err)
}

// Status asks what became of an Add.
func (c *Client) Status(ctx context.Context, root, id string) (Status, error) {
	var s Status
	_, err := c.get(ctx, join(root, "status", id), &s)
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
	_, err := c.do(ctx, call{method: http.MethodDelete, address: join(collection, "objects", object), query: q})
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
