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
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"causeway/internal/node"
	"causeway/internal/people"
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
	Kernel kernelCmd `cmd:"" hidden:"" help:"What a cluster runs on each part."`
	Detect detectCmd `cmd:"" help:"Find accounts that share the same things at the same time, with odds and evidence."`

	Init   initCmd   `cmd:"" help:"Make a node's data folder."`
	Serve  serveCmd  `cmd:"" help:"Serve a node: pages, TAXII, and the line to its partners."`
	Status statusCmd `cmd:"" help:"What a node is and how it stands."`
	Demo   demoCmd   `cmd:"" help:"Three nodes on this machine with a campaign and a coercion case on them."`

	Import importCmd `cmd:"" help:"Store STIX bundles, MISP events, DISARM or indicators under a label."`
	Export exportCmd `cmd:"" help:"Write what a reader may see."`
	Find   findCmd   `cmd:"" help:"Search what a reader may see."`
	Show   showCmd   `cmd:"" help:"Print one object, its versions, or why a reader can read it."`

	Finding findingCmd `cmd:"" help:"Make a finding of a network in posts."`
	Assess  assessCmd  `cmd:"" help:"Store a person's assessment."`
	Preview previewCmd `cmd:"" help:"Show who would receive an object, and why others would not."`
	Release releaseCmd `cmd:"" help:"Release an object, with what it rests on, to partners."`
	Recall  recallCmd  `cmd:"" help:"Take an object back from partners."`
	Cut     cutCmd     `cmd:"" help:"Tearlines: new objects with things left out, for wider release."`
	Relabel relabelCmd `cmd:"" help:"Widen or narrow who may read an object."`
	Rule    ruleCmd    `cmd:"" help:"Release rules: what leaves without a person at each object."`
	Request requestCmd `cmd:"" help:"Releases that wait for a second release officer."`

	Partner partnerCmd `cmd:"" help:"Other nodes: invite, accept, confirm, clear, suspend, revoke."`
	Line    lineCmd    `cmd:"" help:"The lines to partners: status, receipts, couriers, blind match."`

	People    peopleCmd    `cmd:"" help:"Who may sign in, and do what."`
	Clearance clearanceCmd `cmd:"" help:"What people are cleared to see."`
	Label     labelCmd     `cmd:"" help:"Confidentiality labels: what they mean, who may read, how they join."`
	Group     groupCmd     `cmd:"" help:"Dated groups of nations."`
	Clock     clockCmd     `cmd:"" help:"The time that the successors of labels act by."`
	Table     tableCmd     `cmd:"" help:"Tables of equivalence between policies, signed and dated."`

	Audit     auditCmd     `cmd:"" help:"The tamper-evident log: verify, prove, export."`
	Opinion   opinionCmd   `cmd:"" help:"Estimate how countries see each other, with intervals that hold."`
	Statement statementCmd `cmd:"" help:"Public statements: draft, sign, publish, verify, correct, retract."`
	Witness   witnessCmd   `cmd:"" help:"A witness of other agencies' statement logs: co-sign what only ever grows."`
	Stix      stixCmd      `cmd:"" help:"Check STIX objects and patterns."`
	Synth     synthCmd     `cmd:"" help:"Synthetic posts with a known truth."`
	Taxii     taxiiCmd     `cmd:"" help:"Talk to TAXII 2.1 servers; the node's own inbox."`
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
	args   []string // the command line, to hand it to a running server
	dir    string   // working folder; paths are relative to it

	serving *node.Node // set inside a running server: the node it has open
}

// path gives the file that a command line names.
func (p *process) path(name string) string {
	if filepath.IsAbs(name) || name == "" || name == "-" {
		return name
	}
	return filepath.Join(p.dir, name)
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
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, "causeway: find the working folder:", err)
		os.Exit(exitRefused)
	}
	code := run(&process{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, dir: dir}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run parses args, runs the command and returns the exit code.
func run(p *process, args []string) int {
	var c cli
	p.args = args
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
	var status exitStatus
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		return int(status)
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
	case errors.Is(err, errForbidden), errors.Is(err, people.ErrForbidden):
		return exitForbidden
	}
	return exitRefused
}
