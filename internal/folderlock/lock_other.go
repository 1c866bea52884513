//go:build !unix && !windows

package folderlock

import (
	"errors"
	"os"
)

// Take has nothing to hold: a browser keeps no folders.
func Take(string) (*os.File, error) { return nil, errors.ErrUnsupported }
