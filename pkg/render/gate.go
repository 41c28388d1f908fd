package render

import (
	"fmt"
	"net/netip"
	"sort"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Keys of the gate's ConfigMap. The map is read by pods of earlier releases alone,
// which take from it who they are: a gate that has one keeps it.
const (
	GateMapKey        = "map"
	GateReleasedKey   = "released"
	GateGenerationKey = "generation"
)

// GateMember is one line of the gate's map: which server a pod is, and which
// host must be down before it starts.
type GateMember struct {
	Ordinal      int
	ID           ensemble.ID
	HostIP       netip.Addr
	ClientPort   int
	ElectionPort int
}

// GateRelease is one line of the gate's released list.
type GateRelease struct {
	Ordinal int
	ID      ensemble.ID
	// Generation is that of the gate when the line was added. It is new for
	// every release, and stands for one proof that an empty start is safe.
	Generation int
	// Start is what the pod may start from in this generation.
	Start migration.GateStart
}

// GateData is what the gate's ConfigMap holds.
type GateData struct {
	// Generation counts every change.
	Generation int
	Released   []GateRelease
	// Members is the map of a gate from an earlier release, empty in any other.
	Members []GateMember
}

// Members is the map that pods of earlier releases want.
func Members(rec migration.Record) ([]GateMember, error) {
	var out []GateMember
	for _, s := range byID(rec) {
		host, err := HostAddr(s)
		if err != nil {
			return nil, err
		}
		port, _ := s.AskedPort()
		out = append(out, GateMember{Ordinal: s.Ordinal, ID: s.ID, HostIP: host, ClientPort: port, ElectionPort: s.ElectionPort})
	}
	return out, nil
}

// Gate renders the gate's ConfigMap.
func Gate(rec migration.Record, g GateData) *corev1.ConfigMap {
	cm := configMap(rec, GateName(rec.Name), RoleGate)
	cm.Data = g.Data()
	return cm
}

// Data is the content of the ConfigMap.
func (g GateData) Data() map[string]string {
	var members, released strings.Builder
	for _, m := range g.Members {
		fmt.Fprintf(&members, "%d %s %s %d %d\n", m.Ordinal, m.ID, m.HostIP, m.ClientPort, m.ElectionPort)
	}
	for _, r := range g.Released {
		fmt.Fprintf(&released, "%d %s %d %s\n", r.Ordinal, r.ID, r.Generation, r.Start)
	}
	out := map[string]string{
		GateReleasedKey:   released.String(),
		GateGenerationKey: strconv.Itoa(g.Generation) + "\n",
	}
	if len(g.Members) > 0 {
		out[GateMapKey] = members.String()
	}
	return out
}

// Open adds the line of a server and reports whether that changed anything.
func (g *GateData) Open(ordinal int, id ensemble.ID, start migration.GateStart) bool {
	for _, r := range g.Released {
		if r.Ordinal == ordinal && r.ID == id {
			return false
		}
	}
	g.Generation++
	g.Released = append(g.Released, GateRelease{Ordinal: ordinal, ID: id, Generation: g.Generation, Start: start})
	sort.Slice(g.Released, func(i, j int) bool { return g.Released[i].Ordinal < g.Released[j].Ordinal })
	return true
}

// Renew replaces the line of a server by one of a new generation if it is of
// the given one, and reports whether that changed anything.
func (g *GateData) Renew(ordinal int, id ensemble.ID, start migration.GateStart, generation int) bool {
	for i, r := range g.Released {
		if r.Ordinal == ordinal && r.ID == id && r.Generation == generation {
			g.Generation++
			g.Released[i].Generation, g.Released[i].Start = g.Generation, start
			return true
		}
	}
	return false
}

// Restore adds the line of a server as it was, and reports whether that changed
// anything.
func (g *GateData) Restore(ordinal int, id ensemble.ID, line migration.Release) bool {
	if !g.Open(ordinal, id, line.Start) {
		return false
	}
	for i := range g.Released {
		if g.Released[i].ID == id {
			g.Released[i].Generation = line.Generation
		}
	}
	g.Generation = max(g.Generation, line.Generation)
	return true
}

// Close removes the line of a server and reports whether that changed anything.
func (g *GateData) Close(ordinal int, id ensemble.ID) bool {
	kept := make([]GateRelease, 0, len(g.Released))
	for _, r := range g.Released {
		if r.Ordinal != ordinal && r.ID != id {
			kept = append(kept, r)
		}
	}
	if len(kept) == len(g.Released) {
		return false
	}
	g.Generation++
	g.Released = kept
	return true
}

// Release returns the line of a server.
func (g GateData) Release(id ensemble.ID) (GateRelease, bool) {
	for _, r := range g.Released {
		if r.ID == id {
			return r, true
		}
	}
	return GateRelease{}, false
}

// ParseGate reads the ConfigMap's content as strictly as the script does, and
// holds it against the record: anything odd is an error that names key and line,
// for a pod would refuse it too.
func ParseGate(data map[string]string, rec migration.Record) (GateData, error) {
	var g GateData
	for _, key := range []string{GateReleasedKey, GateGenerationKey} {
		if _, ok := data[key]; !ok {
			return g, fmt.Errorf("it has no key %q", key)
		}
	}
	for key := range data {
		if key != GateReleasedKey && key != GateGenerationKey && key != GateMapKey {
			return g, fmt.Errorf("it has a key %q, which no release of this tool writes", key)
		}
	}
	n, err := gateNumber(strings.TrimSpace(data[GateGenerationKey]))
	if err != nil {
		return g, fmt.Errorf("key %q: %w", GateGenerationKey, err)
	}
	g.Generation = n
	if text, ok := data[GateMapKey]; ok {
		if g.Members, err = parseMembers(text); err != nil {
			return GateData{}, err
		}
	}
	if g.Released, err = parseReleased(data[GateReleasedKey], rec); err != nil {
		return GateData{}, err
	}
	return g, nil
}

func parseMembers(text string) ([]GateMember, error) {
	var out []GateMember
	ordinals, ids := map[int]bool{}, map[int]bool{}
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 5 {
			return nil, fmt.Errorf("key \"map\", line %d: %q: expected ordinal, id, host, client port, election port", i+1, line)
		}
		n, err := gateNumbers(f[0], f[1], f[3], f[4])
		if err != nil {
			return nil, fmt.Errorf("key \"map\", line %d: %w", i+1, err)
		}
		host, err := netip.ParseAddr(f[2])
		if err != nil {
			return nil, fmt.Errorf("key \"map\", line %d: %q is not an IP address", i+1, f[2])
		}
		if ordinals[n[0]] || ids[n[1]] {
			return nil, fmt.Errorf("key \"map\", line %d: ordinal %d or id %d appears twice", i+1, n[0], n[1])
		}
		ordinals[n[0]], ids[n[1]] = true, true
		out = append(out, GateMember{Ordinal: n[0], ID: ensemble.ID(n[1]), HostIP: host, ClientPort: n[2], ElectionPort: n[3]})
	}
	return out, nil
}

func parseReleased(text string, rec migration.Record) ([]GateRelease, error) {
	var out []GateRelease
	for i, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) != 4 {
			return nil, fmt.Errorf("key \"released\", line %d: %q: expected ordinal, id, generation, start", i+1, line)
		}
		n, err := gateNumbers(f[:3]...)
		if err != nil {
			return nil, fmt.Errorf("key \"released\", line %d: %w", i+1, err)
		}
		r := GateRelease{Ordinal: n[0], ID: ensemble.ID(n[1]), Generation: n[2], Start: migration.GateStart(f[3])}
		if !validStart(r.Start) {
			return nil, fmt.Errorf("key \"released\", line %d: %q: expected empty:POD-UID or seed:TOKEN", i+1, f[3])
		}
		if s, ok := rec.Server(r.ID); !ok || s.Ordinal != r.Ordinal {
			return nil, fmt.Errorf("key \"released\", line %d: the journal has no server %s with ordinal %d", i+1, r.ID, r.Ordinal)
		}
		for _, o := range out {
			if o.Ordinal == r.Ordinal {
				return nil, fmt.Errorf("key \"released\", line %d: ordinal %d is released twice", i+1, r.Ordinal)
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// Letters of pods' uids and of seeds' tokens, as the script takes them.
const (
	seedLetters = "abcdefghijklmnopqrstuvwxyz0123456789"
	uidLetters  = seedLetters + "-"
)

func validStart(s migration.GateStart) bool {
	if uid, ok := strings.CutPrefix(string(s), "empty:"); ok {
		return wordOf(uid, uidLetters)
	}
	token, ok := strings.CutPrefix(string(s), "seed:")
	return ok && wordOf(token, seedLetters)
}

// wordOf reports whether s has at least one letter and only those.
func wordOf(s, letters string) bool { return s != "" && strings.Trim(s, letters) == "" }

func gateNumbers(texts ...string) ([]int, error) {
	out := make([]int, 0, len(texts))
	for _, t := range texts {
		n, err := gateNumber(t)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// gateNumber accepts what the script's pattern accepts: no sign, no leading
// zero, at most ten digits.
func gateNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || len(s) > 10 || strconv.Itoa(n) != s {
		return 0, fmt.Errorf("%q is not a whole number", s)
	}
	return n, nil
}

func configMap(rec migration.Record, name, role string) *corev1.ConfigMap {
	cm := &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: rec.Namespace, Labels: Labels(rec.Name)},
	}
	cm.Labels[RoleLabel] = role
	return cm
}
