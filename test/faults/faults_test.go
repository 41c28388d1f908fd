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
	// No fault of all the lab while an ensemble is made.
	setUp := func(f func()) {
		lab.RLock()
		defer lab.RUnlock()
		f()
	}
	for _, version := range []string{faults.Unguarded, faults.Guarded} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			var s *scene.Scene
			setUp(func() {
				name := "f" + strings.ReplaceAll(version, ".", "")
				s = scene.New(t, name, version, []int{1, 2, 3}, "zoo-cfg-line=tickTime=1000")
				s.Ready()
				s.StopLoad()
			})
			play(t, s, &lab, func(f faults.Fault) bool { return f.Version == version && !f.Large })
		})
	}
	t.Run("large", func(t *testing.T) {
		t.Parallel()
		var s *scene.Scene
		setUp(func() {
			s = scene.New(t, "large", faults.Guarded, []int{1, 2, 3}, faults.LargeSpec()...)
			s.Znodes, s.Size = faults.LargeZnodes, faults.LargeSize
			s.Wrap(faults.LargePods()...)
			s.StartLoad()
			// Hosts that have missed much would need all of it within initLimit.
			s.StopLoad()
			s.Reconfigure("--leave=init-limit")
		})
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
