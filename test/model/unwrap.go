package model

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Unwrapping: somebody takes the Services back while somebody else restarts servers with
// their addresses. Servers show their lists then, and there are no pods.

// unwrap is the kind of an intent, and of no operation.
const unwrap uint8 = 4

// listing is what a server's file and its process have to do with the Services.
type listing struct {
	// patched: its host's file has the Services' addresses; listed: so has the process that runs.
	patched, listed bool
	// gone: its Service was deleted.
	gone bool
}

// unwraps adds to an observation what a command that unwraps looks at, and servers show.
func (w *world) unwraps(st *state, o *migration.Observation) {
	if !w.cfg.Unwrap {
		return
	}
	o.Belongings = &migration.Belongings{}
	o.Uses = []migration.Use{{Key: migration.UseClients, State: migration.UseNone}}
	for i := range w.n {
		s, v := &st.s[i], &o.Servers[i]
		v.Cluster.Pod, v.Cluster.Gate = migration.PodView{}, migration.GateView{}
		if s.gone {
			v.Cluster.Service = migration.ServiceView{}
		}
		file := migration.Use{Key: migration.FileKey(v.ID), State: migration.UseNone}
		if s.patched {
			file.State = migration.UseSeen
		}
		o.Uses = append(o.Uses, file)
		if v.Live.Serving() && !v.Live.Unread() {
			v.Live.Members = w.list(s.listed)
		}
		if v.Host.Answer.Serving() && !v.Host.Answer.Unread() {
			v.Host.Answer.Members = w.list(s.listed)
		}
	}
}

// list is a server's list, with the hosts' addresses or the Services' names.
func (w *world) list(services bool) []ensemble.Server {
	var out []ensemble.Server
	for _, sr := range w.base.record.Servers {
		s := sr.Server
		if s.Host = sr.HostIP; services {
			s.Host = sr.Service
		}
		out = append(out, s)
	}
	return out
}

// rewrap is somebody who makes the Services again, and ends the unwrapping with that.
func (w *world) rewrap(st *state, put func(label, state)) {
	if !st.removing {
		return
	}
	next := *st
	next.removing = false
	for i := range w.n {
		s := &next.s[i]
		if s.gone {
			s.gone, s.bridge = false, toHost
		}
	}
	w.journalWritten(&next, len(next.tool))
	put(label{op: opRewrap}, next)
}

// deleteService is refused where the Service selects a pod.
func (w *world) deleteService(s *server) bool {
	if s.selector {
		return false
	}
	s.gone, s.bridge = true, noSlice
	return true
}

// unwrapped is I1: no server runs with the address of a Service that is gone.
func (w *world) unwrapped(st *state) {
	gone, listed := false, false
	for i := range w.n {
		gone = gone || st.s[i].gone
		listed = listed || st.s[i].listed && st.s[i].hostRole != down
	}
	if gone && listed {
		st.violate(listedGone)
	}
}

// Unwrapping is an exploration of it, by two commands at once.
func Unwrapping() Config {
	return Config{Name: "the Services are taken back beside a rolling restart", IDs: []ensemble.ID{1, 2, 3}, Version: "3.8.0", Begins: 2, Restart: true, Unwrap: true, Faults: 1,
		Without: []string{"evict", "volume", "blind", "lie", "reboot", "kill", "stop"}}
}

// unseenUnwrap is the same by a tool that loses sight of servers.
func unseenUnwrap(c Config) Config {
	c.Sight, c.Without = true, append(onlySight(), "pause")
	return c
}

// notInUse hides what hosts' files say.
func notInUse(uses []migration.Use) []migration.Use {
	out := append([]migration.Use(nil), uses...)
	for i := range out {
		out[i].State = migration.UseNone
	}
	return out
}
