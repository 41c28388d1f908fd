package credentials

import (
	"fmt"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
)

// Fault is what is wrong with everything in a set.
type Fault string

// There are these: with certificates, with passwords and with principals.
const (
	None           Fault = "none"
	Expired        Fault = "expired"
	OtherCA        Fault = "other-ca"
	OtherSAN       Fault = "other-san"
	OtherPassword  Fault = "other-password"
	OtherPrincipal Fault = "other-principal"
)

// ParseFault refuses what an ensemble has no credentials for.
func ParseFault(s string, spec ensemble.Spec) (Fault, error) {
	all := []Fault{None}
	if len(spec.TLS) > 0 {
		all = append(all, Expired, OtherCA, OtherSAN)
	}
	switch spec.SASL {
	case ensemble.SASLDigest:
		all = append(all, OtherPassword)
	case ensemble.SASLKerberos:
		all = append(all, OtherPrincipal)
	}
	if !slices.Contains(all, Fault(s)) {
		return "", fmt.Errorf("fault %q: for ensemble %s there are %q", s, spec.Name, all)
	}
	return Fault(s), nil
}
