package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the causeway command for the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"causeway": func() {
		if away := os.Getenv("TEST_CLOCK"); away != "" { // how far the clock is off; read by this test binary alone
			d, err := time.ParseDuration(away)
			if err != nil {
				panic(err)
			}
			nodeClock = func() time.Time { return time.Now().Add(d) }
		}
		main()
	}})
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"freeport": freeport,
			"await":    await,
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

// freeport VAR... puts the address of a free port of this machine into each
// variable.
func freeport(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close()
		ts.Setenv(name, l.Addr().String())
	}
}

// await REGEXP COMMAND... repeats a command until its output matches. It is
// bounded by awaitLimit, and the bound is no measurement: a script that
// passes does so whatever the machine's speed.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: await REGEXP COMMAND...")
	}
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	var last string
	for end := time.Now().Add(awaitLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		_ = ts.Exec(args[1], args[2:]...)
		last = ts.ReadFile("stdout") + ts.ReadFile("stderr")
		if want.MatchString(last) != neg {
			return
		}
	}
	ts.Fatalf("no output of %v matched %s within %v; the last was:\n%s", args[1:], args[0], awaitLimit, last)
}

const awaitLimit = 90 * time.Second
