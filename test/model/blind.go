package model

import (
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
