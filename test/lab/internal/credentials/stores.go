package credentials

import (
	"fmt"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/pki"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
)

func (s Set) addStores(server ensemble.Server, own, shared Files) error {
	name := fmt.Sprintf("%s-%d", s.Spec.Name, server.ID)
	hosts := slices.Concat([]string{server.Address, name, name + "." + plan.HostDomain, s.called(server)}, s.Spec.SANs, s.SANs)
	if s.Fault == OtherSAN {
		hosts = []string{"somebody-else." + plan.HostDomain}
	}
	_, store, err := s.sign(pki.Subject{User: name, Hosts: hosts})
	if err != nil {
		return err
	}
	trust, err := s.Authority.TrustStore(ensemble.StorePassword)
	if err != nil {
		return err
	}
	own[ensemble.KeyStore], shared[ensemble.TrustStore] = store, trust
	return nil
}

// sign makes a certificate, and a key store of it.
func (s Set) sign(subject pki.Subject) (pair pki.Pair, store []byte, err error) {
	subject.Expired = s.Fault == Expired
	authority := s.Authority
	if s.Fault == OtherCA {
		if authority, err = pki.NewAuthority(); err != nil {
			return pki.Pair{}, nil, err
		}
	}
	if pair, err = authority.Issue(subject); err != nil {
		return pki.Pair{}, nil, err
	}
	store, err = authority.KeyStore(pair, ensemble.StorePassword)
	return pair, store, err
}
