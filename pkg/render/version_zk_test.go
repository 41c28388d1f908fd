//go:build zk

package render

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

// The real jars, in the folders of the official images and of Debian's: the gate
// says what a server of them says of itself.
//
//	go test -tags zk -run RealJars ./pkg/render
func TestGateTellsTheVersionOfRealJars(t *testing.T) {
	for _, version := range zkreal.Versions() {
		jars, err := zkreal.Fetch(t.Context(), version)
		if err != nil {
			t.Fatal(err)
		}
		for layout, lib := range map[string]string{"3.4": "release", "3.5 and later": "release/lib"} {
			t.Run(version+" "+layout, func(t *testing.T) {
				p := newPod(t)
				p.program("release/bin/zkServer.sh", "exec sleep 1000")
				p.mkdir(lib)
				files, err := filepath.Glob(filepath.Join(jars, "*.jar"))
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					if err := os.Symlink(f, filepath.Join(p.dir, lib, filepath.Base(f))); err != nil {
						t.Fatal(err)
					}
				}
				// The command is found by PATH, through a link, as in an image.
				if err := os.Remove(filepath.Join(p.dir, "zookeeper")); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("release/bin/zkServer.sh", filepath.Join(p.dir, "zookeeper")); err != nil {
					t.Fatal(err)
				}
				p.start()
				p.waitReport(version, func(r GateReport) bool {
					return r.State == migration.GateParked && r.Version.String() == version
				})
			})
		}
	}
}
