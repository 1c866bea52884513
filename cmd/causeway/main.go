// Command causeway is the whole product: the node an agency runs, its web
// pages, and the command line for everything the pages do.
//
// Each command group has a file of its own, named after the group. The
// commands and flags in docs/cli.md are a contract.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes of every command; part of the contract.
const (
	exitOK        = 0
	exitRefused   = 1 // the check failed, or the input was refused
	exitUsage     = 2 // the command line itself is wrong
	exitForbidden = 3 // the reader may not do this
)

// cli is the command tree, one line per group.
type cli struct {
	Detect    detectCmd    `cmd:"" help:"Find accounts that share the same things at the same time, with odds and evidence."`
	Label     labelCmd     `cmd:"" help:"Confidentiality labels: what they mean, who may read, how they join."`
	Opinion   opinionCmd   `cmd:"" help:"Estimate how countries see each other, with intervals that hold."`
	Statement statementCmd `cmd:"" help:"Public statements: draft, sign, publish, verify, correct, retract."`
	Stix      stixCmd      `cmd:"" help:"Check STIX objects and patterns."`
	Synth     synthCmd     `cmd:"" help:"Synthetic posts with a known truth."`
	Trade     tradeCmd     `cmd:"" help:"Economic security: dependencies, look-through, coercion scenarios, joint action."`
	Version   versionCmd   `cmd:"" help:"Print the version, the Go release it was built with, and the platform."`
}

// process is what a command may touch of the world around it; tests give
// their own. Results go to stdout, everything else to stderr.
type process struct {
	ctx    context.Context // cancelled by Ctrl-C
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	getenv func(string) string
}

// usageError is a wrong command line: exit 2. The text names the flag or
// argument, the reason and the fix.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// errCheckFailed ends a command with exit 1 and no further text: the output
// already says what failed.
var errCheckFailed = errors.New("check failed")

// errForbidden is wrapped by errors that end a command with exit 3.
var errForbidden = errors.New("not permitted")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(&process{ctx, os.Stdin, os.Stdout, os.Stderr, os.Getenv}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run parses args, runs the command and returns the exit code.
func run(p *process, args []string) int {
	var c cli
	exited, code := false, exitOK
	parser, err := kong.New(&c,
		kong.Name("causeway"),
		kong.Description("A guarded line between national agencies: find a hybrid threat, share it with exactly the partners who may see it, act on it together, answer in public."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(c int) { exited, code = true, c }),
		kong.Bind(p),
	)
	if err != nil {
		fmt.Fprintln(p.stderr, "causeway:", err)
		return exitUsage
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err := parser.Parse(args)
	if exited {
		return code
	}
	if err != nil {
		fmt.Fprintf(p.stderr, "causeway: %v\nRun \"causeway --help\" for the commands, or \"causeway COMMAND --help\" for one.\n", err)
		return exitUsage
	}
	return exitCode(p, kctx.Run(p))
}

// exitCode prints what the person needs to know of err and maps it to an
// exit code.
func exitCode(p *process, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errCheckFailed):
		return exitRefused
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(p.stderr, "causeway: interrupted; what was committed before is kept")
		return exitRefused
	}
	fmt.Fprintf(p.stderr, "causeway: %v\n", err)
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errForbidden):
		return exitForbidden
	}
	return exitRefused
}
