// Package krew installs the plugin with the real krew, offline: from an archive
// built from this tree and the manifest rendered for it.
package krew

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestInstallWithKrew(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	for _, tool := range []string{"krew", "validate-krew-manifest"} {
		run(t, ".", nil, "go", "build", "-o", filepath.Join(tmp, tool), "sigs.k8s.io/krew/cmd/"+tool)
	}
	run(t, root, []string{"TARGETS=linux/amd64", "DIST=" + tmp, "TAG=v0.0.1"}, "hack/package.sh")

	manifest := filepath.Join(tmp, "zkmigrate.yaml")
	run(t, tmp, nil, filepath.Join(tmp, "validate-krew-manifest"), "-manifest", manifest, "-skip-install")

	env := []string{"KREW_ROOT=" + filepath.Join(tmp, "root"), "KREW_NO_UPGRADE_CHECK=1", "KREW_OS=linux", "KREW_ARCH=amd64"}
	archive := filepath.Join(tmp, "kubectl-zkmigrate_v0.0.1_linux_amd64.tar.gz")
	run(t, tmp, env, filepath.Join(tmp, "krew"), "install", "--manifest="+manifest, "--archive="+archive)

	plugin := filepath.Join(tmp, "root", "bin", "kubectl-zkmigrate")
	if out := run(t, tmp, nil, plugin, "--help"); !strings.Contains(out, "kubectl zkmigrate") {
		t.Errorf("the installed plugin's help does not call it kubectl zkmigrate:\n%s", out)
	}
	licence, err := filepath.Glob(filepath.Join(tmp, "root", "store", "zkmigrate", "*", "LICENSE"))
	if err != nil || len(licence) != 1 {
		t.Errorf("no LICENSE in the installation (%v, %v): the krew index refuses that", licence, err)
	}

	// krew checks the sum: another archive under the same manifest is refused.
	if err := os.WriteFile(archive, []byte("not the archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(tmp, "krew"), "install", "--manifest="+manifest, "--archive="+archive)
	cmd.Env = append(os.Environ(), "KREW_ROOT="+filepath.Join(tmp, "other"), "KREW_NO_UPGRADE_CHECK=1", "KREW_OS=linux", "KREW_ARCH=amd64")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("krew takes an archive with another sum:\n%s", out)
	}
}
