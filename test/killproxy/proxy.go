// Package killproxy stands between a command and its API server: a test sees
// each request right before it is forwarded and each answer before it is handed
// on, and can kill the command at exactly that moment.
package killproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Call is one request to the API server.
type Call struct {
	Kind   Kind
	Method string
	// Path is that of the object, without query.
	Path string
}

// String names the call, as "PATCH services/zk-1".
func (c Call) String() string { return c.Method + " " + object(c.Path) }

// Verdict is what becomes of a request or an answer.
type Verdict bool

const (
	// Pass forwards it.
	Pass Verdict = true
	// Drop does not: the request never reaches the API server, or its answer
	// never the command.
	Drop Verdict = false
)

// Witness is asked about everything that passes, from several goroutines at
// once. What it forwards reaches the API server also when the command has died
// meanwhile, so a Before that kills and then passes is a write that was under
// way; one that kills, waits and then passes is a write that comes late.
type Witness interface {
	// Before is asked right before a request is forwarded.
	Before(Call) Verdict
	// After is asked when the answer with that status is there.
	After(Call, int) Verdict
}

// Proxy forwards to one API server. It speaks plain HTTP with the command and
// adds the credentials of the configuration it was given.
type Proxy struct {
	address  string
	upstream *url.URL
	client   http.RoundTripper
	server   *http.Server
	served   chan error

	mu         sync.Mutex
	witness    Witness
	generation int
}

type generationKey struct{}

// Start serves on the listener until Close.
func Start(listener net.Listener, upstream *rest.Config) (*Proxy, error) {
	target, _, err := rest.DefaultServerUrlFor(upstream)
	if err != nil {
		return nil, fmt.Errorf("killproxy: the API server's address: %w", err)
	}
	client, err := rest.TransportFor(upstream)
	if err != nil {
		return nil, fmt.Errorf("killproxy: the way to the API server: %w", err)
	}
	p := &Proxy{address: listener.Addr().String(), upstream: target, client: client, served: make(chan error, 1)}
	p.server = &http.Server{
		Handler: http.HandlerFunc(p.handle), ReadHeaderTimeout: time.Minute,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			p.mu.Lock()
			defer p.mu.Unlock()
			return context.WithValue(ctx, generationKey{}, p.generation)
		},
	}
	go func() { p.served <- p.server.Serve(listener) }()
	return p, nil
}

// Watch has the witness see all connections that are opened from now on. What a
// killed command left in older ones is no longer forwarded.
func (p *Proxy) Watch(w Witness) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.witness = w
	p.generation++
}

// Close ends the proxy, and everything that is under way in it.
func (p *Proxy) Close() error {
	err := p.server.Close()
	if served := <-p.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Kubeconfig writes a kubeconfig that leads through the proxy.
func (p *Proxy) Kubeconfig(path, namespace string) error {
	config := clientcmdapi.NewConfig()
	config.Clusters["lab"] = &clientcmdapi.Cluster{Server: "http://" + p.address}
	config.Contexts["lab"] = &clientcmdapi.Context{Cluster: "lab", Namespace: namespace}
	config.CurrentContext = "lab"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("killproxy: write kubeconfig %s: %w", path, err)
	}
	return nil
}

// witnessOf is the witness of a request's connection; none where the connection
// is older than it.
func (p *Proxy) witnessOf(r *http.Request) Witness {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Context().Value(generationKey{}) != p.generation {
		return nil
	}
	return p.witness
}

func (p *Proxy) handle(w http.ResponseWriter, r *http.Request) {
	gone := func(err error) { http.Error(w, "killproxy: "+err.Error(), http.StatusBadGateway) }
	body, err := io.ReadAll(r.Body)
	if err != nil {
		gone(fmt.Errorf("read the request: %w", err))
		return
	}
	witness := p.witnessOf(r)
	if witness == nil {
		gone(errors.New("the command that opened this connection was killed"))
		return
	}
	call := Call{Kind: kindOf(r.Method, r.URL, body), Method: r.Method, Path: r.URL.Path}
	if witness.Before(call) == Drop {
		gone(errors.New("the request was dropped"))
		return
	}
	answer, err := p.forward(r, body)
	if err != nil {
		gone(err)
		return
	}
	if witness.After(call, answer.status) == Drop {
		gone(errors.New("the answer was dropped"))
		return
	}
	for key, values := range answer.header {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // a command that has died meanwhile reads nothing
}

// answer is what the API server said, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// forward asks the API server. The request outlives the command that made it.
func (p *Proxy) forward(r *http.Request, body []byte) (answer, error) {
	target := *r.URL
	target.Scheme, target.Host = p.upstream.Scheme, p.upstream.Host
	req, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, target.String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make the request: %w", err)
	}
	req.Header = r.Header.Clone()
	response, err := p.client.RoundTrip(req)
	if err != nil {
		return answer{}, fmt.Errorf("ask the API server: %w", err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: data}, nil
}
