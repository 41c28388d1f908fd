package migration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// listing is what conf shows: the Services, with single hosts put in.
func listing(rec migration.Record, hosts map[ensemble.ID]string) []ensemble.Server {
	var out []ensemble.Server
	for _, s := range rec.Servers {
		m := s.Server
		m.Host = s.ClusterIP
		if h, ok := hosts[s.ID]; ok {
			m.Host = h
		}
		out = append(out, m)
	}
	return out
}

func TestWatchReconfigured(t *testing.T) {
	const (
		serving = iota
		refused
		notServing
		timeout
	)
	written := t0()
	type signals struct {
		version string
		state   int
		// hosts replaces addresses in the list that is shown; nil members on 3.4.
		hosts map[ensemble.ID]string
		list  func([]ensemble.Server) []ensemble.Server
		sig   migration.RestartSignals
	}
	old := map[ensemble.ID]string{1: "10.0.0.1", 2: "10.0.0.2", 3: "10.0.0.3"}
	port := func(p vantage.PortState) migration.HostView { return migration.HostView{Election: p} }
	for name, c := range map[string]struct {
		signals
		code migration.VerdictCode
		says []string
	}{
		"3.8 patched": {signals{version: "3.8.0", sig: migration.RestartSignals{Host: port(vantage.PortOpen)}},
			migration.VerdictReconfigured, []string{"conf shows", "listens"}},
		"3.8 patched, by name": {signals{version: "3.8.0", hosts: map[ensemble.ID]string{1: "demo-1.zk.svc.cluster.local"}, sig: migration.RestartSignals{Host: port(vantage.PortOpen)}},
			migration.VerdictReconfigured, nil},
		"3.8 patched, port not asked": {signals{version: "3.8.0"}, migration.VerdictAway, nil},
		"3.8 patched, port filtered": {signals{version: "3.8.0", sig: migration.RestartSignals{Host: port(vantage.PortSilent)}},
			migration.VerdictUnclear, []string{"silent"}},
		"3.8 forgotten": {signals{version: "3.8.0", hosts: old}, migration.VerdictWaiting, []string{"waiting for its restart", "server.1 is 10.0.0.1"}},
		"3.8 restarted without the file": {signals{version: "3.8.0", hosts: old, sig: migration.RestartSignals{SeenDown: true}},
			migration.VerdictWithoutFile, []string{"restarted while we watched", "server.3 is 10.0.0.3", "host 10.0.0.2"}},
		"3.8 own line is a wildcard": {signals{version: "3.8.0", hosts: map[ensemble.ID]string{1: "10.0.0.1", 2: "0.0.0.0", 3: "10.0.0.3"}, sig: migration.RestartSignals{SeenDown: true}},
			migration.VerdictWithoutFile, nil},
		"3.8 mistyped address": {signals{version: "3.8.0", hosts: map[ensemble.ID]string{3: "10.96.0.33"}, sig: migration.RestartSignals{Host: port(vantage.PortOpen)}},
			migration.VerdictMistyped, []string{"server.3 is 10.96.0.33", "host 10.0.0.2"}},
		"3.8 another's wildcard": {signals{version: "3.8.0", hosts: map[ensemble.ID]string{3: "0.0.0.0"}}, migration.VerdictMistyped, []string{"server.3"}},
		"3.8 mistyped port": {signals{version: "3.8.0", list: func(l []ensemble.Server) []ensemble.Server { l[0].ElectionPort = 3889; return l }},
			migration.VerdictMistyped, []string{"server.1 has ports", "3889"}},
		"3.8 a voter that is an observer there": {signals{version: "3.8.0", list: func(l []ensemble.Server) []ensemble.Server { l[1].Role = ensemble.Observer; return l }},
			migration.VerdictMistyped, []string{"server.2 is observer there, not participant of weight 1 in group 0"}},
		"3.8 another group": {signals{version: "3.8.0", list: func(l []ensemble.Server) []ensemble.Server { l[1].Group = 2; return l }},
			migration.VerdictMistyped, []string{"group 2"}},
		"3.8 a line missing": {signals{version: "3.8.0", list: func(l []ensemble.Server) []ensemble.Server { return l[:2] }},
			migration.VerdictMistyped, []string{"server.3 is missing"}},
		"3.8 a line too many": {signals{version: "3.8.0", list: func(l []ensemble.Server) []ensemble.Server { return append(l, ensemble.Server{ID: 9}) }},
			migration.VerdictMistyped, []string{"server.9 is none"}},
		"3.8 without the flag, in IPVS mode": {signals{version: "3.8.0", sig: migration.RestartSignals{Host: port(vantage.PortClosed)}},
			migration.VerdictDeaf, []string{"quorumListenOnAllIPs", "host 10.0.0.2"}},
		"3.8 without the flag, restarting": {signals{version: "3.8.0", state: refused, sig: migration.RestartSignals{SeenDown: true, Away: 3 * time.Second, Same: 3 * time.Second}},
			migration.VerdictAway, []string{"down"}},
		"3.8 without the flag, ended": {signals{version: "3.8.0", state: refused, sig: migration.RestartSignals{SeenDown: true, Away: 21 * time.Second, Same: 21 * time.Second}},
			migration.VerdictGone, []string{"21 s", "quorumListenOnAllIPs", "host 10.0.0.2"}},
		"3.8 without the flag, started again and again": {signals{version: "3.8.0", state: refused, sig: migration.RestartSignals{SeenDown: true, Away: 25 * time.Second, Same: time.Second, Ends: 5}},
			migration.VerdictGone, []string{"ended 5 times", "quorumListenOnAllIPs"}},
		"restarted once more to mend it": {signals{version: "3.8.0", state: refused, sig: migration.RestartSignals{SeenDown: true, Away: time.Minute, Same: time.Second, Ends: 4}},
			migration.VerdictAway, nil},
		"3.4 forgotten": {signals{version: "3.4.13"}, migration.VerdictWaiting, []string{"waiting"}},
		"3.4 an old restart": {signals{version: "3.4.13", sig: migration.RestartSignals{ServingSince: written.Add(-time.Hour), Epoch: 4}},
			migration.VerdictWaiting, nil},
		"3.4 restarted unwatched": {signals{version: "3.4.13", sig: migration.RestartSignals{ServingSince: written.Add(time.Minute), Epoch: 4, Host: port(vantage.PortOpen)}},
			migration.VerdictReconfigured, []string{"without an election", "does not show"}},
		"3.4 an election, perhaps a restart": {signals{version: "3.4.13", sig: migration.RestartSignals{ServingSince: written.Add(time.Minute), Epoch: 5, Host: port(vantage.PortOpen)}},
			migration.VerdictUnclear, []string{"election explains", "--confirmed=2"}},
		"3.4 an epoch nobody knows": {signals{version: "3.4.13", sig: migration.RestartSignals{ServingSince: written.Add(time.Minute), Host: port(vantage.PortOpen)}},
			migration.VerdictUnclear, nil},
		"3.4 restarted while watched": {signals{version: "3.4.13", sig: migration.RestartSignals{SeenDown: true, Host: port(vantage.PortOpen)}},
			migration.VerdictReconfigured, []string{"while we watched"}},
		"3.4 deaf and serving": {signals{version: "3.4.13", sig: migration.RestartSignals{SeenDown: true, Host: port(vantage.PortClosed)}},
			migration.VerdictDeaf, []string{"10.0.0.2:3888", "quorumListenOnAllIPs"}},
		"3.4 deaf, binding still": {signals{version: "3.4.13", state: notServing, sig: migration.RestartSignals{SeenDown: true, Away: 2 * time.Second, Same: 2 * time.Second, Host: port(vantage.PortClosed)}},
			migration.VerdictAway, nil},
		"3.4 deaf and alone": {signals{version: "3.4.13", state: notServing, sig: migration.RestartSignals{SeenDown: true, Away: 6 * time.Second, Same: 6 * time.Second, Host: port(vantage.PortClosed)}},
			migration.VerdictDeaf, []string{"quorumListenOnAllIPs"}},
		"3.4 mistyped leader": {signals{version: "3.4.13", state: notServing, sig: migration.RestartSignals{SeenDown: true, Away: 31 * time.Second, Same: 31 * time.Second, Host: port(vantage.PortOpen)}},
			migration.VerdictAlone, []string{"mistyped", "host 10.0.0.2"}},
		"an election": {signals{version: "3.4.13", state: notServing, sig: migration.RestartSignals{Away: 3 * time.Second, Same: 3 * time.Second, Host: port(vantage.PortOpen)}},
			migration.VerdictAway, nil},
		"no answer": {signals{version: "3.8.0", state: timeout, sig: migration.RestartSignals{Away: time.Minute, Same: time.Minute}},
			migration.VerdictAway, []string{"does not answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := healthy(c.version, 1, 2, 3)
			rec := s.o.Record
			rec.Settings.Version = c.version
			sr := s.server(2)
			sr.Emitted = &migration.Emission{At: written, Epoch: 4}
			sig := c.sig
			sig.Live = s.view(2).Live
			switch c.state {
			case refused:
				sig.Live = vantage.Sighting{Reach: vantage.Refused}
			case notServing:
				sig.Live = vantage.Sighting{Reach: vantage.NotServing, Mode: ensemble.NotServing}
			case timeout:
				sig.Live = vantage.Sighting{Reach: vantage.Timeout}
			case serving:
				sig.Live.Members = nil
				if c.version != "3.4.13" {
					sig.Live.Members = listing(rec, c.hosts)
				}
				if c.list != nil {
					sig.Live.Members = c.list(sig.Live.Members)
				}
			}
			v := migration.WatchReconfigured(rec, *sr, sig)
			if v.Code != c.code {
				t.Errorf("got %+v, want %s", v, c.code)
			}
			if v.Code.Wrong() && (v.Look == "" || !strings.Contains(v.Look, "host 10.0.0.2")) {
				t.Errorf("no host to look at: %+v", v)
			}
			for _, want := range c.says {
				if !strings.Contains(v.Why+" "+v.Look, want) {
					t.Errorf("%+v does not say %q", v, want)
				}
			}
		})
	}
}

func TestRestartElections(t *testing.T) {
	var rec migration.Record
	if _, known := rec.RestartElections(3); known {
		t.Error("counted from nowhere")
	}
	rec.Elections.AtReconfigure = 3
	for epoch, want := range map[uint32]int{3: 0, 4: 1, 6: 3} {
		if n, known := rec.RestartElections(epoch); !known || n != want {
			t.Errorf("epoch %d: %d, %v", epoch, n, known)
		}
	}
	if _, known := rec.RestartElections(0); known {
		t.Error("an unknown epoch was counted")
	}
}
