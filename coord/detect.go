package coord

import (
	"context"
	"errors"
)

// Detect reads src to its end and returns the network of its posts. The
// result must be closed. An error leaves no scratch file behind and no result.
func Detect(ctx context.Context, src Source, opt Options) (*Result, error) {
	if err := opt.normalise(); err != nil {
		return nil, err
	}
	return withLedger(&opt, func() (*Result, error) {
		p, err := load(ctx, src, &opt)
		if err != nil {
			return nil, err
		}
		p.contents.table = nil // no more look-ups
		return detect(ctx, p)
	})
}

// withLedger runs a detection whose scratch files are remembered: they go with
// the result, or at once when there is none.
func withLedger(opt *Options, run func() (*Result, error)) (*Result, error) {
	if opt.Scratch == nil {
		return run()
	}
	scratch := &ledger{Scratch: opt.Scratch}
	opt.Scratch = scratch
	r, err := run()
	if err != nil {
		return nil, errors.Join(err, scratch.close())
	}
	r.scratch = scratch
	r.Summary.Load.Spilled = scratch.used
	return r, nil
}

func detect(ctx context.Context, p *posts) (*Result, error) {
	if p.opt.Semantics == Corrected {
		return detectCorrected(ctx, p)
	}
	return detectPairs(ctx, p)
}
