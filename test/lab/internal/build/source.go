package build

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// FindSource returns the folder with the components' modules. They can't be
// embedded (a folder with a go.mod is not part of this module), so they are
// looked for: where the caller says, where this file was compiled, and upwards
// from the working folder and from the program.
func FindSource(named string) (string, error) {
	if named != "" {
		return filepath.Abs(named)
	}
	var roots []string
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		roots = append(roots, filepath.Dir(file))
	}
	if cwd, err := os.Getwd(); err == nil {
		roots = append(roots, cwd)
	}
	if self, err := os.Executable(); err == nil {
		roots = append(roots, filepath.Dir(self))
	}
	for _, root := range roots {
		for dir := root; ; dir = filepath.Dir(dir) {
			for _, sub := range []string{"components", "test/lab/components"} {
				candidate := filepath.Join(dir, sub)
				if _, err := os.Stat(filepath.Join(candidate, "kubernetes", "go.mod")); err == nil {
					return candidate, nil
				}
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", errors.New("find the components' sources: run inside the project's checkout, or name test/lab/components by --source or ZKLAB_SOURCE")
}
