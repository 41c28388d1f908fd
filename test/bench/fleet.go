package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

const (
	// fleetSize is the number of ensembles, of three servers each, beside the one they are
	// clones of.
	fleetSize      = 300
	fleetNamespace = "fleet"
	// fleetRuns is how often each of the two commands is timed, in turns.
	fleetRuns = 5
	// settled bounds the wait until kube-proxy knows all Services.
	settled = 3 * time.Minute
	// ourObjects are those that a look at an ensemble reads.
	ourObjects = "services,endpointslices,statefulsets,pods,configmaps"
	// silentEnsembles are those whose hosts, three each, answer nothing in the end.
	silentEnsembles = 10
)

// fleetTimes are looks at hundreds of ensembles, kubectl's at the same objects in turns, and one
// look with ensembles of which nothing answers.
type fleetTimes struct {
	status, get, silent []time.Duration
	// memory is the most that a look held at once, in bytes.
	memory int64
}

// fleet times a look at hundreds of ensembles, and kubectl's at the same objects.
//
// The ensembles' objects are real, and so is the road to each server: a host address, a Service
// and a ClusterIP of its own. Their ZooKeepers are not, for no machine runs 900 of them beside a
// control plane: standIn answers in their place.
func (b *bench) fleet(ctx context.Context) (f fleetTimes, err error) {
	admin := *b
	admin.lab.Kubeconfig = ""
	hosts, err := admin.standIn(ctx)
	if err != nil {
		return f, err
	}
	defer hosts.close()
	if err := admin.clone(ctx, hosts); err != nil {
		return f, err
	}
	if err := admin.healthy(ctx); err != nil {
		return f, err
	}
	look := func() error {
		r, err := admin.lab.OnClient(ctx, "kubectl-zkmigrate", "status", "-A")
		f.memory = max(f.memory, r.Memory)
		if r.Stdout == "" {
			_, err = labkit.Must(r, err)
		}
		return err
	}
	for range fleetRuns {
		one, err := times(1, look)
		if err != nil {
			return f, err
		}
		other, err := times(1, func() error { return admin.onClient(ctx, "kubectl", "get", ourObjects, "-A", "-o", "json") })
		if err != nil {
			return f, err
		}
		f.status, f.get = append(f.status, one...), append(f.get, other...)
	}
	if err := admin.silence(ctx); err != nil {
		return f, err
	}
	if f.silent, err = times(1, look); err != nil {
		return f, err
	}
	// Waited for, because what is measured next needs the machine.
	return f, admin.onClient(ctx, "kubectl", "delete", "namespace", fleetNamespace)
}

// silence drops what is sent to the hosts of the first ensembles.
func (b *bench) silence(ctx context.Context) error {
	there := b.lab
	there.Machine = standInMachine
	hosts := cloneHost(0, 0) + "-" + cloneHost(silentEnsembles-1, 2)
	_, err := labkit.Must(there.OnClient(ctx, "iptables", "-I", "INPUT", "-m", "iprange", "--dst-range", hosts, "-j", "DROP"))
	return err
}

// healthy waits until status -A says that all clones are healthy; it fails if they do not become
// so, for then something else would be measured.
func (b *bench) healthy(ctx context.Context) error {
	for end := time.Now().Add(settled); ; {
		wrong, err := b.unhealthy(ctx)
		if err != nil || wrong == "" {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the fleet is not healthy: %s", wrong)
		}
		fmt.Fprintln(os.Stderr, "not yet:", wrong)
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

// unhealthy is what status -A says is wrong with the clones, empty if nothing is.
func (b *bench) unhealthy(ctx context.Context) (string, error) {
	r, err := labkit.Must(b.lab.OnClient(ctx, "kubectl-zkmigrate", "status", "-A", "-o", "json"))
	if err != nil {
		return "", err
	}
	var list printer.StatusList
	if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil {
		return "", fmt.Errorf("reading the status: %w", err)
	}
	well, wrong := 0, ""
	for _, e := range list.Items {
		switch {
		case e.Namespace != fleetNamespace:
		case e.Health == migration.Healthy:
			well++
		case wrong == "" && len(e.Problems) > 0:
			wrong = fmt.Sprintf("%s is %s: %s", e.Name, e.Health, e.Problems[0].Text)
		}
	}
	if well == fleetSize {
		return "", nil
	}
	return fmt.Sprintf("%d of %d clones are healthy; %s", well, fleetSize, wrong), nil
}
