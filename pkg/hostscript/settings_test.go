package hostscript

import (
	"encoding/json"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// TestSettingsAreReadAsJavaReadsThem: what the script reads of a file is what the
// package that reads zoo.cfg reads, or nothing where
// there is a backslash or a character beyond ASCII.
func TestSettingsAreReadAsJavaReadsThem(t *testing.T) {
	files := []string{
		"dataDir=/data\n", "dataDir = /data \n", "dataDir:/data\n", "dataDir /data\n", "dataDir\t/data\r\n", "  dataDir=/a\ndataDir=/b\n", "dataDir==/x\n", "dataDir\n", "dataDir=\n",
		"#dataDir=/x\n!dataDir=/y\n", "dataDirx=/x\nxdataDir=/y\n", "dataDir=/it's a \"path\" $(x)\n", "a=b\\\ndataDir=/x\n", "dataDir=/a\\tb\n", "dataDir=/no/end", "\n\n \t\ndataDir=/x#y\n",
		"# C:\\x\ndataDir=/x\n", "dataDir : = /x\n", "", "dataDir=/日本\n", "\fdataDir=/x\n",
	}
	r := rand.New(rand.NewSource(1))
	parts := []string{"dataDir", "dataLogDir", "=", ":", " ", "\t", "\n", "\r\n", "#", "!", "/a", "/b c", "x", "\\", "'", "\""}
	for range 60 {
		var b strings.Builder
		for range 4 + r.Intn(12) {
			b.WriteString(parts[r.Intn(len(parts))])
		}
		files = append(files, b.String())
	}
	dir := t.TempDir()
	var paths []string
	for i, f := range files {
		path := filepath.Join(dir, string(rune('a'+i%26))+strings.Repeat("x", i))
		if err := os.WriteFile(path, []byte(f), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	script := means + servers + "\nfor f; do text \"$(setting dataDir \"$f\")\"; done | list\n"
	understood := 0
	for _, s := range shells(t) {
		t.Run(s.name, func(t *testing.T) {
			out, err := s.command(t, script, nil, paths...).Output()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			for i, f := range files {
				p, err := ensemble.ParseProperties("zoo.cfg", []byte(f))
				if err != nil {
					continue
				}
				want, _ := p.Get("dataDir")
				// ZooKeeper trims what Java has read.
				want = strings.TrimSpace(want)
				if strings.ContainsFunc(f, func(r rune) bool { return r == '\\' || r > '~' }) && got[i] == "" {
					continue
				}
				understood++
				if got[i] != want {
					t.Errorf("%q is read as %q, want %q", f, got[i], want)
				}
			}
		})
	}
	if understood < 100 {
		t.Errorf("only %d values were compared", understood)
	}
}
