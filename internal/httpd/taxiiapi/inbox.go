package taxiiapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label/marking"
	"causeway/stix"
	"causeway/taxii"
)

const (
	batch     = 2000               // objects per transaction: others write in between
	statusAge = 7 * 24 * time.Hour // for which a status can be read
)

// judged is one object of an envelope, or why it is refused.
type judged struct {
	put vault.Put
	why string
}

// Add implements [taxii.Backend]. Every object is judged by itself. What a
// submitter adds is kept as their own record: it neither replaces nor is
// refused because of what others said, so an answer tells nothing of theirs.
func (x *exchange) Add(ctx context.Context, _, _ string, objects []json.RawMessage) (taxii.Status, error) {
	began := x.Now().UTC()
	items, err := x.judge(ctx, objects)
	if err != nil {
		return taxii.Status{}, err
	}
	status := taxii.Status{ID: uuid.NewString(), Status: taxii.Complete, RequestTimestamp: taxii.Time{Time: began}, TotalCount: len(objects)}
	act := audit.Act{Actor: x.who.Reader.ID, Verb: "put", Subject: "taxii " + status.ID}
	for part := range slices.Chunk(items, batch) {
		last := status.SuccessCount+status.FailureCount+len(part) == len(items)
		act.Detail = map[string]string{"objects": strconv.Itoa(len(part))}
		before := status
		_, err := x.Vault.Act(ctx, act, func(tx *vault.Tx) error {
			status = before // an act may be tried again
			if err := keep(tx, part, &status); err != nil {
				return err
			}
			if !last {
				return nil
			}
			return x.putStatus(tx, status)
		})
		if err != nil {
			return taxii.Status{}, fmt.Errorf("store an envelope: %w", err)
		}
	}
	return status, nil
}

// keep stores a part of an envelope and adds its fate to the status.
func keep(tx *vault.Tx, part []judged, s *taxii.Status) error {
	var puts []vault.Put
	for _, it := range part {
		if it.why == "" {
			puts = append(puts, it.put)
		}
	}
	outcomes, err := tx.Put(puts...)
	if err != nil {
		return err
	}
	for _, it := range part {
		if it.why != "" {
			refuse(s, it)
			continue
		}
		o := outcomes[0]
		outcomes = outcomes[1:]
		detail := taxii.StatusDetail{ID: o.ID, Version: o.Version}
		switch o.Status {
		case vault.Stored, vault.Present:
			s.SuccessCount++
			s.Successes = append(s.Successes, detail)
		default:
			detail.Message = "you added this version before with other content; give the object a new modified time"
			s.FailureCount++
			s.Failures = append(s.Failures, detail)
		}
	}
	return nil
}

// refuse adds a refused object to the status: by id and version if it has
// them, by its place in the envelope otherwise.
func refuse(s *taxii.Status, it judged) {
	index := s.SuccessCount + s.FailureCount
	s.FailureCount++
	o := it.put.Object
	if o == nil || o.ID() == "" || !strings.HasPrefix(o.ID(), o.Type()+"--") {
		s.Unlisted = append(s.Unlisted, taxii.UnlistedFailure{Index: index, Message: it.why})
		return
	}
	s.Failures = append(s.Failures, taxii.StatusDetail{ID: o.ID(), Version: versionText(o), Message: it.why})
}

func versionText(o *stix.Object) string {
	if t := o.Version(); !t.IsZero() {
		return t.String()
	}
	return vault.Unversioned
}

// judge parses, validates and labels every object. Markings are looked up in
// what the requester may see, then in the envelope itself, so that an
// envelope cannot give a known marking another meaning.
func (x *exchange) judge(ctx context.Context, objects []json.RawMessage) ([]judged, error) {
	items := make([]judged, len(objects))
	if err := parallel(ctx, len(items), func(i int) { items[i] = parse(objects[i]) }); err != nil {
		return nil, err
	}
	carried := map[string]*stix.Object{}
	for _, it := range items {
		if o := it.put.Object; o != nil && it.why == "" && o.Type() == "marking-definition" && carried[o.ID()] == nil {
			carried[o.ID()] = o
		}
	}
	lookup, policies := x.lookup(ctx, carried), x.Policies()
	err := parallel(ctx, len(items), func(i int) {
		it := &items[i]
		if it.why != "" {
			return
		}
		effective, err := marking.Resolve(it.put.Object, lookup, policies)
		switch {
		case errors.Is(err, marking.ErrUnlabelled) && x.who.Unlabelled != nil:
			effective = *x.who.Unlabelled
		case errors.Is(err, marking.ErrUnlabelled):
			it.why = "no marking says who may see this object; add object_marking_refs with a label or a TLP marking"
		case err != nil:
			it.why = err.Error()
		}
		it.put.Effective, it.put.Source, it.put.Collection = effective, x.who.Reader.ID, aliasInbox
	})
	return items, err
}

func parse(raw json.RawMessage) judged {
	o, err := stix.ParseObject(raw)
	if err != nil {
		return judged{why: err.Error()}
	}
	for _, p := range stix.Validate(o) {
		if !p.Warning {
			return judged{vault.Put{Object: o}, strings.TrimPrefix(p.Path+": "+p.Text, ": ")}
		}
	}
	return judged{put: vault.Put{Object: o}}
}

// lookup finds markings, each once.
func (x *exchange) lookup(ctx context.Context, carried map[string]*stix.Object) func(string) (*stix.Object, bool) {
	view := x.Vault.As(x.who.Reader)
	var mu sync.Mutex
	found := map[string]*stix.Object{}
	return func(id string) (*stix.Object, bool) {
		mu.Lock()
		defer mu.Unlock()
		o, ok := found[id]
		if !ok {
			if row, err := view.Get(ctx, id); err == nil {
				o, _ = stix.ParseObject(row.Raw)
			}
			if o == nil {
				o = carried[id]
			}
			found[id] = o
		}
		return o, o != nil
	}
}

// parallel calls do for 0..n-1 on every core.
func parallel(ctx context.Context, n int, do func(i int)) error {
	g, ctx := errgroup.WithContext(ctx)
	const run = 64
	g.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < n; from += run {
		g.Go(func() error {
			for i := from; i < min(from+run, n); i++ {
				do(i)
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// storedStatus is a status with the one who may read it.
type storedStatus struct {
	Reader string       `json:"reader"`
	Status taxii.Status `json:"status"`
}

// putStatus keeps a status, and removes those whose time is over.
func (x *exchange) putStatus(tx *vault.Tx, s taxii.Status) error {
	b, err := json.Marshal(storedStatus{x.who.Reader.ID, s})
	if err != nil {
		return fmt.Errorf("keep a status: %w", err)
	}
	if err := tx.PutRecord(space, keyStatus+s.ID, b); err != nil {
		return err
	}
	now := x.Now()
	if err := tx.PutRecord(space, keyExpires+sortable(now.Add(statusAge))+"/"+s.ID, nil); err != nil {
		return err
	}
	var over []string
	stop := errors.New("the rest is not over")
	err = tx.ScanRecords(space, keyExpires, func(key string, _ []byte) error {
		if at, _, _ := strings.Cut(strings.TrimPrefix(key, keyExpires), "/"); at > sortable(now) || len(over) == 100 {
			return stop
		}
		over = append(over, key)
		return nil
	})
	if err != nil && !errors.Is(err, stop) {
		return err
	}
	for _, key := range over {
		if err := tx.DeleteRecord(space, keyStatus+key[strings.LastIndex(key, "/")+1:]); err != nil {
			return err
		}
		if err := tx.DeleteRecord(space, key); err != nil {
			return err
		}
	}
	return nil
}

func sortable(t time.Time) string { return fmt.Sprintf("%012d", t.Unix()) }

// Status implements [taxii.Backend]: the submitter's own, for a week.
func (x *exchange) Status(ctx context.Context, root, id string) (taxii.Status, error) {
	if _, err := x.Root(ctx, root); err != nil || root != rootNode {
		return taxii.Status{}, taxii.ErrNotFound
	}
	b, ok, err := x.Vault.Record(ctx, space, keyStatus+id)
	if err != nil {
		return taxii.Status{}, err
	}
	var s storedStatus
	if ok {
		if err := json.Unmarshal(b, &s); err != nil {
			return taxii.Status{}, fmt.Errorf("read a kept status: %w", err)
		}
	}
	if !ok || s.Reader != x.who.Reader.ID || x.Now().Sub(s.Status.RequestTimestamp.Time) > statusAge {
		return taxii.Status{}, taxii.ErrNotFound
	}
	return s.Status, nil
}

// Delete implements [taxii.Backend]: it withdraws the requester's own records
// of an object. Those of others are not theirs to withdraw.
func (x *exchange) Delete(ctx context.Context, _, _, object string, m taxii.Match) error {
	versions, err := x.own(ctx, object, m)
	if err != nil {
		return wording(err)
	}
	act := audit.Act{Actor: x.who.Reader.ID, Verb: "withdraw", Subject: object}
	_, err = x.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		for _, v := range versions {
			if _, err := tx.WithdrawOwn(x.who.Reader.ID, aliasInbox, object, v, "deleted over TAXII by who added it"); err != nil {
				return err
			}
		}
		return nil
	})
	return wording(err)
}

// own lists the versions that a DELETE means; "" is all of them.
func (x *exchange) own(ctx context.Context, object string, m taxii.Match) ([]string, error) {
	if len(m.SpecVersions) > 0 && !slices.Contains(m.SpecVersions, "2.1") {
		return nil, vault.ErrNotFound
	}
	if len(m.Versions) == 0 || m.Versions[0] == "all" {
		return []string{""}, nil
	}
	page, err := x.Vault.As(x.who.Reader).Page(ctx, vault.Query{Bare: true, Limit: vault.MaxLimit,
		Match: vault.Match{IDs: []string{object}, Versions: m.Versions, Collection: aliasInbox, Source: x.who.Reader.ID}})
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, r := range page.Rows {
		versions = append(versions, r.Version)
	}
	if len(versions) == 0 {
		return nil, vault.ErrNotFound
	}
	return versions, nil
}
