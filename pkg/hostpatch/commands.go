package hostpatch

import "fmt"

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
	// Mask makes sure that nothing starts the server again, also not after a
	// reboot; Unmask takes that back. Neither starts or stops it.
	Mask, Unmask string
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
	q := shellQuote(unit)
	switch s {
	case Systemd, "":
		return ServiceCommands{
			Stop: "systemctl stop " + q, Start: "systemctl start " + q, Restart: "systemctl restart " + q,
			Mask: "systemctl disable " + q + " && systemctl mask " + q, Unmask: "systemctl unmask " + q + " && systemctl enable " + q,
			Status: "systemctl is-active " + q,
		}, nil
	case Supervisord:
		// supervisord has no mask: a program is out of reach only once its
		// section is gone from the configuration it has read.
		conf, off := shellQuote(supervisordConf(unit)), shellQuote(supervisordConf(unit)+".off")
		return ServiceCommands{
			Stop: "supervisorctl stop " + q, Start: "supervisorctl start " + q, Restart: "supervisorctl restart " + q,
			Mask:   "mv " + conf + " " + off + " && supervisorctl update " + q,
			Unmask: "mv " + off + " " + conf + " && supervisorctl reread && supervisorctl add " + q,
			Status: "supervisorctl status " + q,
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
			Note: "other servers on this machine that use the same script cannot be started while it is masked",
		}, nil
	}
	return ServiceCommands{}, fmt.Errorf("supervisor %q is not known: systemd, supervisord or script", s)
}

// supervisordConf is where Debian's supervisor has a program's section.
func supervisordConf(unit string) string { return "/etc/supervisor/conf.d/" + unit + ".conf" }

// shellQuote quotes a word for sh where it needs it.
func shellQuote(s string) string {
	safe := s != ""
	for _, r := range s {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		switch r {
		case '_', '-', '.', '/', ':', '@', '%', '+', ',':
			ok = true
		}
		safe = safe && ok
	}
	if safe {
		return s
	}
	out := "'"
	for _, r := range s {
		if r == '\'' {
			out += `'\''`
			continue
		}
		out += string(r)
	}
	return out + "'"
}
