//go:build integration

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// watcher follows all slices of one Service and computes, after every event,
// what kube-proxy would: the union of their ready endpoints.
type watcher struct {
	t    *testing.T
	w    watch.Interface
	mu   sync.Mutex
	live map[string]discoveryv1.EndpointSlice
	log  []instant
	done chan struct{}
	// gap: the pod is away, an empty Service is right for the moment.
	gap     bool
	stopped bool
}

// instant is the union after one event.
type instant struct {
	at    time.Time
	event string
	union []string
	gap   bool
}

func (i instant) String() string {
	return fmt.Sprintf("%s %-40s %v", i.at.Format("15:04:05.000"), i.event, i.union)
}

// follow begins with what is there.
func follow(t *testing.T, cp *controlPlane, ns, service string) *watcher {
	t.Helper()
	// The watch outlives the test's own context: it is stopped in its cleanup.
	ctx := context.WithoutCancel(t.Context())
	o := metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service}
	list, err := cp.admin.DiscoveryV1().EndpointSlices(ns).List(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	f := &watcher{t: t, live: map[string]discoveryv1.EndpointSlice{}, done: make(chan struct{})}
	for _, s := range list.Items {
		f.live[s.Name] = s
	}
	o.ResourceVersion = list.ResourceVersion
	if f.w, err = cp.admin.DiscoveryV1().EndpointSlices(ns).Watch(ctx, o); err != nil {
		t.Fatal(err)
	}
	f.note("begin")
	go f.run()
	return f
}

func (f *watcher) run() {
	defer close(f.done)
	for e := range f.w.ResultChan() {
		s, ok := e.Object.(*discoveryv1.EndpointSlice)
		if !ok {
			// Stopping closes the stream, which the decoder calls an error.
			if !f.ended() {
				f.t.Errorf("watch: %v", e.Object)
			}
			return
		}
		f.mu.Lock()
		if e.Type == watch.Deleted {
			delete(f.live, s.Name)
		} else {
			f.live[s.Name] = *s
		}
		f.mu.Unlock()
		f.note(string(e.Type) + " " + s.Name)
	}
}

func (f *watcher) note(event string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var union []string
	for _, s := range f.live {
		for _, e := range s.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				for _, a := range e.Addresses {
					if !slices.Contains(union, a) {
						union = append(union, a)
					}
				}
			}
		}
	}
	slices.Sort(union)
	f.log = append(f.log, instant{time.Now(), event, union, f.gap})
}

func (f *watcher) union() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log[len(f.log)-1].union
}

// waitFor waits until the watcher itself has seen the address alone.
func (f *watcher) waitFor(address string) {
	f.t.Helper()
	eventually(f.t, "the Service points to "+address, func() (bool, string) {
		u := f.union()
		return len(u) == 1 && u[0] == address, fmt.Sprint(u)
	})
}

// podAway says whether the Service may have no address for the moment.
func (f *watcher) podAway(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gap = away
}

// wrong lists the instants with several addresses, and those with none while
// there was a pod or a host to point to; none is how long the longest of the
// latter lasted.
func (f *watcher) wrong() (several, empty []instant, none time.Duration, events int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, in := range f.log {
		switch {
		case len(in.union) > 1:
			several = append(several, in)
		case len(in.union) == 0 && !in.gap:
			empty = append(empty, in)
			if i+1 < len(f.log) {
				none = max(none, f.log[i+1].at.Sub(in.at))
			}
		}
	}
	return several, empty, none, len(f.log)
}

func (f *watcher) stop() {
	f.mu.Lock()
	f.stopped = true
	f.mu.Unlock()
	f.w.Stop()
	<-f.done
}

func (f *watcher) ended() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stopped
}

func (f *watcher) dump() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	for _, in := range f.log {
		b.WriteString(in.String() + "\n")
	}
	return b.String()
}
