// Package image makes the lab's container images without a container engine:
// a base layer with Debian and Java, one with Java libraries, a small one per
// ZooKeeper version, and a pause image, written as an OCI archive.
package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/build"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/progress"
)

const (
	// PauseName is the image of a pod's first container.
	PauseName = "zklab.local/pause:v1"
	// BaseName is an image of the layers all ZooKeeper images share.
	BaseName = "zklab.local/base:v1"

	baseRelease = "bookworm"
	layerFile   = "layer.tar"
	rootfsDir   = "rootfs"
	digestFile  = "layer.sha256"
	userID      = 1000
	// layout is part of every cache name: raise it when what is built changes
	// in a way the embedded files don't show.
	layout = "2"
)

// Name is a ZooKeeper version's image.
func Name(version string) string { return "zklab.local/zookeeper:" + version }

// Store keeps layers in the cache.
type Store struct {
	Cache string
	Log   *progress.Log
}

// Layer is a tar file, the same as an unpacked folder, and its digest.
type Layer struct {
	Tar, Rootfs string
	Digest      v1.Hash
}

// Layers returns the layers of a version's image, lowest first: those that all
// versions share, then ZooKeeper itself.
func (s Store) Layers(ctx context.Context, version string) ([]Layer, error) {
	shared, err := s.Shared(ctx)
	if err != nil {
		return nil, err
	}
	sum, err := scriptsHash()
	if err != nil {
		return nil, err
	}
	top, err := s.layer(ctx, fmt.Sprintf("zookeeper-%s-%s-%s", version, layout, sum), func(ctx context.Context, dir string) error {
		return s.buildZooKeeper(ctx, version, dir)
	})
	if err != nil {
		return nil, err
	}
	return append(shared, top), nil
}

// Shared returns the layers below every version's own: Debian with Java, and
// the libraries.
func (s Store) Shared(ctx context.Context) ([]Layer, error) {
	base, err := s.layer(ctx, "base-"+baseRelease+"-"+layout, s.buildBase)
	if err != nil {
		return nil, err
	}
	libraries, err := s.layer(ctx, "libraries-"+baseRelease+"-"+layout, s.buildLibraries)
	if err != nil {
		return nil, err
	}
	return []Layer{base, libraries}, nil
}

// layer makes a layer once; a half-made one is never seen.
func (s Store) layer(ctx context.Context, name string, fill func(context.Context, string) error) (Layer, error) {
	dir := filepath.Join(s.Cache, name)
	layer := Layer{Tar: filepath.Join(dir, layerFile), Rootfs: filepath.Join(dir, rootfsDir)}
	unlock, err := build.Lock(ctx, dir+".lock")
	if err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	defer unlock()
	if digest, err := os.ReadFile(filepath.Join(dir, digestFile)); err == nil {
		if layer.Digest, err = v1.NewHash("sha256:" + strings.TrimSpace(string(digest))); err != nil {
			return Layer{}, fmt.Errorf("image layer %s: %s: %w", name, digestFile, err)
		}
		return layer, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	if err := fill(ctx, dir); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	if layer.Digest, err = digestOf(layer.Tar); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	if err := os.WriteFile(filepath.Join(dir, digestFile), []byte(layer.Digest.Hex+"\n"), 0o644); err != nil {
		return Layer{}, fmt.Errorf("image layer %s: %w", name, err)
	}
	return layer, nil
}

func digestOf(path string) (v1.Hash, error) {
	f, err := os.Open(path)
	if err != nil {
		return v1.Hash{}, err
	}
	defer f.Close()
	digest, _, err := v1.SHA256(f)
	return digest, err
}
