package migration_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// fresh is the ensemble right after park, before the rolling restart: nothing was ever started in its
// pods, no patch was handed out, and servers show the hosts' list.
func fresh() *scene {
	s := healthy("3.8.0", 1, 2, 3)
	b := &migration.Belongings{Set: true, Replicas: 3, Objects: []string{"ConfigMap/demo-zkmigrate-gate"}}
	for i := range s.o.Record.Servers {
		sr := &s.o.Record.Servers[i]
		sr.Reconfigured = nil
		s.pod(sr.ID).Report.Volume.State = migration.VolumeUnused
		b.Claims = append(b.Claims, migration.ClaimView{ID: sr.ID, Name: fmt.Sprintf("data-demo-pod-%d", i), UID: fmt.Sprintf("claim-%d", sr.ID), Bound: true})
	}
	s.o.Belongings = b
	s.listed(1, 2, 3)
	return s
}

// listed has servers show a list with the hosts' addresses; the Services' come by services.
func (s *scene) listed(ids ...ensemble.ID) {
	s.shows(func(sr migration.ServerRecord) string { return sr.HostIP }, ids...)
}

func (s *scene) shows(host func(migration.ServerRecord) string, ids ...ensemble.ID) {
	for _, id := range ids {
		v := s.view(id)
		v.Live.Members = nil
		for _, sr := range s.o.Record.Servers {
			m := sr.Server
			m.Host = host(sr)
			v.Live.Members = append(v.Live.Members, m)
		}
		v.Host.Answer = v.Live
	}
}

// unpodded is fresh after unpark, with every file seen and the clients answered for.
func unpodded() *scene {
	s := fresh()
	s.o.Belongings = &migration.Belongings{}
	s.o.Uses = []migration.Use{{Key: migration.UseClients, State: migration.UseNone}}
	for _, sr := range s.o.Record.Servers {
		v := s.view(sr.ID)
		v.Cluster.Pod, v.Cluster.Gate = migration.PodView{Name: v.Cluster.Pod.Name}, migration.GateView{}
		s.o.Uses = append(s.o.Uses, migration.Use{Key: migration.FileKey(sr.ID), State: migration.UseNone})
	}
	return s
}

type taking struct {
	name string
	set  func(*scene)
	in   migration.Intent
	want migration.Kind
	step migration.StepID
	code migration.Code
	says string
}

func takings(t *testing.T, kind migration.FlightKind, from func() *scene, all []taking) {
	t.Helper()
	for _, c := range all {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			s := from()
			if c.set != nil {
				c.set(s)
			}
			in := c.in
			in.Kind, in.ID, in.By = kind, 1, "bob"
			d := migration.Decide(in, s.o)
			text := strings.Join(append([]string{d.Reason, d.Next}, d.Evidence...), "\n")
			if d.Kind != c.want || c.step != "" && d.Step != c.step || c.code != "" && d.Code != c.code || !strings.Contains(text, c.says) {
				t.Errorf("%s %s %s, want %s %s %s\n%s\nwant it to say %q", d.Kind, d.Code, d.Step, c.want, c.code, c.step, text, c.says)
			}
		})
	}
}

// TestPark: what is proved of each pod, and nothing of ZooKeeper but its hosts.
func TestPark(t *testing.T) {
	all := migration.Intent{All: true}
	takings(t, migration.Park, fresh, []taking{
		{name: "proved", in: all, want: done, says: "volume never used, listens at its server's ports"},
		{name: "no pods yet", in: all, set: func(s *scene) {
			for i := range s.o.Servers {
				s.o.Servers[i].Cluster.Gate.Found = false
			}
		}, want: do, step: migration.StepPark},
		{name: "without a look at the objects", in: all, set: func(s *scene) { s.o.Belongings = nil }, want: wait, code: migration.CodeAPIIncomplete},
		{name: "one is not scheduled", in: all, set: func(s *scene) {
			s.pod(3).Container, s.pod(3).Problem = migration.ContainerDown, "no node takes the pod"
		},
			want: wait, code: migration.CodePodNotParked, says: "no node takes the pod"},
		{name: "which is not waited for with --id", set: func(s *scene) { s.pod(3).Container = migration.ContainerDown }, want: done, says: "the pod of server 1 is parked"},
		{name: "an image of another release", in: all, set: func(s *scene) { s.pod(2).Report.Version = other() }, want: stop, code: migration.CodeVersionDiffers, says: "kubectl zkmigrate park demo -n zk --image=IMAGE"},
		{name: "a volume that is too small", in: all, set: func(s *scene) { s.o.Belongings.Claims[1].Short = "it has 1Gi, and 20Gi is recorded" }, want: stop, code: migration.CodePodOutdated, says: "data-demo-pod-1 falls short: it has 1Gi"},
		{name: "a claim that is not bound", in: all, set: func(s *scene) { s.o.Belongings.Claims[1].Bound = false }, want: wait, code: migration.CodePodNotParked},
		{name: "a volume of an earlier start", in: all, set: func(s *scene) {
			s.pod(2).Report.Volume = migration.Volume{State: migration.VolumeSynced, Generation: 7}
		}, want: done, says: "generation 7"},
		{name: "it does not listen yet", in: migration.Intent{All: true, Began: *ago(time.Second)}, set: func(s *scene) { s.pod(1).Report.Listens = migration.ListenUnknown }, want: wait, says: "does not listen"},
		{name: "and never does", in: migration.Intent{All: true, Began: *ago(time.Minute)}, set: func(s *scene) { s.pod(1).Report.Listens = migration.ListenUnknown }, want: done, says: "does not listen: paths to it cannot be tried"},
		{name: "beside an operation", in: all, set: func(s *scene) { s.flight(migration.Replace, 1) }, want: stop, code: migration.CodeOneAtATime},
		{name: "while it is unwrapped", in: all, set: func(s *scene) { s.o.Record.Removal = &migration.Removal{Kind: migration.Unwrap} }, want: stop, code: migration.CodeRemoval, says: "wrap demo"},
		{name: "while it is unparked", in: all, set: func(s *scene) { s.o.Record.Removal = &migration.Removal{Kind: migration.Unpark} }, want: done},
	})
}

// TestUnpark: pods before volumes, volumes before the gate, and only those that were never used.
func TestUnpark(t *testing.T) {
	begun := func(s *scene) {
		s.o.Record.Removal = &migration.Removal{Kind: migration.Unpark, Claims: []migration.ClaimRef{{ID: 1, UID: "claim-1"}, {ID: 2, UID: "claim-2"}, {ID: 3, UID: "claim-3"}}}
	}
	noPods := func(s *scene) {
		begun(s)
		s.o.Belongings.Replicas = 0
		for i := range s.o.Servers {
			p := &s.o.Servers[i].Cluster.Pod
			*p = migration.PodView{Name: p.Name}
		}
	}
	noClaims := func(s *scene) { noPods(s); s.o.Belongings.Claims = nil }
	takings(t, migration.Unpark, fresh, []taking{
		{name: "what was seen of the volumes is noted first", want: do, step: migration.StepBeginUnpark},
		{name: "then the pods go", set: begun, want: do, step: migration.StepShrinkSet},
		{name: "which takes its time", set: func(s *scene) { begun(s); s.o.Belongings.Replicas = 0 }, want: wait, code: migration.CodePodStopping},
		{name: "then the claims", set: noPods, want: do, step: migration.StepDeleteClaims},
		{name: "which takes its time, too", set: func(s *scene) {
			noPods(s)
			s.o.Belongings.Claims = s.o.Belongings.Claims[:1]
			s.o.Belongings.Claims[0].Going = true
		}, want: wait, code: migration.CodePodStopping},
		{name: "then the rest", set: noClaims, want: do, step: migration.StepDeletePodObjects},
		{name: "then it is over", set: func(s *scene) { noClaims(s); *s.o.Belongings = migration.Belongings{} }, want: do, step: migration.StepFinishUnpark},
		{name: "nothing is there", set: func(s *scene) { noClaims(s); *s.o.Belongings, s.o.Record.Removal = migration.Belongings{}, nil }, want: done},
		{name: "beside an operation", set: func(s *scene) { s.flight(migration.Replace, 1) }, want: stop, code: migration.CodeOneAtATime},
		{name: "a claim that is another one by now stays", set: func(s *scene) {
			noPods(s)
			s.o.Belongings = &migration.Belongings{Claims: []migration.ClaimView{{ID: 1, Name: "data-demo-pod-0", UID: "another", Bound: true}}}
		}, want: do, step: migration.StepFinishUnpark},
		{name: "and is answered for by name alone", set: func(s *scene) {
			noPods(s)
			s.o.Record.Removal = nil
			s.o.Belongings = &migration.Belongings{Claims: []migration.ClaimView{{ID: 1, Name: "data-demo-pod-0", UID: "another", Bound: true}}}
		}, want: stop, code: migration.CodeInUse, says: "unpark demo --assume-unused=volume-1"},
		{name: "as it is here", in: migration.Intent{Assumed: []string{"volume-1"}}, set: func(s *scene) {
			noPods(s)
			s.o.Record.Removal = nil
			s.o.Belongings = &migration.Belongings{Claims: []migration.ClaimView{{ID: 1, Name: "data-demo-pod-0", UID: "another", Bound: true}}}
		}, want: do, step: migration.StepBeginUnpark},
		{name: "a pod that was just created may still tell", in: migration.Intent{Began: *ago(time.Second)}, set: func(s *scene) { s.pod(2).Report = migration.Report{} }, want: wait, code: migration.CodePodNotParked},
		{name: "the last server in its pod keeps all", set: func(s *scene) { s.replaced(3) }, want: stop, code: migration.CodeInUse, says: "numbers its pods from 0"},
	})
}

// TestUnparkTakesTheVolumesThatWereNeverUsed: of each, what its own pod tells.
func TestUnparkTakesTheVolumesThatWereNeverUsed(t *testing.T) {
	for name, c := range map[string]struct {
		set     func(*scene)
		want    []ensemble.ID
		below   int
		assumed []string
	}{
		"all":              {set: func(*scene) {}, want: []ensemble.ID{1, 2, 3}},
		"one was used":     {set: func(s *scene) { s.pod(2).Report.Volume.State = migration.VolumeSynced }, want: []ensemble.ID{1, 3}, assumed: []string{"volume-2"}},
		"one never synced": {set: func(s *scene) { s.pod(2).Report.Volume.State = migration.VolumeUnsynced }, want: []ensemble.ID{1, 3}},
		"one has a copy":   {set: func(s *scene) { s.pod(2).Report.Volume.Seed = "token" }, want: []ensemble.ID{1, 3}},
		"one is silent":    {set: func(s *scene) { s.pod(2).Container = migration.ContainerDown; s.pod(2).Report = migration.Report{} }, want: []ensemble.ID{1, 3}},
		"and has no volume": {set: func(s *scene) {
			s.pod(2).Container = migration.ContainerDown
			s.pod(2).Report = migration.Report{}
			s.o.Belongings.Claims[1].Bound = false
		}, want: []ensemble.ID{1, 2, 3}},
		"a replaced one keeps those below": {set: func(s *scene) { s.replaced(1) }, want: []ensemble.ID{2, 3}, below: 1},
		"an open gate, too":                {set: func(s *scene) { s.view(2).Cluster.Gate.Released = true }, want: []ensemble.ID{3}, below: 2},
	} {
		s := fresh()
		c.set(s)
		// Nobody answers for data that was seen.
		in := migration.Intent{Kind: migration.Unpark, ID: 1, By: "bob", Assumed: c.assumed}
		d := migration.Decide(in, s.o)
		if d.Step != migration.StepBeginUnpark {
			t.Errorf("%s: %s %s %s", name, d.Kind, d.Step, d.Reason)
			continue
		}
		var got []ensemble.ID
		for _, ref := range d.Removal.Claims {
			got = append(got, ref.ID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		s.o.Record, _ = s.o.Record.Before(d)
		if d = migration.Decide(migration.Intent{Kind: migration.Unpark, ID: 1, By: "bob"}, s.o); d.Step != migration.StepShrinkSet || d.Replicas != c.below {
			t.Errorf("%s: %s to %d, want %d pods to stay", name, d.Step, d.Replicas, c.below)
		}
	}
}

// TestWhatWasProvedIsVoidOnceAnOperationBegins: its pods may use their volumes.
func TestWhatWasProvedIsVoidOnceAnOperationBegins(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.o.Record.Removal = &migration.Removal{Kind: migration.Unpark, Claims: []migration.ClaimRef{{ID: 1, UID: "claim-1"}}}
	d := migration.Decide(migration.Intent{Kind: migration.Replace, ID: 1, By: "bob"}, s.o)
	if next, _ := s.o.Record.Before(d); d.Step != migration.StepBegin || next.Removal != nil {
		t.Errorf("%s: %+v", d.Step, next.Removal)
	}
	if next, changed := s.o.Record.After("bob", migration.Decision{Step: migration.StepPark, Server: 1}, migration.Outcome{}, ensemble.MaybeID{}); !changed || next.Removal != nil {
		t.Errorf("after park: %+v", next.Removal)
	}
}

// TestUnwrap: a Service goes only while every server is seen and none lists it, and nothing
// else that was seen uses one (I1).
func TestUnwrap(t *testing.T) {
	begun := func(s *scene) {
		s.o.Record.Removal = &migration.Removal{Kind: migration.Unwrap, Started: t0(), By: "bob"}
	}
	gone := func(s *scene, ids ...ensemble.ID) {
		begun(s)
		for _, id := range ids {
			v := s.view(id)
			v.Cluster.Service, v.Cluster.Endpoints = migration.ServiceView{}, migration.EndpointsView{}
			v.Live = vantage.Sighting{Reach: vantage.Timeout}
		}
	}
	byService := func(sr migration.ServerRecord) string { return sr.ClusterIP }
	takings(t, migration.Unwrap, unpodded, []taking{
		{name: "it is noted first", want: do, step: migration.StepBeginUnwrap},
		{name: "then one after the other", set: begun, want: do, step: migration.StepDeleteService, says: "demo-1"},
		{name: "proved at the hosts once Services are gone", set: func(s *scene) { gone(s, 1, 2) }, want: do, step: migration.StepDeleteService, says: "demo-3"},
		{name: "to the end", set: func(s *scene) { gone(s, 1, 2, 3) }, want: done},
		{name: "an orphaned slice goes, too", set: func(s *scene) { gone(s, 1, 2, 3); s.view(2).Cluster.Endpoints.BridgeFound = true }, want: do, step: migration.StepDeleteService, says: "demo-2"},
		{name: "a list with a Service's address", set: func(s *scene) { s.shows(byService, 2) }, want: stop, code: migration.CodeInUse, says: "server 2 runs with server.1=10.96.0.1, which is Service demo-1"},
		{name: "or its name", set: func(s *scene) {
			s.shows(func(sr migration.ServerRecord) string { return sr.Service + ".zk.svc.cluster.local" }, 3)
		}, want: stop, code: migration.CodeInUse, says: "demo-3.zk.svc.cluster.local"},
		{name: "or among further addresses", set: func(s *scene) { s.view(2).Host.Answer.Members[0].More = []ensemble.PeerAddress{{Host: "10.96.0.3"}} }, want: stop, code: migration.CodeInUse, says: "10.96.0.3"},
		{name: "also in the middle", set: func(s *scene) { gone(s, 1); s.shows(byService, 2) }, want: stop, code: migration.CodeInUse},
		{name: "3.4 shows no list, and was never patched", set: func(s *scene) { s.shows3413() }, want: do, step: migration.StepBeginUnwrap},
		{name: "was restarted", set: func(s *scene) { s.shows3413(); s.server(2).Reconfigured = yes() }, want: stop, code: migration.CodeInUse, says: "ZooKeeper 3.4.13 does not show"},
		{name: "or may have been", set: func(s *scene) { s.shows3413(); s.server(2).Emitted = &migration.Emission{At: t0()} }, want: stop, code: migration.CodeUseUnseen, says: "--assume-unused=list-2"},
		{name: "a server that is not seen", set: func(s *scene) { s.down(2); s.view(2).Host.Answer = vantage.Sighting{} }, want: stop, code: migration.CodeUnseen, says: "server 2"},
		{name: "for a moment", in: migration.Intent{Began: *ago(time.Second)}, set: func(s *scene) { s.down(2); s.view(2).Host.Answer = vantage.Sighting{} }, want: wait, code: migration.CodeUnseen},
		{name: "is not answered for", in: migration.Intent{Assumed: []string{"list-2"}}, set: func(s *scene) { s.down(2); s.view(2).Host.Answer = vantage.Sighting{} }, want: stop, code: migration.CodeUnseen},
		{name: "a file with a Service in it", set: func(s *scene) {
			s.o.Uses[2] = migration.Use{Key: "file-2", State: migration.UseSeen, Text: "zoo.cfg names demo-1"}
		}, want: stop, code: migration.CodeInUse, says: "zoo.cfg names demo-1"},
		{name: "which nobody answers for", in: migration.Intent{Assumed: []string{"file-2"}}, set: func(s *scene) {
			s.o.Uses[2] = migration.Use{Key: "file-2", State: migration.UseSeen, Text: "zoo.cfg names demo-1"}
		}, want: stop, code: migration.CodeInUse},
		{name: "nobody looked at anything", set: func(s *scene) { s.o.Uses = nil }, want: stop, code: migration.CodeUseUnseen, says: "--assume-unused=clients,file-1,file-2,file-3"},
		{name: "and the operator answers", in: migration.Intent{Assumed: []string{"clients", "file-1", "file-2", "file-3"}}, set: func(s *scene) { s.o.Uses = nil }, want: do, step: migration.StepBeginUnwrap},
		{name: "pods are there", set: func(s *scene) { s.o.Belongings.Set = true }, want: stop, code: migration.CodeInUse, says: "unpark demo"},
		{name: "a server in its pod", set: func(s *scene) { s.replaced(2) }, want: stop, code: migration.CodeInUse, says: "revert demo --id=2"},
		{name: "another Service of that name", set: func(s *scene) { s.view(2).Cluster.Service.UID = "another" }, want: stop, code: migration.CodeAddressChanged},
		{name: "one that leads elsewhere", set: func(s *scene) { s.view(2).Cluster.Endpoints.Union = []string{"10.9.9.9"} }, want: stop, code: migration.CodeInUse, says: "10.9.9.9"},
		{name: "beside an operation", set: func(s *scene) { s.flight(migration.Reconfigure, 1) }, want: stop, code: migration.CodeOneAtATime},
	})
}

// shows3413 is an ensemble whose servers show no list.
func (s *scene) shows3413() {
	for i := range s.o.Servers {
		v := &s.o.Servers[i]
		v.Live.Version, v.Live.Members = ensemble.Version{Major: 3, Minor: 4, Patch: 13}, nil
		v.Host.Answer = v.Live
	}
}

// TestNothingElseBeginsOnWhatIsUnwrapped: wrap is the way back, and status names both.
func TestNothingElseBeginsOnWhatIsUnwrapped(t *testing.T) {
	for _, kind := range []migration.FlightKind{migration.Replace, migration.Revert, migration.Reconfigure, migration.Park, migration.Unpark} {
		s := fresh()
		s.o.Record.Removal = &migration.Removal{Kind: migration.Unwrap, Started: t0(), By: "bob"}
		if d := migration.Decide(migration.Intent{Kind: kind, ID: 1}, s.o); d.Code != migration.CodeRemoval || !strings.Contains(d.Next, "wrap demo") {
			t.Errorf("%s: %s %s: %s | %s", kind, d.Kind, d.Code, d.Reason, d.Next)
		}
		if next := migration.Next(s.o); next != "kubectl zkmigrate unwrap demo -n zk" {
			t.Errorf("status: %s", next)
		}
	}
}

// TestMentions: an address is found in every spelling, and nothing in a part of another one.
func TestMentions(t *testing.T) {
	rec := healthy("3.8.0", 1, 2, 3).o.Record
	rec.Servers[2].ClusterIP = "fd00::3"
	for text, want := range map[string][]ensemble.ID{
		"server.1=10.96.0.1:2888:3888":                 {1},
		"clientPortAddress=10.96.0.1":                  {1},
		"# 10.96.0.2.":                                 {2},
		"server.1=10.96.0.10:2888:3888":                nil,
		"server.1=110.96.0.1:2888:3888":                nil,
		"server.3=[fd00:0:0::3]:2888:3888;2181":        {3},
		"server.2=demo-2.zk.svc.cluster.local:2888":    {2},
		"server.2=Demo-2.ZK.svc:2888:3888|10.96.0.1:1": {1, 2},
		"dataDir=/var/lib/demo-2":                      nil,
		"server.2=demo-2.other.svc:2888":               nil,
		"":                                             nil,
	} {
		var got []ensemble.ID
		for _, s := range rec.Mentions(text) {
			got = append(got, s.ID)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestWhatAnUnwrapHasTakenIsPlanned: killed after two of three Services, an unwrap is under way, and
// that is all there is to say of what it took.
func TestWhatAnUnwrapHasTakenIsPlanned(t *testing.T) {
	s := unpodded()
	s.o.Record.Removal = &migration.Removal{Kind: migration.Unwrap, Started: t0(), By: "bob"}
	for i := range s.o.Servers[:2] {
		s.o.Servers[i].Cluster.Service = migration.ServiceView{}
		s.o.Servers[i].Cluster.Endpoints = migration.EndpointsView{}
		s.o.Servers[i].Live = vantage.Sighting{Reach: vantage.Refused}
	}
	st := migration.Summarize(s.o)
	if diff := cmp.Diff([]string{"planned Removal"}, short(st.Problems)); diff != "" {
		t.Fatalf("problems (-want +got):\n%s\n%+v", diff, st.Problems)
	}
	if st.Next != "kubectl zkmigrate unwrap demo -n zk" || !strings.Contains(strings.Join(st.Problems[0].Evidence, " "), "kubectl zkmigrate wrap demo -n zk") {
		t.Errorf("next %q, %+v", st.Next, st.Problems[0])
	}
}
