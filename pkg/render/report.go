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
	// Report is what it says of the pod; whether it is fresh, only its reader knows.
	migration.Report
	// Pod is the uid of the pod that the gate stands in.
	Pod     string
	Ordinal int
	ID      ensemble.ID
	// HostClient and HostElection are the outcome of the pod's own connects;
	// unknown when it did not ask (it asks the election port only when the
	// client port does not answer).
	HostClient, HostElection vantage.PortState
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
	r := GateReport{Pod: values["pod"]}
	r.Detail = strings.TrimSuffix(detail, `"`)
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
	r.ID, r.Generation, r.Volume.Generation = ensemble.ID(n[1]), n[2], n[4]
	if r.HostClient, err = reportedPort(values["host-client"]); err != nil {
		return GateReport{}, fmt.Errorf("report of the gate: %w: %q", err, line)
	}
	if r.HostElection, err = reportedPort(values["host-election"]); err != nil {
		return GateReport{}, fmt.Errorf("report of the gate: %w: %q", err, line)
	}
	if r.HostClient == vantage.PortClosed && r.HostElection == vantage.PortClosed {
		closed := time.Duration(n[3]) * time.Second
		r.HostClosedFor = &closed
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
		r.Volume.State = migration.VolumeSynced
	case "-":
		r.Volume.State = migration.VolumeUnused
	case "no":
		r.Volume.State = migration.VolumeUnsynced
	case "old":
		r.Volume.State = migration.VolumeOutlived
	default:
		return GateReport{}, fmt.Errorf("report of the gate with synced=%q: %q", synced, line)
	}
	if since := values["since"]; since != "-" {
		if n, err = gateNumbers(since); err != nil {
			return GateReport{}, fmt.Errorf("report of the gate: %w: %q", err, line)
		}
		r.Volume.Since = &n[0]
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
		r.Volume.Seed = seed
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
