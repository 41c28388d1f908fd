//go:build e2e

package faults_test

import (
	"os"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestMain brings one lab up for all faults, with a node to spare and a machine
// for an operator who cannot see.
func TestMain(m *testing.M) { os.Exit(scene.Main(m, "--nodes", "4", "--clients", "2")) }

// TestFaults plays the list, one ensemble for each version and one with much
// data; a fault leaves it as it found it, or the next one brings it there.
func TestFaults(t *testing.T) {
	for _, version := range []string{faults.Unguarded, faults.Guarded} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			play(t, small(t, "f", version), func(f faults.Fault) bool { return f.Version == version && !f.Large && !f.Alone && !f.Sight })
		})
	}
	if testing.Short() {
		return
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

// TestFaultsOfSight plays those of the tool's own view, one after the other: the
// network of the operator's machine is one.
func TestFaultsOfSight(t *testing.T) {
	t.Run(faults.Guarded, func(t *testing.T) {
		play(t, wrapped(t, "sight", faults.Guarded), func(f faults.Fault) bool { return f.Sight })
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

// wrapped is the same, whose hosts are not restarted yet.
func wrapped(t *testing.T, name, version string) *scene.Scene {
	t.Helper()
	s := scene.New(t, name, version, []int{1, 2, 3}, "zoo-cfg-line=tickTime=1000")
	s.Wrap()
	s.StartLoad()
	s.StopLoad()
	return s
}

func play(t *testing.T, s *scene.Scene, mine func(faults.Fault) bool) {
	t.Helper()
	for _, f := range faults.All() {
		if mine(f) && f.Test == "" && (f.Core || !testing.Short()) {
			t.Run(f.Name, func(t *testing.T) { faults.Play(s.For(t), f) })
		}
	}
}
