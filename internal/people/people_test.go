package people_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

// clock is a node's clock that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func open(t *testing.T) (*people.Registry, *vault.Vault, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
	v, err := vault.Open(t.Context(), vault.Config{Dir: t.TempDir(), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	ps, err := policies.Set("test")
	if err != nil {
		t.Fatal(err)
	}
	return people.New(v, func() *label.Policies { return ps }, "BEL-TEST", c.now), v, c
}

const password = "correct horse battery"

func add(t *testing.T, r *people.Registry, id string, roles ...people.Role) people.Person {
	t.Helper()
	if err := r.Add(t.Context(), "node", people.Person{ID: id, Name: id, Nation: "BEL", Roles: roles}, password); err != nil {
		t.Fatal(err)
	}
	p, err := r.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAddRefuses(t *testing.T) {
	r, _, _ := open(t)
	good := people.Person{ID: "ana", Name: "Ana", Nation: "BEL", Roles: []people.Role{people.Analyst}}
	for name, c := range map[string]struct {
		change   func(*people.Person)
		password string
	}{
		"id":             {func(p *people.Person) { p.ID = "Ana Maria" }, password},
		"no name":        {func(p *people.Person) { p.Name = "" }, password},
		"nation":         {func(p *people.Person) { p.Nation = "be" }, password},
		"role":           {func(p *people.Person) { p.Roles = []people.Role{"admin"} }, password},
		"short password": {func(*people.Person) {}, "too short"},
	} {
		p := good
		c.change(&p)
		if err := r.Add(t.Context(), "node", p, c.password); err == nil {
			t.Errorf("%s: added", name)
		}
	}
	add(t, r, "ana")
	if err := r.Add(t.Context(), "node", good, password); err == nil {
		t.Error("the same id was added twice")
	}
}

func TestSignIn(t *testing.T) {
	r, _, c := open(t)
	add(t, r, "ana", people.Analyst)
	ctx := t.Context()
	for name, try := range map[string][2]string{"wrong password": {"ana", "wrong horse battery"}, "unknown": {"bob", password}, "impossible": {"'; --", password}} {
		if _, _, err := r.SignIn(ctx, try[0], try[1]); !errors.Is(err, people.ErrSignIn) {
			t.Errorf("%s: %v, want the one answer", name, err)
		}
	}
	token, p, err := r.SignIn(ctx, "ana", password)
	if err != nil || p.ID != "ana" {
		t.Fatal(p.ID, err)
	}
	if p, err := r.Session(ctx, token); err != nil || p.ID != "ana" {
		t.Error("the session does not hold:", err)
	}
	if _, err := r.Session(ctx, token+"x"); !errors.Is(err, people.ErrSession) {
		t.Error("another token opens the session")
	}
	if err := r.Suspend(ctx, "node", "ana", "test"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Session(ctx, token); !errors.Is(err, people.ErrSession) {
		t.Error("a suspended person's open session still works")
	}
	if _, _, err := r.SignIn(ctx, "ana", password); !errors.Is(err, people.ErrSignIn) {
		t.Error("a suspended person may sign in:", err)
	}
	if err := r.Reinstate(ctx, "node", "ana"); err != nil {
		t.Fatal(err)
	}
	if err := r.SignOut(ctx, token); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Session(ctx, token); !errors.Is(err, people.ErrSession) {
		t.Error("the session outlives its sign-out")
	}
	token, _, err = r.SignIn(ctx, "ana", password)
	if err != nil {
		t.Fatal(err)
	}
	c.t = c.t.Add(people.SessionLife)
	if _, err := r.Session(ctx, token); !errors.Is(err, people.ErrSession) {
		t.Error("the session does not end")
	}
}

func TestGuessingSlowsDown(t *testing.T) {
	r, _, c := open(t)
	add(t, r, "ana")
	ctx := t.Context()
	slowed := false
	for range 8 {
		_, _, err := r.SignIn(ctx, "ana", "wrong horse battery")
		slowed = slowed || errors.Is(err, people.ErrSlowDown)
	}
	if !slowed {
		t.Fatal("eight guesses in one second were all looked at")
	}
	if _, _, err := r.SignIn(ctx, "ana", password); !errors.Is(err, people.ErrSlowDown) {
		t.Error("the right password is looked at before the wait is over:", err)
	}
	c.t = c.t.Add(time.Hour)
	if _, _, err := r.SignIn(ctx, "ana", password); err != nil {
		t.Error("the right password after the wait:", err)
	}
}

func grant(t *testing.T, c *clock, level string) people.Grant {
	t.Helper()
	cl, err := policies.NationalClearance("BEL", level)
	if err != nil {
		t.Fatal(err)
	}
	xml, err := stanag4774.WriteClearance(cl)
	if err != nil {
		t.Fatal(err)
	}
	return people.Grant{Clearance: string(xml), Basis: "Act on classification of 11 December 1998", From: c.t, Until: c.t.AddDate(5, 0, 0)}
}

// reads says whether a person may read NATO SECRET now.
func reads(t *testing.T, r *people.Registry, id string, at time.Time) bool {
	t.Helper()
	ps, err := policies.Set("test")
	if err != nil {
		t.Fatal(err)
	}
	rule, err := ps.Rule(policies.NATOLabel("SECRET", at, at.AddDate(1, 0, 0)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := r.Reader(p)
	if err != nil {
		t.Fatal(err)
	}
	return label.Allows(rule, reader.Holdings)
}

func TestClearanceNeedsTwoOfficers(t *testing.T) {
	r, _, c := open(t)
	ctx := t.Context()
	ana := add(t, r, "ana", people.Analyst)
	one, two := add(t, r, "one", people.SecurityOfficer), add(t, r, "two", people.SecurityOfficer)
	made := c.t
	if _, err := r.Request(ctx, ana, "ana", grant(t, c, "SECRET")); !errors.Is(err, people.ErrForbidden) {
		t.Error("an analyst may ask for a clearance:", err)
	}
	id, err := r.Request(ctx, one, "ana", grant(t, c, "SECRET"))
	if err != nil {
		t.Fatal(err)
	}
	if reads(t, r, "ana", made) {
		t.Error("a clearance is in force before the second officer")
	}
	if err := r.Approve(ctx, one, id); !errors.Is(err, people.ErrForbidden) {
		t.Error("one officer may both ask and approve:", err)
	}
	if err := r.Approve(ctx, two, id); err != nil {
		t.Fatal(err)
	}
	if !reads(t, r, "ana", made) {
		t.Error("an approved clearance gives nothing")
	}
	if err := r.Approve(ctx, two, id); err == nil {
		t.Error("a request was approved twice")
	}
	own, err := r.Request(ctx, one, "two", grant(t, c, "SECRET"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Approve(ctx, two, own); !errors.Is(err, people.ErrForbidden) {
		t.Error("an officer may approve their own clearance:", err)
	}
	if err := r.Revoke(ctx, one, "ana", id, "test"); err != nil {
		t.Fatal(err)
	}
	if reads(t, r, "ana", made) {
		t.Error("a revoked clearance still gives access")
	}
}

func TestClearanceEnds(t *testing.T) {
	r, _, c := open(t)
	add(t, r, "ana")
	made := c.t
	if err := r.Found(t.Context(), "ana", grant(t, c, "SECRET")); err != nil {
		t.Fatal(err)
	}
	if !reads(t, r, "ana", made) {
		t.Fatal("a founding clearance gives nothing")
	}
	c.t = made.AddDate(5, 0, 0)
	if reads(t, r, "ana", made) {
		t.Error("the clearance outlives its last day")
	}
	long := grant(t, c, "SECRET")
	long.Until = long.From.AddDate(11, 0, 0)
	if err := r.Found(t.Context(), "ana", long); err == nil {
		t.Error("a clearance of eleven years was granted")
	}
	if _, _, err := r.SignIn(t.Context(), "ana", password); err != nil {
		t.Fatal(err)
	}
	if err := r.Found(t.Context(), "ana", grant(t, c, "SECRET")); !errors.Is(err, people.ErrForbidden) {
		t.Error("a founding clearance was granted on a node in use:", err)
	}
}
