package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/control"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// Exec replaces this process by a command on a machine of the lab.
func (l *Lab) Exec(machine string, argv []string) error {
	place, err := l.placeOf(machine)
	if err != nil {
		return err
	}
	// The lab's own kubectl comes first: it has the cluster's version.
	env := append(os.Environ(), "PATH="+filepath.Dir(l.Program("kubectl"))+":"+os.Getenv("PATH"))
	if os.Getenv("KUBECONFIG") == "" {
		env = append(env, "KUBECONFIG="+l.Kubeconfig("admin", true))
	}
	if os.Getenv("ZKLAB_NAME") == "" {
		env = append(env, "ZKLAB_NAME="+string(l.Name))
	}
	return place.Exec(argv, env)
}

func (l *Lab) placeOf(machine string) (sys.Place, error) {
	names := []string{plan.ControlPlaneMachine}
	for _, n := range l.Nodes {
		if n.Name == machine {
			place, err := control.NodePlace(l.Lab, n)
			place.Cgroup = l.Name.Cgroup("exec")
			return place, err
		}
		names = append(names, n.Name)
	}
	place := l.Place(machine)
	// Ends with the lab, too.
	place.Cgroup = l.Name.Cgroup("exec")
	if machine == plan.ControlPlaneMachine {
		return place, nil
	}
	for _, c := range l.Clients {
		if c.Name == machine {
			return place, nil
		}
		names = append(names, c.Name)
	}
	if strings.Contains(machine, "/") {
		_, server, err := l.Host(machine)
		if err != nil {
			return sys.Place{}, err
		}
		place.Net = l.Name.NamespacePath(server.Machine)
		return place, nil
	}
	return sys.Place{}, fmt.Errorf("no machine %q in lab %s; there are %s, and hosts as ENSEMBLE/ID", machine, l.Name, strings.Join(names, ", "))
}
