package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/control"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// KillNode is a power failure: every process of the node ends by SIGKILL, pods
// and runtime alike, and its network is gone with all that the kernel knew.
// What lies on its disk stays.
func (l *Lab) KillNode(ctx context.Context, name string) error {
	return l.change(ctx, func() error {
		n, err := l.node(name)
		if err != nil {
			return err
		}
		// Unplugged first: nothing of it says goodbye.
		if err := l.Network().RemoveMachine(ctx, n.Name, n.Address); err != nil {
			return err
		}
		if err := sys.KillCgroup(ctx, l.Name.Cgroup(n.Name), waitFor); err != nil {
			return fmt.Errorf("kill %s: %w", n.Name, err)
		}
		// The kernel lets go of a group shortly after its last process.
		var last error
		if !sys.Poll(ctx, waitFor, func() bool { last = sys.RemoveCgroup(l.Name.Cgroup(n.Name)); return last == nil }) {
			return fmt.Errorf("kill %s: %w", n.Name, last)
		}
		l.Log.Say("%s is off", n.Name)
		return nil
	})
}

// StartNode boots a node that was killed, with what is on its disk, and waits
// until it reports.
func (l *Lab) StartNode(ctx context.Context, name string) error {
	return l.change(ctx, func() error {
		n, err := l.node(name)
		if err != nil {
			return err
		}
		network := l.Network()
		if network.Exists(n.Name) {
			return fmt.Errorf("%s is not off", n.Name)
		}
		client, err := l.client()
		if err != nil {
			return err
		}
		began := time.Now()
		if err := network.AddMachine(ctx, n.Name, n.Addresses(), l.Routes()); err != nil {
			return err
		}
		if err := l.start(control.Reboot(l.Lab, n)); err != nil {
			return err
		}
		daemons := []string{"containerd-" + n.Name, "kubelet-" + n.Name, control.ProxyName(n.Name)}
		if err := l.await(ctx, "the container runtime of "+n.Name, daemons[:1], func() bool {
			_, err := os.Stat(l.Path("nodes", n.Name, "run", "containerd", "containerd.sock"))
			return err == nil
		}); err != nil {
			return err
		}
		if err := l.start(control.Kubelet(l.Lab, n)); err != nil {
			return err
		}
		if err := l.start(control.Proxy(l.Lab, n.Name)); err != nil {
			return err
		}
		if err := l.await(ctx, n.Name+" to report", daemons, func() bool {
			return control.Reported(ctx, client, n, began) && control.NodeReady(ctx, client, n) && control.ProxyReady(ctx, l.Lab, n.Address)
		}); err != nil {
			return err
		}
		l.Log.Say("%s is back after %.1f s", n.Name, time.Since(began).Seconds())
		return nil
	})
}

func (l *Lab) node(name string) (state.Node, error) {
	var names []string
	for _, n := range l.Nodes {
		if n.Name == name {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return state.Node{}, fmt.Errorf("no node %q in lab %s; there are %s", name, l.Name, strings.Join(names, ", "))
}

// KillDaemon ends a daemon of the control plane as a crash would, and waits
// until it is gone.
func (l *Lab) KillDaemon(ctx context.Context, name string) error {
	if _, err := l.controlPlane(name); err != nil {
		return err
	}
	if err := l.signal(name, syscall.SIGKILL); err != nil {
		return err
	}
	p, err := l.Runner().Find(name)
	if err != nil {
		return err
	}
	if !sys.Poll(ctx, waitFor, func() bool { return !p.Alive() }) {
		return fmt.Errorf("kill %s: it still runs", name)
	}
	return nil
}

// StartDaemon starts it again. The API server is waited for: others are of no
// use before.
func (l *Lab) StartDaemon(ctx context.Context, name string) error {
	daemon, err := l.controlPlane(name)
	if err != nil {
		return err
	}
	if err := l.start(daemon(l.Lab), nil); err != nil {
		return err
	}
	client, err := l.client()
	if err != nil {
		return err
	}
	return l.await(ctx, name, []string{name}, func() bool { return control.APIReady(ctx, client) })
}

func (l *Lab) controlPlane(name string) (func(*state.Lab) sys.Daemon, error) {
	switch name {
	case "etcd":
		return control.Etcd, nil
	case "kube-apiserver":
		return control.APIServer, nil
	case "kube-controller-manager":
		return control.ControllerManager, nil
	case "kube-scheduler":
		return control.Scheduler, nil
	}
	return nil, errors.New("killed and started can be etcd, kube-apiserver, kube-controller-manager and kube-scheduler of " + plan.ControlPlaneMachine + "; a node as a whole: zklab node")
}
