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
	// ourObjects are those that a look at an ensemble on hosts reads.
	ourObjects = "configmaps,services,endpoints,endpointslices,pods,statefulsets"
)

// fleet times a look at hundreds of ensembles, and kubectl's at the same objects.
//
// The ensembles' objects are real, and so is the road to each server: a host address, a Service
// and a ClusterIP of its own. Their ZooKeepers are not, for no machine runs 900 of them beside a
// control plane: standIn answers in their place.
func (b *bench) fleet(ctx context.Context) (status, get []time.Duration, err error) {
	admin := *b
	admin.lab.Kubeconfig = ""
	hosts, err := admin.standIn(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer hosts.close()
	if err := admin.clone(ctx, hosts); err != nil {
		return nil, nil, err
	}
	if err := admin.healthy(ctx); err != nil {
		return nil, nil, err
	}
	for range fleetRuns {
		one, err := times(1, func() error { return admin.onClient(ctx, "kubectl-zkmigrate", "status", "-A") })
		if err != nil {
			return nil, nil, err
		}
		other, err := times(1, func() error {
			return admin.onClient(ctx, "kubectl", "get", ourObjects, "-A", "-l", "app.kubernetes.io/managed-by=kubectl-zkmigrate")
		})
		if err != nil {
			return nil, nil, err
		}
		status, get = append(status, one...), append(get, other...)
	}
	// Waited for, because what is measured next needs the machine.
	return status, get, admin.onClient(ctx, "kubectl", "delete", "namespace", fleetNamespace)
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
