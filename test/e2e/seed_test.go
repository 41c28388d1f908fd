//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// hostFiles are what lies in version-2 of a server's host, podFiles the same of
// its pod.
func hostFiles(s *scene.Scene, id int) []string {
	s.T.Helper()
	list, err := os.ReadDir(filepath.Join(dataDir(s, id), "version-2"))
	if err != nil {
		s.T.Fatal(err)
	}
	var out []string
	for _, f := range list {
		out = append(out, f.Name())
	}
	return out
}

func podFiles(s *scene.Scene, pod string) []string {
	s.T.Helper()
	return strings.Fields(s.Kubectl("exec", pod, "--", "sh", "-c", "cd /zookeeper && ls -d *; ls data/version-2"))
}

// dataDir is what the host's zoo.cfg says.
func dataDir(s *scene.Scene, id int) string {
	s.T.Helper()
	data, err := os.ReadFile(s.Host(id).ZooCfg)
	if err != nil {
		s.T.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if dir, ok := strings.CutPrefix(line, "dataDir="); ok {
			return strings.TrimSpace(dir)
		}
	}
	s.T.Fatalf("no dataDir in %s", s.Host(id).ZooCfg)
	return ""
}

// hasCopy wants the host's old files in the pod, and nothing of the transport.
func hasCopy(s *scene.Scene, id int, pod string, before []string) {
	s.T.Helper()
	in := podFiles(s, pod)
	list := " " + strings.Join(in, " ") + " "
	for _, f := range before {
		if !strings.Contains(list, " "+f+" ") {
			s.T.Errorf("server %d: the pod does not have the host's %s: %v", id, f, in)
		}
	}
	if strings.Contains(list, " seed-") {
		s.T.Errorf("server %d: the copy left something behind: %v", id, in)
	}
}

// snapshots has the hosts write one now and then, as all do after a while, and
// small logs. A young server on 3.4 may have none, and a log that does not begin
// with the first epoch where that saw no write: its copy is refused.
func snapshots() []string {
	return []string{"zoo-cfg-line=snapCount=300", "zoo-cfg-line=preAllocSize=64"}
}

// snapshotsWritten waits until each host has one of a tree that somebody has
// written to.
func snapshotsWritten(s *scene.Scene) {
	s.T.Helper()
	for _, id := range s.IDs {
		scene.Eventually(s.T, fmt.Sprintf("server %d has a snapshot", id), func() error {
			for _, f := range hostFiles(s, id) {
				if strings.HasPrefix(f, "snapshot.") && f != "snapshot.0" {
					return nil
				}
			}
			return errors.New("none")
		})
	}
}

// TestDataCopy is the whole migration with copied data, and there and back
// once more, by the hook.
func TestDataCopy(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "copy", "3.4.13", []int{2, 5, 9}, snapshots()...)
	s.Ready()
	snapshotsWritten(s)
	before := s.Status()
	held := map[int][]string{}
	for _, id := range s.IDs {
		held[id] = hostFiles(s, id)
	}
	verdict := s.WatchSlices()
	s.Replace(0, "--all", "--data=copy")
	after := s.Status()
	if !after.Healthy || after.Replaced != 3 || after.Epoch-before.Epoch != 1 {
		t.Errorf("after the replacements: %+v (epoch before %d)", after, before.Epoch)
	}
	for _, srv := range after.Servers {
		hasCopy(s, srv.ID, srv.Pod, held[srv.ID])
	}
	s.Revert(2)
	s.Replace(0, "--id=2", "--data=copy")
	verdict()
	if st := s.Status(); !st.Healthy || st.Replaced != 3 {
		t.Errorf("at the end: %+v", st)
	}
	s.NothingLost()
}

// fakeSSH makes the lab's way into a host look like ssh, and returns the
// folder for PATH.
func fakeSSH(s *scene.Scene) string {
	s.T.Helper()
	dir := s.File("bin")
	script := "#!/bin/sh\ncase $1 in\n"
	for _, h := range s.Hosts {
		script += fmt.Sprintf("%s) name=%s/%d ;;\n", h.Address, s.Name, h.ID)
	}
	script += "*) echo \"no host $1\" >&2; exit 255 ;;\nesac\nshift\nexec zklab exec \"$name\" -- sh -c \"$*\"\n"
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "ssh"), []byte(script), 0o755)); err != nil {
		s.T.Fatal(err)
	}
	return dir
}

// TestDataCopyByHand: the line that is printed is run as it stands; what is no
// copy made after the stop is refused, and the replace goes on waiting.
func TestDataCopyByHand(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "byhand", "3.4.13", []int{1, 2, 3}, snapshots()...)
	s.Ready()
	snapshotsWritten(s)
	ctx := t.Context()
	bin := fakeSSH(s)
	shell := func(code int, line string) labkit.Result {
		t.Helper()
		r, err := s.Lab.OnClient(ctx, "sh", "-c", "PATH="+bin+":$PATH; "+line)
		if err != nil || r.Code != code {
			t.Fatalf("%s: exit code %d (%v), want %d\n%s%s", line, r.Code, err, code, r.Stdout, r.Stderr)
		}
		return r
	}
	id := scene.But(s.IDs, s.Status().Leader)[0]
	seed := fmt.Sprintf("kubectl zkmigrate seed %s --id=%d -n %s", s.Name, id, s.Name)
	for _, early := range []string{"no replacement of server"} {
		if r := shell(3, "true | "+seed); !strings.Contains(r.Stderr, early) {
			t.Errorf("refused otherwise: %s", r.Stderr)
		}
	}
	// A hot copy, made while the server runs.
	hot := s.File("hot")
	shell(0, "cp -r "+dataDir(s, id)+" "+hot)

	p, err := s.Lab.Start(ctx, "replace.log", "kubectl", "zkmigrate", "replace", s.Name, fmt.Sprintf("--id=%d", id), "--data=copy", "--fenced", "-n", s.Name)
	if err != nil {
		t.Fatal(err)
	}
	scene.Eventually(t, "it asks for the stop", func() error { return scene.Contains(p.Log(), "stop the server now") })
	if r := shell(3, "true | "+seed); !strings.Contains(r.Stderr, "not proven dead") {
		t.Errorf("refused otherwise: %s", r.Stderr)
	}
	s.OnHost(id, "mask", "stop")
	var line string
	scene.Eventually(t, "it prints the line", func() error {
		for l := range strings.Lines(p.Log()) {
			if l = strings.TrimSpace(l); strings.HasPrefix(l, "ssh ") {
				line = l
				return nil
			}
		}
		return errors.New(p.Log())
	})
	t.Log(line)
	if !strings.Contains(line, dataDir(s, id)) {
		t.Errorf("the line does not know the host's dataDir: %s", line)
	}
	for what, c := range map[string]struct{ line, says string }{
		"nothing":      {"true | " + seed, "cut-short"},
		"half":         {strings.Replace(line, " | ", " | head -c 5000 | ", 1), "cut-short"},
		"no token":     {fmt.Sprintf("tar -cf - -C %s myid version-2 | %s", dataDir(s, id), seed), "no-token"},
		"hot copy":     {strings.Replace(line, dataDir(s, id), hot, 1), "missing-log"},
		"wrong server": {strings.Replace(line, dataDir(s, id), dataDir(s, scene.But(s.IDs, id)[0]), 1), "wrong-id"},
	} {
		if r := shell(3, c.line); !strings.Contains(r.Stderr, c.says) || !strings.Contains(r.Stderr, "Nothing was changed") {
			t.Errorf("%s: refused otherwise: %s", what, r.Stderr)
		}
	}
	if p.Ended() {
		t.Fatalf("the replace did not wait: %s", p.Log())
	}
	r := shell(0, line)
	if !strings.Contains(r.Stdout, "up to transaction 0x") {
		t.Errorf("it does not say what was copied: %s%s", r.Stdout, r.Stderr)
	}
	t.Log(strings.TrimSpace(r.Stdout))
	if err := p.Wait(2 * time.Minute); err != nil {
		t.Fatal(err)
	}
	if st := s.Status(); !st.Healthy || st.Replaced != 1 {
		t.Errorf("at the end: %+v", st)
	}
	s.NothingLost()
}

// TestSeededPodIsAWholeMember: with three voters on 3.4 a second one is killed
// after the release. An empty pod would have to be stopped; this one makes the
// quorum.
func TestSeededPodIsAWholeMember(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "member", "3.4.13", []int{1, 2, 3}, snapshots()...)
	s.Ready()
	snapshotsWritten(s)
	ctx := t.Context()
	// The leader's own restart, the last one, leaves a follower out for a moment.
	scene.Eventually(t, "all are in sync", func() error {
		if st := s.Status(); !st.Healthy || st.Leader == 0 {
			return fmt.Errorf("%+v", st)
		}
		return nil
	})
	rest := scene.But(s.IDs, s.Status().Leader)
	id, other := rest[0], rest[1]
	args := []string{"kubectl", "zkmigrate", "replace", s.Name, fmt.Sprintf("--id=%d", id), "--data=copy", "--yes", "--verbose", "--host-hook", s.Lab.HookCommand(), "-n", s.Name}
	p, err := s.Lab.Start(context.WithoutCancel(ctx), "replace.log", args...)
	if err != nil {
		t.Fatal(err)
	}
	scene.Eventually(t, "the gate is opened", func() error { return scene.Contains(p.Log(), "open the gate") })
	s.OnHost(other, "mask", "kill")
	before := s.Acknowledged()
	scene.Eventually(t, "the client writes with the seeded pod in the quorum", func() error {
		if n := s.Acknowledged(); n < before+50 {
			return fmt.Errorf("%d writes, %d before", n, before)
		}
		return nil
	})
	st := s.Status()
	t.Logf("a quorum of two: leader %d, epoch %d", st.Leader, st.Epoch)
	s.OnHost(other, "unmask", "start")
	if err := p.Wait(2 * time.Minute); err != nil {
		// An election nobody planned may end the command; the next one goes on.
		t.Log(err)
		s.Replace(0, fmt.Sprintf("--id=%d", id), "--data=copy")
	}
	for _, bad := range []string{"close the gate", "gave up", "given up"} {
		if strings.Contains(p.Log(), bad) {
			t.Errorf("the seeded pod was taken for an empty one:\n%s", p.Log())
		}
	}
	if st := s.Status(); !st.Healthy || st.Replaced != 1 {
		t.Errorf("at the end: %+v", st)
	}
	s.NothingLost()
}
