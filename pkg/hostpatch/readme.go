package hostpatch

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// PatchDir is the directory a host's files have in what is handed to the
// operator, as the README's commands expect it. An IPv6 address has dashes in place of
// its colons: scp takes what stands before a colon for a host.
func PatchDir(h HostPatch) string {
	return fmt.Sprintf("%s-%s", h.ID, strings.ReplaceAll(h.Address, ":", "-"))
}

// PatchName is the name of a patch in that directory: zoo.cfg.patch or
// zoo.cfg.undo.patch.
func PatchName(f FilePatch, undo bool) string {
	suffix := ".patch"
	if undo {
		suffix = ".undo.patch"
	}
	return path.Base(f.Path) + suffix
}

// readme writes the order, the commands and what to look at.
func readme(in Input, plan Plan) []byte {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }

	w("Configuration change for the ZooKeeper ensemble %q (version %s)", in.Ensemble.Name, in.Version)
	w("")
	for _, line := range in.releaseWarning() {
		w("%s", line)
	}
	w("Copy each server's directory to its host, as ~/zkmigrate/%s and so on: the commands below expect it there.", patchDirExample(plan))
	w("One server at a time, in this order: %s.", ensemble.JoinIDs(plan.Order))
	if len(in.InPods) > 0 {
		w("Not on the hosts of %s: they run in their pods, and one started on its host would be a second with its id.", ensemble.JoinIDs(in.InPods))
	}
	switch {
	case !in.Leader.IsZero():
		w("Server %s led when this was written. The leader comes last among the voters: each restart of a", in.Leader)
		w("leader is an election. Ask each server with srvr before you go on; if the leader has changed,")
		w("take the new leader last.")
	default:
		w("Nobody knew the leader when this was written. Ask each server with srvr and take the leader last")
		w("among the voters: each restart of a leader is an election.")
	}
	w("Go on to the next server only when the one before answers srvr as follower or leader (observer for")
	w("an observer) and a write succeeds. kubectl zkmigrate reconfigure --verify looks at both.")
	w("Run the lines of a host in one shell, as root, and stop at the first that fails. patch keeps the file's owner and mode,")
	w("and follows links. Where cp says that the file system is read-only, the file comes from an image or a mount: change it")
	w("there; where it says that the operation is not permitted, look at lsattr FILE (chattr -i FILE takes an i away).")
	w("")
	b.WriteString(managersSection(in))
	b.WriteString(firewallSection(in, plan))
	w("What changes and why")
	for _, c := range summary(plan) {
		w("  %-18s %s", c.Name, strings.Join(c.keys, ", "))
		w("  %-18s %s", "", c.Reason)
	}
	w("")
	w("Each of these can be left out by name. Nothing else in the files is touched.")
	for _, id := range plan.Order {
		h, _ := plan.Host(id)
		b.WriteString(hostSection(in, h))
	}
	if hasDynamic(plan) {
		b.WriteString(dynamicSection(in))
	}
	return []byte(b.String())
}

type summaryLine struct {
	Change
	keys []string
}

// summary joins the changes of all hosts by name, in the order they are made.
func summary(plan Plan) []summaryLine {
	var out []summaryLine
	for _, info := range Catalogue() {
		line := summaryLine{Change: Change{Name: info.Name, Reason: info.Reason}}
		seen := map[string]bool{}
		for _, h := range plan.Hosts {
			for _, c := range h.Changes {
				if c.Name != info.Name || seen[c.Key+"="+c.New] {
					continue
				}
				seen[c.Key+"="+c.New] = true
				what := c.Key + "=" + c.New
				if c.New == "" {
					what = c.Key + " removed"
				}
				line.keys = append(line.keys, what)
			}
		}
		if len(line.keys) > 0 {
			out = append(out, line)
		}
	}
	return out
}

func hostSection(in Input, h HostPatch) string {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w("")
	w("Server %s on %s", h.ID, h.Address)
	if h.Unchanged() {
		w("  its files have all of this already; restart it only if it has not been restarted since")
		return b.String()
	}
	for _, command := range h.Commands {
		w("  %s", command)
	}
	srv, _ := in.Ensemble.Server(h.ID)
	w("  then: echo srvr | nc %s %d     (Mode must be follower, leader or observer)", h.Address, srv.ClientPort)
	w("        ss -ltn '( sport = :%d )'    (must show 0.0.0.0, * or [::], not one address)", srv.ElectionPort)
	w("  back: the same with %s, and restart", undoNames(h))
	if address := in.loopback(h.ID); address != "" {
		w("  its client port is bound to %s, and stays so: pods and the Service reach it only by what forwards to it on this", address)
		w("  host. If nothing does, bind it to %s, which opens it to everybody who reaches that address.", h.Address)
	}
	return b.String()
}

// loopback is the loopback address that a host's client port is bound to, or empty.
func (in Input) loopback(id ensemble.ID) string {
	for _, h := range in.Hosts {
		own, _ := h.Config.Server(id)
		address := own.ClientAddress
		if !h.Config.HasClientPart(id) {
			address = h.Config.ClientPortAddress
		}
		if h.ID == id && ensemble.Loopback(address) {
			return address
		}
	}
	return ""
}

// commands are the shell commands of one host, in order; the restart is the
// last of them. There are none where nothing changes.
func commands(s Supervisor, unit string, h HostPatch) ([]string, error) {
	cmd, err := CommandsFor(s, unit)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range h.Files() {
		if len(f.Patch) == 0 {
			continue
		}
		patch := "~/" + quote.Shell("zkmigrate/"+PatchDir(h)+"/"+PatchName(f, false))
		find, put := located(s, unit, h, f)
		out = append(out, find...)
		out = append(out,
			`cp -pn "$file" "$file".before-zkmigrate`,
			`patch --dry-run --forward "$file" < `+patch, // all of it or nothing
			`patch "$file" < `+patch)
		out = append(out, put...)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return append(out, cmd.Restart), nil
}

// located are the commands that set file to where a file really is, for patch replaces a file and
// not what a link leads to, and those that put it back where it was copied from. A container's file
// is mounted from the host, or is its own.
func located(s Supervisor, unit string, h HostPatch, f FilePatch) (find, put []string) {
	if !s.IsEngine() {
		return []string{"file=$(readlink -f " + quote.Shell(f.Path) + ")"}, nil
	}
	copied := "~/" + quote.Shell("zkmigrate/"+PatchDir(h)+"/"+path.Base(f.Path))
	inside := quote.Shell(cmp.Or(unit, DefaultUnit) + ":" + f.Path)
	return []string{
			"file=" + mountedFrom(s, unit, f.Path),
			fmt.Sprintf(`if [ -n "$file" ]; then file=$(readlink -f "$file"); else file=%s && %s cp -a %s "$file"; fi`, copied, s, inside),
		}, []string{
			fmt.Sprintf(`[ "$file" != %s ] || %s cp -a "$file" %s`, copied, s, inside),
		}
}

func undoNames(h HostPatch) string {
	var names []string
	for _, f := range h.Files() {
		if len(f.Undo) > 0 {
			names = append(names, PatchName(f, true))
		}
	}
	return strings.Join(names, " and ")
}

func patchDirExample(plan Plan) string {
	if len(plan.Hosts) == 0 {
		return ""
	}
	return PatchDir(plan.Hosts[0])
}

// releaseWarning is for releases whose leaders stop committing once the list
// of addresses has changed under them (ZOOKEEPER-3829 and its family): the
// restart of the last server ends in an ensemble that answers and writes
// nothing.
func (in Input) releaseWarning() []string {
	v := in.Version
	bad := v.Minor == 5 && !v.AtLeast(3, 5, 9) || v.Minor == 6 && !v.AtLeast(3, 6, 2)
	if v.IsZero() || !bad || v.Major != 3 {
		return nil
	}
	for _, h := range in.Hosts {
		if h.Config.ReconfigEnabled && h.Config.Dynamic != nil {
			return nil
		}
	}
	return []string{
		"DO NOT restart servers one by one with this change on " + v.String() + ": after the last restart the leader commits nothing",
		"(ZOOKEEPER-3829). First roll the release to 3.5.9 or 3.6.2 or later with unchanged files; or restart all servers",
		"at once, which is an outage of some seconds.",
		"",
	}
}

func hasDynamic(plan Plan) bool {
	for _, h := range plan.Hosts {
		if h.Dynamic != nil {
			return true
		}
	}
	return false
}

func dynamicSection(in Input) string {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	w("")
	w("Dynamic configuration")
	w("  The server list is in the dynamic file and stays there; its name carries the version, keep it.")
	w("  Nobody may run reconfig until every server has been restarted. Instead of patching the dynamic")
	w("  files you can patch zoo.cfg alone, restart all servers, and then run in zkCli.sh, as a user who")
	w("  may write /zookeeper/config (one line a server, the leader's last):")
	for _, id := range RestartOrder(in.Ensemble, in.Leader) {
		for _, h := range in.Hosts {
			if h.ID == id {
				w("    reconfig -add server.%s=%s", id, h.Config.PeerLineAt(id, in.ServiceHosts[id]))
			}
		}
	}
	return b.String()
}
