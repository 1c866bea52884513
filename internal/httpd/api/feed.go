package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"causeway/internal/httpd/web"
	"causeway/internal/vault"
)

const (
	heartbeat = 25 * time.Second // keeps the connection through proxies, and notices who has gone
	burst     = 20               // events told one by one at once; the rest is on the pages
)

// feed tells what becomes available to the reader, as server-sent events. It
// starts at now, or after the event that Last-Event-ID names. The session is
// looked at again before each event: a revoked one ends the feed.
func (a *API) feed(w http.ResponseWriter, r *http.Request, who *web.Visitor) {
	flush := http.NewResponseController(w)
	changed := a.node.Vault.Watch(r.Context(), who.Reader)
	after, err := a.start(r, who)
	if err != nil {
		a.error(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if flush.Flush() != nil {
		return // no streaming here
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			fmt.Fprint(w, ": here\n\n")
		case _, open := <-changed:
			now := a.site.Visit(r)
			if now == nil {
				now = a.bearer(r)
			}
			if now == nil || !open {
				return
			}
			if after, err = a.tell(w, r, now, after); err != nil {
				return
			}
		}
		if flush.Flush() != nil {
			return
		}
	}
}

// start is where the feed goes on from: the last event the reader saw, else
// the newest row there is now.
func (a *API) start(r *http.Request, who *web.Visitor) (int64, error) {
	if seq, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil && seq >= 0 {
		return seq, nil
	}
	page, err := a.node.Vault.As(who.Reader).Page(r.Context(), vault.Query{Limit: 1, Newest: true, Bare: true})
	if err != nil || len(page.Rows) == 0 {
		return 0, err
	}
	return page.Rows[0].Seq, nil
}

// tell writes an event for each new thing that a person reads.
func (a *API) tell(w http.ResponseWriter, r *http.Request, who *web.Visitor, after int64) (int64, error) {
	for {
		page, err := a.node.Vault.As(who.Reader).Page(r.Context(), vault.Query{After: after, Limit: 500})
		if err != nil {
			return after, err
		}
		told := 0
		for _, row := range page.Rows {
			after = row.Seq
			news, ok := a.site.News(r, who, row)
			if !ok || told == burst {
				continue
			}
			told++
			b, err := json.Marshal(news)
			if err != nil {
				return after, err
			}
			if _, err := fmt.Fprintf(w, "event: available\nid: %d\ndata: %s\n\n", row.Seq, b); err != nil {
				return after, err
			}
		}
		if !page.More {
			return after, nil
		}
	}
}
