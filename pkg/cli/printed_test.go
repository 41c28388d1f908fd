package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
)

// TestPrintedCommands: whoever reads a command of ours at night copies it as it
// stands. Every one that the source can print is found, its blanks filled, and
// given to the real command tree: it must not be a usage error, and what names
// an ensemble or a pod must name the namespace too.
func TestPrintedCommands(t *testing.T) {
	texts := printed(t)
	t.Chdir(t.TempDir())
	put(t, map[string]string{"zoo.cfg": good, "FILE": good, "FLEET": threeStages})
	placeholders := placeholders()
	seen, wrong := map[string]bool{}, map[string]string{}
	for _, p := range texts {
		for _, command := range commandsIn(p.text) {
			words := strings.Fields(command)
			if len(words) == 3 {
				continue // a word about a command
			}
			if words[1] != "zkmigrate" {
				// Nodes are in no namespace.
				if !strings.Contains(p.text, " -n ") && !strings.Contains(p.text, "kubectl delete node ") && !strings.Contains(p.text, "kubectl describe namespace ") {
					t.Errorf("%s: %q names no namespace", p.at, command)
				}
				continue
			}
			if strings.Contains(command, " zk1") && !strings.Contains(command, " -n ") {
				t.Errorf("%s: %q names no namespace", p.at, command)
			}
			if !seen[command] {
				seen[command] = true
				if code, _, errOut := run(t, "", strings.Fields(placeholders.Replace(command))[2:]...); code == exitUsage {
					wrong[command] = errOut
				}
			}
			if errOut := wrong[command]; errOut != "" {
				t.Errorf("%s: %q does not work: %s", p.at, command, errOut)
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d commands found: does the search still know how they are written?", len(seen))
	}
}

// placeholders are filled as somebody would who runs a command.
func placeholders() *strings.Replacer {
	return strings.NewReplacer("fleet run -f FILE", "fleet run -f FLEET", "fleet run -f zk1", "fleet run -f FLEET", " NAME", " zk1", "PROGRAM", "true", "--memory=", "--memory=2Gi", "--image=IMAGE", "--image=zookeeper:3.8.0", "--storage-class=CLASS", "--storage-class=fast", "--waive=1", "--waive=ZK030", "--waive=zk1", "--waive=ZK030")
}

// printable are the commands of ours that the source can print, from their verb on.
func printable(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, p := range printed(t) {
		for _, c := range commandsIn(p.text) {
			if words := strings.Fields(c); len(words) > 3 && words[1] == "zkmigrate" && words[2] != "rbac" {
				out = append(out, strings.TrimPrefix(c, command.Name+" "))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// text is something the source puts together, with blanks filled.
type text struct {
	at   token.Position
	text string
}

// printed finds every text of the packages that holds a command.
func printed(t *testing.T) []text {
	t.Helper()
	var out []text
	set := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s := ""
			switch n := n.(type) {
			case *ast.FuncDecl:
				return n.Name.Name != "cmd" && n.Name.Name != "kubectl" && file.Name.Name != "command"
			case *ast.CallExpr:
				s = call(n)
			case *ast.BinaryExpr:
				s = value(n)
			case *ast.BasicLit:
				s = value(n)
			}
			// Help texts are run by nobody as they stand.
			if strings.Contains(s, "kubectl ") && !strings.Contains(s, "%[1]s") && !strings.Contains(s, "%") {
				out = append(out, text{set.Position(n.Pos()), s})
				return false
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// call fills a format.
func call(c *ast.CallExpr) string {
	name, method := "", false
	switch f := c.Fun.(type) {
	case *ast.SelectorExpr:
		name, method = f.Sel.Name, true
	case *ast.Ident:
		name = f.Name
	}
	args := c.Args
	for len(args) > 0 && !isText(args[0]) {
		args = args[1:]
	}
	if len(args) == 0 {
		return ""
	}
	s := value(args[0])
	verbs := regexp.MustCompile(`%[+#]?[a-z]`)
	for _, a := range args[1:] {
		if place := verbs.FindStringIndex(s); place != nil {
			fill := value(a)
			if s[place[1]-1] == 'd' {
				fill = "1"
			}
			s = s[:place[0]] + fill + s[place[1]:]
		}
	}
	renders := map[string]bool{"cmd": true, "kubectl": true, "Ours": true, "Kubectl": true}
	if method && renders[name] && verbs.MatchString(s) {
		return ""
	}
	switch {
	case method && name == "Ours":
		return command.Name + " " + s + namespaceOf(c)
	case method && name == "Kubectl":
		return "kubectl " + s + namespaceOf(c)
	case method && name == "cmd":
		verb, rest, _ := strings.Cut(s, " ")
		return strings.TrimSpace(command.Name+" "+verb+" zk1 "+rest) + " -n zk"
	case method && name == "kubectl":
		return "kubectl " + s + " -n zk"
	}
	return s
}

// namespaceOf is what a command.At adds, unless it is one without a namespace.
func namespaceOf(c *ast.CallExpr) string {
	f, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	switch of := f.X.(type) {
	case *ast.CallExpr:
		if sel, ok := of.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Clusterwide" {
			return ""
		}
	case *ast.CompositeLit:
		if !slices.ContainsFunc(of.Elts, func(e ast.Expr) bool {
			kv, ok := e.(*ast.KeyValueExpr)
			return ok && kv.Key.(*ast.Ident).Name == "Namespace"
		}) {
			return ""
		}
	}
	return " -n zk"
}

func isText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.BinaryExpr:
		return isText(e.X) || isText(e.Y)
	}
	return false
}

// value is a text expression, with "zk1" for what is known only at run time.
func value(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil {
			return s
		}
	case *ast.BinaryExpr:
		return value(e.X) + value(e.Y)
	case *ast.SelectorExpr:
		switch e.Sel.Name {
		case "namespace", "Namespace":
			return "zk"
		case "id", "ID":
			return "1"
		case "again": // a podSettings
			return "--cpu=1"
		case "data": // a DataMode
			return "copy"
		}
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "data" { // a DataMode
			return "copy"
		} else if ok && f.Sel.Name == "Quoted" {
			return value(e.Args[0])
		} else if f, ok := e.Fun.(*ast.Ident); ok && f.Name == "subjectFlag" {
			return "--user=USER"
		}
		if s := call(e); s != "" {
			return s
		}
	}
	return "zk1"
}

// commandsIn cuts the commands out of a text: words that can be part of one,
// until something else comes.
func commandsIn(s string) []string {
	var out []string
	for _, part := range strings.Split(s, "kubectl ")[1:] {
		words := []string{"kubectl"}
		fields := strings.Fields(part)
		for i := 0; i < len(fields); i++ {
			w := fields[i]
			end := strings.TrimRight(w, ";,:.)'\n")
			flag := strings.HasPrefix(end, "-") && len(end) > 1
			if !flag && len(words) > 1 && end != "zk1" && end != "NAME" && (words[1] != "zkmigrate" || len(words) > 2) {
				break
			}
			words = append(words, end)
			if flag && len(end) == 2 && end != "-A" && end != "-w" && i+1 < len(fields) && end == w {
				i++
				w = fields[i]
				words = append(words, strings.TrimRight(w, ";,:.)'\n"))
			}
			if strings.TrimRight(w, ";,:.)'\n") != w {
				break
			}
		}
		known := map[string]bool{"zkmigrate": true, "describe": true, "logs": true, "delete": true, "get": true, "patch": true, "scale": true, "edit": true}
		if len(words) > 1 && known[words[1]] {
			out = append(out, strings.Join(words, " "))
		}
	}
	return out
}
