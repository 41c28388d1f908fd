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

// fieldRules has a rule for every field of the journal, by its path in the
// JSON; a list has one for its length and, after [], one for its elements. A
// field without a rule is refused, so that none is forgotten. Truth values need
// none.
func fieldRules() map[string]fieldRule {
	rules := map[string]fieldRule{
		"apiVersion":   one(RecordVersion),
		"kind":         one("Record", ""),
		"name":         text(strict.Name),
		"namespace":    text(strict.Namespace),
		"endpointsAPI": one("", string(EndpointSlices), string(LegacyEndpoints)),

		"settings.tickTimeMillis": upTo(int64(time.Hour / time.Millisecond)),
		"settings.initLimit":      upTo(1e6),
		"settings.syncLimit":      upTo(1e6),
		"settings.version":        optional(strict.Version),

		"pods.image":        optional(strict.Image),
		"pods.command":      length(64),
		"pods.command[]":    text(strict.Argument),
		"pods.storageClass": optional(strict.Object),
		"pods.storageSize":  optional(strict.Quantity),
		"pods.memory":       optional(strict.Quantity),
		"pods.cpu":          optional(strict.Quantity),
		"pods.jvmFlags":     optional(strict.JVMFlags),
		"pods.antiAffinity": one("", "required", "preferred"),
		"pods.runAsUser":    upTo(math.MaxInt32),
		"pods.template":     text(strict.Template),
		"pods.zooCfg":       text(strict.Config),
		"pods.filesSecret":  optional(strict.Object), "pods.filesConfigMap": optional(strict.Object), "pods.privateSecret": optional(strict.Object),
		"pods.own": length(maxServers), "pods.own[].id": serverID, "pods.own[].zooCfg": text(strict.Config),
		"pods.dynamicName": optional(strict.File),
		"pods.dynamic":     text(strict.Config),

		"pods.plainFiles.secret": optional(strict.Object),
		"pods.plainFiles.files":  length(maxFiles), "pods.plainFiles.files[].id": maybeID,
		"pods.plainFiles.files[].name": text(strict.File), "pods.plainFiles.files[].key": text(strict.File),
		"pods.plainFiles.files[].from": one(string(FromSecret), string(FromConfigMap), string(FromOurs)),

		"hosts.supervisor": one("", "systemd", "supervisord", "script", "docker", "podman"),
		"hosts.unit":       optional(strict.Unit),
		"hosts.own":        length(maxServers), "hosts.own[].id": serverID, "hosts.own[].unit": text(strict.Unit),
		"hosts.address":       one("", AddressIP, AddressDNS),
		"hosts.clusterDomain": optional(strict.Domain),

		"elections.atWrap":         free,
		"elections.atReconfigure":  free,
		"elections.atReconfigured": free,
		"elections.atReplace":      free,

		"finalized.at": instant,

		"waivers":         length(100),
		"waivers[].check": text(strict.Code),
		"waivers[].at":    instant,

		"audit":        length(2 * maxAudit),
		"audit[].at":   instant,
		"audit[].id":   maybeID,
		"audit[].step": optional(strict.Code),
	}
	// What may be put back is as hostile as what is there.
	for key, rule := range rules {
		if rest, ok := strings.CutPrefix(key, "pods."); ok {
			rules["podsBefore."+rest] = rule
		}
	}
	serverRules(rules)
	flightRules(rules)
	removalRules(rules)
	for _, path := range notes() {
		rules[path] = text(strict.Note)
	}
	return rules
}

// notes are somebody's words: they are shown, and nothing follows from them.
func notes() []string {
	out := []string{"waivers[].by", "waivers[].reason", "audit[].by", "audit[].detail", "flight.by", "removal.by", "flight.aborted", "flight.paths.tried[].why"}
	for _, c := range []string{"finalized", "servers[].reconfigured", "servers[].retired", "flight.fenced", "flight.unfenced", "flight.patched"} {
		out = append(out, c+".by", c+".how")
	}
	return out
}

// maxServers is more than any ensemble has.
const maxServers = 255

// maxFiles is more than all servers of an ensemble name.
const maxFiles = 1 << 12

func serverRules(rules map[string]fieldRule) {
	const s = "servers[]."
	port := upTo(65535)
	for path, rule := range map[string]fieldRule{
		"id": serverID, "role": one(string(ensemble.Participant), string(ensemble.Observer)),
		"host": text(strict.Host), "peerPort": port, "electionPort": port,
		"more": length(16), "more[].host": text(strict.Host), "more[].peerPort": port, "more[].electionPort": port,
		"clientAddress": optional(strict.Host), "clientPort": port,
		"secureClientPort": port, "observerMasterPort": port, "adminPort": port, "metricsPort": port,
		"weight": upTo(1e6), "group": upTo(1e6),
		"hostIP": text(strict.Address), "service": text(strict.Name), "serviceUID": optional(strict.UID), "clusterIP": optional(strict.Address),
		"ordinal": upTo(maxServers),
		"dataDir": optional(strict.Path), "dataLogDir": optional(strict.Path),
		"emitted.at": instant, "emitted.epoch": free, "emitted.digest": optional(strict.Code),
		"replaced": instant, "retired.at": instant,
	} {
		rules[s+path] = rule
	}
	rules["servers"] = length(maxServers)
	rules[s+"reconfigured.at"] = instant
	release(rules, s+"release")
}

func flightRules(rules map[string]fieldRule) {
	const f = "flight."
	for path, rule := range map[string]fieldRule{
		"kind": one(string(Replace), string(Revert), string(Reconfigure), string(Apply)), "id": serverID,
		"started": instant, "epoch": free, "gate": generation,
		"data": one("", string(DataEmpty), string(DataCopy)), "seed": optional(strict.Token), "seedAsked": instant,
		"renewing": instant, "renewals": upTo(1e6),
		"stopAsked": instant, "deadSince": instant, "deadReport.uid": optional(strict.UID), "deadReport.at": instant,
		"released": instant, "reportAtStop": instant, "podUID": optional(strict.UID), "reclaimed": instant,
		"unmasking": instant, "kicked": instant, "cleared": instant, "returning": instant,
	} {
		rules[f+path] = rule
	}
	for _, c := range []string{"fenced", "unfenced", "patched"} {
		rules[f+c+".at"] = instant
	}
	for _, p := range []string{"before", "after", "joined"} {
		rules[f+p+".zxid"] = free
		rules[f+p+".leader"] = maybeID
		rules[f+p+".at"] = instant
		rules[f+p+".held"] = length(maxServers)
		rules[f+p+".held[]"] = serverID
	}
	release(rules, f+"line")
	rules[f+"paths.at"], rules[f+"paths.podUID"], rules[f+"paths.tried"] = instant, optional(strict.UID), length(4*maxServers)
	const way = f + "paths.tried[]."
	rules[way+"from"], rules[way+"to"], rules[way+"port"] = serverID, serverID, upTo(65535)
	rules[way+"state"] = one("", string(vantage.PortOpen), string(vantage.PortClosed), string(vantage.PortSilent), string(vantage.PortUnreachable))
}

func removalRules(rules map[string]fieldRule) {
	const r = "removal."
	rules[r+"kind"], rules[r+"started"] = one(string(Unpark), string(Unwrap)), instant
	rules[r+"claims"], rules[r+"claims[].id"], rules[r+"claims[].uid"] = length(maxServers), serverID, text(strict.UID)
	rules[r+"assumed"], rules[r+"assumed[]"] = length(4*maxServers), text(strict.Code)
}

func release(rules map[string]fieldRule, path string) {
	rules[path+".generation"] = generation
	rules[path+".start"] = func(v reflect.Value) string { return strictStart(v.String()) }
}

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
