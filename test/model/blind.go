package model

import (
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// blindToLife takes the third witness away: the Service's address and the
// leader's count.
func blindToLife(o *migration.Observation, v *migration.ServerView) {
	f := o.Record.Flight
	if f == nil || f.StopAsked == nil || v.Host.Open() {
		return
	}
	v.Live = vantage.Sighting{Reach: vantage.Refused, SyncedFollowers: -1}
	for i := range o.Servers {
		o.Servers[i].Live.SyncedFollowers = -1
	}
}

// sawDead has the pod tell now that its host refuses it.
func sawDead(o *migration.Observation, v *migration.ServerView) {
	r := &v.Cluster.Pod.Report
	r.Fresh, r.At = true, o.At
	if !r.HostClosed() {
		r.HostClosedFor = new(time.Duration)
	}
}
