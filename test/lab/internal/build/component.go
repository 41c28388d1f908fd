// Package build compiles the lab's components and keeps them in the user's cache.
package build

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/progress"
)

// Component is one program of the lab that has a Go module of its own.
type Component struct {
	Name, Version string
	// Mod is the module file's name, next to the sources; Tags are build tags.
	Mod, Tags string
	LDFlags   string
	Static    bool
}

// Releases of Kubernetes: the lab's own, and the oldest and newest that it can be made of.
const (
	DefaultRelease = "1.34"
	OldestRelease  = "1.27"
	NewestRelease  = "1.37"
)

// Kubernetes is the control plane and the nodes' agents of a release in one program.
func Kubernetes(release string) (Component, error) {
	c := Component{Name: "kubernetes", Mod: "go.mod"}
	switch release {
	case DefaultRelease:
		c.Version = "v1.34.4"
	case OldestRelease:
		// Nothing of cloud providers: their modules of this age cannot be verified.
		c.Version, c.Mod, c.Tags = "v1.27.16", "oldest.mod", "kubernetes1.27,providerless"
	case NewestRelease:
		c.Version, c.Mod = "v1.37.2", "newest.mod"
	default:
		return Component{}, fmt.Errorf("no Kubernetes %q: there are %s, %s and %s", release, OldestRelease, DefaultRelease, NewestRelease)
	}
	major, minor, _ := strings.Cut(release, ".")
	c.LDFlags = "-s -w"
	// Without its version Kubernetes calls itself v0.0.0, and clients choke on it. The API
	// server of 1.27 answers with client-go's.
	for _, at := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		c.LDFlags += fmt.Sprintf(" -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s", at, c.Version, major, minor)
	}
	return c, nil
}

// CoreDNS is the cluster's DNS server.
func CoreDNS() Component {
	return Component{Name: "coredns", Version: "v1.15.0", Mod: "go.mod", LDFlags: "-s -w"}
}

// Pause holds a pod's namespaces.
func Pause() Component {
	return Component{Name: "pause", Version: "v1", Mod: "go.mod", LDFlags: "-s -w", Static: true}
}

// CacheDir is where everything that takes long to make is kept.
func CacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder; set HOME or XDG_CACHE_HOME: %w", err)
	}
	return filepath.Join(base, "kubectl-zkmigrate", "lab"), nil
}

// Builder builds components from the sources in a folder.
type Builder struct {
	Source, Cache string
	Log           *progress.Log
}

// Get returns the path of a component's program, building it if need be.
func (b Builder) Get(ctx context.Context, c Component) (string, error) {
	source := filepath.Join(b.Source, c.Name)
	hash, err := c.hash(source)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", c.Name, err)
	}
	dir := filepath.Join(b.Cache, fmt.Sprintf("%s-%s-%s", c.Name, c.Version, hash))
	program := filepath.Join(dir, c.Name)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	unlock, err := Lock(ctx, dir+".lock")
	if err != nil {
		return "", fmt.Errorf("build %s: %w", c.Name, err)
	}
	defer unlock()
	if _, err := os.Stat(program); err == nil {
		return program, nil // Another lab built it meanwhile.
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("build %s: %w", c.Name, err)
	}
	if err := b.compile(ctx, c, source, program+".new"); err != nil {
		return "", fmt.Errorf("build %s in %s: %w", c.Name, source, err)
	}
	if err := os.Rename(program+".new", program); err != nil {
		return "", fmt.Errorf("build %s: %w", c.Name, err)
	}
	return program, nil
}

// hash covers what the program is made from.
func (c Component) hash(source string) (string, error) {
	entries, err := os.ReadDir(source)
	if err != nil {
		return "", fmt.Errorf("read the sources; --source or ZKLAB_SOURCE names test/lab/components: %w", err)
	}
	sum := sha256.New()
	fmt.Fprintln(sum, c.LDFlags, c.Static, runtime.GOARCH)
	modules := []string{c.Mod, strings.TrimSuffix(c.Mod, ".mod") + ".sum"}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".go" && !slices.Contains(modules, e.Name()) {
			continue
		}
		f, err := os.Open(filepath.Join(source, e.Name()))
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, e.Name())
		_, err = io.Copy(sum, f)
		f.Close()
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:6]), nil
}

func (b Builder) compile(ctx context.Context, c Component, source, out string) error {
	env := append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if c.Static {
		env = append(env, "CGO_ENABLED=0")
	}
	same := []string{"-modfile=" + c.Mod, "-tags=" + c.Tags}
	list := exec.CommandContext(ctx, "go", append(append([]string{"list", "-deps"}, same...), ".")...)
	list.Dir, list.Env = source, env
	deps, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w%s", err, stderrOf(err))
	}
	total := strings.Count(string(deps), "\n")
	b.Log.Say("building %s %s: %d packages, from scratch about %s", c.Name, c.Version, total, guess(total))

	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-v", "-ldflags", c.LDFlags, "-o", out}, same...), ".")...)
	cmd.Dir, cmd.Env = source, env
	pipe, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	tail := b.follow(pipe, c.Name, total)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, tail)
	}
	return nil
}

// follow counts the packages "go build -v" names and says so now and then.
func (b Builder) follow(r io.Reader, name string, total int) string {
	var tail []string
	started, said := time.Now(), time.Now()
	lines := bufio.NewScanner(r)
	for done := 1; lines.Scan(); done++ {
		if tail = append(tail, lines.Text()); len(tail) > 20 {
			tail = tail[1:]
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			b.Log.Say("building %s: %d of at most %d packages compiled, %s", name, done, total, time.Since(started).Round(time.Second))
		}
	}
	return strings.Join(tail, "\n")
}

func guess(packages int) time.Duration {
	return (time.Duration(packages) * 150 * time.Millisecond).Round(10 * time.Second)
}

func stderrOf(err error) string {
	if exit, ok := err.(*exec.ExitError); ok {
		return ": " + strings.TrimSpace(string(exit.Stderr))
	}
	return ""
}
