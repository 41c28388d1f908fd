package hostpatch

import (
	"fmt"

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
)

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
	// Note is what to know before using them; empty mostly.
	Note string
}

// CommandsFor returns the commands. unit is the name of the systemd unit or
// supervisord program (DefaultUnit when empty), or the path of zkServer.sh
// (DefaultScript when empty).
func CommandsFor(s Supervisor, unit string) (ServiceCommands, error) {
	if unit == "" {
		unit = DefaultUnit
	}
	q := quote.Shell(unit)
	switch s {
	case Systemd, "":
		return ServiceCommands{
			Stop: "systemctl stop " + q, Start: "systemctl start " + q, Restart: "systemctl restart " + q,
			Mask: "systemctl disable " + q + " && systemctl mask " + q, Unmask: "systemctl unmask " + q + " && systemctl enable " + q,
			Hold: "systemctl disable " + q + " && systemctl mask " + q, StopHeld: "systemctl stop " + q,
			Unhold: "systemctl unmask " + q + " && systemctl enable " + q, StartHeld: "systemctl start " + q,
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
			Note:   "between the first command and the stop nobody may run supervisorctl update: it would stop the server",
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
			Note: "other servers on this machine that use the same script cannot be started while it is masked",
		}, nil
	}
	return ServiceCommands{}, fmt.Errorf("supervisor %q is not known: use systemd, supervisord or script", s)
}

// supervisordConf is where Debian's supervisor has a program's section.
func supervisordConf(unit string) string { return "/etc/supervisor/conf.d/" + unit + ".conf" }
