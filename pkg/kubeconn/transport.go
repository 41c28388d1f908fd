// Package kubeconn is the connection to the API server: it reads the kubeconfig,
// bounds every request in time and size, and says in a person's words what went
// wrong with it.
package kubeconn

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

const (
	// RequestTimeout bounds one request, from connecting to the answer's last
	// byte, unless --request-timeout says otherwise. No request of ours streams.
	RequestTimeout = 30 * time.Second
	// loginTimeout is for the first request where a credential plugin runs: it may
	// ask a person to log in.
	loginTimeout = 3 * time.Minute
	// maxAnswer bounds an answer. A page of journals is the largest by far.
	maxAnswer = 64 << 20
	// maxRetryAfter is the longest pause an API server may ask for; client-go
	// would sleep that long up to ten times.
	maxRetryAfter = 5
)

// transport bounds what stands below it, credential plugins and all: whatever
// the other side does, an answer is complete, of bounded size and in time, or it
// is an error that says what came instead.
type transport struct {
	next  http.RoundTripper
	limit time.Duration
	// login is the limit until a first answer has come; plugin says that a
	// credential plugin may take its time until then.
	login  time.Duration
	plugin bool
	via    command.Via
	met    atomic.Bool
}

type answer struct {
	resp *http.Response
	body []byte
	err  error
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	limit := t.limit
	if !t.met.Load() {
		limit = t.login
	}
	ctx, cancel := context.WithTimeout(req.Context(), limit)
	defer cancel()
	// A goroutine of its own: a credential plugin knows no context, and a Close
	// of a body may wait for the other side.
	done := make(chan answer, 1)
	var began atomic.Bool
	go func() { done <- t.ask(req.WithContext(ctx), &began) }()
	var a answer
	select {
	case a = <-done:
	case <-ctx.Done():
		a.err = ctx.Err()
	}
	if a.err != nil && ctx.Err() != nil {
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		return nil, t.slow(req, limit, began.Load(), !t.met.Load() && t.plugin)
	}
	if a.err != nil {
		return nil, a.err
	}
	t.met.Store(true)
	if err := t.judge(req, a.resp, a.body); err != nil {
		return nil, err
	}
	tame(a.resp.Header)
	a.resp.Body = io.NopCloser(bytes.NewReader(a.body))
	a.resp.ContentLength = int64(len(a.body))
	return a.resp, nil
}

// ask reads the whole answer; began says that its head has come.
func (t *transport) ask(req *http.Request, began *atomic.Bool) answer {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	began.Store(true)
	defer func() { _ = resp.Body.Close() }() // only read from
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil && req.Context().Err() != nil:
		return answer{err: err}
	case err != nil:
		return answer{err: &Error{
			What: fmt.Sprintf("the answer to %s broke off after %d bytes", asked(req), len(body)),
			Next: "run the command again; if it stays so, something between here and the API server cuts connections (a proxy, a VPN)", Err: err,
		}}
	case len(body) > maxAnswer:
		return answer{err: &Error{
			What: fmt.Sprintf("the answer to %s is longer than %d MiB, which no answer of an API server is", asked(req), maxAnswer>>20),
			Next: notKubernetes(t.via),
		}}
	}
	return answer{resp: resp, body: body}
}

func (t *transport) slow(req *http.Request, limit time.Duration, began, login bool) error {
	e := &Error{Timeout: true, What: fmt.Sprintf("no answer to %s within %s", asked(req), limit),
		Next: "look whether the API server is up and reachable from here (" + readyz(t.via) + "); --request-timeout sets how long one request may take"}
	switch {
	case began:
		e.What = fmt.Sprintf("the answer to %s was not complete within %s", asked(req), limit)
	case login:
		e.What += ", credentials included"
		e.Next = "run the kubeconfig's credential plugin by hand, or log in with it first; " + e.Next
	}
	return e
}

// judge looks whether a whole answer can be one of an API server.
func (t *transport) judge(req *http.Request, resp *http.Response, body []byte) error {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // unparsable is none
	text := func(what string) error {
		return &Error{What: fmt.Sprintf("%s was answered with %s instead of a Kubernetes object (%s)", asked(req), what, resp.Status), Next: notKubernetes(t.via)}
	}
	switch code := resp.StatusCode; {
	case code >= 300 && code < 400 && code != http.StatusNotModified:
		// Following it would send the credentials to somebody else.
		return text(fmt.Sprintf("a redirect to %q", clip(resp.Header.Get("Location"))))
	case code == http.StatusBadRequest && bytes.Contains(body, []byte("HTTP request to an HTTPS server")):
		return &Error{What: "the API server's port speaks TLS, and the kubeconfig says http://", Next: "write https:// into the server's address in the kubeconfig"}
	case media == "text/html" || media == "application/xhtml+xml":
		return text("a web page")
	case code >= 300 && !isStatus(body):
		if code == http.StatusNotFound || code == http.StatusConflict || code == http.StatusGone {
			// Something in between does not know the path. That the object does
			// not exist is for the API server alone to say, in its own words.
			return text(fmt.Sprintf("%q", clip(strings.TrimSpace(string(body)))))
		}
		return nil
	case code >= 300 || strings.HasSuffix(req.URL.Path, "/log"):
		return nil
	case len(bytes.TrimSpace(body)) == 0:
		return text("nothing")
	case media == "application/json" || media == "":
		if !json.Valid(body) {
			return text("something that is not JSON, or was cut off,")
		}
		var head runtime.TypeMeta
		// The version page is the one answer without a kind.
		if err := json.Unmarshal(body, &head); (err != nil || head.Kind == "" || head.APIVersion == "") && req.URL.Path != "/version" {
			return text("JSON that has no kind and apiVersion")
		}
		return t.judgeKind(req, resp, head)
	case media == runtime.ContentTypeProtobuf:
		head, _ := protobufHead(body)
		if head.Kind == "" {
			return text("something that is not Kubernetes' protobuf, or was cut off,")
		}
		return t.judgeKind(req, resp, head)
	case media != "application/cbor":
		return text(fmt.Sprintf("content of type %q", clip(media)))
	}
	return nil
}

// isStatus reports whether an answer is what the API server says errors with.
func isStatus(body []byte) bool {
	if head, ok := protobufHead(body); ok {
		return head.Kind == "Status"
	}
	var head runtime.TypeMeta
	return json.Unmarshal(body, &head) == nil && head.Kind == "Status"
}

// protobufHead is what an object in protobuf says that it is, empty where it is not whole. ok says
// that it has the prefix of k8s.io/apimachinery/pkg/runtime/serializer/protobuf.
func protobufHead(body []byte) (head runtime.TypeMeta, ok bool) {
	object, ok := bytes.CutPrefix(body, []byte("k8s\x00"))
	var all runtime.Unknown
	if !ok || all.Unmarshal(object) != nil || all.APIVersion == "" {
		return head, ok
	}
	return all.TypeMeta, true
}

// tame shortens the pause that the answer asks for.
func tame(h http.Header) {
	var seconds int
	if _, err := fmt.Sscan(h.Get("Retry-After"), &seconds); err == nil && (seconds > maxRetryAfter || seconds < 0) {
		h.Del("Retry-After")
	}
}

func asked(req *http.Request) string {
	return fmt.Sprintf("%s %s", req.Method, clip(req.URL.Path))
}

// clip keeps text of the other side short.
func clip(s string) string { return quote.Clip(s, 200) }
