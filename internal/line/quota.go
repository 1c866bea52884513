package line

import (
	"context"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// quotaRecord counts what one partner cost this node in one hour.
type quotaRecord struct {
	Hour  int64 `json:"hour"` // hours since 1970
	Bytes int64 `json:"bytes"`
}

// charge counts bytes against a partner's quota before they are read, and
// gives how long the partner has to wait when it is used up. The count lives
// in memory: losing it at a restart costs an hour's quota, while a record for
// each message would cost a transaction.
func (l *Line) charge(node string, n int64) time.Duration {
	now := l.now()
	hour := now.Unix() / 3600
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.quotas[node]
	if q.Hour != hour {
		q = quotaRecord{Hour: hour}
	}
	if q.Bytes+n > l.limits.BytesPerHour {
		return time.Unix((hour+1)*3600, 0).Sub(now)
	}
	q.Bytes += n
	l.quotas[node] = q
	return 0
}

// act is a transaction in the node's own name.
func (l *Line) act(ctx context.Context, verb, subject string, do func(*vault.Tx) error) error {
	_, err := l.commit(ctx, audit.Act{Actor: "node", Verb: verb, Subject: subject}, do)
	return err
}
