// Command mutation flips every check of the named packages, one at a time, and
// runs the tests that should notice. A check that can be flipped with every
// test still passing is named, and the exit code is 1.
//
// All flips are compiled in at once: each check c becomes mutant.Flip(n, c) in
// an overlay, and a run chooses n by an environment variable. So a package is
// compiled once, and a flip costs one run of its tests. In packages that write
// SQL, each comparison inside a text of SQL is a check too.
//
//	go run .ci/mutation/main.go PACKAGE[=FILE,...] TESTPACKAGE[:RUN[!SKIP]],... ...
//
// RUN and SKIP choose tests as those flags of go test do; give the quick ones
// first.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	timeout  = flag.Duration("timeout", time.Minute, "a flip that makes the tests run longer than this is noticed")
	parallel = flag.Int("p", runtime.NumCPU(), "flips tried at once")
	accepted = flag.String("accept", "", "file of flips that change nothing a reader could see, with the reason")
)

// site is one check.
type site struct {
	number int
	file   string // relative to the module
	line   int
	text   string
}

func (s site) String() string { return fmt.Sprintf("%s:%d: %s", s.file, s.line, s.text) }

// key names the check without its line, so that an accepted flip stays
// accepted when code above it changes.
func (s site) key() string { return s.file + ": " + s.text }

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || len(args)%2 != 0 {
		return errors.New("usage: mutation PACKAGE[=FILE,...] TESTPACKAGE,... [...]")
	}
	reasons, err := readAccepted()
	if err != nil {
		return err
	}
	total, survived := 0, 0
	for i := 0; i < len(args); i += 2 {
		n, left, err := mutate(args[i], strings.Split(args[i+1], ","), reasons)
		if err != nil {
			return err
		}
		total, survived = total+n, survived+left
	}
	fmt.Printf("%d checks flipped, %d not noticed, %d accepted\n", total, survived, len(reasons))
	if survived > 0 {
		return fmt.Errorf("%d checks can be flipped and every test passes", survived)
	}
	return nil
}

// readAccepted reads lines "FILE: CHECK # reason".
func readAccepted() (map[string]bool, error) {
	out := map[string]bool{}
	if *accepted == "" {
		return out, nil
	}
	b, err := os.ReadFile(*accepted)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		key, why, ok := strings.Cut(strings.TrimSpace(line), " # ")
		if key == "" || strings.HasPrefix(key, "#") {
			continue
		}
		if !ok || why == "" {
			return nil, fmt.Errorf("%s: %q has no reason", *accepted, key)
		}
		out[strings.TrimSpace(key)] = true
	}
	return out, nil
}

const helper = `// Package mutant flips one check of a package under test.
package mutant

import (
	"os"
	"strconv"
)

var active, _ = strconv.Atoi(os.Getenv("MUTANT"))

// Flip gives b, or its opposite when the check n is the one to flip.
func Flip(n int, b bool) bool { return b != (n == active) }

// Text gives texts[0], or the variant of it in which the check to flip is
// flipped; the variants are those of the checks n, n+1, ...
func Text(n int, texts ...string) string {
	if i := active - n + 1; i > 0 && i < len(texts) {
		return texts[i]
	}
	return texts[0]
}
`

// mutate tries every check of one package and gives how many there were and
// how many flips no test noticed.
func mutate(target string, tests []string, accept map[string]bool) (n, survived int, err error) {
	pkg, only, _ := strings.Cut(target, "=")
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(work)
	sites, overlay, err := instrument(pkg, only, work)
	if err != nil {
		return 0, 0, err
	}
	binaries, err := compile(tests, overlay, work)
	if err != nil {
		return 0, 0, err
	}
	for _, b := range binaries {
		if out, err := b.run(0); err != nil {
			return 0, 0, fmt.Errorf("%s fails with no check flipped:\n%s", b.pkg, out)
		}
	}
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		left  []site
		queue = make(chan site)
	)
	for range *parallel {
		wait.Go(func() {
			for s := range queue {
				if noticed(binaries, s.number) {
					continue
				}
				mu.Lock()
				left = append(left, s)
				mu.Unlock()
			}
		})
	}
	for _, s := range sites {
		queue <- s
	}
	close(queue)
	wait.Wait()
	slices.SortFunc(left, func(a, b site) int { return a.number - b.number })
	for _, s := range left {
		if accept[s.key()] {
			continue
		}
		survived++
		fmt.Println("not noticed:", s)
	}
	fmt.Printf("%s: %d checks, %d not noticed\n", target, len(sites), survived)
	return len(sites), survived, nil
}

func noticed(binaries []binary, n int) bool {
	for _, b := range binaries {
		if _, err := b.run(n); err != nil {
			return true
		}
	}
	return false
}

// binary is a compiled test.
type binary struct {
	pkg, dir, path string
	only, skip     string // which tests
	rapid          bool
}

// run runs the test with one check flipped; 0 flips none.
func (b binary) run(n int) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	args := []string{"-test.failfast", "-test.timeout", timeout.String()}
	if b.only != "" {
		args = append(args, "-test.run", b.only)
	}
	if b.skip != "" {
		args = append(args, "-test.skip", b.skip)
	}
	if b.rapid {
		args = append(args, "-rapid.nofailfile")
	}
	cmd := exec.CommandContext(ctx, b.path, args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("MUTANT=%d", n))
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// compile builds the tests over the overlay.
func compile(pkgs []string, overlay, work string) ([]binary, error) {
	var out []binary
	built := map[string]binary{}
	for i, choice := range pkgs {
		pkg, which, _ := strings.Cut(choice, ":")
		only, skip, _ := strings.Cut(which, "!")
		if b, again := built[pkg]; again {
			b.only, b.skip = only, skip
			out = append(out, b)
			continue
		}
		path := filepath.Join(work, fmt.Sprintf("test%d", i))
		build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", path, pkg)
		if text, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("compile %s: %w\n%s", pkg, err, text)
		}
		info, err := exec.Command("go", "list", "-f", "{{.Dir}}\n{{.TestImports}} {{.XTestImports}}", pkg).Output()
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", pkg, err)
		}
		dir, imports, _ := strings.Cut(string(info), "\n")
		if _, err := os.Stat(path); err != nil {
			continue // the package has no tests
		}
		built[pkg] = binary{pkg, dir, path, only, skip, strings.Contains(imports, "pgregory.net/rapid")}
		out = append(out, built[pkg])
	}
	return out, nil
}

// instrument writes the package's files with every check wrapped, and the
// overlay that puts them in place.
func instrument(pkg, only, work string) ([]site, string, error) {
	info, err := exec.Command("go", "list", "-f", "{{.Module.Dir}}\n{{.Dir}}\n{{range .GoFiles}}{{.}} {{end}}", pkg).Output()
	if err != nil {
		return nil, "", fmt.Errorf("list %s: %w", pkg, err)
	}
	lines := strings.Split(string(info), "\n")
	root, dir, files := lines[0], lines[1], strings.Fields(lines[2])
	helperPath := filepath.Join(work, "mutant.go")
	if err := os.WriteFile(helperPath, []byte(helper), 0o600); err != nil {
		return nil, "", err
	}
	replace := map[string]string{filepath.Join(root, "internal", "mutant", "mutant.go"): helperPath}
	var sites []site
	for i, name := range files {
		if only != "" && !slices.Contains(strings.Split(only, ","), name) {
			continue
		}
		source := filepath.Join(dir, name)
		relative, err := filepath.Rel(root, source)
		if err != nil {
			return nil, "", err
		}
		w := wrapper{file: relative, next: len(sites) + 1, sql: strings.HasSuffix(pkg, "/sqlite") || strings.HasSuffix(pkg, "/postgres")}
		text, err := w.wrap(source)
		if err != nil {
			return nil, "", err
		}
		if len(w.sites) == 0 {
			continue
		}
		sites = append(sites, w.sites...)
		path := filepath.Join(work, fmt.Sprintf("file%d.go", i))
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return nil, "", err
		}
		replace[source] = path
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	overlay := filepath.Join(work, "overlay.json")
	return sites, overlay, os.WriteFile(overlay, b, 0o600)
}

// wrapper wraps the checks of one file.
type wrapper struct {
	file  string
	next  int
	sql   bool
	sites []site
	set   *token.FileSet
}

func (w *wrapper) wrap(path string) ([]byte, error) {
	w.set = token.NewFileSet()
	f, err := parser.ParseFile(w.set, path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			w.statements(fn.Body)
		}
	}
	if len(w.sites) == 0 {
		return nil, nil
	}
	f.Comments = slices.DeleteFunc(f.Comments, func(c *ast.CommentGroup) bool { return c.Pos() > f.Name.End() && !directive(c) })
	f.Decls = append([]ast.Decl{&ast.GenDecl{Tok: token.IMPORT, Specs: []ast.Spec{&ast.ImportSpec{
		Path: &ast.BasicLit{Kind: token.STRING, Value: `"causeway/internal/mutant"`}}}}}, f.Decls...)
	var out bytes.Buffer
	if err := printer.Fprint(&out, w.set, f); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// directive says whether a comment is one for the compiler, such as go:embed.
func directive(c *ast.CommentGroup) bool {
	return slices.ContainsFunc(c.List, func(x *ast.Comment) bool { return strings.HasPrefix(x.Text, "//go:") })
}

// statements finds the places that hold a condition.
func (w *wrapper) statements(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl: // a constant cannot be a call
			return n.Tok != token.CONST
		case *ast.BinaryExpr:
			n.X, n.Y = w.query(n.X), w.query(n.Y)
		case *ast.IfStmt:
			n.Cond = w.condition(n.Cond)
		case *ast.ForStmt:
			if n.Cond != nil {
				n.Cond = w.condition(n.Cond)
			}
		case *ast.SwitchStmt:
			if n.Tag == nil {
				for _, c := range n.Body.List {
					clause := c.(*ast.CaseClause)
					for i := range clause.List {
						clause.List[i] = w.condition(clause.List[i])
					}
				}
			}
		case *ast.ReturnStmt:
			for i := range n.Results {
				n.Results[i] = w.comparison(n.Results[i])
			}
		case *ast.AssignStmt:
			for i := range n.Rhs {
				n.Rhs[i] = w.query(w.comparison(n.Rhs[i]))
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Flip" || f.Sel.Name == "Text") {
				return f.Sel.Name == "Flip"
			}
			for i := range n.Args {
				n.Args[i] = w.query(w.comparison(n.Args[i]))
			}
		}
		return true
	})
}

// condition wraps each check of a condition: the operands of && and ||.
func (w *wrapper) condition(e ast.Expr) ast.Expr {
	switch x := e.(type) {
	case *ast.ParenExpr:
		x.X = w.condition(x.X)
		return x
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			x.X = w.condition(x.X)
			return x
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			x.X, x.Y = w.condition(x.X), w.condition(x.Y)
			return x
		}
	case *ast.CallExpr:
		if f, ok := x.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Flip" {
			return x
		}
	}
	return w.flip(e)
}

// comparison wraps an expression outside a condition where its form shows that
// it is one.
func (w *wrapper) comparison(e ast.Expr) ast.Expr {
	switch x := e.(type) {
	case *ast.ParenExpr:
		x.X = w.comparison(x.X)
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			return w.condition(e)
		}
	case *ast.BinaryExpr:
		switch x.Op {
		case token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			return w.condition(e)
		}
	}
	return e
}

func (w *wrapper) flip(e ast.Expr) ast.Expr {
	var text bytes.Buffer
	_ = printer.Fprint(&text, w.set, e) // printing an expression to memory does not fail
	s := site{number: w.next, file: w.file, line: w.set.Position(e.Pos()).Line, text: strings.Join(strings.Fields(text.String()), " ")}
	w.next++
	w.sites = append(w.sites, s)
	return &ast.CallExpr{
		Fun:  &ast.SelectorExpr{X: ast.NewIdent("mutant"), Sel: ast.NewIdent("Flip")},
		Args: []ast.Expr{&ast.BasicLit{Kind: token.INT, Value: fmt.Sprint(s.number)}, e},
	}
}

// operators are the comparisons of SQL and their opposites.
var operators = [][2]string{{" <> ", " = "}, {" >= ", " < "}, {" <= ", " > "}, {" = ", " <> "}, {" > ", " <= "}, {" < ", " >= "},
	{" IN (", " NOT IN ("}, {"EXISTS (", "NOT EXISTS ("}, {"NOT ", " "}}

// query wraps a text of SQL that compares: one check for each comparison.
func (w *wrapper) query(e ast.Expr) ast.Expr {
	lit, ok := e.(*ast.BasicLit)
	if !w.sql || !ok || lit.Kind != token.STRING {
		return e
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil || !strings.Contains(text, ".") && !strings.Contains(text, "?") && text != "NOT " {
		return e
	}
	first := w.next
	args := []ast.Expr{&ast.BasicLit{Kind: token.INT, Value: fmt.Sprint(first)}, e}
	for at := 0; at < len(text); {
		step := 1
		for _, op := range operators {
			if !strings.HasPrefix(text[at:], op[0]) {
				continue
			}
			variant := text[:at] + op[1] + text[at+len(op[0]):]
			context := strings.Join(strings.Fields(text[max(0, at-24):min(len(text), at+24)]), " ")
			w.sites = append(w.sites, site{number: w.next, file: w.file, line: w.set.Position(e.Pos()).Line, text: "SQL: " + context})
			w.next++
			args = append(args, &ast.BasicLit{Kind: token.STRING, Value: strconv.Quote(variant)})
			step = len(op[0]) - 1
			break
		}
		at += step
	}
	if len(args) == 2 {
		return e
	}
	return &ast.CallExpr{Fun: &ast.SelectorExpr{X: ast.NewIdent("mutant"), Sel: ast.NewIdent("Text")}, Args: args}
}
