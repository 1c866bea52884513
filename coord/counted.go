package coord

import (
	"context"
	"errors"
)

// Counted are posts that have been counted and may become more: names are
// numbers, popularity and activity are added up, and the posts of each object
// lie in order of time. What is added later, however late it was posted, is
// merged in; nothing is read twice. The odds depend on all counts and are
// computed at each [Counted.Detect].
//
// Law: whatever way the same posts are added, in the same order, the results
// are those of one [Detect] over all of them.
type Counted struct {
	p      *posts
	opt    Options
	broken error
}

// NewCounted begins without posts. Scratch is not used for the posts: they must
// fit in opt.Memory, else Add fails with [ErrMemory].
func NewCounted(opt Options) (*Counted, error) {
	if err := opt.normalise(); err != nil {
		return nil, err
	}
	c := &Counted{opt: opt}
	c.opt.Scratch = nil
	c.p = newPosts(&c.opt)
	return c, nil
}

// Posts is how many posts were added.
func (c *Counted) Posts() int64 { return c.p.in.Rows }

// Declare replaces [Options.Declared] and [Options.Facts].
func (c *Counted) Declare(owners map[string]string, facts map[string][]string) {
	c.opt.Declared, c.opt.Facts = owners, facts
}

// Add reads src to its end. After an error the state is of no use any more.
func (c *Counted) Add(ctx context.Context, src Source) error {
	if c.broken == nil {
		c.broken = c.p.load(ctx, src)
	}
	return c.broken
}

// Detect returns the network of all posts added. Close the result before
// adding more. scratch may be nil.
func (c *Counted) Detect(ctx context.Context, scratch Scratch) (*Result, error) {
	if c.broken != nil {
		return nil, errors.Join(errors.New("the counted posts are incomplete"), c.broken)
	}
	c.opt.Scratch = scratch
	defer func() { c.opt.Scratch = nil }()
	return withLedger(&c.opt, func() (*Result, error) { return detect(ctx, c.p) })
}
