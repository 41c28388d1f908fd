package hostpatch

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

func TestUnifiedDiff(t *testing.T) {
	tests := map[string]struct{ before, after, want string }{
		"same":           {"a\n", "a\n", ""},
		"one line":       {"a\nb\nc\n", "a\nB\nc\n", "--- zoo.cfg\n+++ zoo.cfg\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
		"appended":       {"a\n", "a\nb\n", "--- zoo.cfg\n+++ zoo.cfg\n@@ -1 +1,2 @@\n a\n+b\n"},
		"from nothing":   {"", "a\n", "--- zoo.cfg\n+++ zoo.cfg\n@@ -0,0 +1 @@\n+a\n"},
		"to nothing":     {"a\n", "", "--- zoo.cfg\n+++ zoo.cfg\n@@ -1 +0,0 @@\n-a\n"},
		"no newline":     {"a\nb", "a\nb\nc\n", "--- zoo.cfg\n+++ zoo.cfg\n@@ -1,2 +1,3 @@\n a\n-b\n\\ No newline at end of file\n+b\n+c\n"},
		"crlf":           {"a\r\nb\r\n", "a\r\nc\r\n", "--- zoo.cfg\n+++ zoo.cfg\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n"},
		"far apart":      {"a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n", "--- zoo.cfg\n+++ zoo.cfg\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n"},
		"contexts touch": {"a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n", "--- zoo.cfg\n+++ zoo.cfg\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := string(UnifiedDiff("zoo.cfg", []byte(tc.before), []byte(tc.after)))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("diff (-want +got):\n%s", diff)
			}
		})
	}
}

// applyWith runs a real patch program in a directory that holds the file, and
// returns the file afterwards.
func applyWith(t *testing.T, program []string, name string, before, diff []byte) []byte {
	t.Helper()
	if len(diff) == 0 {
		return before
	}
	if _, err := exec.LookPath(program[0]); err != nil {
		t.Skipf("%s is not installed", program[0])
	}
	dir := t.TempDir()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, before, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(diff)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir, "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s\nthe diff:\n%s", strings.Join(program, " "), err, out, diff)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.orig")); err != nil || len(left) > 0 {
		t.Fatalf("%s needed fuzz: %v %v", program[0], left, err)
	}
	return got
}

func patchPrograms() [][]string {
	return [][]string{{"patch", "-p0"}, {"git", "apply", "-p0"}}
}

// checkDiff applies a diff and its undo with every program there is.
func checkDiff(t *testing.T, name string, before, after []byte) {
	t.Helper()
	do, undo := UnifiedDiff(name, before, after), UnifiedDiff(name, after, before)
	for _, program := range patchPrograms() {
		if got := applyWith(t, program, name, before, do); !bytes.Equal(got, after) {
			t.Fatalf("%v: %s", program, cmp.Diff(string(after), string(got)))
		}
		if got := applyWith(t, program, name, after, undo); !bytes.Equal(got, before) {
			t.Fatalf("%v, undo: %s", program, cmp.Diff(string(before), string(got)))
		}
	}
}

func TestPatchProgramsTakeTheDiff(t *testing.T) {
	tests := map[string]struct{ name, before, after string }{
		"plain":                    {"zoo.cfg", "a=1\nb=2\nc=3\n", "a=1\nb=3\nc=3\nd=4\n"},
		"crlf":                     {"zoo.cfg", "a=1\r\nb=2\r\n", "a=1\r\nb=3\r\nc=4\r\n"},
		"mixed endings":            {"zoo.cfg", "a=1\r\nb=2\nc=3\r\n", "a=1\r\nb=4\nc=3\r\nd=5\n"},
		"crlf without last":        {"zoo.cfg", "a=1\r\nb=2", "a=1\r\nb=3\r\nc=4\r\n"},
		"no newline before":        {"zoo.cfg", "a=1\nb=2", "a=1\nb=2\nc=3\n"},
		"no newline after":         {"zoo.cfg", "a=1\nb=2\n", "a=1\nb=2\nc=3"},
		"no newline both":          {"zoo.cfg", "a=1\nb=2", "a=2\nb=3"},
		"name with a blank":        {"zoo 1.cfg", "a=1\n", "a=2\n"},
		"latin-1 bytes":            {"zoo.cfg", "# caf\xe9\na=1\n", "# caf\xe9\na=2\n"},
		"line like a header":       {"zoo.cfg", "-- zoo.cfg\n++ zoo.cfg\na=1\n", "++ zoo.cfg\n-- zoo.cfg\na=2\n"},
		"only a carriage return":   {"zoo.cfg", "a=1\rb=2\r", "a=1\rb=3\r"},
		"trailing blanks and tabs": {"zoo.cfg", "a = 1 \t\n\n \n\tb=2\n", "a = 2\n\n \n\tb=2\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) { checkDiff(t, tc.name, []byte(tc.before), []byte(tc.after)) })
	}
}

// TestPatchProgramsTakeRandomDiffs edits random texts at random places.
func TestPatchProgramsTakeRandomDiffs(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 5
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		before, after := randomText(rng), []byte(nil)
		for _, line := range splitLines(before) {
			switch rng.IntN(8) {
			case 0:
			case 1:
				after = append(after, "new=1\r\n"...)
			case 2:
				after = append(append(after, line...), "more=2\n"...)
			default:
				after = append(after, line...)
			}
		}
		if len(before) == 0 || len(after) == 0 {
			continue // git apply treats those as a created or deleted file
		}
		checkDiff(t, "zoo.cfg", before, after)
	}
}

func randomText(rng *rand.Rand) []byte {
	var out []byte
	words := []string{"a=1", "b=2", "", "# c", "server.1=zk1:2888:3888", "\t", "caf\xe9"}
	for range rng.IntN(30) {
		out = append(out, words[rng.IntN(len(words))]...)
		switch rng.IntN(10) {
		case 0:
			out = append(out, '\r', '\n')
		default:
			out = append(out, '\n')
		}
	}
	if rng.IntN(3) == 0 {
		out = append(out, "last"...)
	}
	return out
}

// TestNoSecretInAPatch: wherever a secret stands, no patch shows it, and every patch can
// be applied and undone.
func TestNoSecretInAPatch(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var before, after []string
		for i := range 3 + random.IntN(20) {
			line := "key" + string(rune('a'+i)) + "=1"
			switch random.IntN(5) {
			case 0:
				line = []string{"ssl.keyStore.password=s3cr3t", "# superDigest s3cr3t", "ssl.trustStore.password : s3cr3t", "ssl.trustStore.password=\\\n  s3cr3t"}[random.IntN(4)]
			case 1:
				after = append(after, "server.1=new")
				line += " "
				before = append(before, line)
				continue
			case 2:
				after = append(after, "added=1")
			}
			before, after = append(before, line), append(after, line)
		}
		a, b := []byte(strings.Join(before, "\n")+"\n"), []byte(strings.Join(after, "\n")+"\n")
		do, undo := UnifiedDiff("zoo.cfg", a, b), UnifiedDiff("zoo.cfg", b, a)
		if bytes.Contains(do, []byte("s3cr3t")) || bytes.Contains(undo, []byte("s3cr3t")) {
			t.Fatalf("a secret is in a patch:\n%s\n%s", do, undo)
		}
		for _, program := range [][]string{{"patch", "-p0"}, {"git", "apply", "-p0", "--unidiff-zero"}} {
			if got := applyWith(t, program, "zoo.cfg", a, do); !bytes.Equal(got, b) {
				t.Fatalf("%v of\n%s: %s", program, do, cmp.Diff(string(b), string(got)))
			}
			if got := applyWith(t, program, "zoo.cfg", b, undo); !bytes.Equal(got, a) {
				t.Fatalf("%v of\n%s: %s", program, undo, cmp.Diff(string(a), string(got)))
			}
		}
	}
}

// TestNoSecretAtTheEnd: a secret's line without a terminator stays as it is.
func TestNoSecretAtTheEnd(t *testing.T) {
	for _, last := range []string{"ssl.keyStore.password=s3cr3t", "  ssl.keyStore.password=\\\n s3cr3t", "ssl.keyStore.password=s3cr3t\\"} {
		before := []byte("a=1\nserver.1=old\n" + last)
		p, err := ensemble.ParseProperties("zoo.cfg", before)
		if err != nil {
			t.Fatal(err)
		}
		p.Set("server.1", "new")
		p.Set("added", "1")
		after := p.Bytes()
		if value, _ := p.Get("ssl.keyStore.password"); value != "s3cr3t" || !bytes.Contains(after, []byte("\nadded=1\n")) {
			t.Errorf("%q: %q", last, after)
		}
		do := UnifiedDiff("zoo.cfg", before, after)
		if bytes.Contains(do, []byte("s3cr3t")) {
			t.Errorf("a secret is in a patch:\n%s", do)
		}
		if got := applyWith(t, []string{"patch", "-p0"}, "zoo.cfg", before, do); !bytes.Equal(got, after) {
			t.Error(cmp.Diff(string(after), string(got)))
		}
	}
}
