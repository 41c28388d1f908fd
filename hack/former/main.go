// Command former writes the rules of an earlier commit into test/model/former, so that
// the model can run them beside those of today (make test-same FORMER=COMMIT). What it
// writes is not committed.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

const (
	from = "pkg/migration"
	to   = "test/model/former"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./hack/former COMMIT")
		os.Exit(2)
	}
	if err := write(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "former:", err)
		os.Exit(1)
	}
}

// write copies the package as it was at the commit, under another name.
func write(ctx context.Context, commit string) error {
	list, err := git(ctx, "ls-tree", "--name-only", commit, from+"/")
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(to, "*.go"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if filepath.Base(name) == "doc.go" {
			continue
		}
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	for name := range strings.Lines(list) {
		name = strings.TrimSpace(name)
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := git(ctx, "show", commit+":"+name)
		if err != nil {
			return err
		}
		text = strings.Replace(text, "package migration\n", "package former\n", 1)
		text = "//go:build former\n\n" + text
		if err := os.WriteFile(filepath.Join(to, path.Base(name)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
	}
	return string(out), nil
}
