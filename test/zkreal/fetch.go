//go:build linux

// Package zkreal runs real ZooKeeper servers on loopback for tests: claims
// about ZooKeeper are shown on ZooKeeper, not on imitations of it.
package zkreal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Versions lists the releases hack/fetch-zookeeper.sh can bring.
func Versions() []string { return []string{"3.4.13", "3.8.0", "3.9.3"} }

// Fetch returns the folder that holds the jars of that ZooKeeper version, after
// hack/fetch-zookeeper.sh has put them there. The first call for a version
// downloads some megabytes; later ones take milliseconds.
func Fetch(ctx context.Context, version string) (string, error) {
	root, err := repoRoot()
	if err != nil {
		return "", err
	}
	script := filepath.Join(root, "hack", "fetch-zookeeper.sh")
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, script, version)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("fetch ZooKeeper %s with %s: %w: %s", version, script, err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// repoRoot walks up from the working folder (go test sets it to the package's)
// to the folder that holds hack/fetch-zookeeper.sh.
func repoRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "hack", "fetch-zookeeper.sh")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("find the repository: no folder above holds hack/fetch-zookeeper.sh; run from inside the repository")
		}
		dir = up
	}
}
