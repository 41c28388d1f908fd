package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type descriptor struct {
	MediaType   string
	Digest      string
	Size        int
	Annotations map[string]string
}

type manifest struct {
	SchemaVersion int
	MediaType     string
	Config        descriptor
	Layers        []descriptor
}

// TestArchiveByHand reads the archives as a node would, without the library.
func TestArchiveByHand(t *testing.T) {
	s := testStore(t)
	start, versions := startArchive(t, s), versionsArchive(t, s, "3.8.0", "3.9.3")
	node := readBlobs(t, start)
	// pause's layer, the two shared ones, and for each image two blobs of its own.
	if len(node) != 3+2*2 {
		t.Errorf("the archive for the start has %d blobs", len(node))
	}
	more := readBlobs(t, versions)
	for digest := range more {
		if _, ok := node[digest]; ok {
			t.Errorf("nodes have %s from their start", digest)
		}
	}
	// Of each version two images of three blobs.
	if len(more) != 3*2*2 {
		t.Errorf("the archive of two versions has %d blobs", len(more))
	}
	maps.Copy(node, more)

	got := map[string]string{}
	for _, index := range [][]byte{indexOf(t, start), indexOf(t, versions)} {
		maps.Copy(got, configs(t, index, node))
	}
	zooKeeper := `{"Cmd":["zkServer.sh","start-foreground"],` +
		`"Env":["PATH=/opt/zookeeper/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8",` +
		`"ZOO_CONF_DIR=/conf","ZOO_DATA_DIR=/data","ZOO_DATA_LOG_DIR=/datalog","ZOO_LOG_DIR=/logs"],` +
		`"User":"1000:1000","WorkingDir":"/opt/zookeeper"}`
	official := func(version string) string {
		return fmt.Sprintf(`{"Cmd":["zkServer.sh","start-foreground"],"Entrypoint":["/docker-entrypoint.sh"],`+
			`"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/apache-zookeeper-%[1]s-bin/bin",`+
			`"ZOO_CONF_DIR=/conf","ZOO_DATA_DIR=/data","ZOO_DATA_LOG_DIR=/datalog","ZOO_LOG_DIR=/logs","ZOOCFGDIR=/conf"],`+
			`"Volumes":{"/data":{},"/datalog":{},"/logs":{}},"WorkingDir":"/apache-zookeeper-%[1]s-bin"}`, version)
	}
	want := map[string]string{
		"zklab.local/official-zookeeper:3.8.0": official("3.8.0"),
		"zklab.local/official-zookeeper:3.9.3": official("3.9.3"),
		"zklab.local/pause:v1":                 `{"Entrypoint":["/pause"],"User":"65535:65535"}`,
		"zklab.local/base:v1":                  `{"Cmd":["bash"]}`,
		"zklab.local/zookeeper:3.8.0":          zooKeeper,
		"zklab.local/zookeeper:3.9.3":          zooKeeper,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("configurations by image (-want +got):\n%s", d)
	}
}

// configs checks every image in an index and returns how each runs.
func configs(t *testing.T, index []byte, blobs map[string][]byte) map[string]string {
	t.Helper()
	var images struct {
		SchemaVersion int
		MediaType     string
		Manifests     []descriptor
	}
	decode(t, index, &images)
	if images.SchemaVersion != 2 || images.MediaType != "application/vnd.oci.image.index.v1+json" {
		t.Errorf("the index is %s", index)
	}
	found := map[string]string{}
	for _, d := range images.Manifests {
		name := d.Annotations["io.containerd.image.name"]
		var m manifest
		decode(t, blob(t, blobs, d, "application/vnd.oci.image.manifest.v1+json"), &m)
		if m.SchemaVersion != 2 || m.MediaType != d.MediaType {
			t.Errorf("%s: the manifest is %+v", name, m)
		}
		var config struct {
			Architecture, OS, Created string
			RootFS                    struct {
				Type    string
				DiffIDs []string `json:"diff_ids"`
			}
			Config  json.RawMessage
			History []any
		}
		decode(t, blob(t, blobs, m.Config, "application/vnd.oci.image.config.v1+json"), &config)
		var layers []string
		for _, layer := range m.Layers {
			blob(t, blobs, layer, "application/vnd.oci.image.layer.v1.tar")
			layers = append(layers, layer.Digest)
		}
		if !slices.Equal(layers, config.RootFS.DiffIDs) || len(layers) == 0 || config.RootFS.Type != "layers" || config.History != nil {
			t.Errorf("%s: layers %v, configuration %+v", name, layers, config)
		}
		if config.Architecture != runtime.GOARCH || config.OS != "linux" || config.Created != "2024-01-01T00:00:00Z" {
			t.Errorf("%s: it is for %s %s, of %s", name, config.OS, config.Architecture, config.Created)
		}
		found[name] = string(config.Config)
	}
	return found
}

func blob(t *testing.T, blobs map[string][]byte, d descriptor, mediaType string) []byte {
	t.Helper()
	data, ok := blobs[d.Digest]
	if !ok || len(data) != d.Size || d.MediaType != mediaType {
		t.Errorf("%+v: it is missing, or has another size or media type than %s", d, mediaType)
	}
	return data
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
}

// readBlobs lists a layout's blobs by digest, which must be theirs.
func readBlobs(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	blobs := map[string][]byte{}
	for _, f := range list(t, archive) {
		digest, ok := strings.CutPrefix(f.Name, "blobs/sha256/")
		if !ok {
			continue
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(f.data)); sum != digest {
			t.Errorf("%s has the digest %s", f.Name, sum)
		}
		if _, ok := blobs["sha256:"+digest]; ok {
			t.Errorf("%s is in it twice", f.Name)
		}
		blobs["sha256:"+digest] = f.data
	}
	return blobs
}

func indexOf(t *testing.T, archive []byte) []byte {
	t.Helper()
	files := list(t, archive)
	first, last := files[0], files[len(files)-1]
	if first.Name != "oci-layout" || string(first.data) != `{"imageLayoutVersion":"1.0.0"}` || last.Name != "index.json" {
		t.Errorf("the archive begins with %s, %s, and ends with %s", first.Name, first.data, last.Name)
	}
	return last.data
}

type file struct {
	*tar.Header
	data []byte
}

func list(t *testing.T, archive []byte) []file {
	t.Helper()
	var files []file
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file{h, data})
	}
}
