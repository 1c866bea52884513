package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the causeway command for the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"causeway": main})
}

// TestScripts runs testdata/*.txtar, each with the real command. $SHARED is
// the folder of real data, or empty where it is absent: guard such parts with
// [!shared] skip.
func TestScripts(t *testing.T) {
	shared, _ := filepath.Abs("../../../shared/data")
	if s := os.Getenv("CAUSEWAY_SHARED"); s != "" {
		shared = s
	}
	_, err := os.Stat(shared)
	haveShared := err == nil
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			if haveShared {
				env.Setenv("SHARED", shared)
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "shared":
				return haveShared, nil
			}
			return false, nil
		},
	})
}
