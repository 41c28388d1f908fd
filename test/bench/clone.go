package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// clonesAtOnce is how many ensembles are made side by side.
const clonesAtOnce = 8

// clone makes fleetSize ensembles in the state of the wrapped one: on their hosts, which run with
// the Services' addresses.
func (b *bench) clone(ctx context.Context, hosts *standIn) error {
	fmt.Fprintf(os.Stderr, "making %d ensembles\n", fleetSize)
	kube, err := b.kube(ctx)
	if err != nil {
		return err
	}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fleetNamespace}}
	if _, err := kube.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("the fleet's namespace: %w", err)
	}
	errs := make([]error, fleetSize)
	slots := make(chan struct{}, clonesAtOnce)
	var wg sync.WaitGroup
	for n := range fleetSize {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[n] = cloneOne(ctx, kube, hosts, n)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// cloneOne makes the n-th ensemble's Services, slices and journal, through the code that wrap uses.
func cloneOne(ctx context.Context, kube kubernetes.Interface, hosts *standIn, n int) error {
	rec := hosts.original
	rec.Namespace, rec.Name, rec.Servers = fleetNamespace, fmt.Sprintf("e%03d", n), nil
	for i, server := range hosts.original.Servers {
		server.HostIP = cloneHost(n, i)
		server.Host, server.Service = server.HostIP, render.ServiceName(rec.Name, server.ID)
		server.ServiceUID, server.ClusterIP = "", ""
		rec.Servers = append(rec.Servers, server)
	}
	applied, err := cluster.New(kube).Wrap(ctx, rec, false)
	if err != nil {
		return err
	}
	for _, a := range applied {
		if server, ok := rec.Server(a.ID); ok && a.Kind == "Service" {
			server.ServiceUID, server.ClusterIP = a.UID, a.ClusterIP
		}
	}
	rec.Pods.ZooCfg = renamed(hosts.original, rec).Replace(rec.Pods.ZooCfg)
	if err := hosts.add(rec); err != nil {
		return err
	}
	return journal.New(kube, rec.Namespace, rec.Name).Create(ctx, rec)
}

// cloneHost is the address of the i-th host of the n-th ensemble.
func cloneHost(n, i int) string { return fmt.Sprintf("10.88.%d.%d", n/80, 3*(n%80)+i+1) }

// renamed puts the clone's ClusterIPs into the server lines of the original's files and answers.
func renamed(original, clone migration.Record) *strings.Replacer {
	var pairs []string
	for i, server := range original.Servers {
		pairs = append(pairs, "="+server.ClusterIP+":", "="+clone.Servers[i].ClusterIP+":")
	}
	return strings.NewReplacer(pairs...)
}

// record is the journal of the wrapped ensemble.
func (b *bench) record(ctx context.Context) (migration.Record, error) {
	kube, err := b.kube(ctx)
	if err != nil {
		return migration.Record{}, err
	}
	return journal.New(kube, ensemble, ensemble).Load(ctx)
}

// kube connects to the API server as the lab's administrator, from this machine.
func (b *bench) kube(ctx context.Context) (kubernetes.Interface, error) {
	r, err := labkit.Must(b.lab.Zklab(ctx, "kubeconfig"))
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", strings.TrimSpace(r.Stdout))
	if err != nil {
		return nil, fmt.Errorf("the lab's kubeconfig: %w", err)
	}
	config.QPS = -1 // as fast as the API server answers
	// It warns of each look at v1 Endpoints.
	config.WarningHandler = rest.NoWarnings{}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("a client for the lab: %w", err)
	}
	return kube, nil
}
