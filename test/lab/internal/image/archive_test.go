package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Every blob a manifest names must be in the archive under its digest, unless
// the nodes have it.
func TestArchiveIsComplete(t *testing.T) {
	dir := t.TempDir()
	layer := func(name, content string) Layer {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return Layer{Tar: path, Digest: fmt.Sprintf("%x", sha256.Sum256([]byte(content)))}
	}
	base, top := layer("base", "base layer"), layer("top", "top layer")
	var out bytes.Buffer
	a := archive{w: tar.NewWriter(&out), written: map[string]bool{}}
	for _, name := range []string{"example/a:1", "example/b:1"} {
		if err := a.addImage(name, runConfig{User: "1000"}, base, top); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.w.Close(); err != nil {
		t.Fatal(err)
	}
	blobs := map[string][]byte{}
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		digest := fmt.Sprintf("%x", sha256.Sum256(data))
		if h.Name != "blobs/sha256/"+digest {
			t.Errorf("%s has the digest %s", h.Name, digest)
		}
		blobs["sha256:"+digest] = data
	}
	for _, m := range a.manifests {
		var manifest struct {
			Config descriptor
			Layers []descriptor
		}
		if err := json.Unmarshal(blobs[m.Digest], &manifest); err != nil {
			t.Fatal(err)
		}
		for _, d := range append(manifest.Layers, manifest.Config) {
			if data, ok := blobs[d.Digest]; !ok || int64(len(data)) != d.Size {
				t.Errorf("%s: blob %s is missing or has another size", m.Annotations["io.containerd.image.name"], d.Digest)
			}
		}
		if len(manifest.Layers) != 2 {
			t.Errorf("%d layers", len(manifest.Layers))
		}
	}
	if len(a.manifests) != 2 {
		t.Errorf("%d manifests", len(a.manifests))
	}
}
