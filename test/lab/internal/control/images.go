package control

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/build"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/image"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// PrepareImages makes the folder that every node's containerd starts from: the
// images all of them have, already unpacked. Importing them into each node anew
// would take most of the time a lab needs to come up.
func PrepareImages(ctx context.Context, lab *state.Lab, store image.Store) (string, error) {
	layers, err := store.Shared(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, layers, lab.Programs.Pause)
	dir := filepath.Join(lab.Cache, fmt.Sprintf("containerd-%x", sum.Sum(nil)[:6]))
	unlock, err := build.Lock(ctx, dir+".lock")
	if err != nil {
		return "", fmt.Errorf("prepare the nodes' images: %w", err)
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	store.Log.Say("unpacking the nodes' images")
	if err := os.RemoveAll(dir + ".new"); err != nil {
		return "", fmt.Errorf("prepare the nodes' images: %w", err)
	}
	if err := fillContainerd(ctx, lab, store, dir+".new"); err != nil {
		return "", fmt.Errorf("prepare the nodes' images: %w", err)
	}
	if err := os.Rename(dir+".new", dir); err != nil {
		return "", fmt.Errorf("prepare the nodes' images: %w", err)
	}
	return dir, nil
}

// fillContainerd runs a containerd for as long as it takes to import images.
func fillContainerd(ctx context.Context, lab *state.Lab, store image.Store, root string) error {
	run := lab.Path("run", "images")
	if err := os.MkdirAll(run, 0o755); err != nil {
		return err
	}
	socket, config := filepath.Join(run, "containerd.sock"), filepath.Join(run, "containerd.toml")
	text := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n  address = %q\n", root, filepath.Join(run, "state"), socket)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	place, err := json.Marshal(sys.Place{Cgroup: lab.Name.Cgroup("images")})
	if err != nil {
		return err
	}
	var log bytes.Buffer
	daemon := exec.CommandContext(ctx, lab.Self(), "enter", string(place), "--", "containerd", "--config", config, "--log-level", "warn")
	daemon.Stdout, daemon.Stderr = &log, &log
	daemon.Cancel = func() error { return daemon.Process.Signal(syscall.SIGTERM) }
	if err := daemon.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	up := sys.Poll(ctx, time.Minute, func() bool { _, err := os.Stat(socket); return err == nil })
	if up {
		err = importArchive(exec.CommandContext(ctx, "ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", "-"), func(w io.Writer) error {
			return store.StartArchive(ctx, w, lab.Programs.Pause)
		})
	} else {
		err = errors.New("containerd does not start")
	}
	// Ended in peace, its database is whole.
	_ = daemon.Process.Signal(syscall.SIGTERM)
	if waitErr := <-ended; err == nil && waitErr != nil {
		err = waitErr
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(log.String()))
	}
	return nil
}

// startFrom gives a node the prepared images. Files that never change are
// shared by hard links, where both folders are on one disk; databases are not.
func startFrom(prepared, dir string) error {
	out, err := exec.Command("cp", "-a", "--link", "--", prepared, dir).CombinedOutput()
	if err != nil {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if copyOut, err := exec.Command("cp", "-a", "--", prepared, dir).CombinedOutput(); err != nil {
			return fmt.Errorf("copy %s: %w: %s %s", prepared, err, out, copyOut)
		}
		return nil
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		// Unpacked images and their blobs hold no databases of containerd's.
		if d.IsDir() && (d.Name() == "snapshots" || d.Name() == "blobs") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			return unshare(path)
		}
		return nil
	})
}

// unshare makes a hard link a file of its own.
func unshare(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.WriteFile(path, data, info.Mode().Perm())
}

// ImportImages streams images into nodes' runtimes.
func ImportImages(ctx context.Context, lab *state.Lab, nodes []state.Node, write func(io.Writer) error) error {
	for _, n := range nodes {
		cmd, err := EnterCommand(ctx, lab, n, "ctr", "--address", containerdSocket, "--namespace", "k8s.io", "images", "import", "-")
		if err != nil {
			return err
		}
		if err := importArchive(cmd, write); err != nil {
			return fmt.Errorf("import images into %s: %w", n.Name, err)
		}
	}
	return nil
}

func importArchive(cmd *exec.Cmd, write func(io.Writer) error) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	writeErr := write(pipe)
	pipe.Close()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out.Bytes()))
	}
	return writeErr
}
