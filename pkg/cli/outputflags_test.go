package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
)

// TestOutputFlags: what kubectl get takes for -o is taken, and gives the same.
func TestOutputFlags(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	items := []migration.EnsembleStatus{
		{APIVersion: migration.RecordVersion, Kind: "EnsembleStatus", Name: "zk1", Namespace: "a", Healthy: true, Leader: ensemble.ID(2).Known()},
		{APIVersion: migration.RecordVersion, Kind: "EnsembleStatus", Name: "zk2", Namespace: "b", Leader: ensemble.ID(3).Known()},
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a path":                  {[]string{"-o", "jsonpath={.items[*].leader}"}, "2 3"},
		"a path beside":           {[]string{"-o", "jsonpath", "--template={.items[0].name}"}, "zk1"},
		"a path in a file":        {[]string{"-o", "jsonpath-file=" + file("path", "{.items[1].name}")}, "zk2"},
		"a path, as JSON":         {[]string{"-o", "jsonpath-as-json={.items[*].healthy}"}, "[\n    true,\n    false\n]\n"},
		"a template":              {[]string{"-o", "go-template={{range .items}}{{.name}} {{.healthy}};{{end}}"}, "zk1 true;zk2 false;"},
		"a template beside":       {[]string{"--template={{len .items}}"}, "2"},
		"a template in a file":    {[]string{"-o", "go-template-file=" + file("template", "{{(index .items 0).name}}")}, "zk1"},
		"columns":                 {[]string{"-o", "custom-columns=NAME:.name,LEADER:.leader"}, "NAME   LEADER\nzk1    2\nzk2    3\n"},
		"columns, no headers":     {[]string{"-o", "custom-columns=NAME:.name", "--no-headers"}, "zk1\nzk2\n"},
		"columns in a file":       {[]string{"-o", "custom-columns-file=" + file("columns", "NAME LEADER\n.name .leader\n")}, "NAME   LEADER\nzk1    2\nzk2    3\n"},
		"names":                   {[]string{"-o", "name"}, "ensemble.zkmigrate.io/zk1\nensemble.zkmigrate.io/zk2\n"},
		"a table, no headers":     {[]string{"--no-headers"}, "a   zk1      -   -   2   0/0   -   -   -   -\nb   zk2      -   -   3   0/0   -   -   -   -\n"},
		"what is not there":       {[]string{"-o", "jsonpath={.items[0].none}"}, ""},
		"what must be there":      {[]string{"-o", "jsonpath={.items[0].none}", "--allow-missing-template-keys=false"}, "error: --output=jsonpath={.items[0].none}: none is not found\nnext: "},
		"json, whatever beside":   {[]string{"-o", "name", "--template={{.x}}"}, "ensemble.zkmigrate.io/zk1\nensemble.zkmigrate.io/zk2\n"},
		"a path in two ways":      {[]string{"-o", "jsonpath={.a}", "--template={.b}"}, "error: --output=jsonpath={.a} and --template say what to print in two ways"},
		"half a template beside":  {[]string{"--template={{.x"}, "error: --template={{.x: "},
		"stdin":                   {[]string{"-o", "jsonpath-file=-"}, "error: -: stdin is not read here"},
		"no path":                 {[]string{"-o", "jsonpath="}, "error: --output=jsonpath=: what to print is missing"},
		"half a path":             {[]string{"-o", "jsonpath={.items["}, "error: --output=jsonpath={.items[: "},
		"half a template":         {[]string{"-o", "go-template={{.x"}, "error: --output=go-template={{.x: "},
		"columns without a colon": {[]string{"-o", "custom-columns=NAME"}, "error: --output=custom-columns=NAME: "},
		"no such file":            {[]string{"-o", "jsonpath-file=/none"}, "error: /none: no such file"},
		"no such format":          {[]string{"-o", "xml"}, `error: --output="xml": allowed are custom-columns, custom-columns-file, go-template, go-template-file, json, jsonpath,`},
		"json with a path":        {[]string{"-o", "json=.items"}, `error: --output="json=.items": allowed are `},
	} {
		t.Run(name, func(t *testing.T) {
			f := newOutputFlags(printer.Name, printer.Wide)
			cmd := &cobra.Command{}
			f.add(cmd)
			if err := cmd.ParseFlags(c.args); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			p, err := f.toPrinter(t.Context())
			if err == nil {
				err = p.Status(&out, true, items)
			}
			got := out.String()
			if err != nil {
				got = "error: " + err.Error()
			}
			if strings.HasPrefix(c.want, "error: ") && strings.HasPrefix(got, c.want) {
				return
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
