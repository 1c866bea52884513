// Package folderlock keeps a folder to one process at a time. The system gives
// the folder back when the process ends, however it ends.
package folderlock

import "errors"

// ErrLocked: another process holds the folder.
var ErrLocked = errors.New("another process works on the folder; end it first")
