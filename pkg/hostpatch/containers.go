package hostpatch

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// engineCommands are those for a container; q is its name as a word of a shell. Its mask is its
// restart policy, which podman can change since 5.1. Before that the policy does no harm to a
// stopped container, but for always: podman-restart.service starts those at boot.
func engineCommands(s Supervisor, q string) ServiceCommands {
	engine := string(s)
	policy := engine + " inspect -f '{{.HostConfig.RestartPolicy.Name}}' " + q
	mask, unmask := engine+" update --restart=no "+q, engine+" update --restart=unless-stopped "+q
	notes := []string{
		"its policy until now: " + policy + "; the way back gives it unless-stopped",
		"A container has no mask: " + engine + " start and " + engine + " compose up start it all the same.",
		"Give its service profiles: [zkmigrate-held] in the compose file, which compose up then leaves out.",
	}
	if s == Podman {
		mask += " 2>/dev/null || " + policy + " | grep -qvx always"
		unmask += " 2>/dev/null || podman container exists " + q
		notes = append(notes,
			"Where the line fails, podman is older than 5.1 and cannot change the policy always, by which a boot starts it:",
			"systemctl disable podman-restart.service.",
			"A container that a unit runs (Quadlet) is held by that: --supervisor=systemd --unit=UNIT.")
	}
	return ServiceCommands{
		Stop: engine + " stop " + q, Start: engine + " start " + q, Restart: engine + " restart " + q,
		Mask: mask, Unmask: unmask, Hold: mask, StopHeld: engine + " stop " + q, Unhold: unmask, StartHeld: engine + " start " + q,
		Status: engine + " inspect -f '{{.State.Running}}' " + q,
		Notes:  notes,
	}
}

// mountedFrom is a word of a command: a path of the container as a path of its host, by the
// container's mounts; empty where nothing is mounted there.
func mountedFrom(s Supervisor, unit, file string) string {
	var b strings.Builder
	b.WriteString("{{range .Mounts}}")
	for dir := path.Clean(file); dir != "/" && dir != "."; dir = path.Dir(dir) {
		fmt.Fprintf(&b, "{{if eq .Destination %q}}{{.Source}}{{%q}}{{end}}", dir, strings.TrimPrefix(path.Clean(file), dir))
	}
	b.WriteString("{{end}}")
	return `"$(` + string(s) + " inspect -f " + quote.Shell(b.String()) + " " + quote.Shell(cmp.Or(unit, DefaultUnit)) + `)"`
}
