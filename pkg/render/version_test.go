package render

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// program writes one that the gate finds.
func (p *pod) program(name, text string) {
	p.t.Helper()
	p.mkdir(filepath.Dir(name))
	p.write(name, "#!/usr/bin/env bash\n"+text+"\n")
	if err := os.Chmod(filepath.Join(p.dir, name), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

// java stands for the image's, which prints text.
func (p *pod) java(text string) {
	p.t.Helper()
	p.program("bin/java", `[[ " $* " == *" org.apache.zookeeper.Version --full "* ]] && `+text)
	p.t.Setenv("PATH", filepath.Join(p.dir, "bin")+":"+os.Getenv("PATH"))
	p.t.Setenv("JAVA_HOME", "")
}

// TestGateTellsWhichZooKeeperTheImageHolds: in the words of the image's own class,
// or not at all.
func TestGateTellsWhichZooKeeperTheImageHolds(t *testing.T) {
	for name, tc := range map[string]struct {
		jars      []string
		java      string
		want, why string
	}{
		"beside the command":          {jars: []string{"zookeeper.jar"}, java: `echo '3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC'`, want: "3.8.0"},
		"in its lib":                  {jars: []string{"lib/zookeeper-3.4.13.jar", "lib/zookeeper-jute.jar"}, java: `echo '3.4.13-6--1, built on Sat, 28 Oct 2023'`, want: "3.4.13"},
		"a link to the same jar":      {jars: []string{"lib/zookeeper-3.9.3.jar", "lib/zookeeper.jar -> zookeeper-3.9.3.jar"}, java: `echo 3.9.3`, want: "3.9.3"},
		"two jars":                    {jars: []string{"lib/zookeeper-3.4.13.jar", "lib/zookeeper-3.8.0.jar"}, java: `echo 3.8.0`, want: "unknown", why: "several zookeeper jars"},
		"no jar":                      {java: `echo 3.8.0`, want: "unknown", why: "no zookeeper jar"},
		"a class that says something": {jars: []string{"zookeeper.jar"}, java: `echo Error: could not find or load main class`, want: "unknown", why: "could not ask"},
		"words that only begin so":    {jars: []string{"zookeeper.jar"}, java: `echo 3.8.0.1`, want: "3.8.0"},
		"a number without an end":     {jars: []string{"zookeeper.jar"}, java: `echo 3.8.0000000`, want: "unknown", why: "could not ask"},
		"java that was killed":        {jars: []string{"zookeeper.jar"}, java: `kill -KILL $$`, want: "unknown", why: "too little memory"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPod(t)
			p.java(tc.java)
			for _, jar := range tc.jars {
				file, target, link := strings.Cut(jar, " -> ")
				p.mkdir(filepath.Dir(file))
				if link {
					if err := os.Symlink(target, filepath.Join(p.dir, file)); err != nil {
						t.Fatal(err)
					}
					continue
				}
				p.write(file, "jar")
			}
			p.start()
			p.waitReport(tc.want, func(r GateReport) bool {
				return r.State == migration.GateParked && r.Version.String() == tc.want && strings.Contains(r.Detail, tc.why)
			})
		})
	}
}

// TestGateStartsNoOtherRelease: a replaced pod that was recreated from a changed
// template waits instead of joining with another ZooKeeper; one that does not
// tell is started, as an operator has waived that.
func TestGateStartsNoOtherRelease(t *testing.T) {
	p := newPod(t)
	p.java("echo 3.9.3")
	p.write("zookeeper.jar", "jar")
	t.Setenv("ZKMIGRATE_VERSION", "3.8.0")
	p.hostDown()
	p.release()
	p.start()
	p.waitReport("a refusal", func(r GateReport) bool {
		return r.State == migration.GateRefused && strings.Contains(r.Detail, "holds ZooKeeper 3.9.3, and this pod is made for 3.8.0")
	})
	if p.exists("volume/data") {
		t.Error("the volume was touched")
	}
	p.kill()
	p.java("echo 3.8.0")
	p.start()
	p.waitZooKeeper()
	p.joined()
	p.kill()
	p.java("exit 1")
	p.start()
	p.waitZooKeeper()
}
