//go:build !unix && !windows

package statement

import (
	"errors"
	"os"
)

// lockFolder: a browser keeps no folders.
func lockFolder(string) (*os.File, error) { return nil, errors.ErrUnsupported }
