// Package image makes the lab's container images without a container engine:
// one base layer with Debian and Java, a small layer per ZooKeeper version, and
// a pause image, written as a docker-archive that containerd imports.
package image

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/build"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/progress"
)

const (
	// PauseName is the image of a pod's first container.
	PauseName = "zklab.local/pause:v1"

	baseRelease = "bookworm"
	layerFile   = "layer.tar"
	rootfsDir   = "rootfs"
	digestFile  = "layer.sha256"
	userID      = 1000
	// layout is part of every cache name: raise it when what is built changes
	// in a way the embedded files don't show.
	layout = "1"
)

// Name is a ZooKeeper version's image.
func Name(version string) string { return "zklab.local/zookeeper:" + version }

// Store keeps layers in the cache.
type Store struct {
	Cache string
	Log   *progress.Log
}

// Layer is a tar file, the same as an unpacked folder, and its digest.
type Layer struct{ Tar, Rootfs, Digest string }

// Base returns the layer all ZooKeeper images share.
func (s Store) Base(ctx context.Context) (Layer, error) {
	return s.layer(ctx, "base-"+baseRelease+"-"+layout, s.buildBase)
}

// ZooKeeper returns the layer on top of the base for a version.
func (s Store) ZooKeeper(ctx context.Context, version string) (Layer, error) {
	sum := sha256.New()
	for _, name := range []string{"zkServer.sh", "zkCli.sh", "log4j.properties"} {
		data, err := files.ReadFile("files/" + name)
		if err != nil {
			return Layer{}, err
		}
		sum.Write(data)
	}
	name := fmt.Sprintf("zookeeper-%s-%s-%x", version, layout, sum.Sum(nil)[:6])
	return s.layer(ctx, name, func(ctx context.Context, dir string) error {
		return s.buildZooKeeper(ctx, version, dir)
	})
}

// layer makes a layer once; a half-made one is never seen.
func (s Store) layer(ctx context.Context, name string, make func(context.Context, string) error) (Layer, error) {
	dir := filepath.Join(s.Cache, name)
	layer := Layer{Tar: filepath.Join(dir, layerFile), Rootfs: filepath.Join(dir, rootfsDir)}
	unlock, err := build.Lock(ctx, dir+".lock")
	if err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	defer unlock()
	if digest, err := os.ReadFile(filepath.Join(dir, digestFile)); err == nil {
		layer.Digest = strings.TrimSpace(string(digest))
		return layer, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	if err := make(ctx, dir); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	if layer.Digest, err = digestOf(layer.Tar); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(dir, digestFile), []byte(layer.Digest+"\n"), 0o644); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	return layer, nil
}

func digestOf(path string) (digest string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}
