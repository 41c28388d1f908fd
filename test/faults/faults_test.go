//go:build e2e

package faults_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestMain brings one lab up for all faults, with a node to spare.
func TestMain(m *testing.M) { os.Exit(scene.Main(m, "--nodes", "4")) }

// TestFaults plays the list, one ensemble for each version and one with much
// data; a fault leaves it as it found it, or the next one brings it there.
func TestFaults(t *testing.T) {
	var lab sync.RWMutex
	for _, version := range []string{faults.Unguarded, faults.Guarded} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			lab.RLock() // no fault of all the lab meanwhile
			name := "f" + strings.ReplaceAll(version, ".", "")
			s := scene.New(t, name, version, []int{1, 2, 3}, "zoo-cfg-line=tickTime=1000")
			s.Ready()
			s.StopLoad()
			lab.RUnlock()
			play(t, s, &lab, func(f faults.Fault) bool { return f.Version == version && !f.Large })
		})
	}
	t.Run("large", func(t *testing.T) {
		t.Parallel()
		lab.RLock()
		s := scene.New(t, "large", faults.Guarded, []int{1, 2, 3}, faults.LargeSpec()...)
		s.Znodes, s.Size = faults.LargeZnodes, faults.LargeSize
		s.Wrap(faults.LargePods()...)
		s.StartLoad()
		// It would raise initLimit.
		s.Reconfigure("--leave=init-limit")
		s.StopLoad()
		lab.RUnlock()
		play(t, s, &lab, func(f faults.Fault) bool { return f.Large })
	})
}

func play(t *testing.T, s *scene.Scene, lab *sync.RWMutex, mine func(faults.Fault) bool) {
	for _, f := range faults.All() {
		if mine(f) {
			t.Run(f.Name, func(t *testing.T) { faults.Play(s.For(t), lab, f) })
		}
	}
}
