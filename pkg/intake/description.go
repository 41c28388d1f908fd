package intake

import (
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
)

// Description is what the operator's input says of an ensemble.
type Description struct {
	Ensemble ensemble.Ensemble
	// Hosts holds one configuration per file, Source as the operator named it.
	Hosts []ensemble.HostConfig
	// Config is the file the pods' zoo.cfg is derived from; nil for members.
	Config *ensemble.Config
	// Lint are findings about the files, for any version.
	Lint        []ensemble.Finding
	Differences []ensemble.Difference
	// Place is where a server was given that no file says anything of.
	Place func(ensemble.ID) ensemble.InputError
}

// FromFiles describes an ensemble by its hosts' files, of which there is at least
// one. Whose file each is stands in its ID, or is not known, see Identify. What
// keeps the files from being compared is a usage error.
func FromFiles(name string, files []ensemble.HostConfig, ask Lookup) (Description, error) {
	d := Description{Hosts: files}
	e, diffs, err := ensemble.FromHosts(name, files)
	if err != nil {
		return d, usage(err)
	}
	d.Ensemble, d.Differences, d.Config = e, settleNames(ask, diffs), files[0].Config
	d.Lint = d.LintBy(func(ensemble.HostConfig) ensemble.Version { return ensemble.Version{} })
	return d, nil
}

// FromMembers describes an ensemble by one flag per server, as
// ID=HOST:PEERPORT:ELECTIONPORT[:observer][;CLIENTPORT].
func FromMembers(name string, members []string) (Description, error) {
	var servers []ensemble.Server
	seen := map[ensemble.ID]bool{}
	for _, m := range members {
		s, err := ensemble.MemberFlag(m)
		if err != nil {
			return Description{}, usagef("--member: %w", err)
		}
		if seen[s.ID] {
			return Description{}, usagef("--member: server id %d is given twice", s.ID)
		}
		seen[s.ID] = true
		servers = append(servers, s)
	}
	return fromServers(name, servers, func(ensemble.ID) ensemble.InputError { return ensemble.InputError{File: "--member"} }), nil
}

// FromManifest describes an ensemble by the addresses of its servers, which a manifest has.
func FromManifest(name string, doc manifest.Document) Description {
	var servers []ensemble.Server
	lines := map[ensemble.ID]int{}
	for i, in := range doc.Spec.Servers {
		s := ensemble.Server{
			ID: ensemble.ID(in.ID), Role: ensemble.Role(in.Role), Weight: 1, ClientPort: ensemble.DefaultClientPort, SecureClientPort: in.SecureClientPort,
			PeerAddress: ensemble.PeerAddress{Host: in.Host, PeerPort: in.PeerPort, ElectionPort: in.ElectionPort},
		}
		if in.ClientPort != nil {
			s.ClientPort = *in.ClientPort
		}
		if s.Role == "" {
			s.Role = ensemble.Participant
		}
		lines[s.ID] = doc.Line(fmt.Sprintf("spec.servers[%d].host", i))
		servers = append(servers, s)
	}
	return fromServers(name, servers, func(id ensemble.ID) ensemble.InputError {
		return ensemble.InputError{File: doc.File, Line: lines[id]}
	})
}

func fromServers(name string, servers []ensemble.Server, place func(ensemble.ID) ensemble.InputError) Description {
	d := Description{Ensemble: ensemble.Ensemble{Name: name, Servers: servers}, Place: place}
	ensemble.SortServers(d.Ensemble.Servers)
	d.Lint = d.LintBy(func(ensemble.HostConfig) ensemble.Version { return ensemble.Version{} })
	return d
}

// Expose is the description with ports that are reachable only where somebody asks for it,
// as the hosts' files have them.
func (d Description) Expose(names []ensemble.PortName) (Description, error) {
	switch {
	case len(names) == 0:
		return d, nil
	case d.Config == nil:
		return d, usagef("--expose takes the ports from the hosts' files: name them with -f")
	}
	e, err := ensemble.Expose(d.Ensemble, d.Hosts, names)
	if err != nil {
		return d, usage(err)
	}
	d.Ensemble = e
	d.Lint = d.LintBy(func(ensemble.HostConfig) ensemble.Version { return ensemble.Version{} })
	return d, nil
}
