// Package slicewatch watches the EndpointSlices of Services and computes, at
// every watch event, the union of ready addresses as kube-proxy does. It is the
// witness of I2: exactly one address at every moment.
package slicewatch

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// Event is the state of one Service after one watch event.
type Event struct {
	At      time.Time
	Service string
	Cause   string
	Union   []string
}

// String prints one event.
func (e Event) String() string {
	return fmt.Sprintf("%s %s: %s -> [%s]", e.At.Format("15:04:05.000"), e.Service, e.Cause, strings.Join(e.Union, " "))
}

// Watcher collects events until it is stopped.
type Watcher struct {
	kube      kubernetes.Interface
	namespace string

	mu     sync.Mutex
	events []Event
	slices map[string]discoveryv1.EndpointSlice
	err    error
	done   chan struct{}
	stop   context.CancelFunc
}

// Start watches a namespace from its present state on.
func Start(ctx context.Context, kube kubernetes.Interface, namespace string) (*Watcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	list, err := kube.DiscoveryV1().EndpointSlices(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		cancel()
		return nil, err
	}
	w := &Watcher{kube: kube, namespace: namespace, slices: map[string]discoveryv1.EndpointSlice{}, done: make(chan struct{}), stop: cancel}
	for _, s := range list.Items {
		w.slices[s.Name] = s
	}
	stream, err := w.from(ctx, list.ResourceVersion)
	if err != nil {
		cancel()
		return nil, err
	}
	go w.run(ctx, stream, list.ResourceVersion)
	return w, nil
}

// from watches from after a version on.
func (w *Watcher) from(ctx context.Context, version string) (watch.Interface, error) {
	return w.kube.DiscoveryV1().EndpointSlices(w.namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: version})
}

func (w *Watcher) run(ctx context.Context, stream watch.Interface, version string) {
	defer close(w.done)
	defer func() { stream.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return
		case ev, ok := <-stream.ResultChan():
			if slice, is := ev.Object.(*discoveryv1.EndpointSlice); is {
				w.take(ev.Type, slice)
				version = slice.ResourceVersion
				continue
			}
			if ok {
				if err := apierrors.FromObject(ev.Object); apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
					w.fail(fmt.Errorf("what happened after version %s was not seen: %w", version, err))
					return
				}
			}
			next := w.again(ctx, version)
			if next == nil {
				w.fail(fmt.Errorf("what happened after version %s was not seen: the watch was stopped while it was broken off", version))
				return
			}
			stream.Stop()
			stream = next
		}
	}
}

// again goes on after the last event seen, as soon as the API server answers,
// so that a watch over its restart misses none. That takes an API server which
// asks etcd and has no cache of slices: a cache begins with the server and
// refuses every older version (k8s.io/apiserver pkg/storage/cacher). It returns
// nil when the context ends first.
func (w *Watcher) again(ctx context.Context, version string) watch.Interface {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if stream, err := w.from(ctx, version); err == nil {
			return stream
		}
	}
}

func (w *Watcher) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

func (w *Watcher) take(kind watch.EventType, slice *discoveryv1.EndpointSlice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if kind == watch.Deleted {
		delete(w.slices, slice.Name)
	} else {
		w.slices[slice.Name] = *slice
	}
	service := slice.Labels[discoveryv1.LabelServiceName]
	w.events = append(w.events, Event{At: time.Now(), Service: service, Cause: string(kind) + " " + slice.Name, Union: w.union(service)})
}

// union is the set of addresses of ready endpoints over all slices of a
// Service; a missing condition means ready (discovery/v1 types.go).
func (w *Watcher) union(service string) []string {
	set := map[string]bool{}
	for _, s := range w.slices {
		if s.Labels[discoveryv1.LabelServiceName] != service {
			continue
		}
		for _, e := range s.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				for _, a := range e.Addresses {
					set[a] = true
				}
			}
		}
	}
	out := make([]string, 0, len(set))
	for a := range set {
		out = append(out, a)
	}
	sort.Strings(out)
	return out
}

// Stop ends the watch and returns all events, and an error when the watch had
// broken off, for then nothing is proved.
func (w *Watcher) Stop() ([]Event, error) {
	w.stop()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events, w.err
}

// Violations are the events after which one of the Services did not have
// exactly one address.
func Violations(events []Event, services []string) []Event {
	return wrong(events, services, func(e Event) bool { return len(e.Union) != 1 })
}

// Several are the events after which one of the Services had more than one address.
func Several(events []Event, services []string) []Event {
	return wrong(events, services, func(e Event) bool { return len(e.Union) > 1 })
}

func wrong(events []Event, services []string, bad func(Event) bool) []Event {
	watched := map[string]bool{}
	for _, s := range services {
		watched[s] = true
	}
	var out []Event
	for _, e := range events {
		if watched[e.Service] && bad(e) {
			out = append(out, e)
		}
	}
	return out
}
