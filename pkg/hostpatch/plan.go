// Package hostpatch writes what an operator does on the hosts: patches for
// the configuration files with their undo, commands, fences and DNS records.
// It never touches a host: everything is text.
package hostpatch

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manager"
)

// Host is one server on its old machine.
type Host struct {
	ID ensemble.ID
	// Address is the host's own address or name, for messages and commands.
	Address string
	// Unit is what the supervisor calls the server there; empty means its default.
	Unit string
	// Path is the zoo.cfg on the host as the operator names it; empty means
	// "zoo.cfg" in the current directory.
	Path   string
	Config *ensemble.Config
	// Next says that a zoo.cfg.dynamic.next lies beside the file: a
	// reconfiguration that has not ended.
	Next bool
	// Managers are the programs that the host's own report tells of.
	Managers []manager.Sign
}

// Input is what Reconfigure needs.
type Input struct {
	Ensemble ensemble.Ensemble
	// Version is the release all servers run; the zero Version where unknown.
	Version ensemble.Version
	// ServiceHosts is the address or name that goes into each server's line.
	ServiceHosts map[ensemble.ID]string
	// Hosts has one entry for each server.
	Hosts []Host
	// Leader is the leader of this moment; none where unknown.
	Leader ensemble.MaybeID
	// InPods are servers that run in their pods, or are on their way: nothing is
	// done on their hosts.
	InPods []ensemble.ID
	// Leave names changes that are left out, see Optional.
	Leave []string
	// InitLimit is the initLimit the size of the snapshot asks for, in ticks;
	// 0 where the present one will do.
	InitLimit int
	// Supervisor is what starts and stops servers; the zero value means systemd. Where they
	// run in containers, paths are the containers'.
	Supervisor Supervisor
}

// Change is one edit of one key and why it is made.
type Change struct {
	// Name is what the change is called in Leave.
	Name   string `json:"name"`
	Key    string `json:"key"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
	Reason string `json:"reason"`
}

// FilePatch is what happens to one file.
type FilePatch struct {
	// Path is the file on the host.
	Path string
	// Patch turns the file into New, Undo turns New back: unified diffs for
	// patch -p0 in the file's directory, empty where nothing changes.
	Patch, Undo []byte
	New         []byte
}

// HostPatch is what happens on one host.
type HostPatch struct {
	ID      ensemble.ID
	Address string
	// FilePatch is zoo.cfg.
	FilePatch
	// Dynamic is the dynamic file; nil where the host has none.
	Dynamic *FilePatch
	Changes []Change
	// Commands apply the patches and restart the server; none where nothing
	// changes. They expect the patches in ~/zkmigrate, see PatchDir.
	Commands []string
}

// Files returns the files of a host, zoo.cfg first.
func (h HostPatch) Files() []FilePatch {
	if h.Dynamic != nil {
		return []FilePatch{h.FilePatch, *h.Dynamic}
	}
	return []FilePatch{h.FilePatch}
}

// Unchanged reports whether the host has all it needs already.
func (h HostPatch) Unchanged() bool {
	for _, f := range h.Files() {
		if len(f.Patch) > 0 {
			return false
		}
	}
	return true
}

// Plan is the whole change: what happens on each host and in which order.
type Plan struct {
	Hosts []HostPatch
	// Order is the order of the restarts, see RestartOrder.
	Order []ensemble.ID
	// Readme explains it to whoever has the files in hand.
	Readme []byte
}

// Host returns the patch of one host.
func (p Plan) Host(id ensemble.ID) (HostPatch, bool) {
	for _, h := range p.Hosts {
		if h.ID == id {
			return h, true
		}
	}
	return HostPatch{}, false
}

// Reconfigure plans the one configuration change and rolling restart that
// lets servers find each other at their Services. All that needs a restart
// goes in together. It refuses hosts that are missing, given twice or do not
// agree, rather than to emit a patch that splits the ensemble.
func Reconfigure(in Input) (Plan, error) {
	if err := check(in); err != nil {
		return Plan{}, err
	}
	leave := map[string]bool{}
	for _, name := range in.Leave {
		leave[name] = true
	}
	var plan Plan
	for _, h := range in.Hosts {
		e := newEditor(in, h, leave)
		e.run()
		p := e.patch()
		var err error
		if p.Commands, err = commands(in.Supervisor, h.Unit, p); err != nil {
			return Plan{}, err
		}
		plan.Hosts = append(plan.Hosts, p)
	}
	sort.Slice(plan.Hosts, func(i, j int) bool { return plan.Hosts[i].ID < plan.Hosts[j].ID })
	if err := checkAgreement(in, plan); err != nil {
		return Plan{}, err
	}
	plan.Hosts = slices.DeleteFunc(plan.Hosts, func(h HostPatch) bool { return slices.Contains(in.InPods, h.ID) })
	plan.Order = slices.DeleteFunc(RestartOrder(in.Ensemble, in.Leader), func(id ensemble.ID) bool { return slices.Contains(in.InPods, id) })
	plan.Readme = readme(in, plan)
	return plan, nil
}

// RestartOrder is the order in which servers are restarted: followers first,
// ascending, then the leader, so that the one election this costs is the
// last thing that happens among the voters; each earlier place for the leader
// could make the next server to restart the new leader. Observers come after
// the voters: they have no vote, cost no election, and are not in the way
// while voters are away. With an unknown leader the voters are ascending
// and the caller has to look before each step.
func RestartOrder(e ensemble.Ensemble, leader ensemble.MaybeID) []ensemble.ID {
	var voters, last, others []ensemble.ID
	for _, id := range e.IDs() {
		s, _ := e.Server(id)
		switch {
		case leader.Is(id):
			last = append(last, id)
		case s.Role == ensemble.Observer:
			others = append(others, id)
		default:
			voters = append(voters, id)
		}
	}
	return append(append(voters, last...), others...)
}

// check refuses input that no safe plan can be made of.
func check(in Input) error {
	if len(in.Ensemble.Servers) == 0 {
		return fmt.Errorf("the ensemble %q has no servers", in.Ensemble.Name)
	}
	if err := checkLeave(in); err != nil {
		return err
	}
	for _, h := range in.Hosts {
		if in.Supervisor.IsEngine() && !path.IsAbs(pathOf(h)) {
			return fmt.Errorf("%s is not the path of zoo.cfg in its container: name it, as --path=/conf/zoo.cfg", pathOf(h))
		}
	}
	seen := map[ensemble.ID]bool{}
	for _, h := range in.Hosts {
		if h.Config == nil {
			return fmt.Errorf("server %s: its host's configuration was not given", h.ID)
		}
		if h.Next {
			return fmt.Errorf("server %s: %s.dynamic.next lies on its host: a reconfiguration has not ended, look at it first", h.ID, pathOf(h))
		}
		if _, ok := in.Ensemble.Server(h.ID); !ok {
			return fmt.Errorf("host %s: server %s is not in ensemble %q", h.Address, h.ID, in.Ensemble.Name)
		}
		if seen[h.ID] {
			return fmt.Errorf("server %s: two hosts were given", h.ID)
		}
		seen[h.ID] = true
		if got := (ensemble.Ensemble{Servers: h.Config.Servers}).IDs(); !slices.Equal(got, in.Ensemble.IDs()) {
			return fmt.Errorf("server %s: its file lists servers %v, the ensemble %q has %v", h.ID, got, in.Ensemble.Name, in.Ensemble.IDs())
		}
	}
	for _, id := range in.Ensemble.IDs() {
		if !seen[id] {
			return fmt.Errorf("server %s: its host's configuration was not given; every host's list must change", id)
		}
		if in.ServiceHosts[id] == "" {
			return fmt.Errorf("server %s has no Service address: wrap the ensemble first", id)
		}
	}
	if leader, known := in.Leader.Get(); known && !seen[leader] {
		return fmt.Errorf("leader %s is not in ensemble %q", leader, in.Ensemble.Name)
	}
	return nil
}

// checkAgreement reads the patched files again and refuses them where they
// still differ in what must be alike. It looks at the outcome, so a plan made again while some hosts are
// patched already is the same plan.
func checkAgreement(in Input, plan Plan) error {
	var files []ensemble.HostConfig
	for _, h := range plan.Hosts {
		var dynamic []byte
		if h.Dynamic != nil {
			dynamic = h.Dynamic.New
		}
		c, err := ensemble.ParseConfig(h.Path, h.New, dynamic)
		if err != nil {
			return fmt.Errorf("server %s: the patched file would not be read: %w", h.ID, err)
		}
		files = append(files, ensemble.HostConfig{ID: h.ID.Known(), Source: "server " + h.ID.String(), Config: c})
	}
	_, diffs, err := ensemble.FromHosts(in.Ensemble.Name, files)
	if err != nil {
		return err
	}
	if len(diffs) > 0 {
		return &DisagreeError{Differences: diffs}
	}
	return nil
}

// DisagreeError says that the hosts' files would differ after the patch in
// what must be alike.
type DisagreeError struct{ Differences []ensemble.Difference }

// Error lists the differences.
func (e *DisagreeError) Error() string {
	parts := make([]string, len(e.Differences))
	for i, d := range e.Differences {
		parts[i] = d.String() + " (" + d.Why + ")"
	}
	return "the hosts' files do not agree: " + strings.Join(parts, "; ")
}

func pathOf(h Host) string {
	if h.Path == "" {
		return "zoo.cfg"
	}
	return h.Path
}

// dynamicPath is where the dynamic file lies: relative names are relative to
// the directory the server was started in, which we take for zoo.cfg's.
func dynamicPath(h Host) string {
	name := h.Config.DynamicConfigFile
	if path.IsAbs(name) {
		return name
	}
	return path.Join(path.Dir(pathOf(h)), path.Base(name))
}

// filePatch compares two states of a file. The diff names the file without
// its directory: patch refuses absolute names, and the commands change into
// the directory first.
func filePatch(file string, before, after []byte) FilePatch {
	name := path.Base(file)
	return FilePatch{
		Path: file, New: after,
		Patch: UnifiedDiff(name, before, after), Undo: UnifiedDiff(name, after, before),
	}
}
