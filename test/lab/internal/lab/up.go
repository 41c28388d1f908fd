package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/build"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/control"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/image"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/progress"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// Up brings a lab up. A lab that already runs is left alone but for ensembles
// it lacks; what a killed one left behind is cleared away first.
func Up(ctx context.Context, o Options, log *progress.Log) (*Lab, error) {
	unlock, err := LockName(ctx, o.Name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if old, err := Open(o.Name, log); err == nil {
		reason := old.Healthy(ctx)
		if reason == nil {
			log.Say("lab %s already runs", o.Name)
			return old, old.addMissing(ctx, o)
		}
		log.Say("lab %s is not healthy (%v): clearing it away", o.Name, reason)
	}
	if err := remove(ctx, o.Name); err != nil {
		return nil, err
	}
	cache, err := build.CacheDir()
	if err != nil {
		return nil, err
	}
	log.Say("checking this machine")
	if err := Preflight(ctx, cache, log); err != nil {
		return nil, err
	}
	l := &Lab{Lab: &state.Lab{Name: o.Name, Cache: cache, ProxyMode: o.ProxyMode, Kubernetes: o.Kubernetes, Family: o.Family}, Log: log}
	if err := l.layOut(o); err != nil {
		return nil, err
	}
	if err := l.prepare(ctx, o); err != nil {
		return nil, err
	}
	if err := l.boot(ctx, o); err != nil {
		return nil, fmt.Errorf("%w\nlogs are in %s; zklab down --name %s clears it away", err, l.Path("logs"), o.Name)
	}
	log.Say("lab %s is up", o.Name)
	return l, nil
}

// layOut gives every machine its name and address.
func (l *Lab) layOut(o Options) error {
	if o.Nodes < 1 {
		return errors.New("a lab needs a node")
	}
	for i := 1; i <= o.Nodes; i++ {
		address, err := plan.NodeAddress(i)
		if err != nil {
			return err
		}
		cidrs, err := l.Family.NodePodCIDRs(i)
		if err != nil {
			return err
		}
		n := state.Node{Machine: l.machine(plan.NodeName(i), address.String()), PodCIDR: cidrs[0]}
		if len(cidrs) > 1 {
			n.AlsoPodCIDR = cidrs[1]
		}
		l.Nodes = append(l.Nodes, n)
	}
	for i := 1; i <= o.Clients; i++ {
		address, err := plan.ClientAddress(i)
		if err != nil {
			return err
		}
		l.Clients = append(l.Clients, l.machine(plan.ClientName(i), address.String()))
	}
	return nil
}

// machine has the lab's families.
func (l *Lab) machine(name, ipv4 string) state.Machine {
	addresses := l.Family.Addresses(ipv4)
	m := state.Machine{Name: name, Address: addresses[0]}
	if len(addresses) > 1 {
		m.Also = addresses[1]
	}
	return m
}

// prepare has everything ready that can be made before the lab exists.
func (l *Lab) prepare(ctx context.Context, o Options) error {
	builder := build.Builder{Source: o.Source, Cache: l.Cache, Log: l.Log}
	component, err := build.Kubernetes(o.Kubernetes)
	if err != nil {
		return err
	}
	kubernetes, err := builder.Get(ctx, component)
	if err != nil {
		return err
	}
	if l.Programs.CoreDNS, err = builder.Get(ctx, build.CoreDNS()); err != nil {
		return err
	}
	if l.Programs.Pause, err = builder.Get(ctx, build.Pause()); err != nil {
		return err
	}
	store := image.Store{Cache: l.Cache, Log: l.Log}
	for _, v := range versionsOf(o) {
		if _, err := store.Layers(ctx, v); err != nil {
			return err
		}
	}
	if err := l.MakeDirs(); err != nil {
		return err
	}
	for _, name := range []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"} {
		if err := os.Symlink(kubernetes, l.Program(name)); err != nil {
			return fmt.Errorf("link %s: %w", name, err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if out, err := exec.CommandContext(ctx, "cp", "--", self, l.Self()).CombinedOutput(); err != nil {
		return fmt.Errorf("copy this program to %s: %w: %s", l.Self(), err, out)
	}
	l.Images, err = control.PrepareImages(ctx, l.Lab, store)
	return err
}

// versionsOf lists the ZooKeeper versions whose images a lab starts with.
func versionsOf(o Options) []string {
	var versions []string
	for _, e := range o.Ensembles {
		versions = append(versions, e.Version)
	}
	slices.Sort(versions)
	return slices.Compact(versions)
}

// boot starts everything. What needs nothing of each other starts at once.
func (l *Lab) boot(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := l.bootNetwork(ctx); err != nil {
		return err
	}
	listener, port, err := listenOn("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	l.APIPort = port
	if err := control.Identities(l.Lab); err != nil {
		return err
	}
	if err := l.Save(); err != nil {
		return err
	}
	l.Log.Say("starting etcd, the API server and %d container runtimes", len(l.Nodes))
	for _, d := range []sys.Daemon{control.Etcd(l.Lab), control.APIServer(l.Lab), control.Forwarder(l.Lab, listener)} {
		if err := l.start(d, nil); err != nil {
			return err
		}
	}
	for _, n := range l.Nodes {
		if err := l.start(control.Containerd(l.Lab, n)); err != nil {
			return err
		}
	}
	imported := make(chan error, 1)
	go func() { imported <- l.bootImages(ctx, o) }()
	if err := l.bootCluster(ctx); err != nil {
		return err
	}
	if err := <-imported; err != nil {
		return err
	}
	for _, spec := range o.Ensembles {
		if err := l.addEnsemble(ctx, spec); err != nil {
			return err
		}
	}
	l.Ready = true
	return l.Save()
}

func (l *Lab) bootNetwork(ctx context.Context) error {
	l.Log.Say("making the network: %d nodes, %d clients", len(l.Nodes), len(l.Clients))
	network := l.Network()
	if err := network.Create(ctx); err != nil {
		return err
	}
	machines := []state.Machine{l.machine(plan.ControlPlaneMachine, plan.ControlPlane)}
	for _, n := range l.Nodes {
		machines = append(machines, n.Machine)
	}
	machines = append(machines, l.Clients...)
	for _, m := range machines {
		if err := network.AddMachine(ctx, m.Name, m.Addresses(), l.Routes()); err != nil {
			return err
		}
	}
	return control.WriteResolvConf(l.Lab)
}

func (l *Lab) bootImages(ctx context.Context, o Options) error {
	for _, n := range l.Nodes {
		socket := l.Path("nodes", n.Name, "run", "containerd", "containerd.sock")
		err := l.await(ctx, "the container runtime of "+n.Name, []string{"containerd-" + n.Name}, func() bool {
			_, err := os.Stat(filepath.Clean(socket))
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return l.importImages(ctx, versionsOf(o))
}

// bootCluster brings control plane, nodes and kube-proxies up.
func (l *Lab) bootCluster(ctx context.Context) error {
	client, err := l.client()
	if err != nil {
		return err
	}
	if err := l.await(ctx, "the API server", []string{"etcd", "kube-apiserver"}, func() bool { return control.APIReady(ctx, client) }); err != nil {
		return err
	}
	l.Log.Say("the API server serves at %s", l.Server())
	for _, d := range []sys.Daemon{control.ControllerManager(l.Lab), control.Scheduler(l.Lab)} {
		if err := l.start(d, nil); err != nil {
			return err
		}
	}
	if err := l.start(control.CoreDNS(l.Lab)); err != nil {
		return err
	}
	daemons := []string{"kube-controller-manager", "kube-scheduler", "coredns"}
	for _, n := range l.Nodes {
		if err := l.start(control.Kubelet(l.Lab, n)); err != nil {
			return err
		}
		if err := l.start(control.Proxy(l.Lab, n.Name)); err != nil {
			return err
		}
		daemons = append(daemons, "kubelet-"+n.Name, control.ProxyName(n.Name))
	}
	if err := l.startProxies(ctx, client, l.Clients); err != nil {
		return err
	}
	if err := l.await(ctx, "cluster DNS", daemons, func() bool { return control.DNSReady(ctx, l.Lab) }); err != nil {
		return err
	}
	for _, n := range l.Nodes {
		if err := l.await(ctx, n.Name+" to be ready", daemons, func() bool {
			return control.NodeReady(ctx, client, n) && control.ProxyReady(ctx, l.Lab, n.Address)
		}); err != nil {
			return err
		}
	}
	l.Log.Say("%d nodes are ready", len(l.Nodes))
	return nil
}
