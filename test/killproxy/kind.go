package killproxy

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
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
func kindOf(method, path string, body []byte) Kind {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return Read
	}
	if !slices.Contains(strings.Split(path, "/"), "leases") {
		return Write
	}
	var lease struct {
		Spec struct {
			HolderIdentity string     `json:"holderIdentity"`
			AcquireTime    *time.Time `json:"acquireTime"`
			RenewTime      *time.Time `json:"renewTime"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(body, &lease); err != nil {
		return Write
	}
	s := lease.Spec
	switch {
	case s.HolderIdentity == "":
		return Release
	case s.AcquireTime != nil && s.RenewTime != nil && s.RenewTime.After(*s.AcquireTime):
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
