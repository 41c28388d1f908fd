//go:build e2e

package faults_test

import (
	"os"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestMain brings one lab up for all faults, with a node to spare.
func TestMain(m *testing.M) { os.Exit(scene.Main(m, "--nodes", "4")) }

// TestFaults plays the list, one ensemble for each version and one with much
// data; a fault leaves it as it found it, or the next one brings it there.
func TestFaults(t *testing.T) {
	for _, version := range []string{faults.Unguarded, faults.Guarded} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			play(t, small(t, "f", version), func(f faults.Fault) bool { return f.Version == version && !f.Large && !f.Alone })
		})
	}
	t.Run("large", func(t *testing.T) {
		t.Parallel()
		s := scene.New(t, "large", faults.Guarded, []int{1, 2, 3}, faults.LargeSpec()...)
		s.Znodes, s.Size = faults.LargeZnodes, faults.LargeSize
		s.Wrap(faults.LargePods()...)
		s.StartLoad()
		// Hosts that have missed much would need all of it within initLimit.
		s.StopLoad()
		s.Reconfigure("--leave=init-limit")
		play(t, s, func(f faults.Fault) bool { return f.Large })
	})
}

// TestFaultsOfTheLab plays those from which all of the lab suffers, one after
// the other.
func TestFaultsOfTheLab(t *testing.T) {
	for _, version := range []string{faults.Unguarded, faults.Guarded} {
		t.Run(version, func(t *testing.T) {
			play(t, small(t, "lab", version), func(f faults.Fault) bool { return f.Version == version && f.Alone })
		})
	}
}

// small is an ensemble of three with little data, ready to be replaced.
func small(t *testing.T, name, version string) *scene.Scene {
	t.Helper()
	s := scene.New(t, name+strings.ReplaceAll(version, ".", ""), version, []int{1, 2, 3}, "zoo-cfg-line=tickTime=1000")
	s.Ready()
	s.StopLoad()
	return s
}

func play(t *testing.T, s *scene.Scene, mine func(faults.Fault) bool) {
	t.Helper()
	for _, f := range faults.All() {
		if mine(f) {
			t.Run(f.Name, func(t *testing.T) { faults.Play(s.For(t), f) })
		}
	}
}
