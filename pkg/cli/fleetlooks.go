package cli

import (
	"context"
	"maps"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/journal"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// looks is what is seen of several: of those in one cluster that are asked with the same
// credentials, by one set of lists.
func (f *fleetLooker) looks(ctx context.Context, targets []fleetTarget, goal fleet.Goal) map[string]fleet.Fact {
	var groups [][]fleetTarget
	at := map[string]int{}
	for _, t := range targets {
		key := t.Context + "\x00" + t.credentials
		if inSecret(t.credentials) { // of its own namespace
			key += "\x00" + t.Namespace
		}
		i, known := at[key]
		if !known {
			i = len(groups)
			at[key], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], t)
	}
	facts := make([]map[string]fleet.Fact, len(groups))
	atOnce(looksAtOnce, len(groups), func(i int) { facts[i] = f.together(ctx, groups[i], goal) })
	out := map[string]fleet.Fact{}
	for _, some := range facts {
		maps.Copy(out, some)
	}
	return out
}

// together looks at a group by one set of lists, and falls back to a look at each.
func (f *fleetLooker) together(ctx context.Context, group []fleetTarget, goal fleet.Goal) map[string]fleet.Fact {
	if len(group) == 1 {
		return f.eachOf(ctx, group, goal)
	}
	d, k, err := f.deps(ctx, group[0])
	if err != nil {
		return f.eachOf(ctx, group, goal)
	}
	var namespaces []string
	wanted := map[ensembleName]bool{}
	for _, t := range group {
		namespaces = append(namespaces, t.Namespace)
		wanted[ensembleName{t.Namespace, t.Name}] = true
	}
	slices.Sort(namespaces)
	listing, err := journal.List(ctx, k.client, journal.Scope{Namespaces: slices.Compact(namespaces)}, k.via)
	if err != nil || len(listing.Denied)+len(listing.Broken) > 0 {
		return f.eachOf(ctx, group, goal)
	}
	listing = listing.Only(func(r migration.Record) bool { return wanted[nameOf(r)] })
	view := overview{site: site{deps: d, kube: k, listing: listing}}
	items, err := view.look(ctx)
	if err != nil {
		return f.eachOf(ctx, group, goal)
	}
	seen := map[ensembleName]migration.EnsembleStatus{}
	for _, st := range items {
		seen[ensembleName{st.Namespace, st.Name}] = st
	}
	out := map[string]fleet.Fact{}
	var rest []fleetTarget // no journal was listed of them: why, a look of its own says
	for _, t := range group {
		st, listed := seen[ensembleName{t.Namespace, t.Name}]
		switch {
		case !listed:
			rest = append(rest, t)
		case len(st.Servers) == 0 && len(st.Problems) > 0: // it could not be looked at
			out[t.ID] = fleet.Fact{Why: st.Problems[0].Text, Next: st.Next}
		default:
			out[t.ID] = t.prepared(factOf(st, goal))
		}
	}
	maps.Copy(out, f.eachOf(ctx, rest, goal))
	return out
}

// eachOf looks at each by itself.
func (f *fleetLooker) eachOf(ctx context.Context, targets []fleetTarget, goal fleet.Goal) map[string]fleet.Fact {
	return f.looksWith(ctx, targets, func(ctx context.Context, t fleetTarget) fleet.Fact { return f.look(ctx, t, goal) })
}
