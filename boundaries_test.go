// Package causeway_test guards the three boundaries of ARCHITECTURE.md. Each
// rule is shown to fail on a tree that breaks it.
package causeway_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// imports maps each package of the module to what its non-test files import.
type imports map[string][]string

func moduleImports(t *testing.T) imports {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	graph := imports{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return graph
		} else if err != nil {
			t.Fatal(err)
		}
		graph[p.ImportPath] = p.Imports
	}
}

// pureCores are the rooms that take readers and values and give values back.
var pureCores = []string{"stix", "label", "coord", "trade", "opinion"}

// impure are the packages that reach the world: network, database, files,
// processes. The clock is time.Now, which the source is searched for.
var impure = []string{"net", "net/http", "database/sql", "os", "os/exec", "os/signal", "io/ioutil", "syscall", "log", "log/slog",
	"modernc.org/sqlite", "github.com/jackc/pgx"}

func room(path string) string {
	rest, ok := strings.CutPrefix(path, "causeway/")
	if !ok {
		return ""
	}
	parts := strings.Split(rest, "/")
	if parts[0] == "internal" && len(parts) > 1 {
		return "internal/" + parts[1]
	}
	return parts[0]
}

// sharedtest reads ../shared for tests and is imported by tests alone.
func isTestSupport(path string) bool {
	return strings.HasSuffix(path, "/sharedtest") || strings.HasSuffix(path, "/vaulttest")
}

// impureCores names each import of a pure core that reaches the world.
func impureCores(g imports) (broken []string) {
	for path, deps := range g {
		if !slices.Contains(pureCores, room(path)) || isTestSupport(path) {
			continue
		}
		for _, dep := range deps {
			if slices.ContainsFunc(impure, func(bad string) bool {
				return dep == bad || bad != "net" && bad != "os" && bad != "log" && strings.HasPrefix(dep, bad+"/")
			}) {
				broken = append(broken, path+" imports "+dep)
			}
			if strings.HasPrefix(dep, "causeway/") && !slices.Contains(pureCores, room(dep)) {
				broken = append(broken, path+" imports "+dep)
			}
		}
	}
	slices.Sort(broken)
	return broken
}

// layer orders the rooms: a room may import rooms of lower layers only.
var layer = map[string]int{
	"stix": 0, "label": 0, "coord": 0, "trade": 0, "opinion": 0, "taxii": 0,
	"internal/folderlock": 0, "internal/audit": 1, "internal/interchange": 1,
	"internal/vault": 2,
	"internal/line":  3, "internal/people": 3, "internal/statement": 3, "internal/exercise": 3,
	"internal/desk":  4,
	"internal/node":  5,
	"internal/httpd": 6,
	"internal/demo":  7,
	"bench":          8,
	"cmd":            8,
}

// arrowsAgainst names each import that points the wrong way.
func arrowsAgainst(g imports) (broken []string) {
	for path, deps := range g {
		if isTestSupport(path) {
			continue
		}
		from, known := layer[room(path)]
		if !known && room(path) != "" {
			broken = append(broken, path+" is in no room: give it a place in layer and in ARCHITECTURE.md")
			continue
		}
		for _, dep := range deps {
			if room(dep) == "" || room(dep) == room(path) {
				continue
			}
			if to := layer[room(dep)]; to > from || to == from && from > 0 {
				broken = append(broken, path+" imports "+dep)
			}
		}
	}
	slices.Sort(broken)
	return broken
}

func TestPureCoresReachNothing(t *testing.T) {
	for _, b := range impureCores(moduleImports(t)) {
		t.Error(b)
	}
	for _, dir := range pureCores {
		for _, b := range clockReads(t, dir) {
			t.Error(b)
		}
	}
}

func TestPureCoreGuardCanFail(t *testing.T) {
	for _, bad := range []string{"net/http", "os", "modernc.org/sqlite", "database/sql/driver", "causeway/internal/vault"} {
		if len(impureCores(imports{"causeway/label/spif": {"fmt", bad}})) != 1 {
			t.Errorf("a core that imports %s passes", bad)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.go"), []byte("package x\nimport \"time\"\nvar now = time.Now()\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(clockReads(t, dir)) != 1 {
		t.Error("a core that reads the clock passes")
	}
}

// clockReads finds time.Now, time.Since and time.Until outside tests.
func clockReads(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, sel.Sel.Name) {
					found = append(found, fset.Position(sel.Pos()).String()+" reads the clock")
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestArrowsPointOneWay(t *testing.T) {
	for _, b := range arrowsAgainst(moduleImports(t)) {
		t.Error(b)
	}
}

func TestArrowGuardCanFail(t *testing.T) {
	for _, bad := range []imports{
		{"causeway/internal/vault": {"causeway/internal/desk"}},
		{"causeway/internal/line": {"causeway/internal/people"}},
		{"causeway/internal/desk": {"causeway/internal/node"}},
		{"causeway/internal/helpers": {"fmt"}},
	} {
		if len(arrowsAgainst(bad)) != 1 {
			t.Errorf("%v passes", bad)
		}
	}
}

// TestEnginesCannotBeImported compiles, in a copy of the build that exists
// only as an overlay, a file of another room that imports a SQL engine. The
// compiler itself MUST refuse it.
func TestEnginesCannotBeImported(t *testing.T) {
	for _, from := range []string{"internal/desk", "internal/httpd", "cmd/causeway"} {
		for _, engine := range []string{"sqlite", "postgres"} {
			if _, err := os.Stat(filepath.Join("internal/vault/internal", engine)); err != nil {
				t.Errorf("engine %s is not where the boundary keeps it: %v", engine, err)
				continue
			}
			out, err := buildWith(t, from, "causeway/internal/vault/internal/"+engine)
			if err == nil || !strings.Contains(out, "use of internal package") {
				t.Errorf("%s can import engine %s: %v\n%s", from, engine, err, out)
			}
		}
	}
	if out, err := buildWith(t, "internal/desk", "causeway/internal/vault"); err != nil {
		t.Errorf("the guard refuses what is allowed, so it proves nothing: %v\n%s", err, out)
	}
}

// buildWith compiles the package in dir with one more file that imports path.
func buildWith(t *testing.T, dir, path string) (string, error) {
	t.Helper()
	extra := filepath.Join(t.TempDir(), "extra.go")
	name := filepath.Base(dir)
	if dir == "cmd/causeway" {
		name = "main"
	}
	if err := os.WriteFile(extra, []byte("package "+name+"\nimport _ \""+path+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := filepath.Abs(filepath.Join(dir, "boundary_overlay.go"))
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {target: extra}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-overlay", file, "-o", os.DevNull, "./"+dir).CombinedOutput()
	return string(out), err
}

// objectTypes are the types through which stored objects leave the vault.
var objectTypes = []string{"Row", "Page", "Object", "Neighbour", "HistoryEntry"}

// leaksAround names each exported function of the package in dir that gives
// out objects without being a method of View.
func leaksAround(t *testing.T, dir string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() || fn.Type.Results == nil || receiver(fn) == "View" || slices.Contains(objectTypes, receiver(fn)) {
				continue
			}
			for _, result := range fn.Type.Results.List {
				ast.Inspect(result.Type, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok && slices.Contains(objectTypes, id.Name) {
						found = append(found, fset.Position(fn.Pos()).String()+": "+receiver(fn)+"."+fn.Name.Name+" gives out "+id.Name)
					}
					return true
				})
			}
		}
	}
	return found
}

func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

func TestOnlyViewsGiveOutObjects(t *testing.T) {
	for _, l := range leaksAround(t, "internal/vault") {
		t.Error(l)
	}
}

func TestViewGuardCanFail(t *testing.T) {
	dir := t.TempDir()
	src := "package vault\ntype Vault struct{}\ntype View struct{}\nfunc (v *Vault) All() []Row { return nil }\nfunc (v *View) Page() (Page, error) { return Page{}, nil }\n"
	if err := os.WriteFile(filepath.Join(dir, "v.go"), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := leaksAround(t, dir); len(got) != 1 {
		t.Errorf("found %v, want the one method of Vault", got)
	}
}
