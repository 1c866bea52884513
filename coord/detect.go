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
	var scratch *ledger
	if opt.Scratch != nil {
		scratch = &ledger{Scratch: opt.Scratch}
		opt.Scratch = scratch
	}
	r, err := detect(ctx, src, &opt)
	if err != nil {
		if scratch != nil {
			err = errors.Join(err, scratch.close())
		}
		return nil, err
	}
	if scratch != nil {
		r.scratch = scratch
		r.Summary.Load.Spilled = scratch.used
	}
	return r, nil
}

func detect(ctx context.Context, src Source, opt *Options) (*Result, error) {
	p, err := load(ctx, src, opt)
	if err != nil {
		return nil, err
	}
	p.contents.table = nil // no more look-ups
	if opt.Semantics == Corrected {
		return detectCorrected(ctx, p)
	}
	return detectPairs(ctx, p)
}
