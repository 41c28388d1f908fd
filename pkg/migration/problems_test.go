package migration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// short is a list of problems in short.
func short(problems []migration.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, string(p.Class)+" "+string(p.Code))
	}
	return out
}

// unseen: the question got no answer in time.
func (s *scene) unseen(ids ...int) {
	for i, v := range s.o.Servers {
		if slices.Contains(ids, int(v.ID)) {
			s.o.Servers[i].Live = vantage.Sighting{Reach: vantage.Timeout, SyncedFollowers: -1, Learners: -1}
		}
	}
}

// filesGone: the ConfigMap that those pods were made with is not there any more.
func (s *scene) filesGone(ids ...ensemble.ID) {
	for _, id := range ids {
		p := &s.view(id).Cluster.Pod
		p.Source.Files, p.Source.Missing = "ConfigMap demo-conf-1 is gone", true
	}
}

// otherImage: a replaced server's pod was made again with another release, which
// its gate does not start.
func (s *scene) otherImage(id ensemble.ID) {
	s.replaced(id)
	s.down(id)
	p := &s.view(id).Cluster.Pod
	p.Container, p.Report.State, p.Report.Detail = migration.ContainerRunning, migration.GateRefused, "another release"
	p.Report.Version.Patch++
}

// TestOneListOfProblems: each case is one fault, and what status, plan and the
// commands say of it is one and the same.
func TestOneListOfProblems(t *testing.T) {
	all := func(s *scene) {
		for _, v := range s.o.Servers {
			s.replaced(v.ID)
		}
	}
	for name, c := range map[string]struct {
		set    func(s *scene)
		health migration.Health
		want   []string
		says   string
		// done: plan may say that nothing is left.
		done bool
	}{
		"all on their hosts": {set: func(*scene) {}, health: migration.Healthy},
		"all in their pods":  {set: all, health: migration.Healthy, done: true},
		"a ghost at the end": {set: func(s *scene) { all(s); s.host(2, vantage.PortOpen) }, health: migration.Degraded,
			want: []string{"wrong GhostHost"}, says: "something answers at its old host"},
		"a stranger has the address of a host that is gone": {set: func(s *scene) { all(s); s.view(2).Host = migration.HostView{Gone: true} }, health: migration.Healthy, done: true},
		"a dead pod at the end": {set: func(s *scene) { all(s); s.down(2) }, health: migration.Degraded,
			want: []string{"wrong PodAway"}, says: "server 2 does not serve: connections to it are refused"},
		"a set that was scaled down": {set: func(s *scene) {
			all(s)
			s.down(2)
			s.view(2).Cluster.Pod = migration.PodView{Name: "demo-pod-1", Source: migration.Source{Missing: true}}
		}, health: migration.Degraded, want: []string{"wrong PodAway"}, says: "nothing makes it: its StatefulSet is gone, or was scaled down"},
		"one that was not seen": {set: func(s *scene) { s.unseen(2) }, health: migration.Unknown,
			want: []string{"unseen Unseen"}, says: "server 2 was not seen from here: no answer in time"},
		"nobody was seen": {set: func(s *scene) { s.unseen(1, 2, 3) }, health: migration.Unknown,
			want: []string{"unseen Unseen", "unseen Unseen", "unseen Unseen", "unseen NoLeader"}, says: "no leader was seen"},
		"one that serves not": {set: func(s *scene) { s.down(2) }, health: migration.Degraded, want: []string{"wrong Degraded"}},
		"a planned stop": {set: func(s *scene) { s.dead(1) }, health: migration.Changing, want: []string{"planned OneAtATime"},
			says: "replace of server 1 is under way, begun by alice at 2026-03-01 11:59:00Z"},
		"the leader's planned stop": {set: func(s *scene) { s.dead(3).WasLeader = true }, health: migration.Changing, want: []string{"planned OneAtATime"}},
		"a planned stop and a second one": {set: func(s *scene) { s.dead(1); s.down(2) }, health: migration.Degraded,
			want: []string{"planned OneAtATime", "wrong Degraded"}},
		"a revert at the end":     {set: func(s *scene) { all(s); s.reverting(2) }, health: migration.Healthy, want: []string{"planned OneAtATime"}},
		"an older release":        {set: func(s *scene) { s.view(2).Live.Version.Patch++ }, health: migration.Healthy, want: []string{"refusal VersionDiffers"}},
		"a pod of other settings": {set: func(s *scene) { all(s); s.view(2).Cluster.Pod.Source.Pod.Outdated = true }, health: migration.Healthy, want: []string{"note PodOutdated"}, done: true},
		"files that are gone, and can be written again": {set: func(s *scene) { s.replaced(2); s.filesGone(1, 2, 3) }, health: migration.Degraded,
			want: []string{"wrong PodFiles"}, says: "pod demo-pod-1 of server 2 cannot be started again: ConfigMap demo-conf-1 is gone"},
		"files of former settings that are gone": {set: func(s *scene) { s.replaced(2); s.filesGone(2); s.view(2).Cluster.Pod.Source.Missing = false }, health: migration.Degraded,
			want: []string{"wrong PodFiles"}, says: "pod demo-pod-1 of server 2 cannot be started again: ConfigMap demo-conf-1 is gone"},
		"a parked pod's files are not missed": {set: func(s *scene) { s.filesGone(1, 2, 3) }, health: migration.Healthy},
		"a pod that came up with another image": {set: func(s *scene) { s.otherImage(2) }, health: migration.Degraded,
			want: []string{"wrong PodAway", "wrong VersionDiffers"}, says: "the image of pod demo-pod-1 holds ZooKeeper 3.8.1, and the ensemble runs 3.8.0"},
		"another image, and that was waived": {set: func(s *scene) {
			s.otherImage(2)
			s.o.Record.Waivers = append(s.o.Record.Waivers, migration.Waiver{Check: migration.WaiverOneVersion})
		}, health: migration.Degraded, want: []string{"wrong PodAway"}},
		"half a view":         {set: func(s *scene) { s.o.ClusterComplete = false }, health: migration.Unknown, want: []string{"unseen APIIncomplete"}},
		"a follower too few":  {set: func(s *scene) { s.view(3).Live.SyncedFollowers-- }, health: migration.Degraded, want: []string{"wrong NotSynced"}},
		"a follower too many": {set: func(s *scene) { s.view(3).Live.SyncedFollowers++ }, health: migration.Degraded, want: []string{"wrong ExtraFollower"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			c.set(s)
			st, p := migration.Summarize(s.o), migration.Plan(s.o)
			if diff := cmp.Diff(c.want, short(st.Problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s\n%+v", diff, st.Problems)
			}
			if diff := cmp.Diff(st.Problems, p.Problems); diff != "" {
				t.Errorf("status and plan differ:\n%s", diff)
			}
			if st.Health != c.health || st.Healthy != (c.health == migration.Healthy) {
				t.Errorf("health %q (%t), want %q", st.Health, st.Healthy, c.health)
			}
			if p.Done() != c.done {
				t.Errorf("plan says done %t, want %t", p.Done(), c.done)
			}
			text := ""
			for _, q := range st.Problems {
				text += strings.Join(append([]string{q.Text}, q.Evidence...), "\n") + "\n"
			}
			if !strings.Contains(text, c.says) {
				t.Errorf("no %q in:\n%s", c.says, text)
			}
			if st.Health == migration.Unknown && (strings.Contains(text, "down") || strings.Contains(text, "does not serve")) {
				t.Errorf("what was not seen is called down:\n%s", text)
			}
			// Beside what is wrong or unseen no server is taken away.
			if stops := len(c.want) > 0 && c.want[0] != "note PodOutdated"; stops {
				for _, v := range s.o.Servers {
					if d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: v.ID}, s.o); d.Step == migration.StepBegin {
						t.Errorf("server %d would be taken away: %s", v.ID, d.Reason)
					}
				}
			}
		})
	}
}

// TestWhatHelpsAgainstLostFiles: those of the recorded settings are written again
// by the command that goes on; those of former settings by nobody, and there the
// server goes back and comes again.
func TestWhatHelpsAgainstLostFiles(t *testing.T) {
	for name, c := range map[string]struct {
		unmade   bool
		next     string
		evidence bool
		kind     migration.FlightKind
		step     migration.StepID
	}{
		"of the recorded settings": {unmade: true, next: "kubectl zkmigrate replace demo --id=2 -n zk", kind: migration.Replace, step: migration.StepPark},
		"of former settings":       {next: "kubectl zkmigrate revert demo --id=2 -n zk", evidence: true, kind: migration.Revert, step: migration.StepBeginRevert},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy("3.8.0", 1, 2, 3)
			s.replaced(2)
			s.filesGone(2)
			s.host(2, vantage.PortClosed)
			s.view(2).Cluster.Pod.Source.Missing = c.unmade
			got := migration.Problems(s.o)
			if len(got) != 1 || got[0].Code != migration.CodePodFiles || !got[0].Server.Is(2) {
				t.Fatalf("%+v", got)
			}
			if got[0].Next != c.next || (len(got[0].Evidence) > 0) != c.evidence {
				t.Errorf("next %q, evidence %q", got[0].Next, got[0].Evidence)
			}
			// What is printed does help.
			if d := migration.Decide(migration.Intent{Kind: c.kind, ID: 2}, s.o); d.Step != c.step {
				t.Errorf("%s %s %s: %s", d.Kind, d.Code, d.Step, d.Reason)
			}
		})
	}
}

// TestNextInAnOutage: where one server is away as planned and another one is
// lost, the command is the one that brings the quorum back.
func TestNextInAnOutage(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		set     func(s *scene)
		next    string
	}{
		"stopped, another lost":            {"3.4.13", func(s *scene) { s.proven(1); s.down(2) }, "revert demo --id=1"},
		"released and empty, another lost": {"3.8.0", func(s *scene) { s.started(1); s.down(2) }, "revert demo --id=1"},
		"given up by the watchdog":         {"3.4.13", func(s *scene) { s.started(1).Aborted = "another voter dropped" }, "revert demo --id=1"},
		"given up, and serves in its pod, another one's volume lost": {"3.4.13", func(s *scene) {
			s.lost(2)
			s.down(2)
			f := s.serving(1)
			f.Aborted, f.Line = "another voter dropped", &migration.Release{Generation: 2, Start: migration.EmptyStart("pod-1-a")}
		}, "replace demo --id=1"},
		"given up, and its host's server runs": {"3.4.13", func(s *scene) {
			f := s.started(1)
			f.Aborted, f.PodUID = "the server on host 10.0.0.1 came back", ""
			s.view(1).Cluster.Gate = migration.GateView{Found: true, Generation: 5}
			s.view(1).Cluster.Pod.Report.State, s.view(1).Cluster.Pod.Report.Generation, s.view(1).Cluster.Pod.Container = migration.GateParked, 5, migration.ContainerRunning
			s.host(1, vantage.PortOpen)
			s.view(1).Host.Answer = s.view(2).Live
			s.view(1).Host.Answer.ServerID = ensemble.ID(1).Known()
		}, "on host 10.0.0.1: stop the server"},
		"another release in the pod": {"3.8.0", func(s *scene) { s.serving(1); s.view(1).Live.Version.Patch++ }, "revert demo --id=1"},
		"a copy is in the pod":       {"3.4.13", func(s *scene) { s.started(1).Data = migration.DataCopy; s.down(2) }, "replace demo --id=1"},
		"only slow":                  {"3.8.0", func(s *scene) { s.started(1) }, "replace demo --id=1"},
		"another one not seen":       {"3.8.0", func(s *scene) { s.started(1); s.unseen(2) }, "replace demo --id=1"},
		"in its pod, another one down": {"3.8.0", func(s *scene) {
			s.joined(1, 0).Joined.Complete = false
			s.down(2)
			s.view(2).Cluster.Pod.Report.Volume.State = migration.VolumeUnused
		}, "on host 10.0.0.2: start the server (unmask its unit first if it is masked)"},
		"going back, another one's volume lost": {"3.8.0", func(s *scene) {
			s.lost(2)
			s.down(2)
			s.turnable()
			s.view(1).Cluster.Pod.Report.HostClosedFor = closedFor(60e9)
		}, "replace demo --id=1"},
		"on the way back, and it can return": {"3.4.13", func(s *scene) {
			s.reclaimed(1).Line = &migration.Release{Generation: 2, Start: migration.EmptyStart("pod-1-a")}
			s.view(1).Cluster.Pod.Report.HostClosedFor = closedFor(60e9)
			s.down(2)
		}, "replace demo --id=1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy(c.version, 1, 2, 3)
			c.set(s)
			want := c.next
			if !strings.HasPrefix(want, "on host") {
				want = "kubectl zkmigrate " + c.next + " -n zk"
			}
			st, p := migration.Summarize(s.o), migration.Plan(s.o)
			late := migration.GoesOn(migration.Intent{Kind: migration.Replace, ID: 1}, s.o, "the same again")
			if st.Next != want || p.Next != want || late != want {
				t.Errorf("status %q, plan %q, time-out %q; want %q", st.Next, p.Next, late, want)
			}
		})
	}
}

// TestServerZero: 0 is a server like any other, and no look is about nobody for it.
func TestServerZero(t *testing.T) {
	unproven := func(first ensemble.ID) *scene {
		s := healthy("3.4.13", first, 5, 9)
		s.replaced(first)
		before := s.o.Record.Pods
		s.o.Record.PodsBefore = &before
		return s
	}
	for name, change := range map[string]func(*scene, ensemble.ID){
		"settings that are not proven": func(*scene, ensemble.ID) {},
		"it leads":                     func(s *scene, id ensemble.ID) { s.leader(id) },
		"its pod is away":              func(s *scene, id ensemble.ID) { s.down(id) },
		"nobody leads": func(s *scene, _ ensemble.ID) {
			for i := range s.o.Servers {
				s.o.Servers[i].Live.Mode = ensemble.Follower
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			zero, two := unproven(0), unproven(2)
			change(zero, 0)
			change(two, 2)
			seen := func(s *scene, id ensemble.ID) []string {
				st := migration.Summarize(s.o)
				out := append(short(st.Problems), fmt.Sprint(st.Health, st.Epoch, st.Leader.Is(id), st.Leader.IsZero(), strings.ReplaceAll(st.Next, "--id="+id.String(), "--id=N")))
				for _, p := range st.Problems {
					out = append(out, fmt.Sprint(p.Server.Is(id), p.Server.IsZero()))
				}
				return out
			}
			if diff := cmp.Diff(seen(two, 2), seen(zero, 0)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
