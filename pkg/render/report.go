package render

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// gateLinePrefix begins every report of the gate.
const gateLinePrefix = "zkmigrate-gate "

// maxReport is more than the script ever writes.
const maxReport = 4096

// GateReport is one line of the gate.
type GateReport struct {
	// Pod is the uid of the pod that the gate stands in, At the time of the report
	// by its node's clock.
	Pod     string
	At      time.Time
	State   migration.GateState
	Ordinal int
	ID      ensemble.ID
	// Generation is the newest generation of the gate that the pod has read.
	Generation int
	// HostClient and HostElection are the outcome of the pod's own connects;
	// unknown when it did not ask (it asks the election port only when the
	// client port does not answer).
	HostClient, HostElection vantage.PortState
	// HostClosedFor is how long both ports have refused it at each look, by the
	// node's clock; 0 while they do not.
	HostClosedFor time.Duration
	// Cause is why it refuses, Seed the token of the copied data on the volume.
	Cause migration.GateCause
	Seed  string
	// NeverSynced: ZooKeeper was started on this volume and its files show that
	// it has not followed a leader.
	NeverSynced bool
	// NeverStarted: ZooKeeper was never started on this volume, for all that the
	// files show.
	NeverStarted bool
	// Outlived: the data on this volume is older than the host's last run.
	Outlived bool
	// Data is the generation of the data on the volume, 0 without any; Since is the
	// gate's generation when this volume was looked at first, nil when unknown.
	Data  int
	Since *int
	// Version is the ZooKeeper release that the image holds, zero when unknown.
	Version ensemble.Version
	// Listens tells of the server's own ports, heard at while its host serves.
	Listens migration.Listening
	Detail  string
}

// HostClosed reports whether both of the host's ports refused the pod.
func (r GateReport) HostClosed() bool {
	return r.HostClient == vantage.PortClosed && r.HostElection == vantage.PortClosed
}

// ParseGateLine reads a line of the gate. Every field must be there once and
// hold a value the script writes; a line cut off by the log's limits is an
// error, never half a report.
func ParseGateLine(line string) (GateReport, error) {
	line = strings.TrimRight(line, "\r\n")
	rest, ok := strings.CutPrefix(line, gateLinePrefix)
	if !ok || len(line) > maxReport {
		return GateReport{}, errors.New("not a report of the gate")
	}
	head, detail, ok := strings.Cut(rest, ` detail="`)
	if !ok || !strings.HasSuffix(detail, `"`) || strings.Count(detail, `"`) != 1 || strings.ContainsFunc(line, unprintable) {
		return GateReport{}, fmt.Errorf("report of the gate without its detail: %q", line)
	}
	values := map[string]string{}
	for _, field := range strings.Split(head, " ") {
		key, value, ok := strings.Cut(field, "=")
		if _, twice := values[key]; !ok || twice {
			return GateReport{}, fmt.Errorf("report of the gate with an odd field %q: %q", field, line)
		}
		values[key] = value
	}
	r := GateReport{Detail: strings.TrimSuffix(detail, `"`), Pod: values["pod"]}
	// A gate of an earlier release listens at nothing, and does not say so.
	listens, said := values["listens"]
	delete(values, "listens")
	if len(values) != 15 {
		return GateReport{}, fmt.Errorf("report of the gate with %d fields instead of 15, and of listens: %q", len(values), line)
	}
	switch r.Listens = migration.Listening(listens); {
	case !said:
		r.Listens = migration.ListensNot
	case r.Listens == "-":
		r.Listens = migration.ListenUnknown
	case r.Listens != migration.Listens && r.Listens != migration.ListensNot:
		return GateReport{}, fmt.Errorf("report of the gate with listens=%q: %q", listens, line)
	}
	if !wordOf(r.Pod, uidLetters) {
		return GateReport{}, fmt.Errorf("report of the gate with pod %q: %q", r.Pod, line)
	}
	if r.At, ok = gateTime(values["at"]); !ok {
		return GateReport{}, fmt.Errorf("report of the gate with time %q: %q", values["at"], line)
	}
	switch s := migration.GateState(values["state"]); s {
	case migration.GateParked, migration.GateVetoed, migration.GateRefused, migration.GateStarted:
		r.State = s
	default:
		return GateReport{}, fmt.Errorf("report of the gate with state %q: %q", s, line)
	}
	// A script that cannot make out its ordinal says -1 and refuses.
	if values["ordinal"] == "-1" && r.State == migration.GateRefused {
		values["ordinal"], r.Ordinal = "0", -1
	}
	n, err := gateNumbers(values["ordinal"], values["id"], values["generation"], values["closed"], values["data"])
	if err != nil {
		return GateReport{}, fmt.Errorf("report of the gate: %w: %q", err, line)
	}
	if r.Ordinal == 0 {
		r.Ordinal = n[0]
	}
	r.ID, r.Generation, r.HostClosedFor, r.Data = ensemble.ID(n[1]), n[2], time.Duration(n[3])*time.Second, n[4]
	if r.HostClient, err = reportedPort(values["host-client"]); err != nil {
		return GateReport{}, fmt.Errorf("report of the gate: %w: %q", err, line)
	}
	if r.HostElection, err = reportedPort(values["host-election"]); err != nil {
		return GateReport{}, fmt.Errorf("report of the gate: %w: %q", err, line)
	}
	switch cause := migration.GateCause(values["cause"]); cause {
	case "-":
	case migration.CauseLost, migration.CauseInterrupted:
		r.Cause = cause
	default:
		return GateReport{}, fmt.Errorf("report of the gate with cause %q: %q", cause, line)
	}
	switch synced := values["synced"]; synced {
	case "yes":
	case "-":
		r.NeverStarted = true
	case "no":
		r.NeverSynced = true
	case "old":
		r.Outlived = true
	default:
		return GateReport{}, fmt.Errorf("report of the gate with synced=%q: %q", synced, line)
	}
	if since := values["since"]; since != "-" {
		if n, err = gateNumbers(since); err != nil {
			return GateReport{}, fmt.Errorf("report of the gate: %w: %q", err, line)
		}
		r.Since = &n[0]
	}
	if version := values["version"]; version != "-" {
		if r.Version, err = ensemble.ParseVersion(version); err != nil || version != r.Version.String() {
			return GateReport{}, fmt.Errorf("line of the gate with version %q: %q", version, line)
		}
	}
	if seed := values["seed"]; seed != "-" {
		if !wordOf(seed, seedLetters) {
			return GateReport{}, fmt.Errorf("report of the gate with seed %q: %q", seed, line)
		}
		r.Seed = seed
	}
	return r, nil
}

func unprintable(r rune) bool { return r < ' ' || r > '~' }

// gateTime reads seconds since 1970, with or without microseconds.
func gateTime(s string) (time.Time, bool) {
	whole, part, _ := strings.Cut(s, ".")
	sec, err := gateNumber(whole)
	if err != nil {
		return time.Time{}, false
	}
	micro := 0
	if len(whole) != len(s) {
		if micro, err = strconv.Atoi(part); err != nil || len(part) != 6 || strings.Trim(part, "0123456789") != "" {
			return time.Time{}, false
		}
	}
	return time.Unix(int64(sec), int64(micro)*1000), true
}

func reportedPort(s string) (vantage.PortState, error) {
	switch p := vantage.PortState(s); p {
	case vantage.PortOpen, vantage.PortClosed, vantage.PortSilent:
		return p, nil
	case "unasked":
		return vantage.PortUnknown, nil
	default:
		return "", fmt.Errorf("port state %q", s)
	}
}
