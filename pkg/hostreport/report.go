// Package hostreport reads what the host script has printed on a host: what it is,
// what it reaches and how its server is run. Whatever is not known is a value of its
// own. It is pure.
package hostreport

import (
	"slices"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Report is the answer of one host. An empty text, a nil pointer and a nil list
// mean that it is not known; an empty list means that there is nothing.
type Report struct {
	Kind   string `json:"kind"`
	Schema int    `json:"schema"`
	// Ensemble is the one that was asked about.
	Ensemble string `json:"ensemble"`
	// Asked is the digest of the questions (hostscript.Questions.Digest).
	Asked string `json:"asked"`
	// Time is when the script began, in seconds since 1970 UTC, by the host's clock.
	Time int64 `json:"time"`
	// Hostname is the name that the host gives itself.
	Hostname string `json:"hostname,omitempty"`
	// UID is the user that ran the script. What only root sees is unknown to others.
	UID *int64 `json:"uid"`
	// Container tells whether the script ran in a container: what it says of
	// processes, addresses and paths is then the container's.
	Container *bool `json:"container"`
	// Addresses are the host's own, 64 at most, without those that kube-proxy
	// gives it in IPVS mode.
	Addresses []string `json:"addresses"`
	// Listening are those of the ports asked about on which somebody listens.
	Listening []Listener `json:"listening"`
	// ZooKeeper are the servers that run, 16 at most, those in containers among them.
	ZooKeeper []Process `json:"zookeeper"`
	// Units are the systemd units of those servers, and the one asked about.
	Units []Unit `json:"units"`
	// Recorded is the container asked about; nil where none was, or its engine does not tell.
	Recorded   *Container `json:"recorded"`
	Kubernetes Kubernetes `json:"kubernetes"`
	Names      []Name     `json:"names"`
	Paths      []Path     `json:"paths"`
}

// Listener is a port on which somebody listens.
type Listener struct {
	Port int `json:"port"`
	// All: on all addresses of the host; otherwise on one of them.
	All *bool `json:"all"`
}

// Process is one ZooKeeper server that runs.
type Process struct {
	// Started is in seconds since 1970 UTC.
	Started   *int64 `json:"started"`
	Container *bool  `json:"container"`
	// Unit is the unit, or the scope of a session, that it runs in.
	Unit string `json:"unit,omitempty"`
	// In is the container that it runs in; nil where it runs in none, or none of an engine
	// that is asked.
	In *Container `json:"in"`
	// Config is the file that its command line names.
	Config string `json:"config,omitempty"`
	// Flags are those of its command line by which Java resolves names in another way
	// than the host.
	Flags []string `json:"flags"`
	// File is that file; nil when it could not be read.
	File *File `json:"file"`
	// DataDir and DataLogDir are as the file has them; one directory where it names
	// one.
	DataDir    string `json:"dataDir,omitempty"`
	DataLogDir string `json:"dataLogDir,omitempty"`
	// MyID is the first line of myid in DataDir.
	MyID *int64 `json:"myid"`
	// DataDirFree and DataLogDirFree are in bytes.
	DataDirFree    *int64 `json:"dataDirFree"`
	DataLogDirFree *int64 `json:"dataLogDirFree"`
}

// File is a zoo.cfg. None of its settings is here.
type File struct {
	// Target is its path with all symbolic links followed.
	Target  string `json:"target,omitempty"`
	Symlink *bool  `json:"symlink"`
	// Modified is in seconds since 1970 UTC.
	Modified *int64 `json:"modified"`
	// SHA256 is in hexadecimal digits.
	SHA256 string `json:"sha256,omitempty"`
	// Comments are the lines at its head, 5 at most: they often name the
	// configuration manager that writes it.
	Comments []string `json:"comments"`
}

// Unit is a systemd unit, in systemd's words.
type Unit struct {
	Name string `json:"name"`
	// Load is LoadState: loaded, masked, not-found.
	Load string `json:"load,omitempty"`
	// Enabled is UnitFileState: enabled, disabled, static, masked.
	Enabled string `json:"enabled,omitempty"`
	// Files are what the unit is made of, with drop-ins, 8 at most.
	Files []UnitFile `json:"files"`
}

// UnitFile is a unit's file, the file that a generated unit was made from, or a drop-in.
type UnitFile struct {
	Path string `json:"path"`
	// Comments are the lines at its head, 5 at most.
	Comments []string `json:"comments"`
}

// The engines that are asked about containers.
const (
	Docker = "docker"
	Podman = "podman"
)

// Container is one container of an engine on the host.
type Container struct {
	Engine string `json:"engine"`
	Name   string `json:"name,omitempty"`
	// Running is whether it runs now.
	Running *bool `json:"running"`
	// Restart is its restart policy, in the engine's words: no, always, unless-stopped,
	// on-failure.
	Restart string `json:"restart,omitempty"`
	Image   string `json:"image,omitempty"`
	// Compose is the directory of the compose project that made it, Unit the systemd unit that
	// runs it (podman); empty where none does.
	Compose string `json:"compose,omitempty"`
	Unit    string `json:"unit,omitempty"`
}

// Kubernetes is what of it is on the host.
type Kubernetes struct {
	// Processes are those of a fixed list that run: kube-proxy, kubelet and others.
	Processes []string `json:"processes"`
	// Rules tells whether the kernel holds kube-proxy's rules, of whichever mode. They
	// remain when kube-proxy is gone. Only root sees them all.
	Rules *bool `json:"rules"`
}

// What becomes of a name.
const (
	NameFound = "found"
	// NameNotFound: the name service has no address, or did not answer.
	NameNotFound = "not-found"
)

// Name is what a name means to the host, by getent, which asks as programs do.
type Name struct {
	Name      string   `json:"name"`
	Result    string   `json:"result,omitempty"`
	Addresses []string `json:"addresses"`
}

// Path is one connect.
type Path struct {
	Server ensemble.ID       `json:"server"`
	Via    vantage.Via       `json:"via"`
	Host   string            `json:"host"`
	Port   int               `json:"port"`
	Result vantage.PortState `json:"result,omitempty"`
	// Route is the first line of ip route get for the address, or its complaint, where the
	// connect was lost.
	Route string `json:"route,omitempty"`
	// SeenAs is the address under which ZooKeeper sees a connection from this host, where
	// it was asked and says so.
	SeenAs string `json:"seenAs,omitempty"`
	// Detail is why the result is not known.
	Detail string `json:"detail,omitempty"`
}

// At is when the script began, by the host's clock.
func (r Report) At() time.Time { return time.Unix(r.Time, 0).UTC() }

// Age is how old the report is; below zero where the host's clock is ahead.
func (r Report) Age(now time.Time) time.Duration { return now.Sub(r.At()) }

// Path is the connect to a target, if it was asked for.
func (r Report) Path(t vantage.Target) (Path, bool) {
	for _, p := range r.Paths {
		if p.Target() == t {
			return p, true
		}
	}
	return Path{}, false
}

// Target is what was tried.
func (p Path) Target() vantage.Target {
	return vantage.Target{Server: p.Server, Via: p.Via, Host: p.Host, Port: p.Port}
}

// Name is what a name means to the host, if it was asked for.
func (r Report) Name(name string) (Name, bool) {
	for _, n := range r.Names {
		if n.Name == name {
			return n, true
		}
	}
	return Name{}, false
}

// maxAddresses is how many of its own addresses a host tells.
const maxAddresses = 64

// Own reports whether the host has an address; nil when it is not known.
func (r Report) Own(address string) *bool {
	if slices.Contains(r.Addresses, address) {
		yes := true
		return &yes
	}
	if r.Addresses == nil || len(r.Addresses) >= maxAddresses {
		return nil
	}
	no := false
	return &no
}
