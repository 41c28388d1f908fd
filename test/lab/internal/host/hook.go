package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// HookCall is what the plugin tells a --host-hook program in its environment.
type HookCall struct {
	Action, Ensemble, Host, Files string
	ID                            int
}

// ParseHook reads a call from the environment.
func ParseHook(getenv func(string) string) (HookCall, error) {
	call := HookCall{
		Action: getenv("ZKMIGRATE_ACTION"), Ensemble: getenv("ZKMIGRATE_ENSEMBLE"),
		Host: getenv("ZKMIGRATE_HOST"), Files: getenv("ZKMIGRATE_FILES"),
	}
	var err error
	if call.ID, err = strconv.Atoi(getenv("ZKMIGRATE_ID")); err != nil {
		return HookCall{}, fmt.Errorf("hook: ZKMIGRATE_ID=%q is no number", getenv("ZKMIGRATE_ID"))
	}
	if call.Host == "" {
		return HookCall{}, fmt.Errorf("hook: ZKMIGRATE_HOST is not set; it is the address of the host")
	}
	switch call.Action {
	case "stop", "start", "restart", "mask", "unmask":
	case "apply-patch", "undo-patch":
		if call.Files == "" {
			return HookCall{}, fmt.Errorf("hook: ZKMIGRATE_FILES is not set; it is the folder with the patches")
		}
	default:
		return HookCall{}, fmt.Errorf("hook: ZKMIGRATE_ACTION=%q; there are stop, start, restart, mask, unmask, apply-patch and undo-patch", call.Action)
	}
	return call, nil
}

// PatchFile is the patch that the action applies, or empty.
func (c HookCall) PatchFile() string {
	switch c.Action {
	case "apply-patch":
		return filepath.Join(c.Files, "zoo.cfg.patch")
	case "undo-patch":
		return filepath.Join(c.Files, "zoo.cfg.undo.patch")
	}
	return ""
}

// Run carries the call out on the server in dir, whose configuration is zooCfg.
func (c HookCall) Run(ctx context.Context, dir, zooCfg string, out io.Writer) error {
	if patch := c.PatchFile(); patch != "" {
		return applyPatch(ctx, patch, filepath.Dir(zooCfg), out)
	}
	status, err := Ask(ctx, dir, c.Action)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s %s/%d: running=%t masked=%t\n", c.Action, c.Ensemble, c.ID, status.Running, status.Masked)
	return nil
}

// applyPatch does it once: a patch that is already in place is no error.
func applyPatch(ctx context.Context, file, dir string, out io.Writer) error {
	patch, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the patch: %w", err)
	}
	try := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "patch", append([]string{"-p0", "--batch", "-d", dir}, args...)...)
		cmd.Stdin = bytes.NewReader(patch)
		text, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(text)), err
	}
	if _, err := try("--dry-run", "--force", "--reverse"); err == nil && len(patch) > 0 {
		fmt.Fprintf(out, "%s is already applied in %s\n", filepath.Base(file), dir)
		return nil
	}
	// A dry run first: half a patch is worse than none.
	if text, err := try("--dry-run", "--forward"); err != nil {
		return fmt.Errorf("%s does not fit in %s: %w: %s", file, dir, err, text)
	}
	text, err := try("--forward")
	if err != nil {
		return fmt.Errorf("apply %s in %s: %w: %s", file, dir, err, text)
	}
	fmt.Fprintln(out, text)
	return nil
}
