package intake

import (
	"fmt"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// HostFlags are the flags that say how servers are run on their hosts.
type HostFlags struct {
	// Values has every flag's value, given or not.
	Values migration.HostOptions
	// Given reports whether somebody has said what a flag says.
	Given func(flag string) bool
}

// Over writes what was given over options.
func (f HostFlags) Over(o migration.HostOptions) migration.HostOptions {
	return f.over(o, func(string) bool { return false })
}

// Keep writes what was given into a record, but for what stands in server lines once patches
// with those lines were handed out.
func (f HostFlags) Keep(rec *migration.Record) error {
	if f.Given == nil {
		return nil
	}
	if own, ok := f.Stranger(*rec); ok {
		return refused(fmt.Sprintf("the unit %s is for server %d, which the ensemble does not have", own.Unit, own.ID), "leave it out, or name another server")
	}
	was := *rec
	rec.Hosts = f.Over(was.Hosts)
	for _, s := range rec.Servers {
		if old, now := was.ServerHost(s), rec.ServerHost(s); old != now && slices.ContainsFunc(rec.Servers, func(s migration.ServerRecord) bool { return s.Emitted != nil }) {
			return refused(fmt.Sprintf("patches with the address %s for server %d were handed out, the input would have it %s", old, s.ID, now),
				"leave the address as it is, or run reconfigure with the new one, which hands out new patches")
		}
	}
	return nil
}

// Complete is Over, with defaults for what nobody has ever said.
func (f HostFlags) Complete(o migration.HostOptions) migration.HostOptions {
	return f.over(o, func(recorded string) bool { return recorded == "" })
}

func (f HostFlags) over(o migration.HostOptions, lacks func(recorded string) bool) migration.HostOptions {
	for _, c := range []struct {
		flag  string
		to    *string
		value string
	}{
		{"supervisor", &o.Supervisor, f.Values.Supervisor},
		{"address", &o.Address, f.Values.Address}, {"cluster-domain", &o.ClusterDomain, f.Values.ClusterDomain},
	} {
		if lacks(*c.to) || f.Given(c.flag) {
			*c.to = c.value
		}
	}
	if !f.Given("unit") {
		return o
	}
	if f.Values.Unit != "" || len(f.Values.Own) == 0 {
		// One name for all is in place of every other.
		o.Unit, o.Own = f.Values.Unit, nil
	}
	for _, own := range f.Values.Own {
		o.Own = append(slices.DeleteFunc(slices.Clone(o.Own), func(was migration.OwnUnit) bool { return was.ID == own.ID }), own)
	}
	return o
}

// Stranger is a name that was given for a server that the ensemble does not have.
func (f HostFlags) Stranger(rec migration.Record) (migration.OwnUnit, bool) {
	i := slices.IndexFunc(f.Values.Own, func(own migration.OwnUnit) bool { _, ok := rec.Server(own.ID); return !ok })
	if i < 0 {
		return migration.OwnUnit{}, false
	}
	return f.Values.Own[i], true
}
