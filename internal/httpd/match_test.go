package httpd_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/stix"
)

// What a blind match found is shown object by object: a liaison who may not
// see an object does not learn that it was found, not even as a number. Who
// does not run lines gets nothing.
func TestMatchShowsWhatTheVisitorMaySee(t *testing.T) {
	w := found(t)
	ctx := t.Context()
	const run = "0123456789abcdef0123456789abcdef"
	brussels, err := w.node.Line.Partner(ctx, "Brussels")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	m := line.Match{Run: run, Partner: brussels.NodeID, Asker: true, Kinds: []string{"domain"}, State: line.MatchDone, Asked: 64, Held: 64, Proposed: now, Expires: now.Add(time.Hour), Done: now}
	labels := map[string]*label.Label{"open.example": policies.PublicLabel(now, now.AddDate(1, 0, 0)), "hidden.example": policies.NATOLabel("SECRET", now, now.AddDate(1, 0, 0), "JPN")}
	_, err = w.node.Vault.Act(ctx, audit.Act{Actor: "node", Verb: "test"}, func(tx *vault.Tx) error {
		for name, l := range labels {
			rule, err := w.node.Policies().Rule(l)
			if err != nil {
				return err
			}
			id, err := stix.SCOID("domain-name", map[string]any{"value": name})
			if err != nil {
				return err
			}
			o, err := stix.ParseObject([]byte(`{"type":"domain-name","spec_version":"2.1","id":"` + id + `","value":"` + name + `"}`))
			if err != nil {
				return err
			}
			if _, err := tx.Put(vault.Put{Object: o, Effective: label.Effective{Rule: rule}, Source: "local"}); err != nil {
				return err
			}
			m.Found = append(m.Found, line.Value{Text: "domain:" + name, ID: id})
		}
		b, err := json.Marshal(m)
		if err != nil {
			return err
		}
		return tx.PutRecord("line.match", run, b)
	})
	if err != nil {
		t.Fatal(err)
	}
	uncleared := people.Person{ID: "liam", Name: "Liam", Nation: "AUS", Roles: []people.Role{people.Liaison}, Lang: "en", Zone: "UTC"}
	if err := w.node.People.Add(ctx, "node", uncleared, ""); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		who          people.Person
		status       int
		open, hidden bool
	}{
		{w.person(t, people.Liaison), http.StatusOK, true, true},
		{uncleared, http.StatusOK, true, false},
		{w.person(t, people.Analyst), http.StatusForbidden, false, false},
	} {
		res, body := w.as(t, tt.who, "en").do(t, http.MethodGet, "/matches/"+run, url.Values{})
		if res.StatusCode != tt.status || strings.Contains(body, "open.example") != tt.open || strings.Contains(body, "hidden.example") != tt.hidden {
			t.Errorf("%s: status %d, open shown %v, hidden shown %v", tt.who.ID, res.StatusCode, strings.Contains(body, "open.example"), strings.Contains(body, "hidden.example"))
		}
	}
}
