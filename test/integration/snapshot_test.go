//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// TestOneSetOfLists: a snapshot shows of each ensemble what a look at it alone shows,
// and asks as often for twenty as for two, but where an object should be there and
// is in no list.
func TestOneSetOfLists(t *testing.T) {
	for _, api := range []migration.EndpointsAPI{migration.EndpointSlices, migration.LegacyEndpoints} {
		t.Run(string(api), func(t *testing.T) {
			s := newSite(t, api)
			s.wrap()
			s.must("park", s.c.Park(s.ctx, s.rec))
			s.run(5, "10.244.9.1")
			var asked atomic.Int64
			config := s.cp.config(adminToken)
			config.QPS = -1
			config.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return roundTrip(func(r *http.Request) (*http.Response, error) {
					asked.Add(1)
					return next.RoundTrip(r)
				})
			})
			kube, err := kubernetes.NewForConfig(config)
			s.must("client", err)
			c := cluster.New(kube)
			all := []migration.Record{s.rec}
			more := func(n int) {
				for range n {
					all = append(all, another(s, c, fmt.Sprintf("e%d", len(all))))
				}
			}
			// look waits until both ways show the same (controllers write meanwhile), and
			// returns how often a snapshot and a look at each have asked.
			look := func(why string) (count int64) {
				t.Helper()
				eventually(t, why+": both ways show the same", func() (bool, string) {
					before := asked.Load()
					snap, err := c.Snapshot(s.ctx, nil, all)
					s.must("snapshot", err)
					seen := map[string]map[ensemble.ID]migration.ClusterView{}
					for _, rec := range all {
						seen[rec.Name], err = snap.Observe(s.ctx, rec)
						s.must("look", err)
					}
					count = asked.Load() - before
					diff := ""
					for _, rec := range all {
						alone, err := c.Observe(s.ctx, rec)
						s.must("look", err)
						diff += cmp.Diff(alone, seen[rec.Name])
					}
					return diff == "", "(-alone +snapshot)\n" + diff
				})
				return count
			}
			more(1)
			few := look("two")
			t.Logf("%d requests for a look at all", few)
			more(18)
			if many := look("twenty"); many != few || few > 20 {
				t.Errorf("%d requests for two ensembles, %d for twenty", few, many)
			}
			s.hide()
			look("what has lost our label")
		})
	}
}

// another wraps one more ensemble in the site's namespace.
func another(s *site, c *cluster.Client, name string) migration.Record {
	s.t.Helper()
	rec := s.rec
	rec.Name, rec.Servers = name, nil
	for _, server := range s.rec.Servers {
		server.Service, server.ClusterIP, server.ServiceUID = render.ServiceName(name, server.ID), "", ""
		rec.Servers = append(rec.Servers, server)
	}
	_, err := c.Wrap(s.ctx, rec, false)
	s.must("wrap "+name, err)
	return rec
}

// hide takes our label off a Service, the pod and the gate.
func (s *site) hide() {
	s.t.Helper()
	core := s.cp.admin.CoreV1()
	svc, err := core.Services(s.ns).Get(s.ctx, render.ServiceName(s.rec.Name, 2), metav1.GetOptions{})
	s.must("get", err)
	delete(svc.Labels, render.EnsembleLabel)
	_, err = core.Services(s.ns).Update(s.ctx, svc, metav1.UpdateOptions{})
	s.must("take the label off the Service", err)
	gate, err := core.ConfigMaps(s.ns).Get(s.ctx, render.GateName(s.rec.Name), metav1.GetOptions{})
	s.must("get", err)
	delete(gate.Labels, render.EnsembleLabel)
	_, err = core.ConfigMaps(s.ns).Update(s.ctx, gate, metav1.UpdateOptions{})
	s.must("take the label off the gate", err)
	r, _ := s.rec.Server(5)
	pod, err := core.Pods(s.ns).Get(s.ctx, render.PodName(s.rec.Name, r.Ordinal), metav1.GetOptions{})
	s.must("get", err)
	delete(pod.Labels, render.EnsembleLabel)
	_, err = core.Pods(s.ns).Update(s.ctx, pod, metav1.UpdateOptions{})
	s.must("take the label off the pod", err)
}
