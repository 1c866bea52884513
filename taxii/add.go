package taxii

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// add takes an envelope. The Backend answers for every object of it, so that
// one bad object does not cost the good ones.
func (h *handler) add(r *request) (answer, error) {
	coll, err := r.permit(writing)
	if err != nil {
		return answer{}, err
	}
	if t := r.Header.Get("Content-Type"); !acceptsBody(t) {
		return answer{}, &Error{Title: "Unsupported media type", HTTPStatus: 415, ErrorCode: "media-type",
			Description: fmt.Sprintf("send the envelope as %s, not as %.80q", MediaType, t)}
	}
	root, err := r.b.Root(r.Context(), r.root)
	if err != nil {
		return answer{}, err
	}
	limit := h.Limits.ContentLength
	if root.MaxContentLength > 0 {
		limit = root.MaxContentLength
	}
	// Writers that know no deadline leave it to the server's own timeouts.
	r.ctl.SetReadDeadline(time.Now().Add(h.Limits.BodyTime))
	body, release, err := h.readBody(r.Request, limit)
	r.ctl.SetReadDeadline(time.Time{})
	defer release()
	if err != nil {
		return answer{}, err
	}
	env, err := ParseEnvelope(body, h.Limits.Objects)
	if err != nil {
		return answer{}, &Error{Title: "Envelope not processable", HTTPStatus: 422, ErrorCode: "envelope", Description: err.Error()}
	}
	if len(env.Objects) == 0 {
		// A status whose total is 0 would mean "not started" for ever.
		return answer{}, &Error{Title: "Envelope not processable", HTTPStatus: 422, ErrorCode: "envelope",
			Description: `the envelope holds no objects; send {"objects": [...]} with at least one`}
	}
	status, err := r.b.Add(r.Context(), r.root, coll.ID, env.Objects)
	return answer{code: http.StatusAccepted, body: status}, err
}

// readBody reads a request's body, decompressed, in at most limit octets on
// both sides of the decompression. What all requests hold together is counted
// as their buffers grow; beyond Limits.InFlight a client is asked to come
// back. The caller MUST call release once the body is no longer used, also
// after an error.
func (h *handler) readBody(r *http.Request, limit int64) (body []byte, release func(), err error) {
	held := int64(0)
	release = func() { h.inFlight.Add(-held) }
	tooLarge := &Error{Title: "Request body too large", HTTPStatus: 413, ErrorCode: "too-large",
		Description: fmt.Sprintf("this API root takes bodies of at most %d octets, before and after decompression; send several envelopes", limit)}
	if r.ContentLength > limit {
		return nil, release, tooLarge
	}
	var in io.Reader = http.MaxBytesReader(nil, r.Body, limit)
	switch enc := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); enc {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, release, bodyFault(err, tooLarge)
		}
		in = io.LimitReader(z, limit+1)
	default:
		return nil, release, &Error{Title: "Unsupported content encoding", HTTPStatus: 415, ErrorCode: "content-encoding",
			Description: fmt.Sprintf("send the body as it is or with gzip, not with %.40q", enc)}
	}
	const step = 64 << 10
	for size := int64(step); ; size = min(2*size, limit+1) {
		grow := size - int64(cap(body))
		held += grow
		if h.inFlight.Add(grow) > h.Limits.InFlight {
			return nil, release, &Error{Title: "Busy", HTTPStatus: 503, ErrorCode: "busy",
				Description: "too many large envelopes are being received at once; send this one again"}
		}
		next := make([]byte, len(body), size)
		copy(next, body)
		body = next
		for err == nil && int64(len(body)) < size {
			var n int
			n, err = in.Read(body[len(body):size])
			body = body[:len(body)+n]
		}
		switch {
		case int64(len(body)) > limit:
			return nil, release, tooLarge
		case err == io.EOF:
			return body, release, nil
		case err != nil:
			return nil, release, bodyFault(err, tooLarge)
		}
	}
}

// bodyFault words what went wrong while a body was read.
func bodyFault(err error, tooLarge *Error) error {
	var max *http.MaxBytesError
	switch {
	case errors.As(err, &max):
		return tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{Title: "Request body too slow", HTTPStatus: 408, Description: "the body did not arrive in time; send smaller envelopes"}
	}
	return &Error{Title: "Request body not readable", HTTPStatus: 400, ErrorCode: "body", Description: err.Error()}
}
