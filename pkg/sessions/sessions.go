// Package sessions knows which client sessions were seen at which servers, what is
// remembered of that from one look to the next, and which sessions have only ever been seen
// at hosts. It is pure.
//
// A server tells who is connected to it (cons), by the client's own address. While a server
// runs on its host it cannot tell by which address a client came: the host's own or its
// Service's. A pod can be reached through the Service only: a session that was seen at a pod
// has a connection string that leads to Services.
package sessions

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// ID is a session's id, as ZooKeeper prints it: 0x and hexadecimal digits.
type ID int64

// String is the id as cons prints it.
func (id ID) String() string { return fmt.Sprintf("0x%x", uint64(id)) }

// MarshalText writes it as String.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (id *ID) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(string(text), "0x")
	n, err := strconv.ParseUint(digits, 16, 64)
	if !ok || err != nil || n == 0 {
		return fmt.Errorf("%q is not a session id", text)
	}
	*id = ID(n)
	return nil
}

// Place is where a server's Service led while it was asked.
type Place string

// The places. Of a server on its way nobody knows where it was asked.
const (
	OnItsWay Place = ""
	OnHost   Place = "host"
	InPod    Place = "pod"
)

// Session is one session in a server's list.
type Session struct {
	ID ID
	// Address is the client's, as the server sees it.
	Address string
}

// List is what one server said of who is connected to it.
type List struct {
	Server ensemble.ID
	Place  Place
	// Untold is why it did not say, or not of everybody; empty where it did.
	Untold   string
	Sessions []Session
}
