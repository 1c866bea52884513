//go:build !js

package statement

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// maxAddCheckpoint bounds a witness's call: a proof and a checkpoint with the
// signatures of some dozen names.
const maxAddCheckpoint = 256 << 10

// sizeType is the content type of a conflict's answer (C2SP tlog-witness).
const sizeType = "text/x.tlog.size"

// Handler serves POST /add-checkpoint (C2SP tlog-witness) and, for people,
// GET /: which logs, how far.
func (w *Witness) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.addCheckpoint)
	mux.HandleFunc("GET /{$}", func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(out, "witness %s\n", w.key.Name)
		for _, l := range w.Logs() {
			fmt.Fprintf(out, "%s %d %s %s\n", l.Origin, l.Size, l.Root, l.At.Format(time.RFC3339))
		}
	})
	return mux
}

func (w *Witness) addCheckpoint(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(out, r.Body, maxAddCheckpoint))
	if err != nil {
		http.Error(out, ErrBadRequest.Error(), http.StatusBadRequest)
		return
	}
	var lines string
	old, proof, checkpoint, err := ParseAddCheckpoint(body)
	if err == nil {
		lines, err = w.AddCheckpoint(old, proof, checkpoint)
	}
	var conflict *ConflictError
	switch {
	case err == nil:
		out.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(out, lines) // the asker has gone away; it asks again
	case errors.As(err, &conflict):
		out.Header().Set("Content-Type", sizeType)
		out.WriteHeader(http.StatusConflict)
		fmt.Fprintf(out, "%d\n", conflict.Size)
	case errors.Is(err, ErrUnknownLog):
		http.Error(out, ErrUnknownLog.Error(), http.StatusNotFound)
	case errors.Is(err, ErrNotSigned):
		http.Error(out, ErrNotSigned.Error(), http.StatusForbidden)
	case errors.Is(err, ErrBadRequest):
		http.Error(out, ErrBadRequest.Error(), http.StatusBadRequest)
	case errors.Is(err, ErrBadProof):
		http.Error(out, ErrBadProof.Error(), http.StatusUnprocessableEntity)
	default: // the disk or the clock: nothing was signed
		http.Error(out, "the witness cannot keep its state; nothing was co-signed", http.StatusServiceUnavailable)
	}
}

// RemoteWitness is a Cosigner behind a web address.
type RemoteWitness struct {
	WitnessAt
	Ctx    context.Context
	Client *http.Client
}

// Called implements Cosigner.
func (w RemoteWitness) Called() string { return w.Name }

// AddCheckpoint implements Cosigner.
func (w RemoteWitness) AddCheckpoint(old int64, proof []tlog.Hash, checkpoint []byte) (string, error) {
	ctx, cancel := context.WithTimeout(w.Ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(w.URL, "/")+"/add-checkpoint", bytes.NewReader(FormatAddCheckpoint(old, proof, checkpoint)))
	if err != nil {
		return "", err
	}
	resp, err := w.Client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAddCheckpoint))
	if err != nil {
		return "", err
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		return string(b), nil
	case resp.StatusCode == http.StatusConflict && resp.Header.Get("Content-Type") == sizeType:
		size, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
		if err != nil || size < 0 {
			return "", fmt.Errorf("the witness answers a conflict without a size")
		}
		return "", &ConflictError{size}
	}
	return "", fmt.Errorf("the witness answers %s: %.200s", resp.Status, bytes.TrimSpace(b))
}
