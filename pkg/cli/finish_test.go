package cli

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// inPods is a look at three servers that all serve in their pods.
func inPods() migration.Observation {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	o := migration.Observation{At: at, ClusterComplete: true, Record: migration.Record{Name: "demo", Namespace: "zk", EndpointsAPI: migration.EndpointSlices}}
	for i := range 3 {
		id := ensemble.ID(i + 1)
		sr := migration.ServerRecord{
			Server:     ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, ClientPort: 2181},
			ServiceUID: "s" + id.String(), ClusterIP: "192.0.2." + id.String(), HostIP: "198.51.100." + id.String(),
			Reconfigured: &migration.Confirmation{At: at}, Replaced: &at, Release: &migration.Release{Generation: 1},
		}
		o.Record.Servers = append(o.Record.Servers, sr)
		v := migration.ServerView{
			ID:   id,
			Host: migration.HostView{Client: vantage.PortClosed, Election: vantage.PortClosed},
			Live: vantage.Sighting{Reach: vantage.Answered, Mode: ensemble.Follower, ServerID: id.Known(), SyncedFollowers: -1, Learners: -1},
			Cluster: migration.ClusterView{
				Service:   migration.ServiceView{Found: true, UID: sr.ServiceUID, ClusterIP: sr.ClusterIP, Selector: "pod"},
				Endpoints: migration.EndpointsView{Controller: []string{"10.0.0.1"}, Union: []string{"10.0.0.1"}},
				Pod:       migration.PodView{UID: "u", Container: migration.ContainerReady, IP: "10.0.0.1", Report: migration.Report{State: migration.GateStarted, Generation: 1}},
				Gate:      migration.GateView{Found: true, Generation: 1, Released: true, ReleasedGeneration: 1},
			},
		}
		if id == 3 {
			v.Live.Mode, v.Live.SyncedFollowers = ensemble.Leader, 2
		}
		o.Servers = append(o.Servers, v)
	}
	return o
}

// TestFinished: "all run in pods" is said of what was just seen, and of nothing
// else.
func TestFinished(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*migration.Observation)
		moved  bool
		exit   int
		code   migration.Code
	}{
		"all in pods": {func(*migration.Observation) {}, false, exitOK, ""},
		"a revert under way": {func(o *migration.Observation) {
			o.Record.Flight = &migration.Flight{Kind: migration.Revert, ID: 2, By: "alice", Started: o.At, Served: true}
		}, false, exitPaused, migration.CodeOneAtATime},
		"a ghost": {func(o *migration.Observation) {
			o.Servers[1].Host = migration.HostView{Client: vantage.PortOpen, Election: vantage.PortOpen, Answer: vantage.Sighting{Reach: vantage.NotServing}}
		}, false, exitRefused, migration.CodeGhostHost},
		"a dead pod":                   {func(o *migration.Observation) { o.Servers[1].Live = vantage.Sighting{Reach: vantage.Refused} }, false, exitRefused, migration.CodePodAway},
		"a dead pod, after moving one": {func(o *migration.Observation) { o.Servers[1].Live = vantage.Sighting{Reach: vantage.Refused} }, true, exitPaused, migration.CodePodAway},
		"one not seen":                 {func(o *migration.Observation) { o.Servers[1].Live = vantage.Sighting{Reach: vantage.Timeout} }, false, exitRefused, "Unseen"},
	} {
		t.Run(name, func(t *testing.T) {
			obs := inPods()
			c.change(&obs)
			var out, said bytes.Buffer
			err := finished(&out, obs, c.moved)
			if exit := report(&said, err); exit != c.exit {
				t.Errorf("exit %d, want %d:\n%s%s", exit, c.exit, out.String(), said.String())
			}
			var refused *refusedError
			var paused *pausedError
			switch {
			case errors.As(err, &refused) && refused.code != c.code:
				t.Errorf("code %q, want %q", refused.code, c.code)
			case errors.As(err, &paused) && paused.code != c.code:
				t.Errorf("code %q, want %q", paused.code, c.code)
			case err != nil && out.Len() > 0:
				t.Errorf("it says %q", out.String())
			}
		})
	}
}
