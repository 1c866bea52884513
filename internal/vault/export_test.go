package vault

import (
	"context"

	"causeway/internal/vault/internal/engine"
	"causeway/internal/vault/internal/sqlite"
)

// WithEngine puts an engine under the vault that Open opens.
func WithEngine(cfg Config, wrap func(engine.Engine) engine.Engine) (Config, error) {
	e, err := sqlite.Open(context.Background(), cfg.Dir, false)
	cfg.engine = wrap(e)
	return cfg, err
}
