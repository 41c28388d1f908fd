package hostpatch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// FenceSuffix is what the fence appends to the names of what it puts away.
const FenceSuffix = ".zkmigrate-fenced"

// FenceInput describes a retired host.
type FenceInput struct {
	// Server is the server as it is recorded.
	Server     ensemble.Server
	Supervisor Supervisor
	Unit       string
	// Config is the host's configuration: its directories, and ports that are not
	// recorded.
	Config *ensemble.Config
}

// Scripts is a shell script and the one that takes it back.
type Scripts struct{ Do, Undo []byte }

// Fence writes the script that keeps a stopped server from coming back while
// the pod has its id, three times over: the unit is masked, its myid and data
// are renamed (never deleted: until the end they are the way back), and a
// firewall rule rejects its ports. The renaming is inside the directories, so
// that mount points stay. The scripts can be run again at any time; they stop
// at anything they do not expect. The rule is gone after a reboot, the other
// two stay.
func Fence(in FenceInput) (Scripts, error) {
	cmd, err := CommandsFor(in.Supervisor, in.Unit)
	if err != nil {
		return Scripts{}, err
	}
	own, ok := in.Config.Server(in.Server.ID)
	if !ok {
		return Scripts{}, fmt.Errorf("server %s is not in its host's configuration %s", in.Server.ID, in.Config.Name)
	}
	f := fencing{FenceInput: in, cmd: cmd, ports: fencePorts(in.Server, own)}
	return Scripts{Do: f.do(), Undo: f.undo()}, nil
}

type fencing struct {
	FenceInput
	cmd   ServiceCommands
	ports []string
}

// fencePorts are the ports that a server listens on here, as it is recorded and as its own
// file has it.
func fencePorts(recorded, own ensemble.Server) []string {
	var out []string
	add := func(port int) {
		if text := fmt.Sprint(port); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	for _, p := range append(recorded.Ports(), own.Ports()...) {
		add(p.Number)
	}
	for _, a := range own.More {
		if own.Role != ensemble.Observer {
			add(a.PeerPort)
		}
		add(a.ElectionPort)
	}
	return out
}

// places lists what is renamed: myid (without it no server starts) and the
// data below each directory, as words of the script.
func (f fencing) places() []string {
	if f.Supervisor.IsEngine() {
		return []string{`${data:+"$data/myid"}`, `${data:+"$data/version-2"}`, `${log:+"$log/version-2"}`}
	}
	out := []string{f.Config.DataDir + "/myid", f.Config.DataDir + "/version-2"}
	if f.Config.DataLogDir != f.Config.DataDir {
		out = append(out, f.Config.DataLogDir+"/version-2")
	}
	for i := range out {
		out[i] = quote.Shell(strings.ReplaceAll(out[i], "//", "/"))
	}
	return out
}

// mounts finds a container's directories on its host, for places.
func (f fencing) mounts() string {
	if !f.Supervisor.IsEngine() {
		return ""
	}
	log := "''"
	if f.Config.DataLogDir != f.Config.DataDir {
		log = mountedFrom(f.Supervisor, f.Unit, f.Config.DataLogDir)
	}
	return "# The directories are the container's: where they are mounted from.\n" +
		"data=" + mountedFrom(f.Supervisor, f.Unit, f.Config.DataDir) + "\nlog=" + log + "\n" +
		`[ -n "$data" ] || say "the data is in the container and not renamed: the other two fences hold as long as nobody starts it"` + "\n" +
		`if [ -n "$data" ] && [ -d "$data/myid" ]; then rmdir -- "$data/myid"; fi` + "\n\n"
}

// block puts a directory in the place of a container's myid: entrypoints write a new one where
// there is none, and would start an empty server with the old id. None writes, nor reads, this.
func (f fencing) block() string {
	if !f.Supervisor.IsEngine() {
		return ""
	}
	return "# An entrypoint would write a new myid and start an empty server: not in the place of a directory.\n" +
		`if [ -n "$data" ] && [ -e "$data/myid` + FenceSuffix + `" ]; then mkdir -- "$data/myid"; fi` + "\n\n"
}

const fenceHead = `#!/bin/sh
# %s server %s on this host. Safe to run again.
set -eu

say() { echo "fence: $*"; }
die() { echo "fence: $*" >&2; exit 1; }

`

func (f fencing) do() []byte {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	fmt.Fprintf(&b, fenceHead, "Keeps", f.Server.ID)
	b.WriteString(f.mounts())
	w("# A server that runs must be stopped first, on purpose.")
	w("for port in %s; do", strings.Join(f.ports, " "))
	w(`  if ss -Hltn "( sport = :$port )" | grep -q .; then`)
	w(`    die "something still listens on port $port: run "%s" first"`, quote.Shell(" "+f.cmd.Stop+" "))
	w("  fi")
	w("done")
	w("")
	w("%s", f.mask(f.cmd.Mask, "masked"))
	w("")
	w("for place in %s; do", strings.Join(f.places(), " "))
	w(`  if [ -e "$place" ] && [ -e "$place%s" ]; then`, FenceSuffix)
	w(`    die "$place and $place%s both exist: a server has run here since the fence, look before you go on"`, FenceSuffix)
	w(`  elif [ -e "$place" ]; then`)
	w(`    mv -- "$place" "$place%s"`, FenceSuffix)
	w(`    say "renamed $place"`)
	w("  fi")
	w("done")
	w("")
	b.WriteString(f.block())
	w("if command -v nft >/dev/null; then")
	w("  nft list table inet %s >/dev/null 2>&1 || nft -f - <<'RULES'", f.table())
	w("table inet %s {", f.table())
	w("  chain input {")
	w("    type filter hook input priority -10; policy accept;")
	w("    tcp dport { %s } reject with tcp reset", strings.Join(f.ports, ", "))
	w("  }")
	w("}")
	w("RULES")
	w(`  say "ports %s are rejected"`, strings.Join(f.ports, " "))
	w("elif command -v iptables >/dev/null; then")
	w("  iptables -C %s 2>/dev/null || iptables -I %s", f.rule(), f.rule())
	w(`  say "ports %s are rejected"`, strings.Join(f.ports, " "))
	w("else")
	w(`  say "no nft and no iptables here: no firewall rule, the other two fences hold"`)
	w("fi")
	w(`say "server %s cannot come back on this host"`, f.Server.ID)
	return []byte(b.String())
}

func (f fencing) undo() []byte {
	var b strings.Builder
	w := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	fmt.Fprintf(&b, fenceHead, "Takes back the fence of", f.Server.ID)
	w("# Run it only when kubectl zkmigrate revert says so: once the pod has served, the data here is old,")
	w("# and an old server that comes back as if nothing had happened can cost acknowledged writes.")
	b.WriteString(f.mounts())
	w("for place in %s; do", strings.Join(f.places(), " "))
	w(`  if [ -e "$place" ] && [ -e "$place%s" ]; then`, FenceSuffix)
	w(`    die "$place and $place%s both exist: a server has run here since the fence, look before you go on"`, FenceSuffix)
	w("  fi")
	w("done")
	w("for place in %s; do", strings.Join(f.places(), " "))
	w(`  if [ -e "$place%s" ]; then`, FenceSuffix)
	w(`    mv -- "$place%s" "$place"`, FenceSuffix)
	w(`    say "renamed $place back"`)
	w("  fi")
	w("done")
	w("")
	w("if command -v nft >/dev/null; then")
	w("  if nft list table inet %s >/dev/null 2>&1; then nft delete table inet %s; fi", f.table(), f.table())
	w("elif command -v iptables >/dev/null; then")
	w("  if iptables -C %s 2>/dev/null; then iptables -D %s; fi", f.rule(), f.rule())
	w("fi")
	w("")
	w("%s", f.mask(f.cmd.Unmask, "unmasked"))
	w(`say "server %s may be started again; it is not started"`, f.Server.ID)
	return []byte(b.String())
}

// mask runs the supervisor's command unless that is done already. That of a container may fail,
// for it is the least of the three fences.
func (f fencing) mask(command, done string) string {
	unit := cmp.Or(f.Unit, DefaultUnit)
	check, instead := "true", ""
	switch f.Supervisor {
	case Supervisord:
		from := supervisordConf(unit)
		if done == "unmasked" {
			from += ".off"
		}
		check = "[ -e " + quote.Shell(from) + " ]"
	case Script:
	case Docker, Podman:
		check, command, instead = command, ":", "else\n  say \"not "+done+": the restart policy is as it was\"\n"
	default:
		if done == "masked" {
			check = `[ "$(systemctl is-enabled ` + quote.Shell(unit) + ` 2>/dev/null || true)" != masked ]`
		}
	}
	return "if " + check + "; then\n  " + command + "\n  say \"" + done + "\"\n" + instead + "fi"
}

func (f fencing) table() string { return "zkmigrate_fence_" + f.Server.ID.String() }

// rule is one iptables rule in the input chain.
func (f fencing) rule() string {
	return fmt.Sprintf("INPUT -p tcp -m multiport --dports %s -m comment --comment zkmigrate-fence-%s -j REJECT --reject-with tcp-reset",
		strings.Join(f.ports, ","), f.Server.ID)
}
