package statement

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"causeway/internal/folderlock"
)

// Refusals of a witness, with the status codes of C2SP tlog-witness.
var (
	ErrUnknownLog = errors.New("the witness does not follow this log")                            // 404
	ErrNotSigned  = errors.New("no key of the log signed the checkpoint")                         // 403
	ErrBadRequest = errors.New("want: old SIZE, proof lines, an empty line, the checkpoint")      // 400
	ErrBadProof   = errors.New("the proof does not lead from the old checkpoint to the new one")  // 422
	ErrClock      = errors.New("the witness's clock is behind its own last cosignature: mend it") // 503
)

// A ConflictError is a witness's answer to a size or root that is not what it
// has co-signed: 409.
type ConflictError struct{ Size int64 }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("the witness has co-signed size %d of this log; what it is asked does not follow from that", e.Size)
}

// maxProof is the most lines a consistency proof may have (C2SP tlog-witness).
const maxProof = 63

// Witness co-signs the checkpoints of the logs it follows: each must contain
// all that the one before contained. It is a small process of its own, with its
// own key and state, in a nation that does not run the log. The folder holds
// secrets/ and public/ (its one key) and logs/ (one file a log).
type Witness struct {
	dir  Folder
	key  Secret
	now  func() time.Time
	lock *os.File
	keep func(name string, b []byte) error // writes durably; tests let it fail

	mu   sync.Mutex
	logs map[string]*witnessed // by origin
}

// witnessed is a followed log and the last checkpoint that was co-signed.
type witnessed struct {
	Origin string    `json:"origin"`
	Keys   []Key     `json:"keys"`
	Size   int64     `json:"size"`
	Root   []byte    `json:"root,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// Followed says how far a witness is with a log.
type Followed struct {
	Origin string    `json:"origin"`
	Size   int64     `json:"size"`
	Root   string    `json:"root,omitempty"`
	At     time.Time `json:"at,omitzero"` // of the last cosignature
}

// OpenWitness takes a witness's folder for this process.
func OpenWitness(dir string, now func() time.Time) (*Witness, error) {
	w := &Witness{dir: Folder(dir), now: now, keep: keepDurably, logs: map[string]*witnessed{}}
	secrets, err := w.dir.Secrets()
	if err != nil {
		return nil, err
	}
	if len(secrets) != 1 || secrets[0].Purpose != "witness" {
		return nil, fmt.Errorf("open the witness: %s must hold exactly one key, for witness: make it with causeway witness init", w.dir.at("secrets"))
	}
	w.key = secrets[0]
	if w.lock, err = folderlock.Take(w.dir.at("lock")); err != nil {
		return nil, fmt.Errorf("open the witness: %w", err)
	}
	if err := w.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("open the witness: %w", err), w.Close())
	}
	return w, nil
}

// read reads what is known of every log.
func (w *Witness) read() error {
	names, err := filepath.Glob(w.dir.at("logs", "*.json"))
	if err != nil {
		return err
	}
	for _, n := range names {
		var l witnessed
		b, err := os.ReadFile(n)
		if err == nil {
			err = json.Unmarshal(b, &l)
		}
		if err != nil || l.Origin == "" || n != w.file(l.Origin) {
			return fmt.Errorf("%s is damaged: %v; a witness that has forgotten must not sign: restore it from a backup taken since its last answer, or follow the log with a new key", n, err)
		}
		w.logs[l.Origin] = &l
	}
	return nil
}

// WitnessLogs reads how far a witness is, also while it serves.
func WitnessLogs(dir string) ([]Followed, error) {
	w := &Witness{dir: Folder(dir), logs: map[string]*witnessed{}}
	if err := w.read(); err != nil {
		return nil, err
	}
	return w.Logs(), nil
}

// Close gives the folder back.
func (w *Witness) Close() error { return w.lock.Close() }

// Key is the witness's public key.
func (w *Witness) Key() (Key, error) { return w.key.Public(w.now()) }

func (w *Witness) file(origin string) string { return w.dir.at("logs", KeyFile(origin)) }

// Follow takes a log up, from the metadata of its site, or takes its keys of
// now; how far the witness is with it stays.
func (w *Witness) Follow(m *Metadata) error {
	if !keyForm.MatchString(m.LogOrigin) {
		return fmt.Errorf("follow: %q is no log's name", m.LogOrigin)
	}
	l := witnessed{Origin: m.LogOrigin}
	for _, k := range m.Keys {
		if k.Purpose == "log" && k.Name == m.LogOrigin {
			l.Keys = append(l.Keys, k)
		}
	}
	if len(l.Keys) == 0 {
		return fmt.Errorf("follow: the metadata hold no key of the log %s", m.LogOrigin)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if old := w.logs[l.Origin]; old != nil {
		l.Size, l.Root, l.At = old.Size, old.Root, old.At
	}
	return w.store(l)
}

// store writes what is known of a log, and knows it only then.
func (w *Witness) store(l witnessed) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := w.keep(w.file(l.Origin), b); err != nil {
		return fmt.Errorf("keep the state of %s: %w", l.Origin, err)
	}
	w.logs[l.Origin] = &l
	return nil
}

// keepDurably writes a file whole, and its name in the folder, to the disk.
func keepDurably(name string, b []byte) error {
	if err := writeWhole(name, b, 0o600); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Logs lists what the witness follows, by origin.
func (w *Witness) Logs() (out []Followed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.logs {
		out = append(out, Followed{l.Origin, l.Size, base64.StdEncoding.EncodeToString(l.Root), l.At})
	}
	slices.SortFunc(out, func(a, b Followed) int { return strings.Compare(a.Origin, b.Origin) })
	return out
}

// AddCheckpoint co-signs a checkpoint that contains the last one, and gives the
// signature lines. It checks and keeps in one step, and keeps before it
// answers: what it has answered it cannot forget. A fork or a step back is a
// *ConflictError or ErrBadProof.
func (w *Witness) AddCheckpoint(old int64, proof []tlog.Hash, checkpoint []byte) (string, error) {
	origin, _, _ := strings.Cut(string(checkpoint), "\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.logs[origin]
	if l == nil {
		return "", ErrUnknownLog
	}
	c := openCheckpoint(checkpoint, &Metadata{LogOrigin: l.Origin, Keys: l.Keys})
	if c.err != nil {
		return "", fmt.Errorf("%w: %w", ErrNotSigned, c.err)
	}
	switch {
	case old < 0 || old > c.size || len(proof) > maxProof || old == 0 && len(proof) > 0:
		return "", ErrBadRequest
	case old != l.Size:
		return "", &ConflictError{l.Size}
	case old == c.size && l.Size > 0 && string(l.Root) != string(c.root[:]):
		return "", &ConflictError{l.Size}
	}
	if err := follow(proof, old, l.Root, c.size, c.root); err != nil {
		return "", err
	}
	now := w.now().UTC().Truncate(time.Second)
	if now.Before(l.At) || now.Year() < 2020 {
		return "", ErrClock
	}
	text, _, _ := strings.Cut(string(checkpoint), "\n\n")
	lines, err := w.key.Cosign(text+"\n", now)
	if err != nil {
		return "", err
	}
	next := *l
	next.Size, next.Root, next.At = c.size, c.root[:], now
	if err := w.store(next); err != nil {
		return "", err
	}
	return lines, nil
}

// follow checks that a tree contains an older one.
func follow(proof []tlog.Hash, old int64, oldRoot []byte, size int64, root tlog.Hash) error {
	if old == 0 || old == size {
		if len(proof) > 0 {
			return ErrBadProof
		}
		return nil
	}
	if err := tlog.CheckTree(proof, size, root, old, tlog.Hash(oldRoot)); err != nil {
		return fmt.Errorf("%w: %w", ErrBadProof, err)
	}
	return nil
}

// ParseAddCheckpoint reads the body of a witness's call (C2SP tlog-witness).
func ParseAddCheckpoint(body []byte) (old int64, proof []tlog.Hash, checkpoint []byte, err error) {
	head, rest, ok := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	size, isOld := strings.CutPrefix(lines[0], "old ")
	if !ok || !isOld || len(lines) > 1+maxProof {
		return 0, nil, nil, ErrBadRequest
	}
	if old, err = strconv.ParseInt(size, 10, 64); err != nil || old < 0 || strconv.FormatInt(old, 10) != size {
		return 0, nil, nil, ErrBadRequest
	}
	for _, l := range lines[1:] {
		b, err := base64.StdEncoding.Strict().DecodeString(l)
		if err != nil || len(b) != tlog.HashSize {
			return 0, nil, nil, ErrBadRequest
		}
		proof = append(proof, tlog.Hash(b))
	}
	return old, proof, []byte(rest), nil
}

// FormatAddCheckpoint writes the body of a witness's call.
func FormatAddCheckpoint(old int64, proof []tlog.Hash, checkpoint []byte) []byte {
	b := fmt.Appendf(nil, "old %d\n", old)
	for _, h := range proof {
		b = append(base64.StdEncoding.AppendEncode(b, h[:]), '\n')
	}
	return append(append(b, '\n'), checkpoint...)
}

// WitnessAt is a witness service that a publisher asks.
type WitnessAt struct {
	Name string `json:"name"` // of its key, which stands in public/
	URL  string `json:"url"`  // prefix; /add-checkpoint is below it
}

// Witnesses reads the services that the folder's publisher asks.
func (f Folder) Witnesses() (out []WitnessAt, err error) {
	b, err := os.ReadFile(f.at("witnesses.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.at("witnesses.json"), err)
	}
	return out, nil
}

// TrustWitness puts a witness's public key among the trusted ones and has
// publication ask it; it gives the key's name.
func (f Folder) TrustWitness(public []byte, address string) (string, error) {
	var k Key
	if err := json.Unmarshal(public, &k); err != nil || k.Purpose != "witness" || !keyForm.MatchString(k.Name) {
		return "", errors.New("add a witness: the file is not the public key of a witness")
	}
	if _, err := k.verifiers(); err != nil {
		return "", fmt.Errorf("add a witness: %w", err)
	}
	file := f.at("public", KeyFile(k.Name))
	if old, err := os.ReadFile(file); err == nil && string(old) != string(public) {
		return "", fmt.Errorf("add a witness: %s is trusted with another key: retire that one first", k.Name)
	}
	if err := writeWhole(file, public, 0o644); err != nil {
		return "", err
	}
	return k.Name, f.AddWitness(WitnessAt{k.Name, address})
}

// AddWitness has publication ask a witness service. Its key must be trusted.
func (f Folder) AddWitness(w WitnessAt) error {
	if u, err := url.Parse(w.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("add a witness: %q is not a web address like https://witness.example", w.URL)
	}
	keys, err := f.Keys()
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(k Key) bool { return k.Name == w.Name && k.Purpose == "witness" }) {
		return fmt.Errorf("add a witness: %s holds no witness key %s: put the key that causeway witness init wrote there", f.at("public"), w.Name)
	}
	all, err := f.Witnesses()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(x WitnessAt) bool { return x.Name == w.Name })
	b, err := json.MarshalIndent(append(all, w), "", " ")
	if err != nil {
		return err
	}
	return writeWhole(f.at("witnesses.json"), b, 0o644)
}

// Quorum is the witness policy that a publisher without one of its own takes:
// that of its site, else a majority of the witnesses it can have sign, each of
// a nation of its own as far as their nations go.
func (f Folder) Quorum() (WitnessPolicy, error) {
	raw, err := f.Site().Read(metadataPath)
	if err == nil {
		var m Metadata
		err = json.Unmarshal(raw, &m)
		return m.Witnesses, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return WitnessPolicy{}, err
	}
	services, err := f.Witnesses()
	if err != nil {
		return WitnessPolicy{}, err
	}
	secrets, err := f.Secrets()
	if err != nil {
		return WitnessPolicy{}, err
	}
	keys, err := f.Keys()
	if err != nil {
		return WitnessPolicy{}, err
	}
	asked := map[string]bool{}
	for _, w := range services {
		asked[w.Name] = true
	}
	for _, s := range secrets {
		asked[s.Name] = asked[s.Name] || s.Purpose == "witness"
	}
	n, nations := 0, map[string]bool{}
	for _, k := range keys {
		if k.Purpose == "witness" && asked[k.Name] {
			n++
			nations[k.Nation] = true
		}
	}
	k := max(n/2+1, min(n, 3))
	return WitnessPolicy{K: max(k, 1), Nations: max(min(k, len(nations)), 1)}, nil
}
