package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Looker takes looks; it writes nothing.
type Looker struct {
	Cluster Observer
	Prober  Prober
	// From is where the prober asks from.
	From  vantage.Point
	Clock Clock
	// Via is put into the commands that are printed of a look.
	Via command.Via
}

// Look looks once at everything that the record names. focus are the servers
// whose hosts are probed, too. Hosts of replaced servers are always probed, to find
// ghosts. Twins are other ensembles with the same hosts, looked for before.
func (l Looker) Look(ctx context.Context, rec migration.Record, twins []migration.Claim, focus ...ensemble.ID) (migration.Observation, error) {
	o := migration.Observation{At: l.Clock.Now(), From: l.From, Record: rec, Servers: make([]migration.ServerView, len(rec.Servers)), Twins: twins, Via: l.Via}
	var wg sync.WaitGroup
	var views map[ensemble.ID]migration.ClusterView
	var clusterErr error
	wg.Go(func() { views, clusterErr = l.Cluster.Observe(ctx, rec) })
	for i, s := range rec.Servers {
		v := &o.Servers[i]
		v.ID = s.ID
		wg.Go(func() { v.Live = l.Prober.Sight(ctx, s.AtService()) })
		if slices.Contains(focus, s.ID) || s.Replaced != nil || rec.Flight != nil && rec.Flight.ID == s.ID {
			wg.Go(func() { v.Host = l.host(ctx, s) })
		}
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return o, err
	}
	if clusterErr != nil {
		return o, fmt.Errorf("looking at the cluster: %w", clusterErr)
	}
	for i, s := range rec.Servers {
		v := &o.Servers[i]
		v.Cluster = views[v.ID]
		if v.AwayFromPod() {
			wg.Go(func() { v.AtPod = l.Prober.Sight(ctx, s.AtPod(v.Cluster.Pod.IP)) })
		}
	}
	wg.Wait()
	o.ClusterComplete = true
	return o, ctx.Err()
}

// host asks both of a host's ports at once. Only a server refuses at one and accepts
// at the other, unless what lies in between has changed just then: so that is
// believed when it is seen twice.
func (l Looker) host(ctx context.Context, s migration.ServerRecord) migration.HostView {
	if s.Retired != nil {
		return migration.HostView{Gone: true}
	}
	look := func() (h migration.HostView) {
		var wg sync.WaitGroup
		wg.Go(func() { h.Client, h.Answer = l.knock(ctx, s.AtHost()) })
		wg.Go(func() { h.Election = l.Prober.Port(ctx, s.ElectionAtHost()) })
		wg.Wait()
		return h
	}
	h := look()
	if h.Client == vantage.PortClosed && h.Election == vantage.PortOpen {
		h = look()
	}
	return of(s.ID, h)
}

// knock tries a client port and, where it accepts connections, asks who is there.
func (l Looker) knock(ctx context.Context, t vantage.Target) (vantage.PortState, vantage.Sighting) {
	state := l.Prober.Port(ctx, t)
	if state != vantage.PortOpen {
		return state, vantage.Sighting{}
	}
	return state, l.Prober.Sight(ctx, t)
}

// of leaves only what was said by a server of that id: another one that got the
// host's address says nothing of ours.
func of(id ensemble.ID, h migration.HostView) migration.HostView {
	switch {
	case h.Answer.Another(id):
		h.Answer = vantage.Sighting{Reach: vantage.Other, Detail: fmt.Sprintf("server %s answers there", h.Answer.ServerID)}
	case h.Answer.Unread():
		h.Answer = vantage.Sighting{Reach: vantage.Other, Detail: "a ZooKeeper answers there, and did not say which server it is"}
	}
	return h
}
