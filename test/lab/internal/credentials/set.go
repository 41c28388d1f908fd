// Package credentials makes what the servers and clients of a secured ensemble
// are given: key stores, passwords, key tabs and the settings that name them.
package credentials

import (
	"fmt"
	"maps"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/pki"
)

// Set is what one ensemble's servers and clients have in common.
type Set struct {
	Spec      ensemble.Spec
	Authority *pki.Authority
	Kerberos  Kerberos
	// SANs are in every server's certificate, beside its own name and address.
	SANs []string
	// Called says by id what server lines call a server, where it is not Listed.
	Called map[int]string
	Fault  Fault
}

// Kerberos gives keys out.
type Kerberos interface {
	// KeyTab has the keys of principals, which are made where they do not exist.
	KeyTab(principals ...string) ([]byte, error)
	// Config is the krb5.conf that leads there.
	Config() []byte
}

func (s Set) called(server ensemble.Server) string {
	if name, ok := s.Called[server.ID]; ok {
		return name
	}
	return server.Listed
}

// Server has what lies beside one server's zoo.cfg. shared is the same for all
// servers.
func (s Set) Server(server ensemble.Server) (own, shared Files, err error) {
	own, shared = Files{}, Files{}
	if len(s.Spec.TLS) > 0 {
		if err := s.addStores(server, own, shared); err != nil {
			return nil, nil, err
		}
	}
	switch s.Spec.SASL {
	case ensemble.SASLDigest:
		shared[ensemble.JAASFile] = s.digestServer()
	case ensemble.SASLKerberos:
		if err := s.addKeyTab(server, own, shared); err != nil {
			return nil, nil, err
		}
	}
	return own, shared, nil
}

// ForPods has what pods are given in place of all hosts' files, one flat folder:
// what servers do not share is named ID.NAME.
func (s Set) ForPods(servers []ensemble.Server) (Files, error) {
	files := Files{}
	for _, server := range servers {
		own, shared, err := s.Server(server)
		if err != nil {
			return nil, err
		}
		maps.Copy(files, shared)
		for name, data := range own {
			files[fmt.Sprintf("%d.%s", server.ID, name)] = data
		}
	}
	return files, nil
}
