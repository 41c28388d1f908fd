package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/control"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/credentials"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/host"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/image"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// AddEnsemble adds an ensemble to a running lab; one that is there is left alone.
func AddEnsemble(ctx context.Context, l *Lab, spec ensemble.Spec) error {
	return l.change(ctx, func() error { return l.addMissing(ctx, Options{Ensembles: []ensemble.Spec{spec}}) })
}

// DeleteEnsemble removes an ensemble, its hosts and its volumes.
func DeleteEnsemble(ctx context.Context, l *Lab, name string) error {
	return l.change(ctx, func() error { return l.deleteEnsemble(ctx, name) })
}

// RecycleVolumes makes an ensemble's released volumes usable again.
func RecycleVolumes(ctx context.Context, l *Lab, name string) error {
	if _, ok := l.Ensemble(name); !ok {
		return fmt.Errorf("there is no ensemble %s in lab %s", name, l.Name)
	}
	client, err := l.client()
	if err != nil {
		return err
	}
	count, err := control.RecycleVolumes(ctx, client, name)
	l.Log.Say("%d volumes of %s are empty and available again", count, name)
	return err
}

// change runs f under the lab's lock, on the newest state.
func (l *Lab) change(ctx context.Context, f func() error) error {
	unlock, err := LockName(ctx, l.Name)
	if err != nil {
		return err
	}
	defer unlock()
	if l.Lab, err = state.Load(l.Name); err != nil {
		return err
	}
	return f()
}

func (l *Lab) addMissing(ctx context.Context, o Options) error {
	for _, spec := range o.Ensembles {
		if _, ok := l.Ensemble(spec.Name); ok {
			l.Log.Say("ensemble %s is already there", spec.Name)
			continue
		}
		if !slices.Contains(l.Versions, spec.Version) {
			if err := l.importImages(ctx, []string{spec.Version}); err != nil {
				return err
			}
		}
		if err := l.addEnsemble(ctx, spec); err != nil {
			return errors.Join(err, l.deleteEnsemble(context.WithoutCancel(ctx), spec.Name))
		}
	}
	return nil
}

// addEnsemble makes hosts, starts their servers and waits until all serve.
func (l *Lab) addEnsemble(ctx context.Context, spec ensemble.Spec) error {
	servers, err := l.place(spec)
	if err != nil {
		return err
	}
	machines := machinesOf(servers)
	l.Log.Say("ensemble %s: ZooKeeper %s, %d servers on %d hosts", spec.Name, spec.Version, len(servers), len(machines))
	// Remembered before anything is made, so that a failure can be cleared away.
	l.Ensembles = append(l.Ensembles, state.Ensemble{Spec: spec, Servers: servers})
	if err := l.Save(); err != nil {
		return err
	}
	network := l.Network()
	for _, m := range machines {
		if err := network.AddMachine(ctx, m.Name, m.Addresses(), l.Routes()); err != nil {
			return err
		}
	}
	set, err := l.secure(ctx, spec, servers)
	if err != nil {
		return err
	}
	if err := control.WriteHosts(l.Lab); err != nil {
		return err
	}
	for _, s := range servers {
		if err := l.startServer(ctx, set, s, servers); err != nil {
			return err
		}
	}
	client, err := l.client()
	if err != nil {
		return err
	}
	if err := l.startProxies(ctx, client, machines); err != nil {
		return err
	}
	if err := control.AddVolumes(ctx, l.Lab, client, spec.Name, len(servers)); err != nil {
		return err
	}
	if err := l.awaitQuorum(ctx, spec.Name, servers); err != nil {
		return fmt.Errorf("ensemble %s: %w", spec.Name, err)
	}
	l.Log.Say("ensemble %s serves", spec.Name)
	return nil
}

// place gives an ensemble's servers the first free hosts.
func (l *Lab) place(spec ensemble.Spec) ([]ensemble.Server, error) {
	taken := map[string]bool{}
	for _, e := range l.Ensembles {
		for _, s := range e.Servers {
			taken[s.Address] = true
		}
	}
	var placeErr error
	var shared ensemble.Server
	servers := spec.Servers(func(_, id int) ensemble.Server {
		key := fmt.Sprintf("%s-%d", spec.Name, id)
		s := ensemble.Server{Machine: key, Dir: l.Path("hosts", key), Address: shared.Address, Also: shared.Also}
		if spec.SharedHost {
			s.Machine = spec.Name + "-host"
		}
		for n := 1; s.Address == ""; n++ {
			address, err := plan.HostAddress(n)
			if err != nil {
				placeErr = err
				break
			}
			m := l.machine(s.Machine, address.String())
			if spec.IPv6 && m.Also != "" {
				m.Address, m.Also = m.Also, m.Address
			}
			if !taken[m.Address] && !taken[m.Also] {
				s.Address, s.Also = m.Address, m.Also
			}
		}
		taken[s.Address] = true
		if spec.SharedHost {
			shared = s
		}
		return s
	})
	return servers, placeErr
}

func machinesOf(servers []ensemble.Server) []state.Machine {
	var machines []state.Machine
	for _, s := range servers {
		m := state.Machine{Name: s.Machine, Address: s.Address, Also: s.Also}
		if !slices.Contains(machines, m) {
			machines = append(machines, m)
		}
	}
	return machines
}

// startServer lays a server's files out and starts its supervisor.
func (l *Lab) startServer(ctx context.Context, set credentials.Set, s ensemble.Server, all []ensemble.Server) error {
	spec := set.Spec
	if err := os.MkdirAll(s.ConfDir(), 0o755); err != nil {
		return fmt.Errorf("prepare server %d: %w", s.ID, err)
	}
	if err := os.MkdirAll(s.DataDir(), 0o750); err != nil {
		return fmt.Errorf("prepare server %d: %w", s.ID, err)
	}
	for path, text := range map[string]string{
		s.ZooCfg():            spec.RenderZooCfg(s, all),
		s.DataDir() + "/myid": fmt.Sprintf("%d\n", s.ID),
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return fmt.Errorf("prepare server %d: %w", s.ID, err)
		}
	}
	if err := writeServerFiles(set, s); err != nil {
		return err
	}
	owned := []string{s.DataDir(), s.DataDir() + "/myid"}
	if spec.Dynamic {
		owned = append(owned, s.ConfDir(), s.ZooCfg())
	}
	for _, path := range owned {
		if err := os.Chown(path, host.UserID, host.UserID); err != nil {
			return fmt.Errorf("prepare server %d: %w", s.ID, err)
		}
	}
	store := image.Store{Cache: l.Cache, Log: l.Log}
	layers, err := store.Layers(ctx, spec.Version)
	if err != nil {
		return err
	}
	machine := host.Machine{Dir: s.Dir, ZooCfg: s.ZooCfg(), DataDir: s.DataDir(), HeapMiB: spec.HeapMiB, EtcDir: ensemble.EtcDir, JVMFlags: spec.JVMFlags(ensemble.EtcDir)}
	for _, layer := range slices.Backward(layers) {
		machine.Layers = append(machine.Layers, layer.Rootfs)
	}
	if err := machine.Save(); err != nil {
		return err
	}
	return l.start(sys.Daemon{
		Name: serverDaemon(spec.Name, s.ID), Place: l.Place(s.Machine),
		Args: []string{l.Self(), "supervise", s.Dir},
	}, nil)
}

func serverDaemon(ensemble string, id int) string {
	return fmt.Sprintf("zookeeper-%s-%d", ensemble, id)
}

func (l *Lab) deleteEnsemble(ctx context.Context, name string) error {
	e, ok := l.Ensemble(name)
	if !ok {
		l.Log.Say("there is no ensemble %s", name)
		return nil
	}
	client, err := l.client()
	if err != nil {
		return err
	}
	network := l.Network()
	for _, m := range machinesOf(e.Servers) {
		if err := sys.KillCgroup(ctx, l.Name.Cgroup(m.Name), waitFor); err != nil {
			return err
		}
		for _, daemon := range []string{control.ProxyName(m.Name), control.WrongDNSName(m.Name)} {
			if err := l.Runner().Forget(daemon); err != nil {
				return err
			}
		}
		if err := sys.RemoveCgroup(l.Name.Cgroup(m.Name)); err != nil {
			return err
		}
		if err := network.RemoveMachine(ctx, m.Name, m.Address); err != nil {
			return err
		}
		if err := control.Dismiss(ctx, client, m.Name); err != nil {
			return err
		}
		if err := os.RemoveAll(l.Path("run", m.Name)); err != nil {
			return fmt.Errorf("remove host %s: %w", m.Name, err)
		}
	}
	for _, s := range e.Servers {
		if err := l.Runner().Forget(serverDaemon(name, s.ID)); err != nil {
			return err
		}
		if err := os.RemoveAll(s.Dir); err != nil {
			return fmt.Errorf("remove host %s/%d: %w", name, s.ID, err)
		}
	}
	if err := os.RemoveAll(l.Path("credentials", name)); err != nil {
		return fmt.Errorf("remove the credentials of %s: %w", name, err)
	}
	if err := control.RemoveVolumes(ctx, l.Lab, client, name); err != nil {
		return err
	}
	l.Ensembles = slices.DeleteFunc(l.Ensembles, func(e state.Ensemble) bool { return e.Spec.Name == name })
	if err := l.Save(); err != nil {
		return err
	}
	l.Log.Say("ensemble %s is gone", name)
	return control.WriteHosts(l.Lab)
}
