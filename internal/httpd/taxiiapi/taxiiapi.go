// Package taxiiapi gives a node its TAXII 2.1 face: the exchange of package
// taxii over the views of the vault.
//
// Everything lies under /taxii2/. There are two API roots:
//
//	/taxii2/causeway/   for those who sign in. The collection "feed" is what
//	                    the requester may read, in the order in which it became
//	                    available to that requester. The collection "inbox",
//	                    listed for those who may write, takes objects.
//	/taxii2/public/     for everybody, without credentials: the collection
//	                    "public" is what was released to the public.
//
// A collection has one id and as many contents as there are readers, which
// TAXII allows (section 1.6.9): no reader can tell another's apart from an
// absent one.
package taxiiapi

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/taxii"
)

// Prefix is where the handler wants to be mounted, with and without its final
// slash.
const Prefix = "/taxii2/"

// The names of the API roots and of the collections' aliases.
const (
	rootNode   = "causeway"
	rootPublic = "public"

	aliasFeed   = "feed"
	aliasInbox  = "inbox"
	aliasPublic = "public"
)

// Requester is who signed in, and what they may do beyond reading.
type Requester struct {
	Reader vault.Reader
	Write  bool // may add to the inbox, and delete there what they added

	// Unlabelled governs objects that arrive without a marking that decides.
	// Nil refuses them, object by object.
	Unlabelled *label.Effective
}

// Config says what a node's exchange is made of.
type Config struct {
	Vault *vault.Vault

	// SignIn turns credentials into a requester: [Token] finds them. It
	// answers [taxii.ErrUnauthenticated] for missing and for wrong ones.
	SignIn func(*http.Request) (Requester, error)

	Policies func() *label.Policies // in force now; they say what a marking means

	Title, Contact string // for discovery
	Key            []byte // seals cursors; nil: one that is kept in the vault
	Limits         taxii.Limits
	Log            *slog.Logger
	Now            func() time.Time
}

// api is shared by all requests.
type api struct {
	Config
	feed, inbox, public taxii.Collection
}

// New makes the handler for /taxii2 and everything below.
func New(ctx context.Context, c Config) (http.Handler, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Title == "" {
		c.Title = "Causeway node"
	}
	if c.Key == nil {
		var err error
		if c.Key, err = storedKey(ctx, c.Vault); err != nil {
			return nil, fmt.Errorf("find the key for cursors: %w", err)
		}
	}
	a := &api{Config: c}
	media := []string{taxii.MediaTypeSTIX21}
	a.feed = taxii.Collection{ID: a.collectionID(aliasFeed), Alias: aliasFeed, Title: "Feed",
		Description: "What you may read, in the order in which it became available to you.", CanRead: true, MediaTypes: media}
	a.inbox = taxii.Collection{ID: a.collectionID(aliasInbox), Alias: aliasInbox, Title: "Inbox",
		Description: "Objects that programs add to this node. Each needs a marking that this node understands.", CanRead: true, CanWrite: true, MediaTypes: media}
	a.public = taxii.Collection{ID: a.collectionID(aliasPublic), Alias: aliasPublic, Title: "Public",
		Description: "What was released to the public.", CanRead: true, MediaTypes: media}
	return taxii.NewHandler(taxii.Options{
		As: a.as, Key: c.Key, RootPrefix: Prefix, Limits: c.Limits, Log: c.Log, Now: c.Now,
		Challenges: []string{`Basic realm="TAXII", charset="UTF-8"`, `Bearer realm="TAXII"`},
	})
}

// Record spaces and keys of this room.
const (
	space      = "taxii"
	keyCursor  = "cursor-key"
	keyStatus  = "status/"
	keyExpires = "expires/"
)

// storedKey finds the node's key, or makes it: the same for every server
// process on one store, since the act that makes it looks again.
func storedKey(ctx context.Context, v *vault.Vault) ([]byte, error) {
	key, ok, err := v.Record(ctx, space, keyCursor)
	if err != nil || ok {
		return key, err
	}
	_, err = v.Act(ctx, audit.Act{Actor: "node", Verb: "make-key", Subject: "taxii cursors"}, func(tx *vault.Tx) error {
		if key, ok, err = tx.Record(space, keyCursor); err != nil || ok {
			return err
		}
		key = make([]byte, 32)
		rand.Read(key)
		return tx.PutRecord(space, keyCursor, key)
	})
	return key, err
}

// collectionID is a UUID in the form of version 4 that stays the same for the
// node and differs between nodes.
func (a *api) collectionID(alias string) string {
	h := hmac.New(sha256.New, a.Key)
	h.Write([]byte("taxii collection " + alias))
	id := uuid.UUID(h.Sum(nil)[:16])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}

// Token finds the credential of a request: a bearer token, or the password of
// HTTP Basic, where programs that know no bearer tokens put the token.
func Token(r *http.Request) (token string, ok bool) {
	if _, password, ok := r.BasicAuth(); ok {
		return password, password != ""
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

var public = vault.Reader{ID: "public", Kind: vault.Public, Holdings: label.Public}

// as gives the exchange as the sender of r sees it. The public's root needs
// no credentials, and they change nothing there.
func (a *api) as(r *http.Request) (taxii.Backend, error) {
	if path := r.URL.EscapedPath() + "/"; strings.HasPrefix(path, Prefix+rootPublic+"/") {
		return &exchange{api: a, who: Requester{Reader: public}}, nil
	}
	who, err := a.SignIn(r)
	if err != nil {
		return nil, err
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return &exchange{api: a, who: who, base: scheme + "://" + r.Host}, nil
}

// exchange is the node as one requester sees it.
type exchange struct {
	*api
	who  Requester
	base string // scheme and host the requester used
}

// Requester implements [taxii.Backend].
func (x *exchange) Requester() string { return x.who.Reader.ID }

// Discovery implements [taxii.Backend]. Roots are absolute: the OASIS client
// does not resolve relative ones.
func (x *exchange) Discovery(context.Context) (taxii.Discovery, error) {
	own := x.base + Prefix + rootNode + "/"
	return taxii.Discovery{Title: x.Title, Contact: x.Contact, Default: own, APIRoots: []string{own, x.base + Prefix + rootPublic + "/"}}, nil
}

// Root implements [taxii.Backend].
func (x *exchange) Root(_ context.Context, root string) (taxii.APIRoot, error) {
	switch {
	case root == rootPublic:
		return taxii.APIRoot{Title: x.Title + ": public"}, nil
	case root == rootNode && x.who.Reader.Kind != vault.Public:
		return taxii.APIRoot{Title: x.Title}, nil
	}
	return taxii.APIRoot{}, taxii.ErrNotFound
}

// Collections implements [taxii.Backend].
func (x *exchange) Collections(ctx context.Context, root string) ([]taxii.Collection, error) {
	if _, err := x.Root(ctx, root); err != nil {
		return nil, err
	}
	if root == rootPublic {
		return []taxii.Collection{x.public}, nil
	}
	list := []taxii.Collection{x.feed}
	if x.who.Write {
		list = append(list, x.inbox)
	}
	slices.SortFunc(list, func(a, b taxii.Collection) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// Collection implements [taxii.Backend].
func (x *exchange) Collection(ctx context.Context, root, idOrAlias string) (taxii.Collection, error) {
	list, err := x.Collections(ctx, root)
	if err != nil {
		return taxii.Collection{}, err
	}
	for _, c := range list {
		if c.ID == idOrAlias || c.Alias == idOrAlias {
			return c, nil
		}
	}
	return taxii.Collection{}, taxii.ErrNotFound
}

// view is what the requester may see in a collection.
func (x *exchange) view(root, collection string) (view *vault.View, within string) {
	switch {
	case root == rootPublic:
		return x.Vault.As(public), ""
	case collection == x.inbox.ID:
		return x.Vault.As(x.who.Reader), aliasInbox
	}
	return x.Vault.As(x.who.Reader), ""
}

// Page implements [taxii.Backend].
func (x *exchange) Page(ctx context.Context, root, collection string, q taxii.Query) (taxii.Page, error) {
	view, within := x.view(root, collection)
	m := vault.Match{IDs: q.IDs, Types: q.Types, SpecVersions: q.SpecVersions, Versions: q.Versions, Collection: within, AddedAfter: q.AddedAfter}
	if q.Object != "" {
		m.IDs = []string{q.Object}
	}
	got, err := view.Page(ctx, vault.Query{Match: m, After: q.After, Limit: q.Limit, Bare: q.Bare, MaxBytes: q.MaxBytes})
	if err != nil {
		return taxii.Page{}, wording(err)
	}
	if len(got.Rows) == 0 && q.Object != "" {
		if err := known(ctx, view, within, q.Object); err != nil {
			return taxii.Page{}, wording(err)
		}
	}
	page := taxii.Page{More: got.More, Records: make([]taxii.Record, len(got.Rows))}
	for i, r := range got.Rows {
		page.Records[i] = taxii.Record{ID: r.ID, Version: r.Version, SpecVersion: r.SpecVersion, Added: r.Added, Seq: r.Seq, Raw: r.Raw}
	}
	return page, nil
}

// known says whether any version of an object is visible in a collection.
func known(ctx context.Context, view *vault.View, within, id string) error {
	if within == "" {
		_, err := view.Get(ctx, id) // logs a denial where there is one
		return err
	}
	got, err := view.Page(ctx, vault.Query{Match: vault.Match{IDs: []string{id}, Versions: []string{"all"}, Collection: within}, Limit: 1, Bare: true})
	if err == nil && len(got.Rows) == 0 {
		err = vault.ErrNotFound
	}
	return err
}

// wording turns the vault's answers into TAXII's.
func wording(err error) error {
	switch {
	case errors.Is(err, vault.ErrNotFound):
		return taxii.ErrNotFound
	case errors.Is(err, vault.ErrQuery):
		return &taxii.Error{Title: "Bad query parameter", HTTPStatus: http.StatusBadRequest, ErrorCode: "bad-parameter", Description: err.Error()}
	}
	return err
}
