package lab

import (
	"context"
	"fmt"
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/host"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/image"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// Status is what programs read; fields are only ever added.
type Status struct {
	Name            plan.Name       `json:"name"`
	Healthy         bool            `json:"healthy"`
	Reason          string          `json:"reason,omitempty"`
	APIServer       string          `json:"apiServer"`
	Kubeconfig      string          `json:"kubeconfig"`
	InLabKubeconfig string          `json:"inLabKubeconfig"`
	StateDir        string          `json:"stateDir"`
	Nodes           []state.Node    `json:"nodes"`
	Hosts           []HostStatus    `json:"hosts"`
	Clients         []state.Machine `json:"clients"`
	MemoryBytes     int64           `json:"memoryBytes"`
	Images          []string        `json:"images"`
}

// HostStatus is one ZooKeeper server on a host.
type HostStatus struct {
	Name         string `json:"name"` // ENSEMBLE/ID
	Ensemble     string `json:"ensemble"`
	Version      string `json:"version"`
	ID           int    `json:"id"`
	Observer     bool   `json:"observer,omitempty"`
	Address      string `json:"address"`
	Listed       string `json:"listed"`     // what the server lines call the host
	ClientPort   int    `json:"clientPort"` // 0 for none
	SecurePort   int    `json:"secureClientPort,omitempty"`
	QuorumPort   int    `json:"quorumPort"`
	ElectionPort int    `json:"electionPort"`
	DataDir      string `json:"dataDir"`
	ZooCfg       string `json:"zooCfg"`
	Log          string `json:"log"`
	// ClientFiles is the folder with what clients of a secured ensemble need.
	ClientFiles string `json:"clientFiles,omitempty"`
	Running     bool   `json:"running"`
	Masked      bool   `json:"masked"`
	PID         int    `json:"pid"`
	Restarts    int    `json:"restarts"`
	Error       string `json:"error,omitempty"`
}

// Look collects a lab's status.
func (l *Lab) Look(ctx context.Context) (Status, error) {
	s := Status{
		Name: l.Name, APIServer: l.Server(), StateDir: l.Path(),
		Kubeconfig: l.Kubeconfig("admin", false), InLabKubeconfig: l.Kubeconfig("admin", true),
		Nodes: l.Nodes, Clients: l.Clients, Hosts: []HostStatus{}, Images: []string{image.PauseName},
	}
	if s.Clients == nil {
		s.Clients = []state.Machine{}
	}
	if err := l.Healthy(ctx); err != nil {
		s.Reason = err.Error()
	}
	s.Healthy = s.Reason == ""
	for _, v := range slices.Sorted(slices.Values(l.Versions)) {
		s.Images = append(s.Images, image.Name(v))
	}
	for _, e := range l.Ensembles {
		for _, server := range e.Servers {
			s.Hosts = append(s.Hosts, l.lookAtHost(ctx, e.Spec, server))
		}
	}
	var err error
	s.MemoryBytes, err = sys.CgroupPSS(l.Name.Cgroup())
	return s, err
}

func (l *Lab) lookAtHost(ctx context.Context, spec ensemble.Spec, server ensemble.Server) HostStatus {
	daemon := serverDaemon(spec.Name, server.ID)
	h := HostStatus{
		Name: fmt.Sprintf("%s/%d", spec.Name, server.ID), Ensemble: spec.Name, Version: spec.Version, ID: server.ID, Observer: server.Observer,
		Address: server.Address, Listed: server.Listed, ClientPort: server.ClientPort, SecurePort: server.SecureClientPort, QuorumPort: server.QuorumPort, ElectionPort: server.ElectionPort,
		DataDir: server.DataDir(), ZooCfg: server.ZooCfg(), Log: l.Path("logs", daemon+".log"),
	}
	if spec.Secured() {
		h.ClientFiles = l.clientDir(spec.Name)
	}
	st, err := host.Ask(ctx, server.Dir, "status")
	if err != nil {
		h.Error = err.Error()
		return h
	}
	h.Running, h.Masked, h.PID, h.Restarts = st.Running, st.Masked, st.PID, st.Restarts
	return h
}
