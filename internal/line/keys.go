package line

import (
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"filippo.io/mldsa"
)

// Keys are the private keys of one generation of a node. The transport key
// is never a signing key: who may open a connection is not who may label.
type Keys struct {
	Identity *Identity      // what the keys stand for
	Signed   SignedIdentity // the identity as partners get it

	signer signer
	seal   hpke.PrivateKey
	cert   tls.Certificate
}

// Ring holds a node's generations, newest first. Older ones only open
// messages that were sealed before the partner learnt of the rotation.
type Ring struct {
	path string

	mu          sync.RWMutex
	generations []*Keys // replaced as a whole, never changed in place
}

// keepGenerations is how many generations a ring holds: the current one and
// those a message still under way may have been sealed to.
const keepGenerations = 4

// Current is the generation that signs.
func (r *Ring) Current() *Keys { return r.all()[0] }

// all gives every generation, newest first.
func (r *Ring) all() []*Keys {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.generations
}

// generation finds one by number; nil when it has been dropped.
func (r *Ring) generation(n int) *Keys {
	for _, k := range r.all() {
		if k.Identity.Generation == n {
			return k
		}
	}
	return nil
}

// Founding is what a new node says of itself in its first identity.
type Founding struct {
	Nation    string    // three capital letters
	Name      string    // shown to people
	SpeaksFor []string  // STIX identity ids whose objects this node creates
	LogKey    string    // verifier key of its audit log
	Now       time.Time // goes into the identity
}

// CreateRing makes the first generation of a node and writes it to path with
// mode 0600. It refuses to overwrite: a lost key file cannot be made again.
func CreateRing(path string, f Founding) (*Ring, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("create the node's keys: %s exists; keys are never overwritten, move the file away first", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("create the node's keys: %w", err)
	}
	k, err := generate(Identity{V: 1, Nation: f.Nation, Name: f.Name, Generation: 1, Issued: millis(f.Now),
		SpeaksFor: f.SpeaksFor, LogKey: f.LogKey}, nil)
	if err != nil {
		return nil, fmt.Errorf("create the node's keys: %w", err)
	}
	r := &Ring{generations: []*Keys{k}, path: path}
	return r, saveKeys(path, r.generations)
}

// Rotate makes the next generation, signed by the current one, and writes the
// key file before anybody sees the keys: a partner MUST never learn of keys that a crash
// could still lose.
func (r *Ring) Rotate(now time.Time) (*Keys, error) {
	cur := r.Current()
	id := *cur.Identity
	id.Generation++
	id.Issued = millis(now)
	k, err := generate(id, cur)
	if err != nil {
		return nil, fmt.Errorf("rotate the node's keys: %w", err)
	}
	old := r.all()
	next := append([]*Keys{k}, old[:min(len(old), keepGenerations-1)]...)
	if err := saveKeys(r.path, next); err != nil {
		return nil, fmt.Errorf("rotate the node's keys: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.generations = next
	return k, nil
}

// secrets is one generation in the key file.
type secrets struct {
	Signed  SignedIdentity `json:"signed"`
	Ed25519 []byte         `json:"ed25519"` // seed
	MLDSA65 []byte         `json:"mldsa65"` // seed
	HPKE    []byte         `json:"hpke"`
	TLS     []byte         `json:"tls"` // Ed25519 seed
}

// keyFile is the form of the key file.
type keyFile struct {
	V           int       `json:"v"`
	Warning     string    `json:"warning"`
	Generations []secrets `json:"generations"`
}

const keyFileWarning = "private keys of a causeway node: never copy, mail or commit this file"

// generate makes keys for id; prev signs the succession when there is one.
func generate(id Identity, prev *Keys) (*Keys, error) {
	var s secrets
	s.Ed25519 = randomBytes(ed25519.SeedSize)
	s.MLDSA65 = randomBytes(mldsa.PrivateKeySize)
	s.TLS = randomBytes(ed25519.SeedSize)
	seal, err := sealKEM().GenerateKey()
	if err != nil {
		return nil, err
	}
	if s.HPKE, err = seal.Bytes(); err != nil {
		return nil, err
	}
	ed := ed25519.NewKeyFromSeed(s.Ed25519)
	ml, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), s.MLDSA65)
	if err != nil {
		return nil, err
	}
	id.Ed25519 = ed.Public().(ed25519.PublicKey)
	id.MLDSA65 = ml.PublicKey().Bytes()
	id.HPKE = seal.PublicKey().Bytes()
	if id.TLS, err = pinOf(ed25519.NewKeyFromSeed(s.TLS).Public()); err != nil {
		return nil, err
	}
	if id.Generation == 1 {
		id.Node = nodeID(id.Nation, id.Ed25519, id.MLDSA65, id.HPKE)
	}
	if err := id.complete(); err != nil {
		return nil, err
	}
	s.Signed.Body = mustCanonical(&id)
	if s.Signed.Signatures, err = (signer{ed, ml}).sign(typeIdentity, s.Signed.Body); err != nil {
		return nil, err
	}
	if prev != nil {
		p, err := prev.signer.sign(typeIdentity, s.Signed.Body)
		if err != nil {
			return nil, err
		}
		s.Signed.Previous = &p
	}
	return s.keys()
}

// keys turns the file's form into usable keys, and checks that the private
// keys belong to the identity beside them.
func (s *secrets) keys() (*Keys, error) {
	id, err := s.Signed.Verify()
	if err != nil {
		return nil, err
	}
	if len(s.Ed25519) != ed25519.SeedSize || len(s.TLS) != ed25519.SeedSize {
		return nil, errors.New("an Ed25519 seed in the key file has the wrong length")
	}
	k := &Keys{Identity: id, Signed: s.Signed}
	k.signer.ed = ed25519.NewKeyFromSeed(s.Ed25519)
	if k.signer.ml, err = mldsa.NewPrivateKey(mldsa.MLDSA65(), s.MLDSA65); err != nil {
		return nil, errors.New("the ML-DSA-65 seed in the key file has the wrong length")
	}
	if k.seal, err = sealKEM().NewPrivateKey(s.HPKE); err != nil {
		return nil, errors.New("the HPKE key in the key file cannot be read")
	}
	probe, err := k.signer.sign(typeIdentity, []byte("probe"))
	if err != nil {
		return nil, err
	}
	if id.verifier.verify(typeIdentity, []byte("probe"), probe) != nil || string(k.seal.PublicKey().Bytes()) != string(id.HPKE) {
		return nil, errors.New("the private keys do not belong to the identity beside them")
	}
	if k.cert, err = selfSigned(ed25519.NewKeyFromSeed(s.TLS), id.Node); err != nil {
		return nil, err
	}
	return k, nil
}

// secrets is the inverse of keys.
func (k *Keys) secrets() (secrets, error) {
	seal, err := k.seal.Bytes()
	if err != nil {
		return secrets{}, err
	}
	return secrets{Signed: k.Signed, Ed25519: k.signer.ed.Seed(), MLDSA65: k.signer.ml.Bytes(), HPKE: seal,
		TLS: k.cert.PrivateKey.(ed25519.PrivateKey).Seed()}, nil
}

// saveKeys replaces the key file so that a crash leaves the old or the new one.
func saveKeys(path string, generations []*Keys) error {
	f := keyFile{V: 1, Warning: keyFileWarning}
	for _, k := range generations {
		s, err := k.secrets()
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		f.Generations = append(f.Generations, s)
	}
	return writePrivate(path, mustCanonical(f))
}

// LoadRing reads the key file. A file that others may read is refused: its
// keys have to count as known to them.
func LoadRing(path string) (*Ring, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the node's keys: %w; \"causeway init\" makes them", err)
	}
	if runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("open the node's keys: %s may be read by others (mode %04o); if nobody did, run: chmod 600 %s", path, st.Mode().Perm(), path)
	}
	if st.Size() > 1<<20 {
		return nil, fmt.Errorf("open the node's keys: %s has %d bytes; a key file is far smaller", path, st.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open the node's keys: %w", err)
	}
	var f keyFile
	if err := decodeCanonical(b, 1<<20, &f); err != nil {
		return nil, fmt.Errorf("open the node's keys in %s: %w", path, err)
	}
	if f.V != 1 || len(f.Generations) == 0 {
		return nil, fmt.Errorf("open the node's keys in %s: not a key file of version 1", path)
	}
	r := &Ring{path: path}
	for i := range f.Generations {
		k, err := f.Generations[i].keys()
		if err != nil {
			return nil, fmt.Errorf("open the node's keys in %s: generation at place %d: %w", path, i+1, err)
		}
		r.generations = append(r.generations, k)
	}
	return r, nil
}

// writePrivate writes a file only its owner may read, all of it or none.
func writePrivate(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // fails once the file has its own name
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// syncDir makes a rename survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// pinOf is the digest by which a partner knows a transport key.
func pinOf(pub any) (Digest, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return Digest{}, err
	}
	return sha256.Sum256(spki), nil
}

// selfSigned makes the certificate that carries the transport key. Only the
// key in it is ever checked; names and dates in it decide nothing.
func selfSigned(key ed25519.PrivateKey, node string) (tls.Certificate, error) {
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: node},
		DNSNames:     []string{node},
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make the transport certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// randomBytes never fails: crypto/rand ends the process when the system has
// no randomness.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
