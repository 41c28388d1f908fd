package cli

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// also wraps hosts under another name; the journal of demo is the pattern.
func also(t *testing.T, s *session, namespace, name string, change func(*migration.ServerRecord)) {
	t.Helper()
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec.Namespace, rec.Name = namespace, name
	for i := range rec.Servers {
		change(&rec.Servers[i])
	}
	if err := journal.New(s.kube.client, namespace, name).Create(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
}

// endpoints are what a wrap left at the address of server 1.
func endpoints(t *testing.T, s *session, namespace, name, manager string) {
	t.Helper()
	port := int32(1)
	_, err := s.kube.client.DiscoveryV1().EndpointSlices(namespace).Create(t.Context(), &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: name + "-1", Namespace: namespace, Labels: map[string]string{discoveryv1.LabelManagedBy: manager, render.EnsembleLabel: name}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"198.51.100.1"}}}, Ports: []discoveryv1.EndpointPort{{Port: &port}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// refuse answers lists with an error; a namespace that is empty stands for all.
func refuse(s *session, err error, resource string, namespaces ...string) {
	s.kube.client.(*fake.Clientset).PrependReactor("list", resource, func(a clienttesting.Action) (bool, runtime.Object, error) {
		return slices.Contains(namespaces, a.GetNamespace()), nil, err
	})
}

func forbidden(resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", errors.New("no"))
}

// TestTwins: the same hosts under another name are found wherever one may look, by
// their journal or by what it left behind; where one may not look is said, and is
// in nobody's way.
func TestTwins(t *testing.T) {
	same := func(*migration.ServerRecord) {}
	const (
		nothingSaid = ""
		others      = "of other namespaces: whether these hosts are wrapped there was not looked at; namespace zk was"
		anywhere    = "neither in namespace zk nor in others: whether these hosts are wrapped a second time was not looked at"
	)
	for name, c := range map[string]struct {
		around func(*testing.T, *session)
		want   []string
		note   string
	}{
		"alone":                  {func(*testing.T, *session) {}, nil, nothingSaid},
		"in this namespace":      {func(t *testing.T, s *session) { also(t, s, "zk", "other", same) }, []string{"zk/other"}, nothingSaid},
		"in another namespace":   {func(t *testing.T, s *session) { also(t, s, "elsewhere", "other", same) }, []string{"elsewhere/other"}, nothingSaid},
		"of one name in another": {func(t *testing.T, s *session) { also(t, s, "elsewhere", "demo", same) }, []string{"elsewhere/demo"}, nothingSaid},
		"another ensemble's hosts": {func(t *testing.T, s *session) {
			also(t, s, "zk", "other", func(r *migration.ServerRecord) { r.HostIP = "203.0.113.1" })
		}, nil, nothingSaid},
		"endpoints without a journal": {func(t *testing.T, s *session) { endpoints(t, s, "elsewhere", "gone", render.Manager) },
			[]string{"elsewhere/gone"}, nothingSaid},
		"endpoints and a journal count once": {func(t *testing.T, s *session) {
			also(t, s, "elsewhere", "other", same)
			endpoints(t, s, "elsewhere", "other", render.Manager)
		}, []string{"elsewhere/other"}, nothingSaid},
		"a garbled journal": {func(t *testing.T, s *session) {
			endpoints(t, s, "elsewhere", "other", render.Manager)
			cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: render.JournalName("other"), Namespace: "elsewhere", Labels: render.Labels("other")}, Data: map[string]string{journal.Key: "{"}}
			cm.Labels[render.RoleLabel] = render.RoleJournal
			if _, err := s.kube.client.CoreV1().ConfigMaps("elsewhere").Create(t.Context(), cm, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}, []string{"elsewhere/other"}, nothingSaid},
		"a controller's endpoints": {func(t *testing.T, s *session) {
			endpoints(t, s, "elsewhere", "other", "endpointslice-controller.k8s.io")
		}, nil, nothingSaid},
		"other namespaces are closed": {func(t *testing.T, s *session) {
			also(t, s, "zk", "near", same)
			also(t, s, "elsewhere", "far", same)
			refuse(s, forbidden("configmaps"), "configmaps", "")
		}, []string{"zk/near"}, others},
		"their endpoints are closed": {func(t *testing.T, s *session) {
			endpoints(t, s, "zk", "near", render.Manager)
			refuse(s, forbidden("endpointslices"), "endpointslices", "")
		}, []string{"zk/near"}, others},
		"all is closed": {func(t *testing.T, s *session) {
			also(t, s, "zk", "near", same)
			refuse(s, forbidden("configmaps"), "configmaps", "", "zk")
		}, nil, anywhere},
	} {
		t.Run(name, func(t *testing.T) {
			s := wrapped(t, "3.4.13")
			c.around(t, s)
			rec, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			if err := s.lookForTwins(t.Context(), rec, &said); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, twin := range s.engine.Twins {
				got = append(got, twin.Namespace+"/"+twin.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if c.note == "" && said.Len() > 0 || !strings.Contains(said.String(), c.note) || strings.Count(said.String(), "note: ") > 1 {
				t.Errorf("says %q, want %q", said.String(), c.note)
			}
		})
	}
}

// TestTwinsAreRefusedByName: neither a wrap nor a replacement begins beside one.
func TestTwinsAreRefusedByName(t *testing.T) {
	for _, namespace := range []string{"zk", "elsewhere"} {
		t.Run(namespace, func(t *testing.T) {
			s := wrapped(t, "3.4.13")
			also(t, s, namespace, "other", func(*migration.ServerRecord) {})
			rec, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := s.lookForTwins(t.Context(), rec, &strings.Builder{}); err != nil {
				t.Fatal(err)
			}
			// What the rules make of it is pkg/migration's; they must come to know it.
			s.engine.Prober = s.prober
			o, err := s.engine.Observe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Twins) != 1 || o.Twins[0].Name != "other" || o.Twins[0].Namespace != namespace {
				t.Errorf("replace decides on %v", o.Twins)
			}
			var refused *refusedError
			want := "ensemble other in namespace " + namespace + " has 198.51.100.1:"
			if err := refuseFailed(collectFacts(t.Context(), s, rec, intake.Description{}, false, io.Discard)); !errors.As(err, &refused) ||
				!slices.ContainsFunc(refused.evidence, func(e string) bool { return strings.HasPrefix(e, "ZK026 ") && strings.Contains(e, want) }) {
				t.Errorf("wrap: %v, want %q", refused, want)
			}
		})
	}
}

// TestWhatIsClosedMakesNobodyUnwell: status says the same with and without the
// other namespaces.
func TestWhatIsClosedMakesNobodyUnwell(t *testing.T) {
	look := func(close bool) migration.EnsembleStatus {
		s, _ := wrappedHere(t)
		if close {
			refuse(s, forbidden("configmaps"), "configmaps", "")
		}
		item, err := (&deps{}).glance(t.Context(), s.kube, ensembleName{"zk", "demo"})
		if err != nil {
			t.Fatal(err)
		}
		return item
	}
	open, closed := look(false), look(true)
	if diff := cmp.Diff(open.Problems, closed.Problems); diff != "" || open.Health != closed.Health {
		t.Errorf("health %q, with the others closed %q\n%s", open.Health, closed.Health, diff)
	}
}

// TestTwinsNobodyAnswered: an API server that fails is not one without twins.
func TestTwinsNobodyAnswered(t *testing.T) {
	for name, resource := range map[string]string{"journals": "configmaps", "endpoints": "endpointslices"} {
		t.Run(name, func(t *testing.T) {
			s := wrapped(t, "3.4.13")
			rec, err := s.record(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			refuse(s, apierrors.NewInternalError(errors.New("etcd is away")), resource, "", "zk")
			var said strings.Builder
			if err := s.lookForTwins(t.Context(), rec, &said); err == nil || !strings.Contains(err.Error(), "in all namespaces") || said.Len() > 0 {
				t.Errorf("got %v, said %q", err, said.String())
			}
			facts := collectFacts(t.Context(), s, rec, intake.Description{}, false, io.Discard)
			if !strings.Contains(facts.TwinsError, "nobody could look") || facts.TwinsUnlooked != "" {
				t.Errorf("facts: %q, %q", facts.TwinsError, facts.TwinsUnlooked)
			}
		})
	}
}
