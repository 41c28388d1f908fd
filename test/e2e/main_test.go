//go:build e2e || containers

package e2e

import (
	"os"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestMain brings one lab up for all tests; ensembles come and go with each.
func TestMain(m *testing.M) { os.Exit(scene.Main(m)) }
