package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// applyPatches applies all of them in a folder, or none: a server with half of
// them does not start, or splits the ensemble. Those that are in place are left.
func applyPatches(ctx context.Context, files []string, dir string, out io.Writer) error {
	var missing []patch
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read the patch: %w", err)
		}
		p := patch{file: file, text: text, dir: dir}
		switch applied, err := p.applied(ctx); {
		case err != nil:
			return err
		case applied:
			fmt.Fprintf(out, "%s is already applied in %s\n", filepath.Base(file), dir)
		default:
			missing = append(missing, p)
		}
	}
	for _, p := range missing {
		text, err := p.try(ctx, "--forward")
		if err != nil {
			return fmt.Errorf("apply %s in %s: %w: %s", p.file, dir, err, text)
		}
		fmt.Fprintln(out, text)
	}
	return nil
}

// patch is a unified diff for files in dir.
type patch struct {
	file, dir string
	text      []byte
}

// applied reports whether there is nothing to do; an error says that the patch
// does not fit. Both are dry runs.
func (p patch) applied(ctx context.Context) (bool, error) {
	if len(p.text) == 0 {
		return true, nil
	}
	if _, err := p.try(ctx, "--dry-run", "--force", "--reverse"); err == nil {
		return true, nil
	}
	if text, err := p.try(ctx, "--dry-run", "--forward"); err != nil {
		return false, fmt.Errorf("%s does not fit in %s: %w: %s", p.file, p.dir, err, text)
	}
	return false, nil
}

func (p patch) try(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "patch", append([]string{"-p0", "--batch", "-d", p.dir}, args...)...)
	cmd.Stdin = bytes.NewReader(p.text)
	text, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(text)), err
}
