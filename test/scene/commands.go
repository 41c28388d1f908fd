package scene

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// Status is what the tests read of status -o json.
type Status struct {
	Healthy  bool `json:"healthy"`
	Problems []struct {
		Class string `json:"class"`
		Text  string `json:"text"`
	} `json:"problems"`
	Next     string         `json:"next"`
	Leader   int            `json:"leader"`
	Epoch    uint32         `json:"epoch"`
	Replaced int            `json:"replaced"`
	Servers  []ServerStatus `json:"servers"`
}

// ServerStatus is one server in it.
type ServerStatus struct {
	ID        int    `json:"id"`
	Place     string `json:"place"`
	Phase     string `json:"phase"`
	Mode      string `json:"mode"`
	ClusterIP string `json:"clusterIP"`
	Pod       string `json:"pod"`
	Node      string `json:"node"`
}

// Status asks the tool.
func (s *Scene) Status() Status {
	s.T.Helper()
	var st Status
	if err := json.Unmarshal([]byte(s.Zkmigrate(0, "status", s.Name, "-o", "json").Stdout), &st); err != nil {
		s.T.Fatal(err)
	}
	return st
}

// Plan is what the tests read of plan -o json.
type Plan struct {
	Elections int `json:"elections"`
	Phases    []struct {
		Name    string `json:"name"`
		Servers []struct {
			ID        int    `json:"id"`
			Readiness string `json:"readiness"`
			Reason    string `json:"reason"`
		} `json:"servers"`
	} `json:"phases"`
	Advice []struct {
		Command string `json:"command"`
	} `json:"advice"`
}

// Order is that of the servers of a phase; every one of them must be ready.
func (p Plan) Order(phase string) (ids []int, err error) {
	for _, ph := range p.Phases {
		if ph.Name != phase {
			continue
		}
		for _, s := range ph.Servers {
			if s.Readiness != "ready" {
				return nil, fmt.Errorf("server %d is not ready: %s", s.ID, s.Reason)
			}
			ids = append(ids, s.ID)
		}
	}
	return ids, nil
}

// Plan asks the tool what would happen.
func (s *Scene) Plan() Plan {
	s.T.Helper()
	return s.plan(s.Name)
}

// PlanOfKept keeps one look in a file, and asks the tool what would happen by that file.
func (s *Scene) PlanOfKept() Plan {
	s.T.Helper()
	file := filepath.Join(s.T.TempDir(), "look.json")
	if err := os.WriteFile(file, []byte(s.Zkmigrate(0, "status", s.Name, "-o", "observation").Stdout), 0o600); err != nil {
		s.T.Fatal(err)
	}
	return s.plan("--from", file)
}

func (s *Scene) plan(args ...string) Plan {
	s.T.Helper()
	var p Plan
	if err := json.Unmarshal([]byte(s.Zkmigrate(0, append([]string{"plan", "-o", "json"}, args...)...).Stdout), &p); err != nil {
		s.T.Fatal(err)
	}
	return p
}

// NewConnection is the connection string of the Services.
func (s *Scene) NewConnection() string {
	s.T.Helper()
	var r struct {
		New string `json:"new"`
	}
	if err := json.Unmarshal([]byte(s.Zkmigrate(0, "clients", s.Name, "-o", "json").Stdout), &r); err != nil {
		s.T.Fatal(err)
	}
	return r.New
}

// Host is the host of a server.
func (s *Scene) Host(id int) labkit.Host {
	s.T.Helper()
	for _, h := range s.Hosts {
		if h.ID == id {
			return h
		}
	}
	s.T.Fatalf("no host of server %d", id)
	return labkit.Host{}
}

// OnHost does to a server's host what an operator or an init system does: stop,
// start, kill (its supervisor starts it again), mask, unmask.
func (s *Scene) OnHost(id int, verbs ...string) {
	s.T.Helper()
	for _, verb := range verbs {
		s.Must(s.Lab.Zklab(s.T.Context(), "host", verb, fmt.Sprintf("%s/%d", s.Name, id)))
	}
}

// Kubectl runs kubectl with all rights, which no operator has, in the ensemble's
// namespace; also to clear up, when the test's own context has ended.
func (s *Scene) Kubectl(args ...string) string {
	s.T.Helper()
	admin := *s.Lab
	admin.Kubeconfig = ""
	return s.Must(admin.OnClient(context.WithoutCancel(s.T.Context()), append([]string{"kubectl", "-n", s.Name}, args...)...)).Stdout
}
