package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestArchiveWithLibrary reads the archives back as folders.
func TestArchiveWithLibrary(t *testing.T) {
	s := testStore(t)
	node := t.TempDir()
	start := readLayout(t, node, startArchive(t, s))
	if err := validate.Index(start, validate.Fast); err != nil {
		t.Error(err)
	}
	versions := readLayout(t, node, versionsArchive(t, s, "3.8.0", "3.9.3"))
	if err := validate.Index(versions, validate.Fast); err != nil {
		t.Error(err)
	}
	pause, zooKeeper := contents(t, start, PauseName), contents(t, versions, Name("3.8.0"))
	if want := []string{"pause -rwxr-xr-x 0:0 a program"}; !slices.Equal(pause, want) {
		t.Errorf("pause has %q, want %q", pause, want)
	}
	for _, want := range []string{
		"data drwxr-xr-x 1000:1000 ", "datalog drwxr-xr-x 1000:1000 ", "logs drwxr-xr-x 1000:1000 ", "conf drwxr-xr-x 1000:1000 ",
		"opt/zookeeper drwxr-xr-x 0:0 ", "opt/zookeeper/lib drwxr-xr-x 0:0 ",
		"opt/zookeeper/lib/3.8.0.jar -rw-r--r-- 0:0 a jar", "opt/zookeeper/lib/a.jar -rw-r--r-- 0:0 a jar",
		"usr/local/bin/zkServer.sh Lrwxrwxrwx 0:0 /opt/zookeeper/bin/zkServer.sh",
	} {
		if !slices.Contains(zooKeeper, want) {
			t.Errorf("ZooKeeper's image lacks %q", want)
		}
	}
}

// TestOfficialLayout: folders, owners and programs are where the official image has them.
func TestOfficialLayout(t *testing.T) {
	s := testStore(t)
	for _, layer := range []string{"libraries-" + baseRelease + "-" + layout, "zookeeper-3.8.0-" + layout + "-" + scripts(t)} {
		if err := s.unpack(t.Context(), filepath.Join(s.Cache, layer, layerFile), filepath.Join(s.Cache, layer)); err != nil {
			t.Fatal(err)
		}
	}
	node := t.TempDir()
	readLayout(t, node, startArchive(t, s))
	official := contents(t, readLayout(t, node, versionsArchive(t, s, "3.8.0")), OfficialName("3.8.0"))
	for _, want := range []string{
		"apache-zookeeper-3.8.0-bin drwxr-xr-x 1000:1000 ", "data drwxr-xr-x 1000:1000 ", "conf drwxr-xr-x 1000:1000 ",
		"apache-zookeeper-3.8.0-bin/lib/zookeeper-3.8.0.jar -rw-r--r-- 0:0 a jar",
		"apache-zookeeper-3.8.0-bin/lib/a.jar Lrwxrwxrwx 0:0 /opt/zookeeper/lib/a.jar",
	} {
		if !slices.Contains(official, want) {
			t.Errorf("it lacks %q:\n%s", want, strings.Join(official, "\n"))
		}
	}
	if home, jars := officialHome("3.4.13"); home != "zookeeper-3.4.13" || jars != home {
		t.Errorf("3.4.13 is in %s, its jar in %s", home, jars)
	}
}

func scripts(t *testing.T) string {
	t.Helper()
	sum, err := scriptsHash()
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestArchivesAreTheSameEachTime(t *testing.T) {
	one, other := testStore(t), testStore(t)
	if !bytes.Equal(startArchive(t, one), startArchive(t, other)) {
		t.Error("the archives for the start differ")
	}
	if !bytes.Equal(versionsArchive(t, one, "3.8.0", "3.9.3"), versionsArchive(t, other, "3.8.0", "3.9.3")) {
		t.Error("the archives of versions differ")
	}
}

// A layer that another process made is not made again.
func TestLayerIsKept(t *testing.T) {
	s := testStore(t)
	made, err := s.Shared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range made {
		if want, err := digestOf(layer.Tar); err != nil || layer.Digest != want {
			t.Errorf("%s: digest %s, want %s: %v", layer.Tar, layer.Digest, want, err)
		}
	}
	sum := filepath.Join(filepath.Dir(made[0].Tar), digestFile)
	if err := os.WriteFile(sum, []byte("cut\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Shared(t.Context()); err == nil {
		t.Error("a digest that is not one is not refused")
	}
}

func TestPauseProgramIsMissing(t *testing.T) {
	if err := testStore(t).StartArchive(t.Context(), io.Discard, "/nowhere/pause"); err == nil {
		t.Error("no error")
	}
}

// testStore is a store that already has its layers, made of small files.
func testStore(t *testing.T) Store {
	t.Helper()
	s := Store{Cache: t.TempDir()}
	jar := filepath.Join(t.TempDir(), "some.jar")
	if err := os.WriteFile(jar, []byte("a jar"), 0o600); err != nil {
		t.Fatal(err)
	}
	fill := func(name string, jars map[string]string, more func(*tar.Writer) error) {
		_, err := s.layer(t.Context(), name, func(_ context.Context, dir string) error {
			return writeLayer(filepath.Join(dir, layerFile), jars, more)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	nothing := func(*tar.Writer) error { return nil }
	fill("base-"+baseRelease+"-"+layout, nil, nothing)
	fill("libraries-"+baseRelease+"-"+layout, map[string]string{"b.jar": jar, "a.jar": jar, "c.jar": jar}, nothing)
	for _, version := range []string{"3.8.0", "3.9.3"} {
		fill("zookeeper-"+version+"-"+layout+"-"+scripts(t), map[string]string{"zookeeper.jar": jar, version + ".jar": jar}, addScripts)
	}
	return s
}

func startArchive(t *testing.T, s Store) []byte {
	t.Helper()
	program := filepath.Join(t.TempDir(), "pause")
	if err := os.WriteFile(program, []byte("a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	return twice(t, func(out io.Writer) error { return s.StartArchive(t.Context(), out, program) })
}

func versionsArchive(t *testing.T, s Store, versions ...string) []byte {
	t.Helper()
	return twice(t, func(out io.Writer) error { return s.Archive(t.Context(), out, versions) })
}

// twice writes an archive as for two nodes.
func twice(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var one, other bytes.Buffer
	if err := errors.Join(write(&one), write(&other)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), other.Bytes()) {
		t.Error("the same archive is written in two ways")
	}
	return one.Bytes()
}

// readLayout adds an archive to a node's folder and reads it from there.
func readLayout(t *testing.T, dir string, archive []byte) v1.ImageIndex {
	t.Helper()
	for _, f := range list(t, archive) {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	index, err := ocilayout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// contents lists what an image's layers are together.
func contents(t *testing.T, index v1.ImageIndex, name string) []string {
	t.Helper()
	images, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range images.Manifests {
		if d.Annotations["io.containerd.image.name"] != name {
			continue
		}
		image, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(mutate.Extract(image))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, f := range list(t, all) {
			lines = append(lines, fmt.Sprintf("%s %s %d:%d %s%s", f.Name, f.FileInfo().Mode(), f.Uid, f.Gid, f.Linkname, f.data))
		}
		return lines
	}
	t.Fatalf("no image %s", name)
	return nil
}
