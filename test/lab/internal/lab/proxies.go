package lab

import (
	"context"

	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/build"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/control"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
)

// startProxies gives machines that are no nodes a kube-proxy and waits for all
// of them. In 1.37 a kube-proxy ends when its Node is deleted (pkg/proxy/node.go), so there
// it is shown none, and takes half a minute longer.
func (l *Lab) startProxies(ctx context.Context, client kubernetes.Interface, machines []state.Machine) error {
	shown := l.Kubernetes != build.NewestRelease
	for _, m := range machines {
		if shown {
			if err := control.Introduce(ctx, client, m); err != nil {
				return err
			}
		}
		if err := l.start(control.Proxy(l.Lab, m.Name)); err != nil {
			return err
		}
	}
	for _, m := range machines {
		name := control.ProxyName(m.Name)
		if err := l.await(ctx, name, []string{name}, func() bool { return control.ProxyReady(ctx, l.Lab, m.Address) }); err != nil {
			return err
		}
		if !shown {
			continue
		}
		if err := control.Dismiss(ctx, client, m.Name); err != nil {
			return err
		}
	}
	return nil
}
