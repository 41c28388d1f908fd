// Package lab brings whole labs up and down.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/build"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/control"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/image"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/progress"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// Options say what a lab is made of.
type Options struct {
	Name           plan.Name
	Nodes, Clients int
	Ensembles      []ensemble.Spec
	// ProxyMode is every kube-proxy's: iptables or nftables.
	ProxyMode string
	// Kubernetes is the release, as 1.34.
	Kubernetes string
	Family     plan.Family
	// Source is the folder with the components' modules.
	Source string
}

// Lab is a lab that commands work on.
type Lab struct {
	*state.Lab
	Log *progress.Log
}

// Open returns a lab that was brought up.
func Open(name plan.Name, log *progress.Log) (*Lab, error) {
	st, err := state.Load(name)
	if err != nil {
		return nil, err
	}
	return &Lab{Lab: st, Log: log}, nil
}

// LockName keeps two commands from changing one lab at once.
func LockName(ctx context.Context, name plan.Name) (unlock func(), err error) {
	return build.Lock(ctx, filepath.Join("/run/lock", "zklab-"+string(name)))
}

// waitFor is how long any one condition may take to come true.
const waitFor = 3 * time.Minute

// await polls for a condition; while it waits, a dead daemon ends the wait.
func (l *Lab) await(ctx context.Context, what string, daemons []string, yes func() bool) error {
	var dead error
	ok := sys.Poll(ctx, waitFor, func() bool {
		for _, name := range daemons {
			p, err := l.Runner().Find(name)
			if err == nil && !p.Alive() {
				dead = fmt.Errorf("%s has ended\n%s", name, l.tail(name))
				return true
			}
		}
		return yes()
	})
	if dead != nil {
		return fmt.Errorf("wait for %s: %w", what, dead)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for %s: %w", what, err)
	}
	if !ok {
		var tails []string
		for _, name := range daemons {
			tails = append(tails, l.tail(name))
		}
		return fmt.Errorf("wait for %s: not in %s\n%s", what, waitFor, strings.Join(tails, "\n"))
	}
	return nil
}

// tail is the end of a daemon's log, and where the rest is.
func (l *Lab) tail(daemon string) string {
	path := l.Path("logs", daemon+".log")
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return fmt.Sprintf("--- the last lines of %s ---\n%s", path, strings.Join(lines[max(0, len(lines)-12):], "\n"))
}

// start starts a daemon whose description may fail to be made.
func (l *Lab) start(d sys.Daemon, err error) error {
	if err != nil {
		return err
	}
	_, err = l.Runner().Start(d)
	return err
}

// Healthy tells whether the lab is up and all of it alive.
func (l *Lab) Healthy(ctx context.Context) error {
	if !l.Ready {
		return errors.New("it never came up")
	}
	daemons, err := l.Runner().All()
	if err != nil {
		return err
	}
	for _, p := range daemons {
		if !p.Alive() {
			return fmt.Errorf("%s has ended", p.Name)
		}
	}
	client, err := control.Client(l.Lab)
	if err != nil {
		return err
	}
	if !control.APIReady(ctx, client) {
		return errors.New("its API server does not answer")
	}
	return nil
}

// importImages gives the nodes the images they don't have yet.
func (l *Lab) importImages(ctx context.Context, versions []string) error {
	if len(versions) == 0 {
		return nil
	}
	store := image.Store{Cache: l.Cache, Log: l.Log}
	// Whatever is missing is built before the nodes wait for it.
	for _, v := range versions {
		if _, err := store.Layers(ctx, v); err != nil {
			return err
		}
	}
	started := time.Now()
	err := control.ImportImages(ctx, l.Lab, l.Nodes, func(w io.Writer) error {
		return store.Archive(ctx, w, versions)
	})
	if err != nil {
		return err
	}
	for _, v := range versions {
		if !slices.Contains(l.Versions, v) {
			l.Versions = append(l.Versions, v)
		}
	}
	l.Log.Say("images are on the nodes (%.1f s)", time.Since(started).Seconds())
	return nil
}

// listenOn listens on a TCP address and returns the socket as a file, for a
// daemon to accept on, and its port.
func listenOn(address string) (*os.File, int, error) {
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		return nil, 0, fmt.Errorf("listen on %s: %w", address, err)
	}
	defer listener.Close()
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return nil, 0, fmt.Errorf("listen on %s: not a TCP listener", address)
	}
	file, err := tcp.File()
	if err != nil {
		return nil, 0, fmt.Errorf("listen on %s: %w", address, err)
	}
	own, ok := tcp.Addr().(*net.TCPAddr)
	if !ok {
		return nil, 0, fmt.Errorf("listen on %s: not a TCP address", address)
	}
	return file, own.Port, nil
}

func (l *Lab) client() (kubernetes.Interface, error) { return control.Client(l.Lab) }
