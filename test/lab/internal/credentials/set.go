// Package credentials makes what the servers and clients of a secured ensemble
// are given: key stores, trust stores and the settings that name them.
package credentials

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/host"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/pki"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
)

// Fault is what is wrong with every certificate of a set.
type Fault string

// There are these.
const (
	None     Fault = "none"
	Expired  Fault = "expired"
	OtherCA  Fault = "other-ca"
	OtherSAN Fault = "other-san"
)

// ParseFault knows their names.
func ParseFault(s string) (Fault, error) {
	all := []Fault{None, Expired, OtherCA, OtherSAN}
	if !slices.Contains(all, Fault(s)) {
		return "", fmt.Errorf("fault %q: there are %q", s, all)
	}
	return Fault(s), nil
}

// Set is what one ensemble's servers and clients have in common.
type Set struct {
	Spec      ensemble.Spec
	Authority *pki.Authority
	// SANs are in every server's certificate, beside its own name and address.
	SANs  []string
	Fault Fault
}

// Files are contents by name.
type Files map[string][]byte

// Write writes them for the user that ZooKeeper runs as.
func (f Files) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	for name, data := range f {
		path := filepath.Join(dir, name)
		mode := os.FileMode(0o600)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		if err := errors.Join(os.WriteFile(path, data, mode), os.Chown(path, host.UserID, host.UserID)); err != nil {
			return fmt.Errorf("write credentials: %w", err)
		}
	}
	return nil
}

// Server has what lies beside one server's zoo.cfg. shared is the same for all
// servers.
func (s Set) Server(server ensemble.Server) (own, shared Files, err error) {
	own, shared = Files{}, Files{}
	if len(s.Spec.TLS) == 0 {
		return own, shared, nil
	}
	name := fmt.Sprintf("%s-%d", s.Spec.Name, server.ID)
	hosts := slices.Concat([]string{server.Address, name, name + "." + plan.HostDomain}, s.Spec.SANs, s.SANs)
	if s.Fault == OtherSAN {
		hosts = []string{"somebody-else." + plan.HostDomain}
	}
	signed, err := s.sign(pki.Subject{User: name, Hosts: hosts})
	if err != nil {
		return nil, nil, err
	}
	trust, err := s.Authority.TrustStore(ensemble.StorePassword)
	if err != nil {
		return nil, nil, err
	}
	own[filepath.Base(server.KeyStore())] = signed.store
	shared[filepath.Base(server.TrustStore())] = trust
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

type signed struct {
	pair  pki.Pair
	store []byte
}

func (s Set) sign(subject pki.Subject) (signed, error) {
	subject.Expired = s.Fault == Expired
	authority := s.Authority
	if s.Fault == OtherCA {
		var err error
		if authority, err = pki.NewAuthority(); err != nil {
			return signed{}, err
		}
	}
	pair, err := authority.Issue(subject)
	if err != nil {
		return signed{}, err
	}
	store, err := authority.KeyStore(pair, ensemble.StorePassword)
	return signed{pair: pair, store: store}, err
}
