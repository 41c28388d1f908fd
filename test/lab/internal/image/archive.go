package image

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
)

// Archive writes a docker-archive with the pause image and the given versions.
// Layers they share are in it once.
func (s Store) Archive(ctx context.Context, out io.Writer, pauseProgram string, versions []string) error {
	w := tar.NewWriter(out)
	a := archive{w: w, written: map[string]bool{}}
	if err := a.addPause(pauseProgram); err != nil {
		return fmt.Errorf("write the pause image: %w", err)
	}
	for _, version := range versions {
		base, err := s.Base(ctx)
		if err != nil {
			return err
		}
		top, err := s.ZooKeeper(ctx, version)
		if err != nil {
			return err
		}
		if err := a.addImage(Name(version), zooKeeperConfig(), base, top); err != nil {
			return fmt.Errorf("write the image of ZooKeeper %s: %w", version, err)
		}
	}
	manifest, err := json.Marshal(a.manifest)
	if err != nil {
		return err
	}
	if err := addFile(w, "manifest.json", 0o644, manifest); err != nil {
		return err
	}
	return w.Close()
}

type archive struct {
	w        *tar.Writer
	written  map[string]bool
	manifest []manifestEntry
}

type manifestEntry struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// runConfig is the part of an image's configuration that says how it runs.
type runConfig struct {
	User       string   `json:"User,omitempty"`
	Env        []string `json:"Env,omitempty"`
	Entrypoint []string `json:"Entrypoint,omitempty"`
	Cmd        []string `json:"Cmd,omitempty"`
	WorkingDir string   `json:"WorkingDir,omitempty"`
}

func zooKeeperConfig() runConfig {
	return runConfig{
		User: "1000:1000",
		Env: []string{
			"PATH=/opt/zookeeper/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"LANG=C.UTF-8", "ZOO_CONF_DIR=/conf", "ZOO_DATA_DIR=/data", "ZOO_DATA_LOG_DIR=/datalog", "ZOO_LOG_DIR=/logs",
		},
		Cmd:        []string{"zkServer.sh", "start-foreground"},
		WorkingDir: "/opt/zookeeper",
	}
}

func (a *archive) addPause(program string) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := addFile(w, "pause", 0o755, data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	digest := fmt.Sprintf("%x", sha256.Sum256(layer.Bytes()))
	if err := addFile(a.w, digest+".tar", 0o644, layer.Bytes()); err != nil {
		return err
	}
	return a.finish(PauseName, runConfig{User: "65535:65535", Entrypoint: []string{"/pause"}}, []string{digest})
}

func (a *archive) addImage(name string, config runConfig, layers ...Layer) error {
	var digests []string
	for _, layer := range layers {
		digests = append(digests, layer.Digest)
		if a.written[layer.Digest] {
			continue
		}
		a.written[layer.Digest] = true
		if err := copyFile(a.w, layer.Digest+".tar", layer.Tar); err != nil {
			return err
		}
	}
	return a.finish(name, config, digests)
}

// finish writes an image's configuration; the time in it is fixed, so that the
// same content always has the same digest.
func (a *archive) finish(name string, config runConfig, digests []string) error {
	var diffs, layers []string
	for _, d := range digests {
		diffs = append(diffs, "sha256:"+d)
		layers = append(layers, d+".tar")
	}
	data, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": "2024-01-01T00:00:00Z",
		"config": config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffs},
	})
	if err != nil {
		return err
	}
	file := fmt.Sprintf("%x.json", sha256.Sum256(data))
	a.manifest = append(a.manifest, manifestEntry{Config: file, RepoTags: []string{name}, Layers: layers})
	return addFile(a.w, file, 0o644, data)
}
