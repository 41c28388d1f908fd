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

// TestMain brings one lab up for all faults.
func TestMain(m *testing.M) { os.Exit(scene.Main(m)) }

// TestFaults plays the list, one ensemble for each version; a fault leaves it as
// it found it, or the next one brings it there.
func TestFaults(t *testing.T) {
	var lab sync.RWMutex
	for _, version := range []string{faults.Unguarded, faults.Guarded} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			name := "f" + strings.ReplaceAll(version, ".", "")
			s := scene.New(t, name, version, []int{1, 2, 3}, "zoo-cfg-line=tickTime=1000")
			s.Ready()
			s.StopLoad()
			for _, f := range faults.All() {
				if f.Version == version {
					t.Run(f.Name, func(t *testing.T) { faults.Play(s.For(t), &lab, f) })
				}
			}
		})
	}
}
