// Package arch holds the project's structural rules as tests.
package arch

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/zkmigrate/kubectl-zkmigrate"

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func load(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps", "./cmd/...", "./pkg/...")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	pkgs := map[string]pkg{}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) {
			pkgs[strings.TrimPrefix(p.ImportPath, module+"/")] = p
		}
	}
	return pkgs
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// core packages, and what of ours each may import.
func core() map[string][]string {
	return map[string][]string{
		"pkg/quote":     nil,
		"pkg/command":   nil,
		"pkg/strict":    nil,
		"pkg/manager":   nil,
		"pkg/ensemble":  nil,
		"pkg/vantage":   {"pkg/ensemble"},
		"pkg/sessions":  {"pkg/ensemble"},
		"pkg/migration": {"pkg/ensemble", "pkg/vantage", "pkg/sessions"},
		"pkg/zkdata":    {"pkg/ensemble"},
		"pkg/preflight": {"pkg/ensemble", "pkg/migration", "pkg/vantage", "pkg/hostpatch", "pkg/hostreport"},
		"pkg/hostpatch": {"pkg/ensemble"},
		"pkg/render":    {"pkg/ensemble", "pkg/migration", "pkg/vantage"},
		"pkg/access":    {"pkg/ensemble", "pkg/migration", "pkg/render"},
		"pkg/intake":    {"pkg/ensemble", "pkg/manifest", "pkg/migration", "pkg/hostpatch", "pkg/render"},
		"pkg/manifest":  {"pkg/ensemble"},
		"pkg/fleet":     {"pkg/manifest"},
		"pkg/replay":    {"pkg/ensemble", "pkg/migration", "pkg/render"},
		"pkg/rollout":   {"pkg/ensemble", "pkg/migration", "pkg/vantage"},
		// What is asked of a host, and what it has said.
		"pkg/hostscript": {"pkg/ensemble", "pkg/vantage"},
		"pkg/hostreport": {"pkg/ensemble", "pkg/vantage", "pkg/hostscript"},
	}
}

// everybody may import these: they work on text, and know neither ensembles nor objects.
func everybody() []string { return []string{"pkg/quote", "pkg/strict", "pkg/command", "pkg/manager"} }

// edges never import each other.
func edges() map[string][]string {
	c := []string{"pkg/ensemble", "pkg/migration", "pkg/vantage", "pkg/preflight", "pkg/hostpatch", "pkg/render", "pkg/zkdata", "pkg/access", "pkg/sessions", "pkg/fleet", "pkg/manifest"}
	return map[string][]string{
		"pkg/engine":   {"pkg/ensemble", "pkg/migration", "pkg/vantage", "pkg/sessions"},
		"pkg/zkprobe":  {"pkg/ensemble", "pkg/vantage"},
		"pkg/kubeconn": nil,
		"pkg/tunnel":   nil,
		"pkg/cluster":  c,
		"pkg/journal":  c,
		"pkg/printer":  c,
		"pkg/hosts":    append([]string{"pkg/engine"}, c...),
	}
}

func TestEveryPackageHasARule(t *testing.T) {
	for name := range load(t) {
		if strings.HasPrefix(name, "cmd/") || name == "pkg/cli" {
			continue
		}
		_, inCore := core()[name]
		_, inEdges := edges()[name]
		if !inCore && !inEdges {
			t.Errorf("%s: not known to the import rules: add it to core() or edges() in test/arch", name)
		}
	}
}

func TestImportDirection(t *testing.T) {
	pkgs := load(t)
	for _, rules := range []map[string][]string{core(), edges()} {
		for name, allowed := range rules {
			p, ok := pkgs[name]
			if !ok {
				t.Errorf("%s: in the rules but not in the tree", name)
				continue
			}
			for _, imp := range p.Imports {
				mine, found := strings.CutPrefix(imp, module+"/")
				if found && !contains(allowed, mine) && !contains(everybody(), mine) {
					t.Errorf("%s imports %s: allowed are %v (the core imports no edge, edges never import each other)", name, mine, allowed)
				}
			}
		}
	}
}

// TestCoreIsPure: no network, no files, no processes, no client in the core.
func TestCoreIsPure(t *testing.T) {
	forbidden := []string{"net", "net/http", "os", "os/exec", "io/fs", "io/ioutil", "math/rand", "math/rand/v2", "syscall", "k8s.io/client-go", "github.com/spf13/cobra", "github.com/go-zookeeper/zk"}
	pkgs := load(t)
	for name := range core() {
		for _, imp := range pkgs[name].Imports {
			for _, f := range forbidden {
				if imp == f || strings.HasPrefix(f, "k8s.io/") && strings.HasPrefix(imp, f+"/") {
					t.Errorf("%s imports %s: the core is pure, give it the value instead", name, imp)
				}
			}
		}
		for _, dep := range pkgs[name].Deps {
			if strings.HasPrefix(dep, "k8s.io/client-go") {
				t.Errorf("%s depends on %s", name, dep)
			}
		}
	}
	for _, imp := range pkgs["pkg/engine"].Imports {
		if strings.HasPrefix(imp, "k8s.io/") {
			t.Errorf("pkg/engine imports %s: it declares interfaces instead", imp)
		}
	}
}

// TestForbiddenCalls walks the sources for calls that belong elsewhere.
func TestForbiddenCalls(t *testing.T) {
	clockless := func(path string) bool {
		for name := range core() {
			if strings.HasPrefix(path, name+"/") {
				return true
			}
		}
		return strings.HasPrefix(path, "pkg/engine/")
	}
	walk(t, func(path string, file *ast.File, fset *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			call := x.Name + "." + sel.Sel.Name
			at := fset.Position(n.Pos())
			switch call {
			case "time.Now", "time.Since", "time.Until", "time.After":
				if clockless(path) {
					t.Errorf("%s: %s: the time is an input here", at, call)
				}
			case "time.Sleep":
				t.Errorf("%s: %s: wait on a context and a timer", at, call)
			case "os.Exit", "log.Fatal", "log.Fatalf":
				if !strings.HasPrefix(path, "cmd/") {
					t.Errorf("%s: %s: only main exits", at, call)
				}
			case "os.Stdout", "os.Stderr":
				if !strings.HasPrefix(path, "cmd/") {
					t.Errorf("%s: %s: print to the streams that were given, which show control characters harmlessly", at, call)
				}
			case "fmt.Print", "fmt.Println", "fmt.Printf":
				t.Errorf("%s: %s: print to the streams that were given", at, call)
			}
			return true
		})
	})
}

// TestNothingQuotesByHand: a format or a text that puts single quotes around a
// value does what only pkg/quote may do. Help texts speak of our own name, and
// the scripts are whole programs.
func TestNothingQuotesByHand(t *testing.T) {
	walk(t, func(path string, file *ast.File, fset *token.FileSet) {
		if strings.HasPrefix(path, "pkg/quote/") || strings.HasPrefix(path, "pkg/render/script_") || strings.HasPrefix(path, "pkg/hostscript/script_") || path == "pkg/tunnel/script.go" {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			text = strings.ReplaceAll(text, "'%s --help'", "")
			if strings.Contains(text, "'%") || strings.HasSuffix(text, "='") || strings.HasSuffix(text, " '") || text == "'" {
				t.Errorf("%s: %s: quote values by pkg/quote", fset.Position(n.Pos()), lit.Value)
			}
			return true
		})
	})
}

// TestCommandsAreRendered: a command that is put together by hand names no cluster,
// and is run on whichever is the current one. Help texts, and what is written for
// hosts and into objects, are for any cluster.
func TestCommandsAreRendered(t *testing.T) {
	reasons := map[string]string{
		"pkg/command/":            "renders them",
		"pkg/access/role.go":      "the head of the Role in docs/rbac",
		"pkg/hostpatch/fence.go":  "a script for a host, which has no kubeconfig",
		"pkg/hostpatch/readme.go": "speaks of a command to whoever is at a host",
		"pkg/cli/rbac.go":         "an example in a help text",
	}
	used := map[string]bool{}
	walk(t, func(path string, file *ast.File, fset *token.FileSet) {
		ast.Inspect(file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Name == "cliName" && path != "pkg/cli/main.go" {
				t.Errorf("%s: cliName is for help texts: render commands by pkg/command", fset.Position(n.Pos()))
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING || !strings.Contains(lit.Value, "kubectl ") {
				return true
			}
			for at := range reasons {
				if strings.HasPrefix(path, at) {
					used[at] = true
					return true
				}
			}
			t.Errorf("%s: %s: render it by pkg/command", fset.Position(n.Pos()), lit.Value)
			return true
		})
	})
	for at, why := range reasons {
		if !used[at] {
			t.Errorf("%s (%s) holds no command any more: take it off the list", at, why)
		}
	}
}

// TestRulesReadFacts: what an observation looks like is known to the facts, and to what
// imagines a world for a plan. Rules, status and problems ask the facts.
func TestRulesReadFacts(t *testing.T) {
	knows := func(path string) bool {
		name := strings.TrimPrefix(path, "pkg/migration/")
		return name == path || strings.HasPrefix(name, "facts") || name == "observation.go" || name == "imagine.go"
	}
	walk(t, func(path string, file *ast.File, fset *token.FileSet) {
		if knows(path) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && (s.Sel.Name == "Cluster" || s.Sel.Name == "AtPod") {
				t.Errorf("%s: rules ask the facts (facts.go), not the objects (.%s)", fset.Position(n.Pos()), s.Sel.Name)
			}
			return true
		})
	})
}

// TestNoGlobalsNoInit: no package-level variables, no init, no panic.
func TestNoGlobalsNoInit(t *testing.T) {
	walk(t, func(_ string, file *ast.File, fset *token.FileSet) {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: init function", fset.Position(d.Pos()))
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok && !allowedGlobal(v) {
						t.Errorf("%s: package-level variable %s", fset.Position(v.Pos()), v.Names[0].Name)
					}
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				if id, ok := c.Fun.(*ast.Ident); ok && id.Name == "panic" {
					t.Errorf("%s: panic: return an error", fset.Position(n.Pos()))
				}
			}
			return true
		})
	})
}

// allowedGlobal: interface checks (var _ I = T{}) and sentinel errors, which
// are constants in all but the language.
func allowedGlobal(v *ast.ValueSpec) bool {
	name := v.Names[0].Name
	return name == "_" || strings.HasPrefix(name, "Err") || strings.HasPrefix(name, "err")
}

// TestFilesAreSmall: one idea each.
func TestFilesAreSmall(t *testing.T) {
	walk(t, func(path string, file *ast.File, fset *token.FileSet) {
		if n := fset.Position(file.End()).Line; n > 500 {
			t.Errorf("%s has %d lines: split it by ideas (500 at most)", path, n)
		}
	})
}

func walk(t *testing.T, visit func(path string, file *ast.File, fset *token.FileSet)) {
	t.Helper()
	base := root(t)
	for _, top := range []string{"cmd", "pkg"} {
		err := filepath.WalkDir(filepath.Join(base, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path, src, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(base, path)
			if err != nil {
				return err
			}
			visit(filepath.ToSlash(rel), file, fset)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
