package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

//go:embed official
var officialFiles embed.FS

// OfficialName is a ZooKeeper version's image that is laid out as the official one
// (31z4/zookeeper-docker): an entry point that makes a configuration, root as the user, the
// release's folder in the root directory, jars with their version in the name, volumes.
func OfficialName(version string) string { return "zklab.local/official-zookeeper:" + version }

// officialHome is the release's folder; before 3.5 its jar lies in it, and in lib later.
func officialHome(version string) (home, jars string) {
	if strings.HasPrefix(version, "3.4.") {
		return "zookeeper-" + version, "zookeeper-" + version
	}
	home = "apache-zookeeper-" + version + "-bin"
	return home, home + "/lib"
}

func officialConfig(version string) v1.Config {
	home, _ := officialHome(version)
	return v1.Config{
		Env: []string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/" + home + "/bin",
			"ZOO_CONF_DIR=/conf", "ZOO_DATA_DIR=/data", "ZOO_DATA_LOG_DIR=/datalog", "ZOO_LOG_DIR=/logs", "ZOOCFGDIR=/conf",
		},
		Entrypoint: []string{"/docker-entrypoint.sh"}, Cmd: []string{"zkServer.sh", "start-foreground"}, WorkingDir: "/" + home,
		Volumes: map[string]struct{}{"/data": {}, "/datalog": {}, "/logs": {}},
	}
}

// OfficialLayers are those of its image, lowest first.
func (s Store) OfficialLayers(ctx context.Context, version string) ([]Layer, error) {
	layers, err := s.Layers(ctx, version)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	for _, layer := range layers {
		fmt.Fprintln(sum, layer.Digest)
	}
	for _, name := range []string{"docker-entrypoint.sh", "zkServer.sh"} {
		data, err := officialFiles.ReadFile("official/" + name)
		if err != nil {
			return nil, err
		}
		sum.Write(data)
	}
	shared, own := layers[:len(layers)-1], layers[len(layers)-1]
	top, err := s.layer(ctx, fmt.Sprintf("official-%s-%x", version, sum.Sum(nil)[:6]), func(ctx context.Context, dir string) error {
		tarball := filepath.Join(dir, layerFile)
		if err := writeOfficial(tarball, version, shared[len(shared)-1].Rootfs, own.Rootfs); err != nil {
			return fmt.Errorf("write %s: %w", tarball, err)
		}
		return s.unpack(ctx, tarball, dir)
	})
	return append(shared, top), err
}

// writeOfficial takes ZooKeeper's jars from its other image's layer, and links to the libraries.
func writeOfficial(path, version, libraries, zooKeeper string) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := tar.NewWriter(out)
	home, jars := officialHome(version)
	for _, dir := range []string{home, home + "/bin", home + "/lib", "conf", "data", "datalog", "logs"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, Uid: userID, Gid: userID}); err != nil {
			return err
		}
	}
	found, err := filepath.Glob(filepath.Join(libraries, "opt/zookeeper/lib/*.jar"))
	if err != nil {
		return err
	}
	for _, jar := range found {
		name := filepath.Base(jar)
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: home + "/lib/" + name, Linkname: "/opt/zookeeper/lib/" + name, Mode: 0o777}); err != nil {
			return err
		}
	}
	found, err = filepath.Glob(filepath.Join(zooKeeper, "opt/zookeeper/lib/*.jar"))
	if err != nil {
		return err
	}
	for _, jar := range found {
		name := strings.TrimSuffix(filepath.Base(jar), ".jar") + "-" + version + ".jar"
		if err := copyFile(w, jars+"/"+name, jar); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name, from string
		mode       int64
		read       func(string) ([]byte, error)
	}{
		{home + "/bin/zkServer.sh", "official/zkServer.sh", 0o755, officialFiles.ReadFile},
		{"docker-entrypoint.sh", "official/docker-entrypoint.sh", 0o755, officialFiles.ReadFile},
		{"conf/log4j.properties", "files/log4j.properties", 0o644, files.ReadFile},
	} {
		data, err := f.read(f.from)
		if err != nil {
			return err
		}
		if err := addFile(w, f.name, f.mode, data); err != nil {
			return err
		}
	}
	return w.Close()
}
