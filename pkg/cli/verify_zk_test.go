//go:build linux && zk

package cli

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// restarts is a real ensemble whose hosts are 127.0.1.N and whose Services are
// 127.0.2.N. A forwarder plays a Service while its server binds its host's
// address alone; it also keeps that address from being bound by a server that
// does not listen on all of them, as a real ClusterIP cannot be bound.
type restarts struct {
	t        *testing.T
	real     *zkreal.Ensemble
	rec      migration.Record
	original map[ensemble.ID]string
	services map[ensemble.ID][]*zkreal.Forward
	v        *verifier
}

func newRestarts(ctx context.Context, t *testing.T, version string) *restarts {
	t.Helper()
	real, err := zkreal.New(ctx, zkreal.Options{Version: version, Dir: t.TempDir(), Config: map[string]string{"clientPortAddress": ""}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(real.Close)
	r := &restarts{t: t, real: real, original: map[ensemble.ID]string{}, services: map[ensemble.ID][]*zkreal.Forward{}}
	r.rec = migration.Record{Name: "demo", Namespace: "zk", Settings: migration.Settings{Version: version, TickTimeMillis: 1000, InitLimit: 10, SyncLimit: 5}}
	for _, n := range real.IDs() {
		id, s := ensemble.ID(n), real.Server(n)
		r.rec.Servers = append(r.rec.Servers, migration.ServerRecord{
			Server: ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, ClientPort: s.ClientPort,
				PeerAddress: ensemble.PeerAddress{Host: "127.0.1." + id.String(), PeerPort: s.PeerPort, ElectionPort: s.ElectionPort}},
			HostIP: "127.0.1." + id.String(), ClusterIP: "127.0.2." + id.String(), Service: "demo-" + id.String(),
		})
	}
	for _, n := range real.IDs() {
		s := real.Server(n)
		data, err := os.ReadFile(s.ConfigFile())
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for _, sr := range r.rec.Servers {
			text = strings.Replace(text, "server."+sr.ID.String()+"=127.0.0.1", "server."+sr.ID.String()+"="+sr.HostIP, 1)
		}
		r.original[ensemble.ID(n)] = text
		r.file(ensemble.ID(n), text)
		r.forward(ensemble.ID(n))
	}
	t.Cleanup(func() {
		for _, sr := range r.rec.Servers {
			r.unforward(sr.ID)
		}
	})
	if err := real.Start(ctx); err != nil {
		t.Fatal(err)
	}
	r.fresh()
	r.look(ctx)
	for i := range r.rec.Servers {
		r.rec.Servers[i].Emitted = &migration.Emission{At: time.Now(), Epoch: r.v.watch.Epoch()}
	}
	r.rec.Elections.AtReconfigure = r.v.watch.Epoch()
	return r
}

// fresh is a --verify that has just been started.
func (r *restarts) fresh() {
	r.v = &verifier{s: &session{prober: newProber(nil)}}
}

func (r *restarts) file(id ensemble.ID, text string) {
	r.t.Helper()
	if err := os.WriteFile(r.real.Server(int(id)).ConfigFile(), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// patched is a host's file with the Services' addresses; each pair of change
// replaces a text.
func (r *restarts) patched(id ensemble.ID, change ...string) string {
	text := strings.ReplaceAll(r.original[id], "=127.0.1.", "=127.0.2.") + "quorumListenOnAllIPs=true\n"
	return strings.NewReplacer(change...).Replace(text)
}

// look is one round of --verify over all servers.
func (r *restarts) look(ctx context.Context) map[ensemble.ID]migration.Verdict {
	obs := migration.Observation{At: time.Now(), Record: r.rec, ClusterComplete: true}
	for _, sr := range r.rec.Servers {
		obs.Servers = append(obs.Servers, migration.ServerView{ID: sr.ID, Live: r.v.s.prober.Sight(ctx, sr.AtService())})
	}
	r.v.watch.Elections(obs)
	out := map[ensemble.ID]migration.Verdict{}
	for i, sr := range r.rec.Servers {
		out[sr.ID] = r.v.judge(ctx, obs, sr, obs.Servers[i].Live).Verdict()
	}
	return out
}

// until looks until a server's verdict is the one wanted, a minute at most.
func (r *restarts) until(ctx context.Context, id ensemble.ID, want migration.VerdictCode) migration.Verdict {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var said string
	for {
		got := r.look(ctx)[id]
		if text := string(got.Code) + ": " + got.Why + "; look at " + got.Look; text != said && ctx.Err() == nil {
			said = text
			r.t.Logf("server %d: %s", id, said)
		}
		if got.Code == want {
			return got
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatalf("server %d: %s, want %s", id, said, want)
		}
	}
}

// restart stops a server, lets --verify look where watched, and starts it from
// another file.
func (r *restarts) restart(ctx context.Context, id ensemble.ID, text string, watched bool) {
	r.t.Helper()
	server := r.real.Server(int(id))
	server.Stop()
	if watched {
		r.look(ctx)
	}
	if strings.Contains(text, "quorumListenOnAllIPs=true") {
		r.unforward(id)
	} else {
		r.forward(id)
	}
	r.file(id, text)
	if err := server.Start(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *restarts) wrong(v migration.Verdict, id ensemble.ID) {
	r.t.Helper()
	if host := "host 127.0.1." + id.String(); !v.Code.Wrong() || !strings.Contains(v.Look, host) {
		r.t.Errorf("%+v does not send the operator to %s", v, host)
	}
}

// TestVerifyRealRestarts: a rolling restart in which everything goes wrong once,
// on a release that shows no list and whose server stays alive and deaf, and on
// one that shows it and whose server ends itself.
func TestVerifyRealRestarts(t *testing.T) {
	for _, version := range []string{"3.4.13", "3.8.0"} {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			r := newRestarts(ctx, t, version)
			shows := version != "3.4.13"
			leader := ensemble.ID(r.real.Leader(ctx))
			var followers []ensemble.ID
			for _, sr := range r.rec.Servers {
				if sr.ID != leader {
					followers = append(followers, sr.ID)
				}
			}
			a, b := followers[0], followers[1]
			for id, v := range r.look(ctx) {
				if v.Code != migration.VerdictWaiting {
					t.Errorf("server %d, forgotten so far: %+v", id, v)
				}
			}

			t.Log("restarted without the file")
			r.restart(ctx, a, r.original[a], true)
			if shows {
				r.wrong(r.until(ctx, a, migration.VerdictWithoutFile), a)
			} else if v := r.until(ctx, a, migration.VerdictReconfigured); !strings.Contains(v.Why, "does not show its server list") {
				t.Errorf("3.4 cannot tell this, and does not say so: %+v", v)
			}

			t.Log("without quorumListenOnAllIPs")
			r.restart(ctx, a, r.patched(a, "quorumListenOnAllIPs=true\n", ""), true)
			if shows {
				v := r.until(ctx, a, migration.VerdictGone)
				r.wrong(v, a)
				if r.real.Server(int(a)).Running() || !strings.Contains(v.Look, "quorumListenOnAllIPs") {
					t.Errorf("it should have ended: %+v", v)
				}
			} else {
				v := r.until(ctx, a, migration.VerdictDeaf)
				r.wrong(v, a)
				if !r.real.Server(int(a)).Running() {
					t.Error("it should be alive")
				}
			}

			t.Log("a mistyped address: the leader's")
			r.restart(ctx, a, r.patched(a, "127.0.2."+leader.String()+":", "127.0.2.99:"), true)
			r.wrong(r.until(ctx, a, migration.VerdictAlone), a)
			if shows {
				// That of the other follower keeps it out too: of three, it must hear two.
				t.Log("a mistyped address: its own")
				r.restart(ctx, a, r.patched(a, "127.0.2."+a.String()+":", "127.0.2.99:"), true)
				v := r.until(ctx, a, migration.VerdictMistyped)
				r.wrong(v, a)
				if !strings.Contains(v.Why, "server."+a.String()+" is 127.0.2.99") {
					t.Errorf("it does not name the line: %+v", v)
				}
			}

			t.Log("patched")
			r.restart(ctx, a, r.patched(a), true)
			r.until(ctx, a, migration.VerdictReconfigured)

			t.Log("patched and restarted while nobody watched")
			r.restart(ctx, b, r.patched(b), false)
			if _, err := r.real.Server(int(b)).WaitServing(ctx); err != nil {
				t.Fatal(err)
			}
			r.fresh()
			r.until(ctx, b, migration.VerdictReconfigured)
			if v := r.look(ctx)[leader]; v.Code != migration.VerdictWaiting {
				t.Errorf("the leader was not restarted: %+v", v)
			}

			t.Log("the leader, last")
			r.restart(ctx, leader, r.patched(leader), true)
			r.until(ctx, leader, migration.VerdictReconfigured)
			if n, known := r.rec.RestartElections(r.v.watch.Epoch()); !known || n != migration.PlannedRestartElections {
				t.Errorf("%d elections (%v), want %d", n, known, migration.PlannedRestartElections)
			}
			for _, sr := range r.rec.Servers {
				// The leader's restart sent the others through an election.
				if _, err := r.real.Server(int(sr.ID)).WaitServing(ctx); err != nil {
					t.Fatal(err)
				}
				if _, err := r.v.s.prober.Canary(ctx, sr.AtService()); err != nil {
					t.Errorf("server %d: %v", sr.ID, err)
				}
			}
		})
	}
}

func (r *restarts) forward(id ensemble.ID) {
	r.t.Helper()
	if len(r.services[id]) > 0 {
		return
	}
	sr, _ := r.rec.Server(id)
	for _, port := range []int{sr.PeerPort, sr.ElectionPort} {
		f, err := zkreal.NewForward(r.t.Context(), ensemble.JoinHostPort(sr.ClusterIP, port), ensemble.JoinHostPort(sr.HostIP, port))
		if err != nil {
			r.t.Fatal(err)
		}
		r.services[id] = append(r.services[id], f)
	}
}

func (r *restarts) unforward(id ensemble.ID) {
	for _, f := range r.services[id] {
		f.Close()
	}
	delete(r.services, id)
}
