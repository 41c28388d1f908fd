package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/test/tcpfake"
)

// servedBy has the servers of the ensemble answer as handle does.
func servedBy(t *testing.T, handle func(c net.Conn, word string)) *session {
	t.Helper()
	s, rec := wrappedHere(t)
	at := netip.MustParseAddrPort(tcpfake.Words(t, handle))
	for i := range rec.Servers {
		rec.Servers[i].ClientPort = int(at.Port())
	}
	if err := s.journal.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	return s
}

// overviewOf is the overview of all ensembles of the session's cluster.
func overviewOf(t *testing.T, s *session) *overview {
	t.Helper()
	listing, err := journal.List(t.Context(), s.kube.client, journal.Scope{}, s.kube.via)
	if err != nil {
		t.Fatal(err)
	}
	return &overview{site: site{deps: &deps{}, kube: s.kube, listing: listing}}
}

// onList calls what to do when the API server is asked for EndpointSlices of all namespaces.
func onList(s *session, do func() error) {
	s.kube.client.(*fake.Clientset).PrependReactor("list", "endpointslices", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetNamespace() != "" {
			return false, nil, nil
		}
		err := do()
		return err != nil, nil, err
	})
}

// TestStatusOfAllAsksWhileItLists: the lists come, or fail, when the servers have answered.
func TestStatusOfAllAsksWhileItLists(t *testing.T) {
	said, err := os.ReadFile(filepath.Join("../zkprobe/testdata/3.4.13/follower/srvr.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for name, listed := range map[string]error{"the lists come": nil, "the lists fail": forbidden("endpointslices")} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			var asked atomic.Int32
			answered := make(chan struct{})
			s := servedBy(t, func(c net.Conn, word string) {
				if word != "srvr" {
					return
				}
				_, _ = c.Write(said)
				if asked.Add(1) == 3 {
					close(answered)
				}
			})
			onList(s, func() error {
				select {
				case <-answered:
				case <-time.After(time.Minute):
					t.Error("no server was asked before the lists had come")
				}
				return listed
			})
			o := overviewOf(t, s)
			items, err := o.look(t.Context())
			if err != nil || len(items) != 1 {
				t.Fatal(items, err)
			}
			for _, server := range items[0].Servers {
				if server.Mode != ensemble.Follower {
					t.Errorf("server %d: %q", server.ID, server.Mode)
				}
			}
			if o.alone != (listed != nil) {
				t.Errorf("looked at by itself: %t", o.alone)
			}
		})
	}
}

// TestStatusOfAllIsInterrupted: whatever is waited for, no ensemble is looked at by itself then.
func TestStatusOfAllIsInterrupted(t *testing.T) {
	for name, when := range map[string]struct{ lists, servers bool }{
		"while the lists come":        {lists: true},
		"while the servers are asked": {servers: true},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			s := servedBy(t, func(c net.Conn, _ string) {
				if when.servers {
					interrupt()
				}
				tcpfake.Silent(c)
			})
			onList(s, func() error {
				if when.lists {
					interrupt()
				}
				return ctx.Err()
			})
			client := s.kube.client.(*fake.Clientset)
			o := overviewOf(t, s)
			client.ClearActions()
			items, err := o.look(ctx)
			if !errors.Is(err, context.Canceled) || items != nil {
				t.Errorf("%+v, %v", items, err)
			}
			for _, a := range client.Actions() {
				if a.GetVerb() == "get" && a.GetResource().Resource == "configmaps" {
					t.Error("the journal was read again")
				}
			}
		})
	}
}

// TestStatusOfAllFindsTwins: two names for the same hosts are found among other ensembles, by one
// look at all as by a look at each.
func TestStatusOfAllFindsTwins(t *testing.T) {
	s, rec := wrappedHere(t)
	on := func(network string) func(*migration.ServerRecord) {
		return func(server *migration.ServerRecord) { server.HostIP = network + server.ID.String() }
	}
	for i := range rec.Servers {
		on("10.0.0.")(&rec.Servers[i])
	}
	if err := s.journal.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	also(t, s, "other", "twin", func(*migration.ServerRecord) {})
	also(t, s, "other", "x", on("10.0.1."))
	also(t, s, "other", "y", on("10.0.2."))
	o := overviewOf(t, s)
	look := func() (of []string) {
		t.Helper()
		items, err := o.look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range items {
			for _, p := range e.Problems {
				if strings.Contains(p.Text, "two journals") {
					of = append(of, e.Name+": "+p.Text)
				}
			}
		}
		return of
	}
	together := look()
	o.alone = true
	if each := look(); len(together) != 2 || !cmp.Equal(together, each) {
		t.Errorf("together %q, each by itself %q", together, each)
	}
}

// TestACrowdWaitsItsTurn: a server that hangs takes nothing from the next one's time-out.
func TestACrowdWaitsItsTurn(t *testing.T) {
	c := crowd{newProber(nil), make(chan struct{}, 1)}
	hangs := make(chan struct{})
	silent := target(t, tcpfake.Listen(t, func(conn net.Conn) {
		close(hangs)
		tcpfake.Silent(conn)
	}))
	answers := target(t, tcpfake.Words(t, func(conn net.Conn, _ string) { _, _ = io.WriteString(conn, "Mode: follower\n") }))
	done := make(chan bool)
	go func() { done <- c.Sight(t.Context(), silent).Serving() }()
	<-hangs
	if !c.Sight(t.Context(), answers).Serving() {
		t.Error("who waited has no answer")
	}
	if <-done {
		t.Error("who says nothing serves")
	}
}

// TestSightless: one server that was seen shows that this machine sees.
func TestSightless(t *testing.T) {
	unseen := migration.EnsembleStatus{Servers: []migration.ServerStatus{{ID: 1}, {ID: 2}}}
	seen := migration.EnsembleStatus{Servers: []migration.ServerStatus{{ID: 1}, {ID: 2, Mode: ensemble.Follower}}}
	if !sightless([]migration.EnsembleStatus{unseen, unseen}) || sightless([]migration.EnsembleStatus{unseen, seen}) {
		t.Error("sightless")
	}
}

// TestStatusOfThreeThousand: so many ensembles cost no more requests than three.
func TestStatusOfThreeThousand(t *testing.T) {
	s, rec := wrappedHere(t)
	const many = 3000
	for i := range rec.Servers {
		rec.Servers[i].ClientPort = 1 // it refuses
	}
	for i := range many {
		rec.Name, rec.Namespace = fmt.Sprintf("e%04d", i), fmt.Sprintf("n%d", i%7)
		for j := range rec.Servers {
			rec.Servers[j].HostIP = fmt.Sprintf("10.%d.%d.%d", j, i/250, i%250+1)
			service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: rec.Namespace, Name: render.ServiceName(rec.Name, rec.Servers[j].ID), Labels: render.Labels(rec.Name)}}
			if err := s.kube.client.(*fake.Clientset).Tracker().Add(service); err != nil {
				t.Fatal(err)
			}
		}
		if err := journal.New(s.kube.client, rec.Namespace, rec.Name).Create(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	client := s.kube.client.(*fake.Clientset)
	o := overviewOf(t, s)
	client.ClearActions()
	items, err := o.look(t.Context())
	if err != nil || len(items) != many+1 || o.alone {
		t.Fatalf("%d of %d, each by itself: %t, %v", len(items), many+1, o.alone, err)
	}
	// Those of the one that has no Services, and each kind's list.
	if asked := len(client.Actions()); asked > 20 {
		t.Errorf("%d requests for %d ensembles", asked, many)
	}
	for _, e := range items {
		if len(e.Servers) != 3 {
			t.Fatalf("%s: %+v", e.Name, e)
		}
	}
}
