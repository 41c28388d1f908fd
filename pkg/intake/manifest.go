package intake

import (
	"fmt"
	"reflect"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Manifest is what is recorded of an ensemble as an operator would declare it. The hosts'
// files are not recorded, so that servers are given by their addresses.
func Manifest(rec migration.Record) manifest.Ensemble {
	p := rec.Pods
	e := manifest.Ensemble{
		APIVersion: manifest.APIVersion, Kind: manifest.Kind, Metadata: manifest.Metadata{Name: rec.Name, Namespace: rec.Namespace},
		Spec: manifest.Spec{
			EndpointsAPI: string(rec.EndpointsAPI), Waive: rec.WaivedChecks(), Address: rec.Hosts.Address, ClusterDomain: rec.Hosts.ClusterDomain,
			Hosts: manifest.Hosts{Supervisor: rec.Hosts.Supervisor, Unit: units(rec.Hosts)},
			Pods: manifest.Pods{
				Image: p.Image, StorageClass: p.StorageClass, StorageSize: p.StorageSize, Memory: p.Memory, CPU: p.CPU, JVMFlags: p.JVMFlags,
				Files: manifest.Files{Secret: p.FilesSecret, ConfigMap: p.FilesConfigMap}, AntiAffinity: p.AntiAffinity, RunAsUser: p.RunAsUser,
			},
		},
	}
	for _, s := range rec.Servers {
		out := manifest.Server{ID: int64(s.ID), Host: s.HostIP, PeerPort: s.PeerPort, ElectionPort: s.ElectionPort, ClientPort: &s.ClientPort, SecureClientPort: s.SecureClientPort}
		if s.Role == ensemble.Observer {
			out.Role = string(s.Role)
		}
		e.Spec.Servers = append(e.Spec.Servers, out)
	}
	return e
}

// units are the supervisor's names for the servers, as they are given.
func units(o migration.HostOptions) (out []string) {
	if o.Unit != "" {
		out = append(out, o.Unit)
	}
	for _, own := range o.Own {
		out = append(out, fmt.Sprintf("%d=%s", own.ID, own.Unit))
	}
	return out
}

// DeclareFiles has a manifest name the hosts' files that were read, one for all hosts or
// each server's, if it can: what came out of a pipe it cannot.
func DeclareFiles(e *manifest.Ensemble, hosts []ensemble.HostConfig, named func(source string) bool) {
	var servers []manifest.Server
	for _, h := range hosts {
		id, known := h.ID.Get()
		if !named(h.Source) || !known && len(hosts) > 1 {
			return
		}
		servers = append(servers, manifest.Server{ID: int64(id), ZooCfg: h.Source})
	}
	switch len(servers) {
	case 0:
	case 1:
		e.Spec.Servers, e.Spec.ZooCfg = nil, servers[0].ZooCfg
	default:
		e.Spec.Servers = servers
	}
}

// Exposed are the ports of administrators that a record's Services have.
func Exposed(rec migration.Record) []string {
	var out []string
	for _, name := range ensemble.Exposable() {
		for _, s := range rec.Servers {
			if s.Port(name) != 0 {
				out = append(out, string(name))
				break
			}
		}
	}
	return out
}

// Undone are the fields of a manifest that say something else than is recorded, each with
// what is; taken reports which of them the command at hand takes over by itself.
func Undone(rec migration.Record, doc manifest.Document, taken func(flag string) bool) []string {
	var out []string
	is := Manifest(rec)
	for _, leaf := range manifest.Leaves("spec") {
		recorded := reflect.ValueOf(is.Pointer(leaf.Path)).Elem()
		if leaf.Flag == "" || leaf.Type == manifest.List || recorded.IsZero() || !doc.Has(leaf.Path) || taken(leaf.Flag) {
			continue
		}
		if said := reflect.ValueOf(doc.Pointer(leaf.Path)).Elem(); !said.Equal(recorded) {
			out = append(out, fmt.Sprintf("%s is %v, %v is recorded", doc.At(leaf.Path), said, recorded))
		}
	}
	return out
}
