// Package badinput gives the built program what it must not choke on: files,
// flags, kubeconfigs, API servers and ZooKeeper ports of every bad kind. Each
// must end in bounded time with the documented exit code, say what is wrong,
// where, and what to do next, and leave nothing behind.
package badinput

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// row is one bad input.
type row struct {
	name string
	args []string
	// files lie in the directory in which the program runs; prepare makes others.
	files   map[string]string
	prepare func(t *testing.T, dir string)
	stdin   func() io.Reader
	// config is the kubeconfig; nil is that of a well-behaved API server. It
	// returns the text, or the whole environment's choice.
	config func(t *testing.T, dir string) setup
	code   int
	// within is when it must have ended; 0 is patience.
	within time.Duration
	// endless input is given up when the time is over.
	endless bool
	// says are the words of what, where and what next, on either stream. One of
	// them at least is a reason: neither the input's own words nor a place in it.
	says []string
}

// setup is how the program finds its API server.
type setup struct {
	// text of the kubeconfig; path where another file than that is named.
	text, path string
	// env is KUBECONFIG instead of --kubeconfig.
	env    bool
	writes *atomic.Int64
}

const (
	// patience is when a program is not waited for any longer: that is a failure.
	patience = 100 * time.Second
	// maxRSS is how much memory bad input may cost, in KiB.
	maxRSS = 512 << 10
)

// TestMain plays more rows at once than there are processors: most of them wait.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestBadInput(t *testing.T) {
	program := build(t)
	rows := slices.Concat(fileRows(), manifestRows(), savedRows(), flagRows(), kubeconfigRows(), apiRows(), turningRows(), journalRows(), serverRows(t), outputRows())
	names := map[string]bool{}
	var tried, clear atomic.Int64
	t.Run("rows", func(t *testing.T) {
		for _, r := range rows {
			if names[r.name] {
				t.Errorf("%s: the name stands twice", r.name)
			}
			names[r.name] = true
			if !slices.ContainsFunc(r.says, r.reason) {
				t.Errorf("%s: %q asks for nothing but what was typed, and a useless message has that, too", r.name, r.says)
			}
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				tried.Add(1)
				if wrong := play(t, program, r); len(wrong) > 0 {
					t.Errorf("not clear:\n  %s", strings.Join(wrong, "\n  "))
					return
				}
				clear.Add(1)
			})
		}
	})
	fmt.Printf("tried %d, clear %d\n", tried.Load(), clear.Load())
	if len(rows) < 200 {
		t.Errorf("%d rows: at least 200 are wanted", len(rows))
	}
}

// build makes the program as users have it.
func build(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "kubectl-zkmigrate")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, "../../cmd/kubectl-zkmigrate")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, text)
	}
	return out
}

// play runs one row and returns what is not as it must be.
func play(t *testing.T, program string, r row) []string {
	dir := t.TempDir()
	for name, text := range r.files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if r.prepare != nil {
		r.prepare(t, dir)
	}
	config := r.config
	if config == nil {
		config = func(t *testing.T, _ string) setup { return good(t) }
	}
	s := config(t, dir)
	home := t.TempDir()
	env := []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	args := r.args
	if s.path == "" {
		s.path = filepath.Join(home, "kubeconfig")
		if err := os.WriteFile(s.path, []byte(s.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s.env {
		env = append(env, "KUBECONFIG="+s.path)
	} else {
		args = slices.Concat(args[:1], []string{"--kubeconfig=" + s.path}, args[1:])
	}
	before := tree(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, env
	if r.stdin != nil {
		cmd.Stdin = r.stdin()
	}
	// What the program started may hold its streams.
	cmd.WaitDelay = time.Second
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	began := time.Now()
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		t.Fatal(err)
	}
	said := out.String() + errOut.String()
	wrong := judge(r, cmd.ProcessState.ExitCode(), said)
	if took := time.Since(began); r.within > 0 && took > r.within {
		wrong = append(wrong, fmt.Sprintf("it took %s, at most %s is due", took.Round(time.Second), r.within))
	}
	if ctx.Err() != nil {
		wrong = append(wrong, "it did not end within "+patience.String())
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && runtime.GOOS == "linux" && u.Maxrss > maxRSS {
		wrong = append(wrong, fmt.Sprintf("it took %d MiB of memory", u.Maxrss>>10))
	}
	if after := tree(t, dir); !slices.Equal(before, after) {
		wrong = append(wrong, fmt.Sprintf("files were left: %q, before: %q", after, before))
	}
	if s.writes != nil && s.writes.Load() > 0 {
		wrong = append(wrong, fmt.Sprintf("%d objects were written", s.writes.Load()))
	}
	if len(wrong) > 0 {
		wrong = append(wrong, "ran: "+strings.Join(r.args, " "), "said: "+strings.ReplaceAll(clip(said), "\n", "\n        "))
	}
	return wrong
}

// reason reports whether words say what is wrong: any message that shows the
// input has the input's words, and the place of a fault is not yet a fault.
func (r row) reason(words string) bool {
	input := strings.Join(r.args, " ")
	for name, text := range r.files {
		input += " " + name + " " + text
	}
	if strings.HasPrefix(words, "next:") || strings.HasPrefix(words, "hint:") || strings.HasPrefix(words, "API server") {
		return false
	}
	switch words {
	case "kubeconfig", "journal", "--help":
		return false
	}
	return !strings.Contains(input, strings.TrimSpace(words)) && !place.MatchString(words)
}

// place is a file with a line, a file, or a flag.
var place = regexp.MustCompile(`^([\w./-]+:\d*|/\S+|--[a-z-]+|zk/zk1-)$`)

// nextStep are the forms in which the program says what to do about an error: a
// line of its own, the help page, or, for what somebody typed, what to write
// instead, behind what is wrong with it.
var nextStep = regexp.MustCompile(`(?im)^\s*(next|hint): \S` +
	`|'kubectl zkmigrate .*--help'` +
	`|\(expected \S` +
	`|[:;?,] (give|name|use|write|put|check|leave|did you mean|look|expected|allowed are|known are|at least|at most) ` +
	`|^error: (give|name) ` +
	`|(\bids are|a uid is) \d+ to \d|those that can( be waived)? are [A-Z0-9]|such as [a-z]|\(chmod \+x\)`)

// judge holds an end against what every one must be.
func judge(r row, code int, said string) []string {
	var wrong []string
	if code != r.code {
		wrong = append(wrong, fmt.Sprintf("exit code %d, want %d", code, r.code))
	}
	for _, want := range r.says {
		if !strings.Contains(said, want) {
			wrong = append(wrong, fmt.Sprintf("does not say %q", want))
		}
	}
	if !nextStep.MatchString(said) {
		wrong = append(wrong, "does not say what to do next")
	}
	for _, never := range []string{
		"panic", "goroutine ", "context deadline exceeded", "context canceled", "%!", "<nil>", "runtime error", "github.com/", "strconv.", "yaml: unmarshal",
		"i/o timeout", "Client.Timeout", "json: ", "Go value", "Go struct", "end of JSON input", "looking for beginning", "x509: ", "&{", "map[", "0xc000",
	} {
		if strings.Contains(said, never) {
			wrong = append(wrong, fmt.Sprintf("says %q", never))
		}
	}
	for _, pattern := range []string{`(?m)^[EWIF]\d{4} \d\d:`, `\.go:\d+`, `(^|[^.a-z0-9])k8s\.io/`, "[\x00-\x08\x0b-\x1f\x7f]"} {
		if found := regexp.MustCompile(pattern).FindString(said); found != "" {
			wrong = append(wrong, fmt.Sprintf("says %q", found))
		}
	}
	if strings.TrimSpace(said) == "" {
		wrong = append(wrong, "says nothing")
	}
	if longest := slices.MaxFunc(strings.Split(said, "\n"), func(a, b string) int { return len(a) - len(b) }); len(longest) > 2000 {
		wrong = append(wrong, fmt.Sprintf("a line has %d characters", len(longest)))
	}
	return wrong
}

// tree lists a directory without following links.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			out = append(out, name)
			return nil
		}
		out = append(out, fmt.Sprintf("%s %s %d", name, info.Mode(), info.Size()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func clip(s string) string {
	const limit = 1500
	if len(s) > limit {
		return s[:limit] + fmt.Sprintf("... (%d bytes)", len(s))
	}
	return s
}
