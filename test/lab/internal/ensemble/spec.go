// Package ensemble says what a ZooKeeper ensemble of the lab looks like: from
// the words on the command line to each server's zoo.cfg.
package ensemble

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Spec is what a person asks for.
type Spec struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	IDs          []int  `json:"ids"`
	Observers    []int  `json:"observers,omitempty"`
	ClientPort   int    `json:"clientPort"`
	QuorumPort   int    `json:"quorumPort"`
	ElectionPort int    `json:"electionPort"`
	SharedHost   bool   `json:"sharedHost,omitempty"`
	// Dynamic leaves the server list to the servers (3.5 and later).
	Dynamic bool `json:"dynamic,omitempty"`
	// HeapMiB is each host's Java heap.
	HeapMiB     int      `json:"heapMiB,omitempty"`
	ZooCfgLines []string `json:"zooCfgLines,omitempty"`
	// IPv6 has the servers use their hosts' IPv6 addresses, in a lab with both families.
	IPv6 bool `json:"ipv6,omitempty"`
	// Names lists the servers by their hosts' names, not their addresses.
	Names bool `json:"names,omitempty"`
	// TLS says which connections are encrypted; SANs are what else than the own
	// name and address stands in every server's certificate.
	TLS              []string `json:"tls,omitempty"`
	SANs             []string `json:"sans,omitempty"`
	SecureClientPort int      `json:"secureClientPort"`
	// SASL is how servers and clients authenticate; empty for not at all.
	SASL string `json:"sasl,omitempty"`
}

// hostHeapMiB is small, so that many hosts fit.
const hostHeapMiB = 128

// DefaultSpec is three servers of the version that is quickest to have.
func DefaultSpec(name string) Spec {
	return Spec{Name: name, Version: "3.8.0", IDs: []int{1, 2, 3}, ClientPort: 2181, QuorumPort: 2888, ElectionPort: 3888, SecureClientPort: 2281, HeapMiB: hostHeapMiB}
}

// Keys are the settings Parse takes, each with what it means.
func Keys() map[string]string {
	return map[string]string{
		"version":       "ZooKeeper version: 3.4.13, 3.8.0 or 3.9.3",
		"ids":           "the servers' ids, as 1:2:3",
		"observers":     "which of the ids are observers; an id not in ids is added",
		"client-port":   "client port",
		"quorum-port":   "quorum port",
		"election-port": "election port",
		"share-host":    "true puts all servers on one host, with ports counted up from the given ones",
		"dynamic":       "true lets the servers keep their list in a dynamic file (reconfigEnabled, not 3.4), and own their files",
		"ipv6":          "true has the servers use their hosts' IPv6 addresses, in a lab with both families",
		"heap":          "Java heap of each host in MiB, 128 where not given",
		"names":         "true lists the servers by name (NAME-ID.zklab.test), not by address",
		"tls":           "quorum, client (a secure client port beside the plain one) or client-only (no plain one), or quorum and one of these, as quorum:client; not 3.4",
		"san":           "one more name or address in every server's certificate; may be given again",
		"sasl":          "digest or kerberos: how servers and clients authenticate; kerberos sets names=true",
		"secure-port":   "secure client port",
		"zoo-cfg-line":  "one more line for every zoo.cfg, as key=value; may be given again",
	}
}

// Parse reads NAME,key=value,key=value.
func Parse(text string) (Spec, error) {
	parts := strings.Split(text, ",")
	spec := DefaultSpec(parts[0])
	for _, part := range parts[1:] {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return Spec{}, fmt.Errorf("ensemble %q: %q is no key=value; keys are %s", text, part, keyList())
		}
		if err := spec.Set(key, value); err != nil {
			return Spec{}, fmt.Errorf("ensemble %q: %w", text, err)
		}
	}
	if err := spec.Validate(); err != nil {
		return Spec{}, fmt.Errorf("ensemble %q: %w", text, err)
	}
	return spec, nil
}

// Set changes one setting by its key.
func (s *Spec) Set(key, value string) (err error) {
	switch key {
	case "version":
		s.Version = value
	case "ids":
		s.IDs, err = parseIDs(value)
	case "observers":
		s.Observers, err = parseIDs(value)
	case "client-port":
		s.ClientPort, err = parsePort(value)
	case "quorum-port":
		s.QuorumPort, err = parsePort(value)
	case "election-port":
		s.ElectionPort, err = parsePort(value)
	case "share-host":
		s.SharedHost, err = strconv.ParseBool(value)
	case "dynamic":
		s.Dynamic, err = strconv.ParseBool(value)
	case "heap":
		if s.HeapMiB, err = strconv.Atoi(value); err == nil && s.HeapMiB < hostHeapMiB {
			err = fmt.Errorf("want %d MiB at least", hostHeapMiB)
		}
	case "ipv6":
		s.IPv6, err = strconv.ParseBool(value)
	case "names":
		s.Names, err = strconv.ParseBool(value)
	case "tls":
		s.TLS = strings.Split(value, ":")
	case "san":
		s.SANs = append(s.SANs, value)
	case "sasl":
		s.SASL = value
	case "secure-port":
		s.SecureClientPort, err = parsePort(value)
	case "zoo-cfg-line":
		if !strings.Contains(value, "=") {
			return fmt.Errorf("zoo-cfg-line %q: want key=value", value)
		}
		s.ZooCfgLines = append(s.ZooCfgLines, value)
	default:
		return fmt.Errorf("no setting %q; settings are %s", key, keyList())
	}
	if err != nil {
		return fmt.Errorf("%s=%s: %w", key, value, err)
	}
	return nil
}

// Validate checks the whole and brings ids into one order.
func (s *Spec) Validate() error {
	if !regexp.MustCompile(`^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$`).MatchString(s.Name) {
		return fmt.Errorf("name %q: want 1 to 20 of a-z, 0-9 and -, starting with a letter", s.Name)
	}
	if !slices.Contains(Versions(), s.Version) {
		return fmt.Errorf("version %q: the lab has %s", s.Version, strings.Join(Versions(), ", "))
	}
	if s.Dynamic && strings.HasPrefix(s.Version, "3.4.") {
		return fmt.Errorf("dynamic=true: ZooKeeper %s has no dynamic configuration, 3.5 and later do", s.Version)
	}
	if err := s.validateTLS(); err != nil {
		return err
	}
	if !slices.Contains([]string{"", SASLDigest, SASLKerberos}, s.SASL) {
		return fmt.Errorf("sasl=%s: there are %s and %s", s.SASL, SASLDigest, SASLKerberos)
	}
	// A principal names a host.
	s.Names = s.Names || s.SASL == SASLKerberos
	if len(s.IDs) != len(unique(s.IDs)) || len(s.Observers) != len(unique(s.Observers)) {
		return fmt.Errorf("an id is given twice")
	}
	s.IDs = unique(append(slices.Clone(s.IDs), s.Observers...))
	if len(s.IDs) == len(s.Observers) {
		return fmt.Errorf("an ensemble needs a voter")
	}
	last := 0
	if s.SharedHost {
		last = len(s.IDs) - 1
	}
	ports := []int{s.ClientPort, s.QuorumPort, s.ElectionPort}
	if s.SecureClients() {
		ports = append(ports, s.SecureClientPort)
	}
	slices.Sort(ports)
	for i, p := range ports {
		if p+last > 65535 || (i > 0 && p <= ports[i-1]+last) {
			return fmt.Errorf("the ports %d clash or leave the range", ports)
		}
	}
	return nil
}

// Versions are the ZooKeeper versions the lab can build an image of.
func Versions() []string { return []string{"3.4.13", "3.8.0", "3.9.3"} }

func keyList() string { return strings.Join(slices.Sorted(maps.Keys(Keys())), ", ") }

func unique(ids []int) []int {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func parseIDs(value string) ([]int, error) {
	var ids []int
	for word := range strings.SplitSeq(value, ":") {
		id, err := strconv.Atoi(word)
		if err != nil || id < 0 || id > math.MaxUint32 {
			return nil, fmt.Errorf("id %q: want a number from 0 to %d", word, math.MaxUint32)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func parsePort(value string) (int, error) {
	port, err := strconv.Atoi(value)
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("want a port from 1 to 65535")
	}
	return port, nil
}
