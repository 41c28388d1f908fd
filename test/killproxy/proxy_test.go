package killproxy

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// script is a witness that drops what it is told to and notes what it saw.
type script struct {
	mu           sync.Mutex
	dropBefore   bool
	dropAfter    bool
	before, seen []string
	// held, when set, blocks each request until it is closed; asked is closed
	// when the first is there.
	held, asked chan struct{}
}

func (s *script) Before(c Call) Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = append(s.before, c.String())
	if s.held != nil {
		close(s.asked)
		<-s.held
	}
	return Verdict(!s.dropBefore)
}

func (s *script) After(c Call, status int) Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, c.String()+" "+http.StatusText(status))
	return Verdict(!s.dropAfter)
}

// upstream counts what reaches the API server.
type upstream struct {
	mu   sync.Mutex
	got  []string
	done chan struct{}
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	u.got = append(u.got, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
	u.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	if u.done != nil {
		close(u.done)
	}
}

func proxied(t *testing.T, u *upstream, w Witness) *Proxy {
	t.Helper()
	api := httptest.NewServer(u)
	t.Cleanup(api.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(listener, &rest.Config{Host: api.URL, BearerToken: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	p.Watch(w)
	return p
}

func ask(t *testing.T, client *http.Client, ctx context.Context, p *Proxy) int {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.address+"/api/v1/namespaces/zk/services?dryRun=All", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(req)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestVerdicts(t *testing.T) {
	const sent = "POST /api/v1/namespaces/zk/services?dryRun=All Bearer secret"
	for name, c := range map[string]struct {
		witness *script
		status  int
		reached []string
	}{
		"passed":          {&script{}, http.StatusCreated, []string{sent}},
		"dropped before":  {&script{dropBefore: true}, http.StatusBadGateway, nil},
		"answer withheld": {&script{dropAfter: true}, http.StatusBadGateway, []string{sent}},
	} {
		t.Run(name, func(t *testing.T) {
			u := &upstream{}
			p := proxied(t, u, c.witness)
			if got := ask(t, http.DefaultClient, t.Context(), p); got != c.status {
				t.Errorf("status %d, want %d", got, c.status)
			}
			if diff := cmp.Diff(c.reached, u.got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"POST services"}, c.witness.before); diff != "" {
				t.Error(diff)
			}
			if want := len(c.reached); len(c.witness.seen) != want || want == 1 && c.witness.seen[0] != "POST services Created" {
				t.Errorf("answers seen: %q", c.witness.seen)
			}
		})
	}
}

// A write that was under way reaches the API server though the command is gone.
func TestForwardedThoughTheCommandIsGone(t *testing.T) {
	u, w := &upstream{done: make(chan struct{})}, &script{held: make(chan struct{}), asked: make(chan struct{})}
	p := proxied(t, u, w)
	ctx, kill := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() { ended <- ask(t, &http.Client{Transport: &http.Transport{}}, ctx, p) }()
	<-w.asked
	kill()
	if got := <-ended; got != 0 {
		t.Fatalf("answered with %d though it was killed", got)
	}
	close(w.held)
	<-u.done
}

// What a killed command left in its connection is not forwarded.
func TestOlderConnectionsAreRefused(t *testing.T) {
	u := &upstream{}
	p := proxied(t, u, &script{})
	client := &http.Client{Transport: &http.Transport{}}
	if got := ask(t, client, t.Context(), p); got != http.StatusCreated {
		t.Fatalf("status %d", got)
	}
	p.Watch(&script{})
	if got := ask(t, client, t.Context(), p); got != http.StatusBadGateway {
		t.Errorf("status %d on an older connection, want %d", got, http.StatusBadGateway)
	}
	if len(u.got) != 1 {
		t.Errorf("%d requests reached the API server, want 1", len(u.got))
	}
}

func TestKinds(t *testing.T) {
	const path = "/apis/coordination.k8s.io/v1/namespaces/zk/leases/main-zkmigrate"
	me, nobody := "me", ""
	acquired := metav1.NewMicroTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	renewed := metav1.NewMicroTime(acquired.Add(10 * time.Second))
	for name, c := range map[string]struct {
		method, path string
		lease        coordinationv1.LeaseSpec
		want         Kind
	}{
		"a look":       {"GET", "/api/v1/namespaces/zk/services", coordinationv1.LeaseSpec{}, Read},
		"a write":      {"PATCH", "/api/v1/namespaces/zk/services/main-1", coordinationv1.LeaseSpec{}, Write},
		"a review":     {"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", coordinationv1.LeaseSpec{}, Read},
		"a dry run":    {"POST", "/api/v1/namespaces/zk/pods?dryRun=All", coordinationv1.LeaseSpec{}, Read},
		"a lease read": {"GET", path, coordinationv1.LeaseSpec{}, Read},
		"acquired":     {"PUT", path, coordinationv1.LeaseSpec{HolderIdentity: &me, AcquireTime: &acquired, RenewTime: &acquired}, Acquire},
		"renewed":      {"PUT", path, coordinationv1.LeaseSpec{HolderIdentity: &me, AcquireTime: &acquired, RenewTime: &renewed}, Renew},
		"released":     {"PUT", path, coordinationv1.LeaseSpec{HolderIdentity: &nobody}, Release},
	} {
		for _, as := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
			t.Run(name+", "+as, func(t *testing.T) {
				info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), as)
				if !ok {
					t.Fatal("no serializer")
				}
				body, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, coordinationv1.SchemeGroupVersion), &coordinationv1.Lease{Spec: c.lease})
				if err != nil {
					t.Fatal(err)
				}
				asked, err := url.Parse(c.path)
				if err != nil {
					t.Fatal(err)
				}
				if got := kindOf(c.method, asked, body); got != c.want {
					t.Errorf("%q, want %q", got, c.want)
				}
			})
		}
	}
}
