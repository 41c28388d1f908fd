package ensemble

import (
	"strings"
)

// Action is what becomes of a key in the pods' zoo.cfg.
type Action string

const (
	// Carry keeps the line as it is.
	Carry Action = "carry"
	// Map keeps the meaning with a value that fits the pod.
	Map Action = "map"
	// Drop leaves the line out.
	Drop Action = "drop"
	// Warn keeps the line and tells the operator about it.
	Warn Action = "warn"
)

// Kind is how a key's value is read.
type Kind string

const (
	// KindInt is a whole number QuorumPeerConfig parses itself: a server with
	// anything else there does not start.
	KindInt Kind = "int"
	// KindBool is true or false: before 3.7 anything else is silently false,
	// from 3.7 on it keeps the server from starting.
	KindBool Kind = "bool"
	// KindPath is a file or directory on the server's machine.
	KindPath Kind = "path"
	// KindFile is a file that the server reads, and that reaches the pods by a Secret or a
	// ConfigMap (FileRefs).
	KindFile Kind = "file"
	// KindBind is an address a socket is bound to.
	KindBind Kind = "address"
	// KindText is anything else.
	KindText Kind = "text"
)

// Key describes one key of zoo.cfg. A key QuorumPeerConfig does not know
// becomes the system property zookeeper.<key>, so the settings documented
// under such a property are keys too.
type Key struct {
	// Name is the key; with Prefix set, the keys that begin with it.
	Name   string
	Prefix bool
	// Since names the first release of each line that reads the key, as in
	// "3.4.10, 3.5.3"; the lines in between and after have it from their .0.
	Since  string
	Kind   Kind
	Action Action
	// PerHost keys may differ from host to host; all others must agree.
	PerHost bool
	// JVMOnly settings count as a plain system property alone: in zoo.cfg they
	// become zookeeper.<key>, which nothing reads.
	JVMOnly bool
	// Note says what we do and why, in one sentence for the docs table.
	Note string
}

// FindKey returns what is known about a key; false for an unknown one. Exact
// names go before prefixes, longer prefixes before shorter ones.
func FindKey(name string) (Key, bool) {
	best, found := Key{}, false
	for _, k := range Keys() {
		if k.Name == name && !k.Prefix {
			return k, true
		}
		if k.Prefix && strings.HasPrefix(name, k.Name) && len(k.Name) > len(best.Name) {
			best, found = k, true
		}
	}
	return best, found
}

// In reports whether a release reads the key; an unknown version reads all.
func (k Key) In(v Version) bool { return v.IsZero() || sinceHas(k.Since, v) }

// sinceHas evaluates a list such as "3.4.10, 3.5.3".
func sinceHas(since string, v Version) bool {
	earlier := false
	for _, s := range strings.Split(since, ",") {
		first, err := ParseVersion(s)
		if err != nil {
			return true
		}
		if first.Major == v.Major && first.Minor == v.Minor {
			return v.Compare(first) >= 0
		}
		earlier = earlier || first.Compare(v) < 0
	}
	return earlier
}

// Keys lists every key of ZooKeeper 3.4 to 3.9 the project has a rule for, in
// the order of the documentation table. Since was read from the sources of
// the release tags.
func Keys() []Key {
	var all []Key
	all = append(all, membershipKeys()...)
	all = append(all, listenKeys()...)
	all = append(all, timingKeys()...)
	all = append(all, dataKeys()...)
	all = append(all, quorumKeys()...)
	all = append(all, securityKeys()...)
	all = append(all, clientKeys()...)
	return append(all, operationKeys()...)
}
