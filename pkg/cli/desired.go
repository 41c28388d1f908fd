package cli

import (
	"context"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// aim is the ensemble that this command is for; known says that it is recorded.
func (o *WrapOptions) aim(name, namespace string, recorded migration.Record, known bool) intake.Aim {
	a := intake.Aim{Name: name, Namespace: namespace, EndpointsAPI: o.endpointsAPI, Asked: o.said != nil && o.said.given("endpoints-api")}
	if known {
		a.Recorded = &recorded
	}
	return a
}

// desired builds the record that wrapping aims at.
func (o *WrapOptions) desired(ctx context.Context, name, namespace string, recorded migration.Record, known bool) (migration.Record, intake.Description, error) {
	rec, desc, err := o.described(ctx, name, namespace, recorded, known)
	if err == nil {
		err = o.hosts.Keep(&rec)
	}
	return rec, desc, err
}

// described is the record with what the input says of the servers.
func (o *WrapOptions) described(ctx context.Context, name, namespace string, recorded migration.Record, known bool) (migration.Record, intake.Description, error) {
	if o.input.empty() {
		if len(o.expose) > 0 {
			return recorded, intake.Description{}, usagef("--expose takes the ports from the hosts' files: name them with -f")
		}
		if !known {
			return recorded, intake.Description{}, usagef("ensemble %s is not recorded in namespace %s: name its files with -f", name, namespace)
		}
		return recorded, intake.Description{Ensemble: recorded.Ensemble()}, nil
	}
	desc, err := o.input.read(ctx, name)
	if err != nil {
		return recorded, desc, err
	}
	if desc, err = desc.Expose(o.expose); err != nil {
		return recorded, desc, err
	}
	rec, err := o.aim(name, namespace, recorded, known).Record(desc, lookup(ctx))
	return rec, desc, err
}
