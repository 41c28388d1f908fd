package hostpatch

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Supervisor is what starts and restarts servers on the hosts.
type Supervisor string

const (
	// Systemd runs the server as a unit. It is the default.
	Systemd Supervisor = "systemd"
	// Supervisord runs it as a program of supervisord.
	Supervisord Supervisor = "supervisord"
	// Script means ZooKeeper's own zkServer.sh and nothing that restarts it.
	Script Supervisor = "script"
	// Docker and Podman run it in a container of theirs.
	Docker Supervisor = "docker"
	Podman Supervisor = "podman"
)

// IsEngine reports whether servers run in containers; their paths are then the containers'.
func (s Supervisor) IsEngine() bool { return s == Docker || s == Podman }

const (
	// DefaultUnit is the unit or program of Debian's and most other packages.
	DefaultUnit = "zookeeper"
	// DefaultScript is where Debian's package has ZooKeeper's script.
	DefaultScript = "/usr/share/zookeeper/bin/zkServer.sh"
)

// ServiceCommands are the shell commands for one server process. Each is
// meant for root (or sudo) on the host.
type ServiceCommands struct {
	Stop, Start, Restart string
	// Mask makes sure that nothing starts a stopped server again, also not
	// after a reboot; Unmask takes that back.
	Mask, Unmask string
	// Hold is Mask for a server that runs and must go on running: a replacement
	// masks before it stops. StopHeld then stops it, and completes the mask
	// where that cannot be had before. Unhold takes both back and starts
	// nothing; StartHeld starts the server after it.
	Hold, StopHeld, Unhold, StartHeld string
	// Status shows whether the process runs.
	Status string
	// Notes are what to know before using them, by lines; none mostly.
	Notes []string
}

// CommandsFor returns the commands. unit is the name of the systemd unit, of the
// supervisord program or of the container (DefaultUnit when empty), or the path of
// zkServer.sh (DefaultScript when empty).
func CommandsFor(s Supervisor, unit string) (ServiceCommands, error) {
	if unit == "" {
		unit = DefaultUnit
	}
	q := quote.Shell(unit)
	switch s {
	case Systemd, "":
		mask, unmask := systemdMask(unit)
		return ServiceCommands{
			Stop: "systemctl stop " + q, Start: "systemctl start " + q, Restart: "systemctl restart " + q,
			Mask: mask, Unmask: unmask, Hold: mask, StopHeld: "systemctl stop " + q, Unhold: unmask, StartHeld: "systemctl start " + q,
			Status: "systemctl is-active " + q,
		}, nil
	case Supervisord:
		// supervisord has no mask: a program is out of reach only once its
		// section is gone from the configuration it has read.
		conf, off := quote.Shell(supervisordConf(unit)), quote.Shell(supervisordConf(unit)+".off")
		return ServiceCommands{
			Stop: "supervisorctl stop " + q, Start: "supervisorctl start " + q, Restart: "supervisorctl restart " + q,
			Mask:   "mv " + conf + " " + off + " && supervisorctl update " + q,
			Unmask: "mv " + off + " " + conf + " && supervisorctl reread && supervisorctl add " + q,
			// update stops what has no section any more and may start what has
			// one again: it comes with the stop and with the start.
			Hold: "mv " + conf + " " + off, StopHeld: "supervisorctl stop " + q + " && supervisorctl update " + q,
			Unhold: "mv " + off + " " + conf, StartHeld: "supervisorctl update " + q + "; supervisorctl status " + q + " | grep -q RUNNING || supervisorctl start " + q,
			Status: "supervisorctl status " + q,
			Notes:  []string{"between the first command and the stop nobody may run supervisorctl update: it would stop the server"},
		}, nil
	case Script:
		// Nothing starts the server but this script: without its execute bit
		// neither cron, rc.local nor a colleague can.
		path := q
		if unit == DefaultUnit {
			path = DefaultScript
		}
		return ServiceCommands{
			Stop: path + " stop", Start: path + " start", Restart: path + " restart",
			Mask: "chmod a-x " + path, Unmask: "chmod a+x " + path, Status: path + " status",
			Hold: "chmod a-x " + path, StopHeld: "bash " + path + " stop",
			Unhold: "chmod a+x " + path, StartHeld: path + " start",
			Notes: []string{"other servers on this machine that use the same script cannot be started while it is masked"},
		}, nil
	case Docker, Podman:
		return engineCommands(s, q), nil
	}
	return ServiceCommands{}, fmt.Errorf("supervisor %q is not known: use systemd, supervisord, script, docker or podman", s)
}

// systemdMask are the commands that mask a unit, and take that back. A unit whose file is in
// /etc/systemd/system, where configuration managers put it, is masked only once the file is away
// (systemctl: "already exists"), and a generated one (Quadlet) has nothing to disable.
func systemdMask(unit string) (mask, unmask string) {
	name := unit
	if !strings.HasSuffix(name, ".service") {
		name += ".service"
	}
	q, file, off := quote.Shell(unit), quote.Shell("/etc/systemd/system/"+name), quote.Shell("/etc/systemd/system/"+name+".zkmigrate-off")
	return "systemctl disable " + q + "; systemctl mask " + q + " || { mv " + file + " " + off + " && systemctl daemon-reload && systemctl mask " + q + "; }",
		"systemctl unmask " + q + "; [ ! -e " + off + " ] || { mv " + off + " " + file + " && systemctl daemon-reload; }; systemctl enable " + q
}

// supervisordConf is where Debian's supervisor has a program's section.
func supervisordConf(unit string) string { return "/etc/supervisor/conf.d/" + unit + ".conf" }
