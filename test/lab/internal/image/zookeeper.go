package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed files
var files embed.FS

// release says which Debian release has a ZooKeeper version.
func release(version string) (string, error) {
	switch version {
	case "3.4.13":
		return "bullseye", nil
	case "3.8.0":
		return "bookworm", nil
	case "3.9.3":
		return "trixie", nil
	}
	return "", fmt.Errorf("no Debian release with ZooKeeper %s is known", version)
}

// libraries are the jars ZooKeeper needs, by the package that has them. They
// come from the base's release whatever ZooKeeper's own is.
func libraries() map[string][]string {
	return map[string][]string{
		"libslf4j-java":                {"slf4j-api", "slf4j-log4j12"},
		"liblog4j1.2-java":             {"log4j-1.2"},
		"libnetty-java":                {"netty-buffer", "netty-codec", "netty-common", "netty-handler", "netty-resolver", "netty-transport", "netty-transport-native-epoll", "netty-transport-native-unix-common"},
		"libjackson2-core-java":        {"jackson-core"},
		"libjackson2-databind-java":    {"jackson-databind"},
		"libjackson2-annotations-java": {"jackson-annotations"},
		"libdropwizard-metrics-java":   {"metrics-core"},
		"libjetty9-java":               {"jetty9-http", "jetty9-io", "jetty9-security", "jetty9-server", "jetty9-servlet", "jetty9-util", "jetty9-util-ajax"},
		"libservlet-api-java":          {"servlet-api"},
		"libcommons-cli-java":          {"commons-cli"},
		"libcommons-io-java":           {"commons-io"},
		"libsnappy-java":               {"snappy-java"},
	}
}

// buildLibraries makes the layer with what every version needs.
func (s Store) buildLibraries(ctx context.Context, dir string) error {
	var packages, jars []string
	for p, names := range libraries() {
		packages = append(packages, p)
		jars = append(jars, names...)
	}
	s.Log.Say("fetching Java libraries from Debian %s", baseRelease)
	return s.buildJars(ctx, dir, baseRelease, packages, func(from string) (map[string]string, error) {
		found := map[string]string{}
		for _, name := range jars {
			found[name+".jar"] = filepath.Join(from, name+".jar")
		}
		return found, nil
	}, func(*tar.Writer) error { return nil })
}

// buildZooKeeper makes the layer that turns the others into one version's image.
func (s Store) buildZooKeeper(ctx context.Context, version, dir string) error {
	from, err := release(version)
	if err != nil {
		return err
	}
	s.Log.Say("building the image of ZooKeeper %s from Debian %s", version, from)
	return s.buildJars(ctx, dir, from, []string{"libzookeeper-java"}, func(from string) (map[string]string, error) {
		found := map[string]string{"zookeeper.jar": filepath.Join(from, "zookeeper.jar")}
		// 3.4 has its serialisation in the one jar.
		jute := filepath.Join(from, "zookeeper-jute.jar")
		if _, err := os.Stat(jute); err == nil {
			found["zookeeper-jute.jar"] = jute
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return found, nil
	}, addScripts)
}

// buildJars fetches packages, and writes and unpacks a layer with jars of theirs.
func (s Store) buildJars(ctx context.Context, dir, release string, packages []string, choose func(from string) (map[string]string, error), more func(*tar.Writer) error) error {
	archive, err := mirror(ctx)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "zklab-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := fetchJars(ctx, archive, release, work, packages...); err != nil {
		return err
	}
	jars, err := choose(filepath.Join(work, "x/usr/share/java"))
	if err != nil {
		return err
	}
	tarball := filepath.Join(dir, layerFile)
	if err := writeLayer(tarball, jars, more); err != nil {
		return fmt.Errorf("write %s: %w", tarball, err)
	}
	return s.unpack(ctx, tarball, dir)
}

func fetchJars(ctx context.Context, archive, release, dir string, packages ...string) error {
	if err := os.MkdirAll(filepath.Join(dir, "x"), 0o755); err != nil {
		return err
	}
	if err := download(ctx, archive, release, dir, packages...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) != len(packages) {
		return errors.Join(err, fmt.Errorf("wanted %d packages, apt gave %d", len(packages), len(debs)))
	}
	for _, deb := range debs {
		if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", deb, filepath.Join(dir, "x")).CombinedOutput(); err != nil {
			return fmt.Errorf("unpack %s: %w: %s", deb, err, lastLines(out))
		}
	}
	return nil
}

// writeLayer writes /opt/zookeeper and the folders the upstream image has.
func writeLayer(path string, jars map[string]string, more func(*tar.Writer) error) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := tar.NewWriter(out)
	for _, dir := range []string{"opt/zookeeper", "opt/zookeeper/lib", "opt/zookeeper/bin", "opt/zookeeper/conf"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}); err != nil {
			return err
		}
	}
	for _, dir := range []string{"data", "datalog", "logs", "conf"} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, Uid: userID, Gid: userID}); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(jars)) {
		data, err := os.ReadFile(jars[name])
		if err != nil {
			return err
		}
		if err := addFile(w, "opt/zookeeper/lib/"+name, 0o644, data); err != nil {
			return err
		}
	}
	return errors.Join(more(w), w.Close())
}

func addScripts(w *tar.Writer) error {
	return fs.WalkDir(files, "files", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(path, ".sh") {
			return addFile(w, "opt/zookeeper/conf/"+d.Name(), 0o644, data)
		}
		if err := addFile(w, "opt/zookeeper/bin/"+d.Name(), 0o755, data); err != nil {
			return err
		}
		// Also where every PATH looks.
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: "usr/local/bin/" + d.Name(), Linkname: "/opt/zookeeper/bin/" + d.Name(), Mode: 0o777})
	})
}

// scriptsHash tells layers with other scripts apart.
func scriptsHash() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(files, "files", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := files.ReadFile(path)
		sum.Write(data)
		return err
	})
	return fmt.Sprintf("%x", sum.Sum(nil)[:6]), err
}

func addFile(w *tar.Writer, name string, mode int64, data []byte) error {
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}

// copyFile streams a file into an archive.
func copyFile(w *tar.Writer, name, source string) error {
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}
