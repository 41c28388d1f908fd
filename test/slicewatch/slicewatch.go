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
	go w.run(ctx, stream)
	return w, nil
}

func (w *Watcher) from(ctx context.Context, version string) (watch.Interface, error) {
	return w.kube.DiscoveryV1().EndpointSlices(w.namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: version})
}

func (w *Watcher) run(ctx context.Context, stream watch.Interface) {
	defer close(w.done)
	defer func() { stream.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return
		case ev, ok := <-stream.ResultChan():
			if !ok {
				next, err := w.again(ctx)
				if err != nil {
					w.fail(err)
					return
				}
				stream.Stop()
				stream = next
				continue
			}
			slice, ok := ev.Object.(*discoveryv1.EndpointSlice)
			if !ok {
				w.fail(fmt.Errorf("the watch sent a %T", ev.Object))
				return
			}
			w.take(ev.Type, slice)
		}
	}
}

// again goes on where the watch broke off, as soon as the API server answers. A
// slice that has changed meanwhile is an error: what it held was not seen.
func (w *Watcher) again(ctx context.Context) (watch.Interface, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := w.kube.DiscoveryV1().EndpointSlices(w.namespace).List(ctx, metav1.ListOptions{})
		if err == nil {
			if changed := w.changed(list.Items); len(changed) > 0 {
				return nil, fmt.Errorf("the watch ended, and until it began again there were changes of %s", strings.Join(changed, ", "))
			}
			return w.from(ctx, list.ResourceVersion)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// changed names the slices that are not as they were last seen.
func (w *Watcher) changed(now []discoveryv1.EndpointSlice) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := map[string]bool{}
	for name := range w.slices {
		names[name] = true
	}
	for _, s := range now {
		names[s.Name] = s.ResourceVersion != w.slices[s.Name].ResourceVersion
	}
	var out []string
	for name, is := range names {
		if is {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
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
	watched := map[string]bool{}
	for _, s := range services {
		watched[s] = true
	}
	var out []Event
	for _, e := range events {
		if watched[e.Service] && len(e.Union) != 1 {
			out = append(out, e)
		}
	}
	return out
}
