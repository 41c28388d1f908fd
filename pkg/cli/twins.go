package cli

import (
	"context"
	"fmt"
	"io"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// twins are the other ensembles of ours with addresses of these hosts: by their
// journals, and by endpoints that a journal left behind. unlooked says where the
// user may not look, and what that leaves open.
func (k kube) twins(ctx context.Context, rec migration.Record) (twins []migration.Claim, unlooked string, err error) {
	claims, err := k.claims(ctx, "")
	if !apierrors.IsForbidden(err) {
		return rec.Twins(claims), "", err
	}
	claims, err = k.claims(ctx, k.namespace)
	switch {
	case err == nil:
		unlooked = fmt.Sprintf("you may not list ConfigMaps and EndpointSlices of other namespaces: whether these hosts are wrapped there was not looked at; namespace %s was", k.namespace)
	case apierrors.IsForbidden(err):
		unlooked = fmt.Sprintf("you may not list ConfigMaps and EndpointSlices, neither in namespace %s nor in others: whether these hosts are wrapped a second time was not looked at", k.namespace)
	}
	return rec.Twins(claims), unlooked, err
}

func (k kube) claims(ctx context.Context, namespace string) ([]migration.Claim, error) {
	listing, err := journal.List(ctx, k.client, journal.In(namespace), k.via)
	if err != nil {
		return nil, err
	}
	left, err := k.cluster().Claims(ctx, namespace)
	if err != nil {
		return nil, err
	}
	return allClaims(listing.Records, left), nil
}

// allClaims are those of the journals, and those of endpoints whose journal is gone.
func allClaims(records []migration.Record, left []migration.Claim) []migration.Claim {
	var out []migration.Claim
	known := map[ensembleName]bool{}
	for _, r := range records {
		known[nameOf(r)] = true
		out = append(out, r.Claim())
	}
	for _, c := range left {
		if !known[ensembleName{c.Namespace, c.Name}] {
			out = append(out, c)
		}
	}
	return out
}

// contested are the claims that share an address with another claim: of hundreds of ensembles,
// only these can be twins.
func contested(claims []migration.Claim) []migration.Claim {
	holders := map[string]int{}
	for _, c := range claims {
		for _, a := range c.Addresses {
			holders[a]++
		}
	}
	alone := func(c migration.Claim) bool {
		return !slices.ContainsFunc(c.Addresses, func(a string) bool { return holders[a] > 1 })
	}
	return slices.DeleteFunc(claims, alone)
}

// lookForTwins has every look from now on know of the other ensembles with these
// hosts. Where nobody may look at all, the looks know of none. Where the user may
// not look is said on out, once a command: it is in nobody's way, and most users
// may see one namespace only.
func (s *session) lookForTwins(ctx context.Context, rec migration.Record, out io.Writer) error {
	twins, unlooked, err := s.kube.twins(ctx, rec)
	if err != nil && !apierrors.IsForbidden(err) {
		return err
	}
	if unlooked != "" {
		fmt.Fprintf(out, "note: %s\n", unlooked)
	}
	s.engine.Twins = twins
	return nil
}
