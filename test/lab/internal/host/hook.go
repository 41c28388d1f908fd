package host

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// HookCall is what the plugin tells a --host-hook program in its environment.
type HookCall struct {
	Action, Ensemble, Host, Files string
	ID                            int
	// Token, DataDir and DataLogDir are for copy-data.
	Token, DataDir, DataLogDir string
}

// ParseHook reads a call from the environment.
func ParseHook(getenv func(string) string) (HookCall, error) {
	call := HookCall{
		Action: getenv("ZKMIGRATE_ACTION"), Ensemble: getenv("ZKMIGRATE_ENSEMBLE"),
		Host: getenv("ZKMIGRATE_HOST"), Files: getenv("ZKMIGRATE_FILES"),
		Token: getenv("ZKMIGRATE_TOKEN"), DataDir: getenv("ZKMIGRATE_DATA_DIR"), DataLogDir: getenv("ZKMIGRATE_DATA_LOG_DIR"),
	}
	var err error
	if call.ID, err = strconv.Atoi(getenv("ZKMIGRATE_ID")); err != nil {
		return HookCall{}, fmt.Errorf("hook: ZKMIGRATE_ID=%q is no number", getenv("ZKMIGRATE_ID"))
	}
	if call.Host == "" {
		return HookCall{}, fmt.Errorf("hook: ZKMIGRATE_HOST is not set; it is the address of the host")
	}
	switch call.Action {
	case "stop", "start", "restart", "mask", "unmask", "report":
	case "apply-patch", "undo-patch":
		if call.Files == "" {
			return HookCall{}, fmt.Errorf("hook: ZKMIGRATE_FILES is not set; it is the folder with the patches")
		}
	case "copy-data":
		if call.Token == "" || call.DataDir == "" {
			return HookCall{}, fmt.Errorf("hook: ZKMIGRATE_TOKEN or ZKMIGRATE_DATA_DIR is not set; they say what to write where before the copy")
		}
	default:
		return HookCall{}, fmt.Errorf("hook: ZKMIGRATE_ACTION=%q; there are stop, start, restart, mask, unmask, apply-patch, undo-patch, copy-data and report", call.Action)
	}
	return call, nil
}

// Run carries the call out on the server in dir, whose configuration is zooCfg.
func (c HookCall) Run(ctx context.Context, dir, zooCfg string, out io.Writer) error {
	if c.Action == "copy-data" {
		return c.copyData(ctx, out)
	}
	if c.Action == "apply-patch" || c.Action == "undo-patch" {
		files, err := c.patchFiles()
		if err != nil {
			return err
		}
		return applyPatches(ctx, files, filepath.Dir(zooCfg), out)
	}
	status, err := Ask(ctx, dir, c.Action)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s %s/%d: running=%t masked=%t\n", c.Action, c.Ensemble, c.ID, status.Running, status.Masked)
	return nil
}

// patchFiles are the patches that the action applies: every *.patch of the
// folder, or every *.undo.patch.
func (c HookCall) patchFiles() ([]string, error) {
	entries, err := os.ReadDir(c.Files)
	if err != nil {
		return nil, fmt.Errorf("find the patches: %w", err)
	}
	var files []string
	for _, e := range entries {
		undo := strings.HasSuffix(e.Name(), ".undo.patch")
		if strings.HasSuffix(e.Name(), ".patch") && undo == (c.Action == "undo-patch") {
			files = append(files, filepath.Join(c.Files, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no patch for %s in %s", c.Action, c.Files)
	}
	return files, nil
}
