//go:build e2e

package faults_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/faults"
)

// TestSight is the long matrix that the rows of partial sight are a part of:
// each way of not seeing, at each server, for several times, and each server
// standing still for 3 to 60 s, in every phase of both directions. It runs
// outside of CI: make test-sight.
func TestSight(t *testing.T) {
	if os.Getenv("SIGHT") == "" {
		t.Skip("the long matrix runs on its own: make test-sight")
	}
	for _, version := range []string{faults.Unguarded, faults.Guarded} {
		t.Run(version, func(t *testing.T) {
			s := small(t, "m"+version[:1]+version[2:3], version)
			for _, m := range faults.Matrix() {
				t.Run(m.Name, func(t *testing.T) {
					began := time.Now()
					faults.PlayBothWays(s.For(t), m)
					fmt.Printf("sight  %s  %-28s %4.0f s\n", version, m.Name, time.Since(began).Seconds())
				})
			}
		})
	}
}
