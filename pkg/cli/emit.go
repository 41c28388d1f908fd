package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// secretMode is for what may hold passwords: a host's zoo.cfg, and JVM flags.
const secretMode = 0o600

// outFile is one file of the output directory.
type outFile struct {
	name string
	data []byte
	mode fs.FileMode
}

// write writes everything, or nothing where something cannot be made. kept are the files that
// were there, and since when.
func (e emission) write(dir string) (kept map[string]time.Time, err error) {
	files, err := e.files()
	if err != nil {
		return nil, err
	}
	return writeDir(dir, files)
}

// files lists what is written, with the names README.txt gives them.
func (e emission) files() ([]outFile, error) {
	var out []outFile
	for _, h := range e.plan.Hosts {
		host, err := e.hostFiles(h)
		if err != nil {
			return nil, err
		}
		out = append(out, host...)
	}
	dns, err := e.dnsFiles()
	if err != nil {
		return nil, err
	}
	out = append(out, dns...)
	connections, err := hostpatch.Connections(e.rec.Ensemble(), e.dns.Targets)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for _, c := range connections {
		with := map[ensemble.PortName]string{ensemble.PortSecureClient: " with TLS"}[c.Port]
		fmt.Fprintf(&text, "old%s: %s\nnew%s: %s\n", with, c.Before, with, c.After)
	}
	out = append(out, outFile{"connection-strings.txt", []byte(text.String()), 0o644})
	if len(e.jvm) > 0 {
		out = append(out, outFile{"jvm-flags.txt", jvmText(e.jvm), secretMode})
	}
	return append(out, outFile{"README.txt", append(append([]byte(nil), e.plan.Readme...), e.also()...), 0o644}), nil
}

func (e emission) hostFiles(h hostpatch.HostPatch) ([]outFile, error) {
	dir := hostpatch.PatchDir(h)
	var out []outFile
	add := func(name string, data []byte, mode fs.FileMode) {
		out = append(out, outFile{filepath.Join(dir, name), data, mode})
	}
	for _, file := range h.Files() {
		add(hostpatch.PatchName(file, false), file.Patch, secretMode)
		add(hostpatch.PatchName(file, true), file.Undo, secretMode)
		add(filepath.Base(file.Path)+".new", file.New, secretMode)
	}
	if len(h.Commands) > 0 {
		add("commands.txt", []byte(strings.Join(h.Commands, "\n")+"\n"), 0o644)
	}
	for _, host := range e.input.Hosts {
		if host.ID != h.ID {
			continue
		}
		srv, _ := e.input.Ensemble.Server(h.ID)
		scripts, err := hostpatch.Fence(hostpatch.FenceInput{Server: srv, Supervisor: e.input.Supervisor, Unit: host.Unit, Config: host.Config})
		if err != nil {
			return nil, err
		}
		add("fence.sh", scripts.Do, 0o755)
		add("unfence.sh", scripts.Undo, 0o755)
	}
	return out, nil
}

// dnsFiles are the records for the clients' step; without a name to move there
// is nothing to update.
func (e emission) dnsFiles() ([]outFile, error) {
	zone, err := hostpatch.ZoneFragment(e.dns)
	if err != nil {
		return nil, err
	}
	out := []outFile{{"dns/zone", zone, 0o644}}
	records, _, err := hostpatch.DNSRecords(e.dns)
	if err != nil || len(records) == 0 {
		return out, err
	}
	update, err := hostpatch.NSUpdate(e.dns)
	if err != nil {
		return nil, err
	}
	return append(out, outFile{"dns/nsupdate.txt", update.Do, 0o644}, outFile{"dns/nsupdate.undo.txt", update.Undo, 0o644}), nil
}

// also names what lies beside the patches.
func (e emission) also() []byte {
	var b bytes.Buffer
	b.WriteString("\nAlso here\n" +
		"  commands.txt            in each directory: the commands above, one a line\n" +
		"  fence.sh, unfence.sh    in each directory: keep a retired host's server from coming back, for the\n" +
		"                          time after its replacement; it renames and never deletes\n" +
		"  connection-strings.txt  what clients use now and what they get\n" +
		"  dns/                    the same by moving the hosts' names, for a zone file or nsupdate\n")
	if len(e.jvm) > 0 {
		b.WriteString("  jvm-flags.txt           the JVM flags of the hosts and what becomes of them in the pods\n")
	}
	return b.Bytes()
}

// jvmText lists the hosts' JVM flags: what to give to --jvm-flags first, then
// each with its reason, then what the hosts do not have alike.
func jvmText(lines map[string]hostpatch.CommandLine) []byte {
	var names []string
	for name := range lines {
		names = append(names, name)
	}
	sort.Strings(names)
	var b bytes.Buffer
	var carried []string
	seen := map[string]bool{}
	for _, name := range names {
		for _, fl := range lines[name].Flags {
			if fl.Action == hostpatch.FlagCarry && !seen[fl.Text] {
				seen[fl.Text] = true
				carried = append(carried, fl.Text)
			}
		}
	}
	fmt.Fprintf(&b, "--jvm-flags=%s\n", quote.Shell(strings.Join(carried, " ")))
	for _, name := range names {
		fmt.Fprintf(&b, "\n%s\n", name)
		for _, fl := range lines[name].Flags {
			fmt.Fprintf(&b, "  %-6s %s\n", fl.Action, fl.Text)
			if fl.Why != "" {
				fmt.Fprintf(&b, "         %s\n", fl.Why)
			}
		}
	}
	diffs := hostpatch.FlagDifferences(lines)
	var flags []string
	for flag := range diffs {
		flags = append(flags, flag)
	}
	sort.Strings(flags)
	if len(flags) > 0 {
		b.WriteString("\nNot alike on all hosts: choose one for all pods\n")
	}
	for _, flag := range flags {
		fmt.Fprintf(&b, "  %s: %s\n", flag, strings.Join(diffs[flag], ", "))
	}
	return b.Bytes()
}

// printPlan prints the patches. Where a program applies them, those that an earlier run has left
// as they are now are only named: nobody has to read them again.
func (f *reconfigureFlags) printPlan(rec migration.Record, e emission, kept map[string]time.Time) {
	out := f.deps.streams.Out
	var same []string
	var since time.Time
	for _, h := range e.plan.Hosts {
		if at, all := keptPatches(h, kept); all && f.said.Spec.Hosts.Hook != "" && !f.verbose {
			same, since = append(same, h.ID.String()), later(since, at)
			continue
		}
		fmt.Fprintf(out, "# server %d on host %s: %s\n", h.ID, h.Address, filepath.Join(f.dir, hostpatch.PatchDir(h), hostpatch.PatchName(h.FilePatch, false)))
		if h.Unchanged() {
			fmt.Fprintln(out, "# nothing to change")
		}
		for _, file := range h.Files() {
			fmt.Fprintf(out, "%s", file.Patch)
		}
	}
	if len(same) > 0 {
		fmt.Fprintf(f.deps.streams.ErrOut, "The patches of servers %s in %s have not changed since %s.\n", strings.Join(same, ", "), f.dir, since.Local().Format(time.DateTime))
	}
	switch {
	case e.unchanged():
		fmt.Fprintf(f.deps.streams.ErrOut, "\nEvery host's file has all of it already. Written to %s.\n", f.dir)
	case len(same) < len(e.plan.Hosts):
		fmt.Fprintf(f.deps.streams.ErrOut, "\nWritten to %s (README.txt has the commands). Restart one server at a time, in this order: %v%s.\n", f.dir, e.plan.Order, leaderText(e.input.Leader))
	}
	if f.said.Spec.Hosts.Hook == "" {
		fmt.Fprintf(f.deps.streams.ErrOut, "next: %s   (leave it running during the restarts)\n", f.deps.in(rec.Namespace).Ours("reconfigure %s --verify", rec.Name))
	}
}

// keptPatches reports whether a host has patches, and all of them were there already, and since
// when.
func keptPatches(h hostpatch.HostPatch, kept map[string]time.Time) (since time.Time, all bool) {
	for _, file := range h.Files() {
		at, there := kept[filepath.Join(hostpatch.PatchDir(h), hostpatch.PatchName(file, false))]
		if !there {
			return since, false
		}
		since = later(since, at)
	}
	return since, !h.Unchanged()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// unchanged reports whether no host needs a patch.
func (e emission) unchanged() bool {
	for _, h := range e.plan.Hosts {
		if !h.Unchanged() {
			return false
		}
	}
	return true
}

func leaderText(leader ensemble.MaybeID) string {
	if leader.IsZero() {
		return " (the leader last; nobody knew it just now)"
	}
	return " (leader last)"
}
