// Package cluster reads and writes the Kubernetes objects of an ensemble.
// Nothing is kept between two calls: every look asks the API server anew, and
// every write carries what it rests on (uid, resourceVersion, the addresses
// seen a moment ago), so that a caller with an old view fails instead of doing
// harm.
//
// Our own objects that only we change as a whole are written by server-side
// apply without force: another manager's value is a conflict to report, never
// something to overwrite. Hand-made endpoints and the gate are written by
// create and update with a resourceVersion instead: a flip must not fail in the
// middle of an outage because somebody created the slice from our own
// `--dry-run -o yaml` under another manager's name.
package cluster

import (
	"context"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// FieldManager names us in the managed fields of what we write.
const FieldManager = "kubectl-zkmigrate"

// Client works on one cluster. Its rest configuration should allow some 20
// requests a second (client-go's default of 5 makes a look at five servers
// take seconds) and should have a warning handler: reading v1 Endpoints, which
// every look does to find what controllers left behind, makes the API server
// warn since Kubernetes 1.33.
type Client struct {
	kube kubernetes.Interface
	// read is where a look has the objects from.
	read objects
	// logs reads the end of a container's log, never more than o.LimitBytes.
	logs func(ctx context.Context, namespace, pod string, o *corev1.PodLogOptions) ([]byte, error)
	// slots, when set, bound how many logs are read at once.
	slots chan struct{}
	// exec runs programs in pods.
	exec execFunc
	// words say an error of the connection to a person.
	words func(error) string
	// via is put into the commands that errors name.
	via command.Via
	// now numbers the first generation of a gate.
	now func() time.Time
}

// New returns a client.
func New(kube kubernetes.Interface, options ...Option) *Client {
	c := &Client{
		kube:  kube,
		read:  live{kube},
		now:   time.Now,
		words: error.Error,
		logs: func(ctx context.Context, namespace, pod string, o *corev1.PodLogOptions) ([]byte, error) {
			stream, err := kube.CoreV1().Pods(namespace).GetLogs(pod, o).Stream(ctx)
			if err != nil {
				return nil, err
			}
			defer func() { _ = stream.Close() }()
			return io.ReadAll(io.LimitReader(stream, *o.LimitBytes))
		},
		exec: noExec,
	}
	for _, o := range options {
		o(c)
	}
	return c
}

// WithVia has the commands that errors name work on this cluster.
func WithVia(via command.Via) Option {
	return func(c *Client) { c.via = via }
}

// at is where the commands work that errors name.
func (c *Client) at(namespace string) command.At {
	return command.At{Namespace: namespace, Via: c.via}
}

// server finds the id in the record.
func server(rec migration.Record, id ensemble.ID) (migration.ServerRecord, error) {
	s, ok := rec.Server(id)
	if !ok {
		return migration.ServerRecord{}, &Error{Reason: Invalid, What: fmt.Sprintf("ensemble %s has no server %s", rec.Name, id)}
	}
	return *s, nil
}

// service reads the server's Service and makes sure that it is still the one
// that the other servers know (I1).
func (c *Client) service(ctx context.Context, rec migration.Record, s migration.ServerRecord) (*corev1.Service, error) {
	name := render.ServiceName(rec.Name, s.ID)
	svc, err := c.kube.CoreV1().Services(rec.Namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, &Error{Reason: NotFound, Err: err,
			What: fmt.Sprintf("Service %s/%s of server %s is gone", rec.Namespace, name, s.ID),
			Next: fmt.Sprintf("recreate it at once with clusterIP %s, other servers know it by that address: %s", s.ClusterIP, c.at(rec.Namespace).Ours("wrap %s", rec.Name))}
	}
	if err != nil {
		return nil, failed(err, "get", "Service", rec.Namespace, name)
	}
	if s.ServiceUID != "" && string(svc.UID) != s.ServiceUID {
		return nil, &Error{Reason: Precondition,
			What: fmt.Sprintf("Service %s/%s was deleted and made again: its uid is %s, the journal says %s", rec.Namespace, name, svc.UID, s.ServiceUID),
			Next: "check that its clusterIP is the one in the other servers' configuration, then run: " + c.at(rec.Namespace).Ours("wrap %s", rec.Name)}
	}
	if s.ClusterIP != "" && svc.Spec.ClusterIP != s.ClusterIP {
		return nil, &Error{Reason: Precondition,
			What: fmt.Sprintf("Service %s/%s has clusterIP %s, the journal and the other servers' configuration say %s",
				rec.Namespace, name, svc.Spec.ClusterIP, s.ClusterIP)}
	}
	return svc, nil
}

// foreignSelector is the refusal to touch a Service somebody else steers.
func (c *Client) foreignSelector(rec migration.Record, svc *corev1.Service) error {
	return &Error{Reason: Conflict,
		What: fmt.Sprintf("Service %s/%s has selector %v, which is none of ours", rec.Namespace, svc.Name, svc.Spec.Selector),
		Next: "find out who set it (" + c.at(svc.Namespace).Kubectl("get service %s --show-managed-fields -o yaml", svc.Name) + "), remove it, then run the command again"}
}

// find reads the server's Service, proven to be the recorded one, and what is
// behind it.
func (c *Client) find(ctx context.Context, rec migration.Record, id ensemble.ID) (migration.ServerRecord, *corev1.Service, behind, error) {
	s, err := server(rec, id)
	if err != nil {
		return s, nil, behind{}, err
	}
	svc, err := c.service(ctx, rec, s)
	if err != nil {
		return s, nil, behind{}, err
	}
	b, err := c.behind(ctx, rec, s, svc)
	return s, svc, b, err
}
