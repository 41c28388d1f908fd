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

// Archive writes versions' images as a tar in OCI image layout, without the
// layers that every node has from its start.
func (s Store) Archive(ctx context.Context, out io.Writer, versions []string) error {
	return write(out, func(a *archive) error {
		shared, err := s.Shared(ctx)
		if err != nil {
			return err
		}
		for _, layer := range shared {
			a.written[layer.Digest] = true
		}
		for _, version := range versions {
			layers, err := s.Layers(ctx, version)
			if err != nil {
				return err
			}
			if err := a.addImage(Name(version), zooKeeperConfig(), layers...); err != nil {
				return fmt.Errorf("write the image of ZooKeeper %s: %w", version, err)
			}
		}
		return nil
	})
}

// StartArchive writes what every node has from its start.
func (s Store) StartArchive(ctx context.Context, out io.Writer, pauseProgram string) error {
	return write(out, func(a *archive) error {
		if err := a.addPause(pauseProgram); err != nil {
			return fmt.Errorf("write the pause image: %w", err)
		}
		shared, err := s.Shared(ctx)
		if err != nil {
			return err
		}
		return a.addImage(BaseName, runConfig{Cmd: []string{"bash"}}, shared...)
	})
}

func write(out io.Writer, fill func(*archive) error) error {
	w := tar.NewWriter(out)
	a := &archive{w: w, written: map[string]bool{}}
	if err := addFile(w, "oci-layout", 0o644, []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	if err := fill(a); err != nil {
		return err
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": a.manifests})
	if err != nil {
		return err
	}
	if err := addFile(w, "index.json", 0o644, index); err != nil {
		return err
	}
	return w.Close()
}

const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar"
)

type archive struct {
	w         *tar.Writer
	written   map[string]bool
	manifests []descriptor
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
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
	written, err := a.addBlob(typeLayer, layer.Bytes())
	if err != nil {
		return err
	}
	return a.finish(PauseName, runConfig{User: "65535:65535", Entrypoint: []string{"/pause"}}, []descriptor{written})
}

func (a *archive) addImage(name string, config runConfig, layers ...Layer) error {
	var descriptors []descriptor
	for _, layer := range layers {
		info, err := os.Stat(layer.Tar)
		if err != nil {
			return err
		}
		descriptors = append(descriptors, descriptor{MediaType: typeLayer, Digest: "sha256:" + layer.Digest, Size: info.Size()})
		if a.written[layer.Digest] {
			continue
		}
		a.written[layer.Digest] = true
		if err := copyFile(a.w, "blobs/sha256/"+layer.Digest, layer.Tar); err != nil {
			return err
		}
	}
	return a.finish(name, config, descriptors)
}

// finish writes an image's configuration and manifest; the time in it is
// fixed, so that the same content always has the same digest.
func (a *archive) finish(name string, config runConfig, layers []descriptor) error {
	var diffs []string
	for _, layer := range layers {
		diffs = append(diffs, layer.Digest) // Layers are not compressed.
	}
	data, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": "2024-01-01T00:00:00Z",
		"config": config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffs},
	})
	if err != nil {
		return err
	}
	written, err := a.addBlob(typeConfig, data)
	if err != nil {
		return err
	}
	data, err = json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": typeManifest, "config": written, "layers": layers})
	if err != nil {
		return err
	}
	manifest, err := a.addBlob(typeManifest, data)
	if err != nil {
		return err
	}
	manifest.Annotations = map[string]string{"io.containerd.image.name": name}
	a.manifests = append(a.manifests, manifest)
	return nil
}

func (a *archive) addBlob(mediaType string, data []byte) (descriptor, error) {
	digest := fmt.Sprintf("%x", sha256.Sum256(data))
	if err := addFile(a.w, "blobs/sha256/"+digest, 0o644, data); err != nil {
		return descriptor{}, err
	}
	return descriptor{MediaType: mediaType, Digest: "sha256:" + digest, Size: int64(len(data))}, nil
}
