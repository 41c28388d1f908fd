package cluster

import (
	"context"
	"fmt"
	"net"
	"sort"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Claims are the addresses that hand-made endpoints of ours point to, by
// ensemble, in one namespace or, where it is empty, in all. A journal may have
// been deleted and have left them.
func (c *Client) Claims(ctx context.Context, namespace string) ([]migration.Claim, error) {
	selector := labels.Set{discoveryv1.LabelManagedBy: render.Manager}.String()
	list, err := c.kube.DiscoveryV1().EndpointSlices(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		where := "in all namespaces"
		if namespace != "" {
			where = "in namespace " + namespace
		}
		return nil, fmt.Errorf("cannot list EndpointSlices %s: %w", where, err)
	}
	return claimsOf(list.Items), nil
}

// claimsOf are the addresses in hand-made slices of ours, by ensemble.
func claimsOf(slices []discoveryv1.EndpointSlice) []migration.Claim {
	by := map[key]*migration.Claim{}
	var out []migration.Claim
	for _, s := range slices {
		o := key{s.Namespace, s.Labels[render.EnsembleLabel]}
		if o.name == "" || s.Labels[discoveryv1.LabelManagedBy] != render.Manager {
			continue
		}
		if by[o] == nil {
			by[o] = &migration.Claim{Namespace: o.namespace, Name: o.name}
		}
		for _, e := range s.Endpoints {
			for _, a := range e.Addresses {
				for _, p := range s.Ports {
					if p.Port != nil {
						by[o].Addresses = append(by[o].Addresses, net.JoinHostPort(a, strconv.Itoa(int(*p.Port))))
					}
				}
			}
		}
	}
	for _, c := range by {
		out = append(out, *c)
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].Namespace+"/"+out[i].Name < out[j].Namespace+"/"+out[j].Name
	})
	return out
}
