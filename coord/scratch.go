package coord

import (
	"errors"
	"sync"
)

// ledger remembers every scratch file that is open, so that none outlives its
// run, whatever fails.
type ledger struct {
	Scratch
	mu   sync.Mutex
	open map[*ledgerFile]bool
	used bool
}

type ledgerFile struct {
	ScratchFile
	l *ledger
}

func (l *ledger) Create() (ScratchFile, error) {
	f, err := l.Scratch.Create()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[*ledgerFile]bool{}
	}
	x := &ledgerFile{f, l}
	l.open[x], l.used = true, true
	return x, nil
}

func (f *ledgerFile) Close() error {
	f.l.mu.Lock()
	open := f.l.open[f]
	delete(f.l.open, f)
	f.l.mu.Unlock()
	if !open {
		return nil
	}
	return f.ScratchFile.Close()
}

func (l *ledger) close() error {
	var err error
	l.mu.Lock()
	for f := range l.open {
		err = errors.Join(err, f.ScratchFile.Close())
	}
	l.open = nil
	l.mu.Unlock()
	return err
}
