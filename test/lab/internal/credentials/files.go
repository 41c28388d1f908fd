package credentials

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/host"
)

// Files are contents by name.
type Files map[string][]byte

// Write writes them for the user that ZooKeeper runs as.
func (f Files) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	for name, data := range f {
		path := filepath.Join(dir, name)
		mode := os.FileMode(0o600)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		if err := errors.Join(os.WriteFile(path, data, mode), os.Chown(path, host.UserID, host.UserID)); err != nil {
			return fmt.Errorf("write credentials: %w", err)
		}
	}
	return nil
}
