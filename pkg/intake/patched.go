package intake

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Unpatched leaves out the differences that reconfigure itself may have made: a
// server's address, which is judged once the journal is known, and the settings
// that its patches change.
func (d Description) Unpatched() Description {
	own := patchedKeys()
	d.Differences = slices.DeleteFunc(slices.Clone(d.Differences), func(diff ensemble.Difference) bool {
		return diff.Names || slices.Contains(own, diff.Key)
	})
	return d
}

// patchedKeys are the settings that patches of hosts' files change.
func patchedKeys() []string {
	return []string{"quorumListenOnAllIPs", "clientPortAddress", "secureClientPortAddress", "4lw.commands.whitelist", "initLimit", "tcpKeepAlive", "cnxTimeout"}
}

// handedOut reports whether the pods' files were made from patched ones.
func handedOut(rec migration.Record) bool {
	return slices.ContainsFunc(rec.Servers, func(s migration.ServerRecord) bool { return s.Emitted != nil })
}

// keepPatched puts into a zoo.cfg of the pods what patches have brought into the one they
// had: a wrap with the hosts' old files must not take it back. One that says the same
// as the one they had is that one.
func keepPatched(had, now string) (string, error) {
	before, err := ensemble.ParseProperties("the recorded zoo.cfg", []byte(had))
	if err != nil {
		return now, err
	}
	after, err := ensemble.ParseProperties("zoo.cfg", []byte(now))
	if err != nil {
		return now, err
	}
	for _, key := range patchedKeys() {
		if value, ok := before.Get(key); ok {
			after.Set(key, value)
		}
	}
	if now = string(after.Bytes()); len(CfgChanges(had, now)) == 0 {
		return had, nil
	}
	return now, nil
}

// CfgChanges says which settings differ between two zoo.cfg of the pods, which have no
// secrets.
func CfgChanges(had, now string) []string {
	a, errA := ensemble.ParseProperties("zoo.cfg", []byte(had))
	b, errB := ensemble.ParseProperties("zoo.cfg", []byte(now))
	if errA != nil || errB != nil {
		return nil
	}
	keys := append(a.Keys(), b.Keys()...)
	slices.Sort(keys)
	var out []string
	for _, key := range slices.Compact(keys) {
		from, was := a.Get(key)
		to, is := b.Get(key)
		switch {
		case was && is && from != to:
			out = append(out, fmt.Sprintf("zoo.cfg: %s from %q to %q", key, from, to))
		case was && !is:
			out = append(out, fmt.Sprintf("zoo.cfg: without %s, which was %q", key, from))
		case is && !was:
			out = append(out, fmt.Sprintf("zoo.cfg: %s is now %q", key, to))
		}
	}
	return out
}

// refusePatched refuses files that disagree, but not for what reconfigure itself
// has put into some of them: a command that was killed between two hosts goes on
// with the files as they are now. What else the patches bring must be alike once
// all are patched, which hostpatch holds them to.
func refusePatched(diffs []ensemble.Difference, rec migration.Record) error {
	var errs []error
	for _, d := range diffs {
		if d.Names && !alikeBefore(d, rec) {
			errs = append(errs, errors.New(d.String()))
		}
	}
	if len(errs) > 0 {
		return usage(errors.Join(errs...))
	}
	return nil
}

// alikeBefore reports whether the files say the same of where a server is, apart
// from those that name its Service.
func alikeBefore(d ensemble.Difference, rec migration.Record) bool {
	i := slices.IndexFunc(rec.Servers, func(s migration.ServerRecord) bool { return d.Key == "server."+s.ID.String()+" address" })
	if i < 0 {
		return false
	}
	sr := rec.Servers[i]
	var left []string
	for _, v := range d.Values {
		if v.Value != strings.ToLower(sr.ClusterIP) && v.Value != strings.ToLower(rec.ServerHost(sr)) {
			left = append(left, v.Value)
		}
	}
	slices.Sort(left)
	return len(slices.Compact(left)) <= 1
}
