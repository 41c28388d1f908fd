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

// copyData writes the token beside the server's data, then a tar of the data to
// out and, if that went well, one of the token.
func (c HookCall) copyData(ctx context.Context, out io.Writer) error {
	if err := os.WriteFile(filepath.Join(c.DataDir, "zkmigrate-seed"), []byte(c.Token+"\n"), 0o644); err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	args := []string{"-chSPf", "-", "-C", c.DataDir, "myid", "version-2"}
	if c.DataLogDir != "" {
		args = append(args, filepath.Join(c.DataLogDir, "version-2"))
	}
	if err := tarTo(ctx, out, args...); err != nil {
		return err
	}
	return tarTo(ctx, out, "-cf", "-", "-C", c.DataDir, "zkmigrate-seed")
}

func tarTo(ctx context.Context, out io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, "tar", args...)
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &complaints
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("tar %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return nil
}
