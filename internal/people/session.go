package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// SessionLife is how long a sign-in lasts; a working day.
const SessionLife = 12 * time.Hour

// session is what the vault keeps of a sign-in or an API token. The token
// itself is never stored: its SHA-256 is the key.
type session struct {
	Person  string    `json:"person"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Purpose string    `json:"purpose"` // "web" or "api"
}

// attempts counts failed sign-ins of one name.
type attempts struct {
	Failed int       `json:"failed"`
	Next   time.Time `json:"next"` // no attempt is looked at before
}

// freeAttempts failures cost nothing; each further one doubles the wait, up
// to an hour.
const freeAttempts = 5

func (a *attempts) fail(now time.Time) {
	a.Failed++
	if over := a.Failed - freeAttempts; over > 0 {
		a.Next = now.Add(min(time.Hour, time.Second<<min(over, 12)))
	}
}

// SignIn checks a password and opens a session. The token is shown once. An
// unknown name, a wrong password and a suspended person give the same
// [ErrSignIn] after the same work.
func (r *Registry) SignIn(ctx context.Context, id, password string) (token string, p Person, err error) {
	now := r.now().UTC()
	known := personID.MatchString(id)
	key := id
	if !known {
		key = "-" // every name that cannot exist shares one counter
	}
	tried, err := read[attempts](r, ctx, spaceAttempt, key, ErrUnknown)
	if err == nil && now.Before(tried.Next) {
		return "", Person{}, ErrSlowDown
	}
	verifier := nobody
	if known {
		if p, err = r.Get(ctx, id); err == nil && p.Verifier != nil {
			verifier = p.Verifier
		}
	}
	if !verify(verifier, password) || !r.mayEnter(p) {
		return "", Person{}, r.refuseSignIn(ctx, key, now)
	}
	token, err = r.open(ctx, p, "web", now.Add(SessionLife), tried.Failed > 0)
	return token, p, err
}

// refuseSignIn counts and logs a failure, and gives the answer to it.
func (r *Registry) refuseSignIn(ctx context.Context, key string, now time.Time) error {
	_, err := r.vault.Act(ctx, audit.Act{Actor: "person:" + key, Verb: "sign-in-refused"}, func(tx *vault.Tx) error {
		var tried attempts
		if b, ok, err := tx.Record(spaceAttempt, key); err != nil {
			return err
		} else if ok {
			if err := json.Unmarshal(b, &tried); err != nil {
				return fmt.Errorf("read failed attempts: %w", err)
			}
		}
		tried.fail(now)
		return put(tx, spaceAttempt, key, tried)
	})
	if err != nil {
		return err
	}
	return ErrSignIn
}

// APIToken makes a token for programs that act as the person, good for life.
func (r *Registry) APIToken(ctx context.Context, p Person, life time.Duration) (string, error) {
	return r.open(ctx, p, "api", r.now().UTC().Add(life), false)
}

func (r *Registry) open(ctx context.Context, p Person, purpose string, expires time.Time, clear bool) (string, error) {
	secret := make([]byte, 32)
	rand.Read(secret)
	token := base64.RawURLEncoding.EncodeToString(secret)
	act := audit.Act{Actor: p.ReaderID(), Verb: "sign-in", Detail: map[string]string{"purpose": purpose, "until": strconv.FormatInt(expires.Unix(), 10)}}
	_, err := r.vault.Act(ctx, act, func(tx *vault.Tx) error {
		if clear {
			if err := tx.DeleteRecord(spaceAttempt, p.ID); err != nil {
				return err
			}
		}
		if err := tx.PutRecord(spaceFounding, closedKey, []byte("true")); err != nil {
			return err
		}
		return put(tx, spaceSession, sessionKey(token), session{p.ID, r.now().UTC(), expires, purpose})
	})
	return token, err
}

// sessionKey hashes a token. Looking up a hash leaks nothing by its timing.
func sessionKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Session gives the person behind a token, as they are now: a suspension or
// a revoked clearance acts on the next request.
func (r *Registry) Session(ctx context.Context, token string) (Person, error) {
	s, err := read[session](r, ctx, spaceSession, sessionKey(token), ErrSession)
	if err != nil {
		return Person{}, ErrSession
	}
	if !r.now().Before(s.Expires) {
		return Person{}, ErrSession
	}
	p, err := r.Get(ctx, s.Person)
	if err != nil || !r.mayEnter(p) {
		return Person{}, ErrSession
	}
	return p, nil
}

// mayEnter says whether the person may be here at all: not suspended, and of a
// visitor that a word of their node holds.
func (r *Registry) mayEnter(p Person) bool {
	if p.Suspended != nil {
		return false
	}
	if p.Visitor == "" {
		return true
	}
	_, err := r.visits(p, r.now())
	return err == nil
}

// SignOut ends a session. Ending one that does not exist is no error.
func (r *Registry) SignOut(ctx context.Context, token string) error {
	key := sessionKey(token)
	s, err := read[session](r, ctx, spaceSession, key, ErrSession)
	if err != nil {
		return nil
	}
	_, err = r.vault.Act(ctx, audit.Act{Actor: "person:" + s.Person, Verb: "sign-out"}, func(tx *vault.Tx) error {
		return tx.DeleteRecord(spaceSession, key)
	})
	return err
}
