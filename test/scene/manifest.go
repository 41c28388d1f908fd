package scene

import (
	"os"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// Declare writes down all that commands need in one manifest; from now on they get nothing
// else.
func (s *Scene) Declare() {
	s.T.Helper()
	e := manifest.Ensemble{
		APIVersion: manifest.APIVersion, Kind: manifest.Kind, Metadata: manifest.Metadata{Name: s.Name, Namespace: s.Name},
		Spec: manifest.Spec{
			Hosts: manifest.Hosts{Hook: s.Lab.HookCommand()},
			Pods:  labkit.PodsOf(s.Version, s.Name),
		},
	}
	for _, h := range s.Hosts {
		e.Spec.Servers = append(e.Spec.Servers, manifest.Server{ID: int64(h.ID), ZooCfg: h.ZooCfg})
	}
	text, err := manifest.Print(e)
	if err != nil {
		s.T.Fatal(err)
	}
	s.declared = s.File("zkmigrate.yaml")
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
