package image

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// buildBase makes the layer all ZooKeeper images share: Debian, Java, a user.
// Documentation is left out; the folders of the manual pages must be there
// while packages are configured.
func (s Store) buildBase(ctx context.Context, dir string) error {
	archive, err := mirror(ctx)
	if err != nil {
		return err
	}
	s.Log.Say("building the base image: Debian %s and Java, about a minute", baseRelease)
	tarball := filepath.Join(dir, layerFile)
	cmd := exec.CommandContext(ctx, "mmdebstrap", "--variant=minbase",
		"--include=openjdk-17-jre-headless,bash",
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
		`--customize-hook=rm -rf "$1"/usr/share/man/* "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*`,
		`--customize-hook=chroot "$1" useradd --uid 1000 --user-group --no-create-home --home-dir /opt/zookeeper zookeeper`,
		"--skip=output/dev", "--format=tar",
		baseRelease, tarball,
		fmt.Sprintf("deb [signed-by=%s] %s %s main", debianKeyring, archive, baseRelease))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mmdebstrap: %w\n%s", err, lastLines(out))
	}
	return s.unpack(ctx, tarball, dir)
}

// unpack lays a layer out as files too: hosts run from them.
func (s Store) unpack(ctx context.Context, tarball, dir string) error {
	rootfs := filepath.Join(dir, rootfsDir)
	if err := os.MkdirAll(rootfs, 0o755); err != nil {
		return fmt.Errorf("unpack %s: %w", tarball, err)
	}
	cmd := exec.CommandContext(ctx, "tar", "-C", rootfs, "--numeric-owner", "-xpf", tarball)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w\n%s", tarball, err, lastLines(out))
	}
	return nil
}
