package migration

import (
	"fmt"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// VerdictCode names what live signals say about one server's restart.
type VerdictCode string

const (
	// VerdictWaiting: it runs as it did; its restart is still to come.
	VerdictWaiting VerdictCode = "Waiting"
	// VerdictAway: it is down or joining, and not for long yet.
	VerdictAway VerdictCode = "Away"
	// VerdictReconfigured: it runs with the new list.
	VerdictReconfigured VerdictCode = "Reconfigured"
	// VerdictUnclear: it cannot be told from outside.
	VerdictUnclear VerdictCode = "Unclear"
	// VerdictWithoutFile: it was restarted and has the old list.
	VerdictWithoutFile VerdictCode = "WithoutFile"
	// VerdictMistyped: its list has something that is in no plan.
	VerdictMistyped VerdictCode = "Mistyped"
	// VerdictDeaf: it runs, and its election port does not.
	VerdictDeaf VerdictCode = "Deaf"
	// VerdictGone: it does not come back.
	VerdictGone VerdictCode = "Gone"
	// VerdictAlone: it runs and listens, and finds no quorum.
	VerdictAlone VerdictCode = "Alone"
)

// Wrong reports whether somebody has to look at the host before the next
// server is restarted.
func (c VerdictCode) Wrong() bool {
	switch c {
	case VerdictWithoutFile, VerdictMistyped, VerdictDeaf, VerdictGone, VerdictAlone:
		return true
	default:
		return false
	}
}

// Verdict is what live signals say about one server's list.
type Verdict struct {
	Code VerdictCode
	Why  string
	// Look says what to look at, and on which host; empty where nothing is
	// wrong.
	Look string
}

const (
	// deafAfter is more than the three tries, a second apart, that a server
	// makes to bind its election port (QuorumCnxManager.Listener).
	deafAfter = 5 * time.Second
	// goneAfter and aloneAfter are far beyond what a restart takes.
	goneAfter  = 20 * time.Second
	aloneAfter = 30 * time.Second
	// endsOften is how many ends in one restart are too many.
	endsOften = 5
)

// RestartSignals is what was seen of one server while its restart is awaited.
type RestartSignals struct {
	// Live is what it says through its Service.
	Live vantage.Sighting
	// Host has the ports at the host's own address, PortUnknown where they were
	// not asked.
	Host HostView
	// SeenDown: its client port refused a connection while we watched. A server
	// in an election keeps that port open, so this is the end of the process.
	SeenDown bool
	// Away is for how long it has not been serving, Same for how long it has
	// answered in the present way, Ends how often it went down since it served.
	Away, Same time.Duration
	Ends       int
	// ServingSince is when it last began to serve, by our clock; zero when
	// unknown.
	ServingSince time.Time
	// Epoch is the leader's epoch now, 0 when unknown.
	Epoch uint32
}

// CheckReconfigured compares the list a server says it runs with (conf, 3.5+)
// with the Services' addresses. Whether it also listens there is no part of
// conf on any version, see WatchReconfigured.
func CheckReconfigured(rec Record, s ServerRecord, live vantage.Sighting) Verdict {
	if !live.Serving() {
		return Verdict{Code: VerdictAway, Why: "it is not serving"}
	}
	if live.Unread() {
		return Verdict{Code: VerdictAway, Why: live.Said()}
	}
	if live.Members == nil {
		return Verdict{Code: VerdictUnclear, Why: "ZooKeeper " + live.Version.String() + " does not show its server list"}
	}
	old, odd := compareList(rec, s, live.Members)
	switch {
	case len(odd) > 0:
		return Verdict{Code: VerdictMistyped, Why: strings.Join(append(odd, old...), ", "),
			Look: fmt.Sprintf("the server lines of zoo.cfg on host %s: correct them, restart server %d", s.HostIP, s.ID)}
	case len(old) > 0:
		return Verdict{Code: VerdictWithoutFile, Why: strings.Join(old, ", "),
			Look: fmt.Sprintf("zoo.cfg on host %s: was the patch applied, and to the file server %d is started with?", s.HostIP, s.ID)}
	}
	return Verdict{Code: VerdictReconfigured, Why: "conf shows the Services' addresses"}
}

// compareList returns the lines that are as they were on the hosts, and those
// that are neither old nor new.
func compareList(rec Record, own ServerRecord, members []ensemble.Server) (old, odd []string) {
	listed := map[ensemble.ID]ensemble.Server{}
	for _, m := range members {
		listed[m.ID] = m
		if _, ok := rec.Server(m.ID); !ok {
			odd = append(odd, fmt.Sprintf("server.%d is none of this ensemble", m.ID))
		}
	}
	for _, want := range rec.Servers {
		m, ok := listed[want.ID]
		switch {
		case !ok:
			odd = append(odd, fmt.Sprintf("server.%d is missing", want.ID))
		case m.PeerPort != want.PeerPort && m.PeerPort != 0 || m.ElectionPort != want.ElectionPort && m.ElectionPort != 0:
			odd = append(odd, fmt.Sprintf("server.%d has ports %d:%d, not %d:%d", want.ID, m.PeerPort, m.ElectionPort, want.PeerPort, want.ElectionPort))
		case m.Vote() != want.Vote():
			odd = append(odd, fmt.Sprintf("server.%d is %s there, not %s", want.ID, m.Vote(), want.Vote()))
		case len(m.More) > 0:
			odd = append(odd, fmt.Sprintf("server.%d has further addresses", want.ID))
		case atService(rec, want, m.Host):
		case isOld(want, m.Host, want.ID == own.ID):
			old = append(old, fmt.Sprintf("server.%d is %s, not %s", want.ID, m.Host, rec.ServerHost(want)))
		default:
			odd = append(odd, fmt.Sprintf("server.%d is %s, neither %s nor its host", want.ID, m.Host, rec.ServerHost(want)))
		}
	}
	return old, odd
}

// isOld reports whether a host in a server line is where the server was before.
// Its own line may be a wildcard (ZOOKEEPER-2164) or loopback address.
func isOld(s ServerRecord, host string, own bool) bool {
	switch host {
	case s.Host, s.HostIP:
		return true
	case "0.0.0.0", "::", "0:0:0:0:0:0:0:0", "127.0.0.1", "localhost":
		return own
	}
	return false
}

// WatchReconfigured is the verdict of one who watches the restarts. 3.5 and
// later show their list; that they listen on all addresses is shown by the
// election port, which answers at the host's own address while the server's own
// line has the Service's. 3.4 shows no list: there the restart alone can be
// seen, and that it listens; the patch is the operator's word.
func WatchReconfigured(rec Record, s ServerRecord, sig RestartSignals) Verdict {
	if !sig.Live.Serving() {
		return away(rec, s, sig)
	}
	v := CheckReconfigured(rec, s, sig.Live)
	restarted, how := restartSeen(s, sig)
	switch {
	case v.Code == VerdictMistyped, v.Code == VerdictAway:
		return v
	case v.Code == VerdictWithoutFile && restarted:
		v.Why = how + ", and still " + v.Why
		return v
	case v.Code == VerdictWithoutFile:
		return Verdict{Code: VerdictWaiting, Why: "waiting for its restart: " + v.Why}
	case v.Code == VerdictUnclear && !restarted && how != "":
		return Verdict{Code: VerdictUnclear, Why: v.Why + "; " + how, Look: fmt.Sprintf(
			"host %s: if server %d was restarted with the patched file, say so with --confirmed=%d, else restart it now", s.HostIP, s.ID, s.ID)}
	case v.Code == VerdictUnclear && !restarted:
		return Verdict{Code: VerdictWaiting, Why: "waiting for its restart"}
	}
	port := ensemble.JoinHostPort(s.HostIP, s.ElectionPort)
	switch sig.Host.Election {
	case vantage.PortOpen:
	case vantage.PortClosed:
		return deaf(s, "it serves, and nothing listens at "+port)
	case vantage.PortUnknown:
		return Verdict{Code: VerdictAway, Why: v.Why}
	default:
		return Verdict{Code: VerdictUnclear, Why: fmt.Sprintf("%s, but %s is %s from here", v.Why, port, sig.Host.Election),
			Look: "the way from here to the election port of host " + s.HostIP}
	}
	if v.Code == VerdictReconfigured {
		return Verdict{Code: VerdictReconfigured, Why: v.Why + ", and it listens at its host's address too"}
	}
	return Verdict{Code: VerdictReconfigured, Why: how + ", and it listens at its host's address; " + v.Why}
}

// restartSeen reports whether the server's process began after its patch was
// handed out. how says why, or, where that is not certain, why not.
func restartSeen(s ServerRecord, sig RestartSignals) (bool, string) {
	switch {
	case sig.SeenDown:
		return true, "it was restarted while we watched"
	case s.Emitted == nil || sig.ServingSince.IsZero() || !sig.ServingSince.After(s.Emitted.At):
		return false, ""
	}
	since := "it serves since " + sig.ServingSince.UTC().Format(time.RFC3339)
	if sig.Epoch == 0 || sig.Epoch != s.Emitted.Epoch {
		// Every server begins to serve anew after an election.
		return false, since + ", which an election explains as well as a restart"
	}
	return true, since + ", after its patch was written and without an election since"
}

func deaf(s ServerRecord, why string) Verdict {
	return Verdict{Code: VerdictDeaf, Why: why + ": the others cannot reach it in the next election", Look: fmt.Sprintf(
		"zoo.cfg on host %s: quorumListenOnAllIPs=true is missing or misspelled (without it a server cannot bind its Service's address)", s.HostIP)}
}

// away judges a server that does not serve.
func away(rec Record, s ServerRecord, sig RestartSignals) Verdict {
	forSeconds := fmt.Sprintf("for %d s", int(sig.Same.Seconds()))
	// A supervisor that starts it again and again.
	ends := sig.Ends >= endsOften && sig.Away >= goneAfter
	switch {
	case sig.Live.Reach == vantage.Refused && (sig.Same >= goneAfter || ends):
		v := Verdict{Code: VerdictGone, Why: "its client port has refused connections " + forSeconds,
			Look: fmt.Sprintf("host %s: was server %d started, and what does its log say last", s.HostIP, s.ID)}
		if ends {
			v.Why = fmt.Sprintf("it has ended %d times", sig.Ends)
		}
		if version, err := ensemble.ParseVersion(rec.Settings.Version); err == nil && version.AtLeast(3, 5, 6) {
			v.Look += fmt.Sprintf(" (ZooKeeper %s ends itself when it cannot bind its election port: quorumListenOnAllIPs=true is missing or misspelled)", version)
		}
		return v
	case sig.Live.Reach == vantage.Refused:
		return Verdict{Code: VerdictAway, Why: "it is down"}
	case sig.Live.Reach == vantage.NotServing && sig.Host.Election == vantage.PortClosed && sig.Same >= deafAfter:
		return deaf(s, "it is up without a quorum "+forSeconds+", and nothing listens at "+ensemble.JoinHostPort(s.HostIP, s.ElectionPort))
	case sig.Live.Reach == vantage.NotServing && sig.Same >= aloneAfter:
		return Verdict{Code: VerdictAlone, Why: "it is up and finds no quorum " + forSeconds,
			Look: fmt.Sprintf("the server lines of zoo.cfg on host %s: an address or port in them may be mistyped", s.HostIP)}
	case sig.Live.Reach == vantage.NotServing:
		return Verdict{Code: VerdictAway, Why: "it is up and looks for the others"}
	}
	return Verdict{Code: VerdictAway, Why: strings.TrimSpace(fmt.Sprintf("it does not answer: %s %s", sig.Live.Reach, sig.Live.Detail))}
}

// PlannedRestartElections is how many elections a rolling restart costs: the
// one of the leader's own restart, which comes last (I6).
const PlannedRestartElections = 1

// NoteRestarted keeps the epoch in which the rolling restart came to its end, if
// it has.
func (r *Record) NoteRestarted(epoch uint32) {
	for _, s := range r.Servers {
		if s.Reconfigured == nil && s.Replaced == nil {
			return
		}
	}
	if r.Elections.AtReconfigured == 0 {
		r.Elections.AtReconfigured = epoch
	}
}

// RestartElections counts the elections since the first patch was handed out, up
// to the end of the restart or to epoch; a new leader that fails at once counts
// too. known is false where one end is not known.
func (r Record) RestartElections(epoch uint32) (n int, known bool) {
	if end := r.Elections.AtReconfigured; end != 0 {
		epoch = end
	}
	if r.Elections.AtReconfigure == 0 || epoch < r.Elections.AtReconfigure {
		return 0, false
	}
	return int(epoch - r.Elections.AtReconfigure), true
}
