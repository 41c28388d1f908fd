package migration

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/strict"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// fieldRule returns what was expected of a value, or nothing when it fits.
type fieldRule func(v reflect.Value) string

// fieldRules has a rule for every field of the journal, by the type that has it and its
// name in the JSON: a type is judged alike wherever it stands. A list has one for its
// length and, if its elements have no fields, after [] one for these. A field without a rule
// is refused, so that none is forgotten. Truth values need none.
func fieldRules() map[string]fieldRule {
	port := upTo(65535)
	rules := map[string]fieldRule{
		"Record.apiVersion":   one(RecordVersion),
		"Record.kind":         one("Record", ""),
		"Record.name":         text(strict.Name),
		"Record.namespace":    text(strict.Namespace),
		"Record.endpointsAPI": one("", string(EndpointSlices), string(LegacyEndpoints)),
		"Record.servers":      length(maxServers),
		"Record.waivers":      length(100),
		"Record.audit":        length(2 * maxAudit),

		"Settings.tickTimeMillis": upTo(int64(time.Hour / time.Millisecond)),
		"Settings.initLimit":      upTo(1e6),
		"Settings.syncLimit":      upTo(1e6),
		"Settings.version":        optional(strict.Version),

		"PodOptions.image":        optional(strict.Image),
		"PodOptions.command":      length(64),
		"PodOptions.command[]":    text(strict.Argument),
		"PodOptions.storageClass": optional(strict.Object),
		"PodOptions.storageSize":  optional(strict.Quantity),
		"PodOptions.memory":       optional(strict.Quantity),
		"PodOptions.cpu":          optional(strict.Quantity),
		"PodOptions.jvmFlags":     optional(strict.JVMFlags),
		"PodOptions.antiAffinity": one("", "required", "preferred"),
		"PodOptions.runAsUser":    upTo(math.MaxInt32),
		"PodOptions.template":     text(strict.Template),
		"PodOptions.zooCfg":       text(strict.Config),
		"PodOptions.filesSecret":  optional(strict.Object), "PodOptions.filesConfigMap": optional(strict.Object),
		"PodOptions.privateSecret": optional(strict.Object),
		"PodOptions.own":           length(maxServers), "OwnLines.id": serverID, "OwnLines.zooCfg": text(strict.Config),
		"PodOptions.dynamicName": optional(strict.File),
		"PodOptions.dynamic":     text(strict.Config),

		"PlainFiles.secret": optional(strict.Object), "PlainFiles.files": length(maxFiles),
		"PlainFile.id": maybeID, "PlainFile.name": text(strict.File), "PlainFile.key": text(strict.File),
		"PlainFile.from": one(string(FromSecret), string(FromConfigMap), string(FromOurs)),

		"HostOptions.supervisor": one("", "systemd", "supervisord", "script", "docker", "podman"),
		"HostOptions.unit":       optional(strict.Unit),
		"HostOptions.own":        length(maxServers), "OwnUnit.id": serverID, "OwnUnit.unit": text(strict.Unit),
		"HostOptions.address":       one("", AddressIP, AddressDNS),
		"HostOptions.clusterDomain": optional(strict.Domain),

		"Elections.atWrap": free, "Elections.atReconfigure": free, "Elections.atReconfigured": free, "Elections.atReplace": free,

		"Server.id": serverID, "Server.role": one(string(ensemble.Participant), string(ensemble.Observer)),
		"PeerAddress.host": text(strict.Host), "PeerAddress.peerPort": port, "PeerAddress.electionPort": port,
		"Server.more": length(16), "Server.clientAddress": optional(strict.Host), "Server.clientPort": port,
		"Server.secureClientPort": port, "Server.observerMasterPort": port, "Server.adminPort": port, "Server.metricsPort": port,
		"Server.weight": upTo(1e6), "Server.group": upTo(1e6),

		"ServerRecord.hostIP": text(strict.Address), "ServerRecord.service": text(strict.Name),
		"ServerRecord.serviceUID": optional(strict.UID), "ServerRecord.clusterIP": optional(strict.Address),
		"ServerRecord.ordinal": upTo(maxServers), "ServerRecord.replaced": instant,
		"ServerRecord.dataDir": optional(strict.Path), "ServerRecord.dataLogDir": optional(strict.Path),
		"Emission.at": instant, "Emission.epoch": free, "Emission.digest": optional(strict.Code),

		"Flight.kind": one(string(Replace), string(Revert), string(Reconfigure), string(Apply)), "Flight.id": serverID,
		"Flight.started": instant, "Flight.epoch": free, "Flight.gate": generation,
		"Stopping.stopAsked": instant, "Stopping.deadSince": instant, "Stopping.reportAtStop": instant,
		"Starting.data": one("", string(DataEmpty), string(DataCopy)), "Starting.seed": optional(strict.Token), "Starting.seedAsked": instant,
		"Starting.released": instant, "Starting.kicked": instant, "Starting.renewing": instant, "Starting.renewals": upTo(1e6),
		"Starting.returning": instant,
		"Leaving.podUID":     optional(strict.UID), "Leaving.reclaimed": instant, "Leaving.cleared": instant, "Leaving.unmasking": instant,

		"Proof.zxid": free, "Proof.leader": maybeID, "Proof.at": instant, "Proof.held": length(maxServers), "Proof.held[]": serverID,
		"PodReport.uid": optional(strict.UID), "PodReport.at": instant,
		"Release.generation": generation, "Release.start": text(strictStart),
		"Paths.at": instant, "Paths.podUID": optional(strict.UID), "Paths.tried": length(4 * maxServers),
		"Path.from": serverID, "Path.to": serverID, "Path.port": port,
		"Path.state": one("", string(vantage.PortOpen), string(vantage.PortClosed), string(vantage.PortSilent), string(vantage.PortUnreachable)),

		"Removal.kind": one(string(Unpark), string(Unwrap)), "Removal.started": instant,
		"Removal.claims": length(maxServers), "ClaimRef.id": serverID, "ClaimRef.uid": text(strict.UID),
		"Removal.assumed": length(4 * maxServers), "Removal.assumed[]": text(strict.Code),

		"Confirmation.at": instant,
		"Waiver.check":    text(strict.Code), "Waiver.at": instant,
		"AuditEntry.at": instant, "AuditEntry.id": maybeID, "AuditEntry.step": optional(strict.Code),
	}
	for _, key := range notes() {
		rules[key] = text(strict.Note)
	}
	return rules
}

// notes are somebody's words: they are shown, and nothing follows from them.
func notes() []string {
	return []string{
		"Confirmation.by", "Confirmation.how", "Waiver.by", "Waiver.reason", "AuditEntry.by", "AuditEntry.detail",
		"Flight.by", "Flight.aborted", "Removal.by", "Path.why",
	}
}

// maxServers is more than any ensemble has.
const maxServers = 255

// maxFiles is more than all servers of an ensemble name.
const maxFiles = 1 << 12

// strictStart: a line of the gate says which pod, or which copy. It may be
// empty where nothing is known yet.
func strictStart(s string) string {
	uid, empty := strings.CutPrefix(s, "empty:")
	token, seed := strings.CutPrefix(s, "seed:")
	if s == "" || empty && strict.UID(uid) == "" || seed && strict.Token(token) == "" {
		return ""
	}
	return "empty:POD-UID or seed:TOKEN"
}

func text(rule func(string) string) fieldRule {
	return func(v reflect.Value) string { return rule(v.String()) }
}

func optional(rule func(string) string) fieldRule {
	return func(v reflect.Value) string {
		if v.String() == "" {
			return ""
		}
		return rule(v.String())
	}
}

func one(allowed ...string) fieldRule {
	return func(v reflect.Value) string {
		var names []string
		for _, a := range allowed {
			if v.String() == a {
				return ""
			}
			if a != "" {
				names = append(names, a)
			}
		}
		return strings.Join(names, " or ")
	}
}

// upTo is for numbers from 0.
func upTo(high int64) fieldRule {
	return func(v reflect.Value) string {
		if n := v.Int(); n < 0 || n > high {
			return fmt.Sprintf("a number from 0 to %d", high)
		}
		return ""
	}
}

func length(limit int) fieldRule {
	return func(v reflect.Value) string {
		if v.Len() > limit {
			return fmt.Sprintf("at most %d entries", limit)
		}
		return ""
	}
}

// free is for numbers that may have any value: epochs and transaction ids.
func free(reflect.Value) string { return "" }

// maybeID is a server's id, or none.
func maybeID(v reflect.Value) string {
	m, _ := v.Interface().(ensemble.MaybeID)
	if id, ok := m.Get(); ok {
		return serverID(reflect.ValueOf(id))
	}
	return ""
}

func serverID(v reflect.Value) string {
	return upTo(int64(ensemble.MaxID))(v)
}

// generation has ten digits at most, as the gate's script takes it.
func generation(v reflect.Value) string { return upTo(9999999999)(v) }

// instant is a time at which this program can have run: no clock is that wrong.
func instant(v reflect.Value) string {
	if t, ok := v.Interface().(time.Time); ok && !t.IsZero() && (t.Year() < 2000 || t.Year() > 2200) {
		return "a time between 2000 and 2200"
	}
	return ""
}
