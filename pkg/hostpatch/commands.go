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

// ServiceCommands are the shell commands for one server process. Each is
// meant for root (or sudo) on the host.
type ServiceCommands struct {
	Stop, Start, Restart string
	// Mask makes sure that nothing starts the server again, also not after a
	// reboot; Unmask takes that back. Neither starts or stops it.
	Mask, Unmask string
	// Status shows whether the process runs.
	Status string
}

// CommandsFor returns the commands; an empty unit means "zookeeper".
func CommandsFor(s Supervisor, unit string) (ServiceCommands, error) {
	if unit == "" {
		unit = "zookeeper"
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
		conf := shellQuote("/etc/supervisor/conf.d/" + unit + ".conf")
		off := shellQuote("/etc/supervisor/conf.d/" + unit + ".conf.off")
		return ServiceCommands{
			Stop: "supervisorctl stop " + q, Start: "supervisorctl start " + q, Restart: "supervisorctl restart " + q,
			Mask:   "mv " + conf + " " + off + " && supervisorctl update " + q,
			Unmask: "mv " + off + " " + conf + " && supervisorctl reread && supervisorctl add " + q,
			Status: "supervisorctl status " + q,
		}, nil
	case Script:
		bin := shellQuote(unit)
		if unit == "zookeeper" {
			bin = "zkServer.sh"
		}
		return ServiceCommands{
			Stop: bin + " stop", Start: bin + " start", Restart: bin + " restart",
			Mask:   "chmod a-x \"$(command -v " + bin + ")\"",
			Unmask: "chmod a+x " + bin,
			Status: bin + " status",
		}, nil
	}
	return ServiceCommands{}, fmt.Errorf("supervisor %q is not known: systemd, supervisord or script", s)
}

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
