package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is set at build time with -ldflags "-X main.release=...".
var release = "dev"

type versionCmd struct{}

func (versionCmd) Run(p *process) error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(p.stdout, "causeway %s%s %s %s/%s\n", release, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
