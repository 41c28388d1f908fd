package access

import (
	"slices"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation"
)

// maxSubject bounds a user's or a group's name; Kubernetes itself has no bound.
const maxSubject = 512

// ValidSubject reports whether a name can be a user's or a group's. Kubernetes
// takes any text; what cannot be shown is refused.
func ValidSubject(name string) bool {
	return name != "" && len(name) <= maxSubject && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// ValidAccount reports whether these can be a service account's namespace and name.
func ValidAccount(namespace, name string) bool {
	return len(validation.IsDNS1123Label(namespace)) == 0 && len(validation.IsDNS1123Subdomain(name)) == 0
}

// names are the users that a policy lets through, as the API server names them.
func (s Subjects) names() []string {
	out := slices.Clone(s.Users)
	for _, a := range s.ServiceAccounts {
		out = append(out, "system:serviceaccount:"+a)
	}
	return out
}
