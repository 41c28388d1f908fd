package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mirror asks apt where this machine gets Debian from.
func mirror(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format",
		"$(CREATED_BY)|$(ORIGIN)|$(CODENAME)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)").Output()
	if err != nil {
		return "", fmt.Errorf("ask apt for its mirror: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		// Updates and security have other release names than their code name.
		if len(f) == 6 && f[0] == "Packages" && f[1] == "Debian" && f[2] == f[3] && f[4] == "main" {
			return f[5], nil
		}
	}
	return "", errors.New("ask apt for its mirror: no Debian main archive with known contents; run apt-get update, and check /etc/apt")
}

// download fetches packages of any Debian release, without installing them.
func download(ctx context.Context, archive, release, dir string, packages ...string) error {
	work, err := os.MkdirTemp("", "zklab-apt-")
	if err != nil {
		return fmt.Errorf("download packages: %w", err)
	}
	defer os.RemoveAll(work)
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(work, sub), 0o755); err != nil {
			return fmt.Errorf("download packages: %w", err)
		}
	}
	files := map[string]string{
		"status":       "",
		"sources.list": fmt.Sprintf("deb [signed-by=%s] %s %s main\n", debianKeyring, archive, release),
		"apt.conf": fmt.Sprintf(`Dir::Etc::SourceList "%[1]s/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "%[1]s/lists";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s/cache";
Acquire::Languages "none";
APT::Sandbox::User "root";
`, work),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("download packages: %w", err)
		}
	}
	for _, args := range [][]string{{"-q", "update"}, append([]string{"-q", "download"}, packages...)} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(work, "apt.conf"), "LC_ALL=C")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s from %s: %w\n%s", args[1], release, err, lastLines(out))
		}
	}
	return nil
}

const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
