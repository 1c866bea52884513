package taxii

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Discovery is what a server says about itself (section 4.1).
type Discovery struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Contact     string   `json:"contact,omitempty"`
	Default     string   `json:"default,omitempty"` // one of APIRoots
	APIRoots    []string `json:"api_roots,omitempty"`
}

// APIRoot describes one API root (section 4.2).
type APIRoot struct {
	Title            string   `json:"title"`
	Description      string   `json:"description,omitempty"`
	Versions         []string `json:"versions"`           // contains MediaType
	MaxContentLength int64    `json:"max_content_length"` // octets of a request body, > 0
}

// Collection describes one collection to one requester (section 5.2).
type Collection struct {
	ID          string   `json:"id"` // UUIDv4 where we make it; opaque where another does
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Alias       string   `json:"alias,omitempty"` // unique in its API root; answers in URLs like the id
	CanRead     bool     `json:"can_read"`        // for this requester
	CanWrite    bool     `json:"can_write"`       // for this requester
	MediaTypes  []string `json:"media_types,omitempty"`
}

// collections is the body of the collections endpoint. An empty list is not
// allowed to appear (section 5.1).
type collections struct {
	Collections []Collection `json:"collections,omitempty"`
}

// ManifestRecord describes one version of one object (section 5.3).
type ManifestRecord struct {
	ID        string `json:"id"`
	DateAdded Time   `json:"date_added"`
	Version   string `json:"version"` // the object's "modified" as its producer wrote it
	MediaType string `json:"media_type,omitempty"`
}

// Status is the fate of one POST (section 4.3). Total is Success plus Failure
// plus Pending. "complete" is final.
type Status struct {
	ID               string         `json:"id"`
	Status           string         `json:"status"` // "complete" or "pending"
	RequestTimestamp Time           `json:"request_timestamp"`
	TotalCount       int            `json:"total_count"`
	SuccessCount     int            `json:"success_count"`
	Successes        []StatusDetail `json:"successes,omitempty"`
	FailureCount     int            `json:"failure_count"`
	Failures         []StatusDetail `json:"failures,omitempty"`
	PendingCount     int            `json:"pending_count"`
	Pendings         []StatusDetail `json:"pendings,omitempty"`

	// Unlisted explains failures that Failures cannot name: a list entry
	// needs an id and a version, and these objects had none worth repeating.
	// FailureCount includes them.
	Unlisted []UnlistedFailure `json:"x_unlisted_failures,omitempty"`

	// Custom holds what a server added to the standard's properties, as a
	// [Client] received it.
	Custom map[string]json.RawMessage `json:"-"`
}

// UnmarshalJSON reads a status and keeps the properties that it does not know.
func (s *Status) UnmarshalJSON(b []byte) error {
	type plain Status // without this method
	if err := json.Unmarshal(b, (*plain)(s)); err != nil {
		return err
	}
	l := &lexer{b: b}
	return l.members(func(name string) error {
		v, err := l.raw()
		if err == nil && !statusProperties[name] {
			if s.Custom == nil {
				s.Custom = map[string]json.RawMessage{}
			}
			s.Custom[name] = bytes.Clone(v)
		}
		return err
	})
}

var statusProperties = map[string]bool{
	"id": true, "status": true, "request_timestamp": true, "total_count": true,
	"success_count": true, "successes": true, "failure_count": true, "failures": true,
	"pending_count": true, "pendings": true, "x_unlisted_failures": true,
}

// Complete and Pending are the two values of [Status.Status].
const (
	Complete = "complete"
	Pending  = "pending"
)

// StatusDetail is one object's part of a [Status].
type StatusDetail struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Message string `json:"message,omitempty"`
}

// UnlistedFailure is an object of an envelope that was refused and has no
// usable id.
type UnlistedFailure struct {
	Index   int    `json:"index"` // place in the envelope, from 0
	Message string `json:"message"`
}

// Error is the body of every answer that is not a success (section 3.6.1),
// and what [Client] returns for one. A [Backend] returns one to choose the
// answer itself.
type Error struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	ErrorID     string `json:"error_id,omitempty"`
	ErrorCode   string `json:"error_code,omitempty"`
	HTTPStatus  int    `json:"http_status,string,omitempty"` // a string on the wire

	// Challenges are what a server that answered a [Client] with 401 asks for.
	Challenges []Challenge `json:"-"`
}

func (e *Error) Error() string {
	s := e.Title
	if e.HTTPStatus != 0 {
		s = fmt.Sprintf("%d %s", e.HTTPStatus, s)
	}
	if e.Description != "" {
		s += ": " + e.Description
	}
	return s
}

// Time is a TAXII timestamp: UTC, always written with six fraction digits
// (section 1.5). Reading is lenient, since published servers are not strict:
// any RFC 3339 time is taken.
type Time struct{ time.Time }

const timeLayout = "2006-01-02T15:04:05.000000Z"

func (t Time) String() string { return t.UTC().Format(timeLayout) }

// MarshalJSON writes the one form that the standard allows.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// UnmarshalJSON reads a time.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read TAXII timestamp: %w", err)
	}
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("read TAXII timestamp: %w", err)
	}
	t.Time = v.UTC()
	return nil
}
