package cli

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// twins are the other ensembles of ours with addresses of these hosts: by their
// journals, and by endpoints that a journal left behind. unlooked says where the
// user may not look.
func (k kube) twins(ctx context.Context, rec migration.Record) (twins []migration.Claim, unlooked string, err error) {
	claims, err := k.claims(ctx, "")
	if apierrors.IsForbidden(err) {
		unlooked = fmt.Sprintf("you may not list ConfigMaps and EndpointSlices of other namespaces: whether these hosts are wrapped there was not looked at; namespace %s was", k.namespace)
		claims, err = k.claims(ctx, k.namespace)
	}
	if err != nil {
		return nil, unlooked, err
	}
	return rec.Twins(claims), unlooked, nil
}

func (k kube) claims(ctx context.Context, namespace string) ([]migration.Claim, error) {
	records, _, err := journal.List(ctx, k.client, namespace)
	if err != nil {
		return nil, err
	}
	var out []migration.Claim
	known := map[ensembleName]bool{}
	for _, r := range records {
		known[ensembleName{r.Namespace, r.Name}] = true
		out = append(out, r.Claim())
	}
	left, err := k.cluster().Claims(ctx, namespace)
	if err != nil {
		return nil, err
	}
	for _, c := range left {
		if !known[ensembleName{c.Namespace, c.Name}] {
			out = append(out, c)
		}
	}
	return out, nil
}

// lookForTwins has every look from now on know of the other ensembles with these
// hosts. Where nobody may look at all, the looks know of none.
func (s *session) lookForTwins(ctx context.Context, rec migration.Record) error {
	twins, _, err := s.kube.twins(ctx, rec)
	if apierrors.IsForbidden(err) {
		return nil
	}
	s.engine.Twins = twins
	return err
}
