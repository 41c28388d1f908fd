package killproxy

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/kubernetes/scheme"
)

// Kind says what a request does.
type Kind string

// The kinds of requests. The lock's are apart: every command writes it, whether
// it gets on or not.
const (
	Read    Kind = "read"
	Write   Kind = "write"
	Acquire Kind = "acquire the lock"
	Renew   Kind = "renew the lock"
	Release Kind = "release the lock"
)

// kindOf tells the kind by the verb, and for a Lease by what is written to it: a
// lock that is acquired is renewed at the same instant, one that is released has
// no holder.
func kindOf(method string, url *url.URL, body []byte) Kind {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return Read
	}
	segments := strings.Split(strings.Trim(url.Path, "/"), "/")
	// A review is a question, as a dry run is: the API server stores nothing of it.
	if strings.HasSuffix(segments[len(segments)-1], "reviews") || url.Query().Has("dryRun") {
		return Read
	}
	if !slices.Contains(segments, "leases") {
		return Write
	}
	// client-go sends protobuf for what it has typed clients for.
	sent, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	lease, ok := sent.(*coordinationv1.Lease)
	if err != nil || !ok {
		return Write
	}
	s := lease.Spec
	switch {
	case s.HolderIdentity == nil || *s.HolderIdentity == "":
		return Release
	case s.AcquireTime != nil && s.RenewTime != nil && s.RenewTime.After(s.AcquireTime.Time):
		return Renew
	}
	return Acquire
}

// object is the end of an API path: the kind, and the name where there is one.
func object(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if i := slices.Index(parts, "namespaces"); i >= 0 && len(parts) > i+2 {
		return strings.Join(parts[i+2:], "/")
	}
	return strings.Join(parts, "/")
}
