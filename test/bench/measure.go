package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// ensemble is the ensemble's name and its namespace.
const ensemble = "bench"

// The quantities that are compared.
const (
	bareJVM = "bare JVM on a host, empty data: start to serving"
	release = "pod: release to serving"
)

type bench struct {
	lab     labkit.Lab
	version string
	hosts   []labkit.Host
}

// measure is the whole run: bare JVMs first, while the servers are on their
// hosts, then the migration.
func (b *bench) measure(ctx context.Context) (*report, error) {
	role, err := filepath.Abs("docs/rbac/role.yaml")
	if err != nil {
		return nil, err
	}
	if b.lab.Kubeconfig, err = b.lab.Operator(ctx, ensemble, role); err != nil {
		return nil, err
	}
	if b.hosts, err = b.lab.Hosts(ctx, ensemble); err != nil {
		return nil, err
	}
	bare, err := b.bareStarts(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	starts, err := times(20, func() error { return b.onClient(ctx, "kubectl-zkmigrate", "version") })
	if err != nil {
		return nil, err
	}
	viaKubectl, err := times(10, func() error { return b.onClient(ctx, "kubectl", "zkmigrate", "version") })
	if err != nil {
		return nil, err
	}
	looks, err := times(10, func() error {
		return b.onClient(ctx, "kubectl-zkmigrate", "status", ensemble, "-n", ensemble, "-o", "json")
	})
	if err != nil {
		return nil, err
	}
	fleet, err := b.fleet(ctx)
	if err != nil {
		return nil, err
	}
	served, whole, err := b.replacements(ctx)
	if err != nil {
		return nil, err
	}
	through, execs, err := b.throughPod(ctx)
	if err != nil {
		return nil, err
	}
	r := newReport(b.version)
	r.add("start of the plugin (version)", starts)
	r.add("the same through kubectl", viaKubectl)
	r.add("one look at three servers (status -o json)", looks)
	status := r.add(fmt.Sprintf("a look at %d ensembles (status -A)", fleetSize), fleet.status)
	r.FleetRatio = status / r.add("kubectl get -o json of the same objects", fleet.get)
	r.FleetMemory = float64(fleet.memory) / (1 << 20)
	r.add(fmt.Sprintf("the same look, %d ensembles out of reach", silentEnsembles), fleet.silent)
	look := r.add("one look through a pod (status --probe-via=pod)", through)
	r.ThroughRatio = look / r.add("three kubectl exec, one after the other", execs)
	jvm := r.add(bareJVM, bare)
	pod := r.add(release, served)
	r.add("replace --id, the whole command", whole)
	if jvm > 0 {
		r.Ratio = pod / jvm
		r.FastestRatio = r.fastest(release) / r.fastest(bareJVM)
	}
	return r, nil
}

// throughPod times a look through a pod, and kubectl exec of nothing in each server's pod, in
// turns; all servers are in pods.
func (b *bench) throughPod(ctx context.Context) (look, execs []time.Duration, err error) {
	st, err := b.status(ctx)
	if err != nil {
		return nil, nil, err
	}
	for range 10 {
		one, err := times(1, func() error {
			return b.onClient(ctx, "kubectl-zkmigrate", "status", ensemble, "-n", ensemble, "-o", "json", "--probe-via=pod")
		})
		if err != nil {
			return nil, nil, err
		}
		other, err := times(1, func() error {
			for _, server := range st.Servers {
				if err := b.onClient(ctx, "kubectl", "exec", server.Pod, "-n", ensemble, "--", "true"); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		look, execs = append(look, one...), append(execs, other...)
	}
	return look, execs, nil
}

// bareStarts empties one follower after the other and starts it again, with all
// others up: what a release can be compared with. The leader stays, for its stop
// would cost an election.
func (b *bench) bareStarts(ctx context.Context) ([]time.Duration, error) {
	var took []time.Duration
	for range 2 {
		for _, h := range b.hosts {
			mode, err := b.mode(ctx, h)
			if err != nil {
				return nil, err
			}
			if mode == "leader" {
				continue
			}
			one, err := b.bareStart(ctx, h)
			if err != nil {
				return nil, err
			}
			took = append(took, one)
			// The next one goes only when this one is an ordinary follower again.
			if err := sleep(ctx, 3*time.Second); err != nil {
				return nil, err
			}
		}
	}
	return took, nil
}

func (b *bench) bareStart(ctx context.Context, h labkit.Host) (time.Duration, error) {
	name := fmt.Sprintf("%s/%d", ensemble, h.ID)
	if _, err := labkit.Must(b.lab.Zklab(ctx, "host", "stop", name)); err != nil {
		return 0, err
	}
	data := filepath.Join(filepath.Dir(filepath.Dir(h.ZooCfg)), "data", "version-2")
	if err := os.RemoveAll(data); err != nil {
		return 0, fmt.Errorf("empty %s: %w", name, err)
	}
	began := time.Now()
	if _, err := labkit.Must(b.lab.Zklab(ctx, "host", "start", name)); err != nil {
		return 0, err
	}
	at, err := b.serving(ctx, h.Address, h.ClientPort)
	return at.Sub(began), err
}

// mode is what a server on its host says it is.
func (b *bench) mode(ctx context.Context, h labkit.Host) (string, error) {
	const script = `exec 3<>/dev/tcp/$0/$1 && printf srvr >&3 && sed -n 's/^Mode: //p' <&3`
	r, err := labkit.Must(b.lab.OnClient(ctx, "bash", "-c", script, h.Address, strconv.Itoa(h.ClientPort)))
	return strings.TrimSpace(r.Stdout), err
}

// ready wraps, and restarts the hosts with the new list.
func (b *bench) ready(ctx context.Context) error {
	var files []string
	for _, h := range b.hosts {
		files = append(files, "-f", fmt.Sprintf("%d=%s", h.ID, h.ZooCfg))
	}
	wrap := append(append([]string{"kubectl-zkmigrate", "wrap", ensemble, "-n", ensemble}, files...), labkit.PodFlags(b.version, ensemble)...)
	if err := b.onClient(ctx, wrap...); err != nil {
		return err
	}
	return b.onClient(ctx, append([]string{"kubectl-zkmigrate", "reconfigure", ensemble, "-n", ensemble, "--host-hook", b.lab.HookCommand()}, files...)...)
}

// replacements moves the first follower, which also parks the pods, and then
// the other two with a clock running.
func (b *bench) replacements(ctx context.Context) (served, whole []time.Duration, err error) {
	for n := range b.hosts {
		st, err := b.status(ctx)
		if err != nil {
			return nil, nil, err
		}
		id := st.next()
		began := time.Now()
		if n == 0 {
			if err := b.replace(ctx, id); err != nil {
				return nil, nil, err
			}
			whole = append(whole, time.Since(began))
			continue
		}
		ip, err := b.podIP(ctx, st.pod(id))
		if err != nil {
			return nil, nil, err
		}
		seen := make(chan error, 1)
		var at time.Time
		go func() {
			var err error
			at, err = b.serving(ctx, ip, b.hosts[0].ClientPort)
			seen <- err
		}()
		if err := b.replace(ctx, id); err != nil {
			return nil, nil, err
		}
		whole = append(whole, time.Since(began))
		if err := <-seen; err != nil {
			return nil, nil, err
		}
		released, err := b.released(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		served = append(served, at.Sub(released))
	}
	return served, whole, nil
}

func (b *bench) replace(ctx context.Context, id int) error {
	fmt.Fprintf(os.Stderr, "replacing server %d\n", id)
	return b.onClient(ctx, "kubectl-zkmigrate", "replace", ensemble, "-n", ensemble, fmt.Sprintf("--id=%d", id), "--yes", "--accept-client-loss=100,unknown", "--host-hook", b.lab.HookCommand())
}

func (b *bench) onClient(ctx context.Context, args ...string) error {
	_, err := labkit.Must(b.lab.OnClient(ctx, args...))
	return err
}

// serving waits on the clients' machine until a server says which mode it is
// in, and returns when that was; both clocks are this machine's.
func (b *bench) serving(ctx context.Context, host string, port int) (time.Time, error) {
	const script = `until { exec 3<>/dev/tcp/$0/$1 && printf srvr >&3 && grep -q ^Mode: <&3; } 2>/dev/null; do sleep 0.02; done; date +%s%N`
	r, err := labkit.Must(b.lab.OnClient(ctx, "timeout", "300", "bash", "-c", script, host, strconv.Itoa(port)))
	if err != nil {
		return time.Time{}, fmt.Errorf("%s:%d did not begin to serve: %w", host, port, err)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(r.Stdout), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("when %s:%d began to serve: %w", host, port, err)
	}
	return time.Unix(0, ns), nil
}

// released is when the gate was opened, as the journal has it.
func (b *bench) released(ctx context.Context, id int) (time.Time, error) {
	r, err := labkit.Must(b.lab.OnClient(ctx, "kubectl", "get", "configmap", ensemble+"-zkmigrate", "-n", ensemble, "-o", "jsonpath={.data.record\\.json}"))
	if err != nil {
		return time.Time{}, err
	}
	var rec struct {
		Audit []struct {
			At   time.Time `json:"at"`
			ID   int       `json:"id"`
			Step string    `json:"step"`
		} `json:"audit"`
	}
	if err := json.Unmarshal([]byte(r.Stdout), &rec); err != nil {
		return time.Time{}, fmt.Errorf("reading the journal: %w", err)
	}
	for _, a := range rec.Audit {
		if a.ID == id && a.Step == "release" {
			return a.At, nil
		}
	}
	return time.Time{}, fmt.Errorf("the journal has no release of server %d", id)
}

func (b *bench) podIP(ctx context.Context, pod string) (string, error) {
	r, err := labkit.Must(b.lab.OnClient(ctx, "kubectl", "get", "pod", pod, "-n", ensemble, "-o", "jsonpath={.status.podIP}"))
	return strings.TrimSpace(r.Stdout), err
}

// status is what is read of status -o json.
type status struct {
	Leader  int `json:"leader"`
	Servers []struct {
		ID    int    `json:"id"`
		Place string `json:"place"`
		Pod   string `json:"pod"`
	} `json:"servers"`
}

func (b *bench) status(ctx context.Context) (status, error) {
	var st status
	r, err := labkit.Must(b.lab.OnClient(ctx, "kubectl-zkmigrate", "status", ensemble, "-n", ensemble, "-o", "json"))
	if err != nil {
		return st, err
	}
	if err := json.Unmarshal([]byte(r.Stdout), &st); err != nil {
		return st, fmt.Errorf("reading the status: %w", err)
	}
	return st, nil
}

// next is the server that goes next, leader last.
func (s status) next() int {
	for _, server := range s.Servers {
		if server.Place == "host" && server.ID != s.Leader {
			return server.ID
		}
	}
	return s.Leader
}

func (s status) pod(id int) string {
	for _, server := range s.Servers {
		if server.ID == id {
			return server.Pod
		}
	}
	return ""
}

// sleep waits, or ends with the context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
