package scene

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// nodes is how many a lab has.
const nodes = 3

// Declare writes down all that commands need in one manifest; from now on they get nothing
// else.
func (s *Scene) Declare() {
	s.T.Helper()
	s.declare(s.Lab.Dir, manifest.Hosts{Hook: s.Lab.HookCommand()}, func(h labkit.Host) string { return h.ZooCfg })
}

// DeclareIn writes a manifest without a hook into a folder, with copies of the hosts' files,
// as an operator keeps them: the folder can be taken elsewhere.
func (s *Scene) DeclareIn(dir string) {
	s.T.Helper()
	s.declare(dir, manifest.Hosts{}, func(h labkit.Host) string {
		name := fmt.Sprintf("%d.cfg", h.ID)
		text, err := os.ReadFile(h.ZooCfg)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			s.T.Fatal(err)
		}
		return name
	})
}

func (s *Scene) declare(dir string, hosts manifest.Hosts, zooCfg func(labkit.Host) string) {
	s.T.Helper()
	e := manifest.Ensemble{
		APIVersion: manifest.APIVersion, Kind: manifest.Kind, Metadata: manifest.Metadata{Name: s.Name, Namespace: s.Name},
		Spec: manifest.Spec{Hosts: hosts, Pods: labkit.PodsOf(s.Version, s.Name)},
	}
	if len(s.IDs) > nodes {
		e.Spec.Pods.AntiAffinity = "preferred"
	}
	for _, h := range s.Hosts {
		e.Spec.Servers = append(e.Spec.Servers, manifest.Server{ID: int64(h.ID), ZooCfg: zooCfg(h)})
	}
	text, err := manifest.Print(e)
	if err != nil {
		s.T.Fatal(err)
	}
	s.declared = filepath.Join(dir, "zkmigrate.yaml")
	if err := os.WriteFile(s.declared, text, 0o600); err != nil {
		s.T.Fatal(err)
	}
}

// told are the arguments that a command needs besides its own: the ensemble's name and
// flags, or the manifest.
func (s *Scene) told(command string, flags ...string) []string {
	if s.declared != "" {
		return []string{command, "-f", s.declared}
	}
	return append([]string{command, s.Name}, flags...)
}
