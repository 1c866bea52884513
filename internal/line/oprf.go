package line

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cloudflare/circl/oprf"
	"github.com/cloudflare/circl/zk/dleq"
)

// The function of a blind match is the verifiable oblivious pseudorandom
// function of RFC 9497, mode VOPRF (section 3.3.2), suite ristretto255-SHA512
// (section 4.1). The holder's key is good for one partner in one epoch.
var suite = oprf.SuiteRistretto255

const (
	elementSize = 32 // a ristretto255 element
	tagLength   = 16 // bytes of an output that are compared
	matchBatch  = 1_000
	maxMatchSet = 1 << 20
)

var errMatch = errors.New("the blind match failed")

// evaluator is the holder's side.
type evaluator struct {
	server oprf.VerifiableServer
	public []byte
}

// newEvaluator derives the key for one partner and epoch from the node's own
// secret: nothing more has to be kept, and nothing can be lost.
func newEvaluator(k *Keys, partner string, epoch int64) (*evaluator, error) {
	secret, err := k.seal.Bytes()
	if err != nil {
		return nil, err
	}
	seed, err := hkdf.Key(sha256.New, secret, nil, "causeway line match key 1", 32)
	if err != nil {
		return nil, err
	}
	key, err := oprf.DeriveKey(suite, oprf.VerifiableMode, seed, fmt.Appendf(nil, "%s\x00%d", partner, epoch))
	if err != nil {
		return nil, err
	}
	public, err := key.Public().MarshalBinary()
	return &evaluator{server: oprf.NewVerifiableServer(suite, key), public: public}, err
}

// evaluate answers one batch of blinded elements, with the proof that the
// stated key was used.
func (e *evaluator) evaluate(elements []byte) (evaluated, proof []byte, err error) {
	blinded, err := readElements(elements)
	if err != nil {
		return nil, nil, err
	}
	ev, err := e.server.Evaluate(&oprf.EvaluationRequest{Elements: blinded})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errMatch, err)
	}
	if proof, err = ev.Proof.MarshalBinary(); err != nil {
		return nil, nil, err
	}
	evaluated, err = writeElements(ev.Elements)
	return evaluated, proof, err
}

// tags gives the holder's set under its key: sorted, so that order says
// nothing, and filled up with noise to the next bucket.
func (e *evaluator) tags(ctx context.Context, values []string) ([]byte, error) {
	out := make([][]byte, bucket(len(values)))
	err := spread(ctx, len(values), func(i int) error {
		y, err := e.server.FullEvaluate([]byte(values[i]))
		if err == nil {
			out[i] = y[:tagLength]
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := len(values); i < len(out); i++ {
		out[i] = randomBytes(tagLength)
	}
	slices.SortFunc(out, bytes.Compare)
	return bytes.Join(out, nil), nil
}

// bucket is the size that is shown for n: the next power of two, at least 64.
func bucket(n int) int {
	if n <= 64 {
		return 64
	}
	return 1 << bits.Len(uint(n-1))
}

// asker is the asking side of one run.
type asker struct {
	client  oprf.VerifiableClient
	batches []askerBatch
}

type askerBatch struct {
	data     *oprf.FinalizeData // nil: nothing but noise
	elements []byte
}

// newAsker blinds the values, filled up with noise to the size given. Behind
// the last value there are batches of nothing but noise: random elements,
// which the holder cannot tell from blinded values and nobody unblinds.
func newAsker(ctx context.Context, public []byte, values []string, size int) (*asker, error) {
	var pk oprf.PublicKey
	if err := pk.UnmarshalBinary(suite, public); err != nil {
		return nil, fmt.Errorf("%w: the holder's key cannot be read", errMatch)
	}
	a := &asker{client: oprf.NewVerifiableClient(suite, &pk), batches: make([]askerBatch, (size+matchBatch-1)/matchBatch)}
	err := spread(ctx, len(a.batches), func(i int) error {
		from, end := i*matchBatch, min((i+1)*matchBatch, size)
		var err error
		if from >= len(values) {
			a.batches[i].elements, err = noise(end - from)
			return err
		}
		inputs := make([][]byte, end-from)
		for k := range inputs {
			if from+k < len(values) {
				inputs[k] = []byte(values[from+k])
			} else {
				inputs[k] = append([]byte("noise\x00"), randomBytes(32)...)
			}
		}
		data, req, err := a.client.Blind(inputs)
		if err != nil {
			return err
		}
		a.batches[i].data = data
		a.batches[i].elements, err = writeElements(req.Elements)
		return err
	})
	return a, err
}

// noise gives random elements of the group.
func noise(n int) ([]byte, error) {
	es := make([]oprf.Blinded, n)
	for i := range es {
		es[i] = suite.Group().RandomElement(rand.Reader)
	}
	return writeElements(es)
}

// finalize unblinds one batch and checks the holder's proof. One bad proof
// ends the whole run.
func (a *asker) finalize(i int, evaluated, proof []byte) ([][]byte, error) {
	elements, err := readElements(evaluated)
	if err != nil {
		return nil, err
	}
	var p dleq.Proof
	if err := p.UnmarshalBinary(suite.Group(), proof); err != nil {
		return nil, fmt.Errorf("%w: the proof cannot be read", errMatch)
	}
	out, err := a.client.Finalize(a.batches[i].data, &oprf.Evaluation{Elements: elements, Proof: &p})
	if err != nil {
		return nil, fmt.Errorf("%w: the holder did not use the key it stated: %w", errMatch, err)
	}
	return out, nil
}

func readElements(b []byte) ([]oprf.Blinded, error) {
	if len(b) == 0 || len(b)%elementSize != 0 || len(b) > matchBatch*elementSize {
		return nil, fmt.Errorf("%w: a batch has 1 to %d elements of %d bytes", errMatch, matchBatch, elementSize)
	}
	out := make([]oprf.Blinded, len(b)/elementSize)
	for i := range out {
		out[i] = suite.Group().NewElement()
		if err := out[i].UnmarshalBinary(b[i*elementSize : (i+1)*elementSize]); err != nil || out[i].IsIdentity() {
			return nil, fmt.Errorf("%w: element %d is not one of the group", errMatch, i)
		}
	}
	return out, nil
}

func writeElements(es []oprf.Blinded) ([]byte, error) {
	out := make([]byte, 0, len(es)*elementSize)
	for _, e := range es {
		b, err := e.MarshalBinaryCompress()
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

// spread does n pieces of work on every core and gives the first error.
func spread(ctx context.Context, n int, work func(int) error) error {
	var next atomic.Int64
	var once sync.Once
	var first error
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				err := ctx.Err()
				if err == nil {
					err = work(i)
				}
				if err != nil {
					once.Do(func() { first = err })
					next.Store(int64(n))
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}
