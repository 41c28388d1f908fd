package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Archive writes versions' images, each also as the official one is laid out, as a tar in OCI image layout, without the
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
			if layers, err = s.OfficialLayers(ctx, version); err != nil {
				return err
			}
			if err := a.addImage(OfficialName(version), officialConfig(version), layers...); err != nil {
				return fmt.Errorf("write the image of ZooKeeper %s as the official one: %w", version, err)
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
		return a.addImage(BaseName, v1.Config{Cmd: []string{"bash"}}, shared...)
	})
}

func write(out io.Writer, fill func(*archive) error) error {
	w := tar.NewWriter(out)
	a := &archive{w: w, written: map[v1.Hash]bool{}}
	if err := addFile(w, "oci-layout", 0o644, []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	if err := fill(a); err != nil {
		return err
	}
	index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: a.manifests})
	if err != nil {
		return err
	}
	if err := addFile(w, "index.json", 0o644, index); err != nil {
		return err
	}
	return w.Close()
}

// archive is written from its start to its end, and never whole on a disk.
type archive struct {
	w         *tar.Writer
	written   map[v1.Hash]bool
	manifests []v1.Descriptor
}

func zooKeeperConfig() v1.Config {
	return v1.Config{
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
	written, err := a.addBlob(types.OCIUncompressedLayer, layer.Bytes())
	if err != nil {
		return err
	}
	return a.finish(PauseName, v1.Config{User: "65535:65535", Entrypoint: []string{"/pause"}}, written)
}

func (a *archive) addImage(name string, config v1.Config, layers ...Layer) error {
	var descriptors []v1.Descriptor
	for _, layer := range layers {
		info, err := os.Stat(layer.Tar)
		if err != nil {
			return err
		}
		descriptors = append(descriptors, v1.Descriptor{MediaType: types.OCIUncompressedLayer, Digest: layer.Digest, Size: info.Size()})
		if a.written[layer.Digest] {
			continue
		}
		a.written[layer.Digest] = true
		if err := copyFile(a.w, blobPath(layer.Digest), layer.Tar); err != nil {
			return err
		}
	}
	return a.finish(name, config, descriptors...)
}

// finish writes an image's configuration and manifest; the time in it is
// fixed, so that the same content always has the same digest.
func (a *archive) finish(name string, config v1.Config, layers ...v1.Descriptor) error {
	file := v1.ConfigFile{
		Architecture: runtime.GOARCH, OS: "linux", Created: v1.Time{Time: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)},
		Config: config, RootFS: v1.RootFS{Type: "layers"},
	}
	for _, layer := range layers {
		file.RootFS.DiffIDs = append(file.RootFS.DiffIDs, layer.Digest) // Layers are not compressed.
	}
	written, err := a.addJSON(types.OCIConfigJSON, file)
	if err != nil {
		return err
	}
	manifest, err := a.addJSON(types.OCIManifestSchema1, v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: written, Layers: layers,
	})
	if err != nil {
		return err
	}
	manifest.Annotations = map[string]string{"io.containerd.image.name": name}
	a.manifests = append(a.manifests, manifest)
	return nil
}

func (a *archive) addJSON(mediaType types.MediaType, v any) (v1.Descriptor, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return a.addBlob(mediaType, data)
}

func (a *archive) addBlob(mediaType types.MediaType, data []byte) (v1.Descriptor, error) {
	digest, size, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return v1.Descriptor{}, err
	}
	return v1.Descriptor{MediaType: mediaType, Digest: digest, Size: size}, addFile(a.w, blobPath(digest), 0o644, data)
}

func blobPath(digest v1.Hash) string { return "blobs/" + digest.Algorithm + "/" + digest.Hex }
