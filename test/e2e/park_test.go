//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// TestTakenBack wraps, parks, unparks and unwraps, and compares the namespace object by object with
// what it was before, with objects of others in it.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "park", "3.8.0", []int{1, 2, 3})
	mayRemove(s)
	theirs(s)
	before := objects(s)
	s.StartHostLoad() // what is remembered of clients goes as well

	s.Wrap()
	s.Zkmigrate(0, "check", s.Name, "--host-hook", s.Lab.HookCommand()) // keeps host reports
	parked := s.Zkmigrate(0, "park", s.Name, "--host-hook", s.Lab.HookCommand())
	for _, want := range []string{"volume never used", "listens at its server's ports", "ZooKeeper 3.8.0"} {
		if got := strings.Count(parked.Stdout, want); got < len(s.IDs) {
			t.Errorf("park proves %q of %d servers, want %d:\n%s", want, got, len(s.IDs), parked.Stdout)
		}
	}
	for _, srv := range s.Status().Servers {
		if !strings.Contains(srv.Phase, "parked") {
			t.Errorf("status calls server %d %q", srv.ID, srv.Phase)
		}
	}
	refused(s, "InUse", "unwrap", s.Name)
	s.Zkmigrate(0, "unpark", s.Name)
	refused(s, "UseUnseen", "unwrap", s.Name)
	s.Zkmigrate(0, unwrap(s)...)
	asBefore(s, before)
	s.Zkmigrate(0, unwrap(s)...) // nothing is left, and that is what was asked for
	s.StopLoad()
}

// TestParkedInUse is the way forward: what is in use is refused, replace finds the pods parked, and
// what was never used still goes.
func TestParkedInUse(t *testing.T) {
	t.Parallel()
	s := scene.New(t, "inuse", "3.8.0", []int{1, 2, 3})
	s.Wrap()
	s.Zkmigrate(0, "park", s.Name)
	if r := s.Zkmigrate(3, "unpark", s.Name); !strings.Contains(r.Stderr, "rbac inuse") || !strings.Contains(r.Stderr, "--removal") {
		t.Errorf("without the rights it does not say which are missing:\n%s", r.Stderr)
	}
	mayRemove(s)
	s.Reconfigure()
	services := s.Kubectl("get", "services", "-o", "jsonpath={.items[*].metadata.uid}")
	s.Zkmigrate(0, "unpark", s.Name)
	listed := refused(s, "InUse", unwrap(s)...)
	if err := scene.Contains(listed, "runs with server."); err != nil {
		t.Error(err)
	}
	// The headless Service goes and comes with the pods.
	for _, uid := range strings.Fields(s.Kubectl("get", "services", "-o", "jsonpath={.items[*].metadata.uid}")) {
		if !strings.Contains(services, uid) {
			t.Errorf("a Service has another uid than before: %s", uid)
		}
	}
	freeVolumes(s)
	s.Zkmigrate(0, "park", s.Name)
	id := scene.But(s.IDs, s.Status().Leader)[0]
	if r := s.Replace(0, fmt.Sprintf("--id=%d", id)); strings.Contains(r.Stderr, "create the pods") {
		t.Errorf("replace creates pods that were parked:\n%s", r.Stderr)
	}
	kept := refused(s, "InUse", "unpark", s.Name)
	if err := scene.Contains(kept, fmt.Sprintf("server %d runs in pod", id)); err != nil {
		t.Error(err)
	}
	// Ids 1 to 3 have the ordinals 0 to 2: as many pods stay as the id says.
	if pods := strings.Fields(s.Kubectl("get", "pods", "-o", "name")); len(pods) != id {
		t.Errorf("pods that stay: %v, want %d", pods, id)
	}
	refused(s, "InUse", unwrap(s)...)
	if st := s.Status(); !st.Healthy || st.Replaced != 1 {
		t.Errorf("at the end: %+v", st)
	}
}

// TestKilledWhileParkingAndTakingBack kills park, unpark and unwrap with SIGKILL at random moments,
// 20 times each. The same command, run again, goes on; at the end the namespace is as it was.
func TestKilledWhileParkingAndTakingBack(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of kills")
	}
	t.Parallel()
	s := scene.New(t, "parkkill", "3.8.0", []int{1, 2, 3})
	mayRemove(s)
	theirs(s)
	before := objects(s)
	s.Wrap()
	park := func() { freeVolumes(s); s.Zkmigrate(0, "park", s.Name) }
	storm(s, func() { s.Zkmigrate(0, "unpark", s.Name); freeVolumes(s) }, "park", s.Name)
	storm(s, park, "unpark", s.Name)
	storm(s, func() { s.Wrap() }, unwrap(s)...)
	asBefore(s, before)
}

// storm runs a command again and again, killed at a random moment of its run, until it was killed 20
// times and has ended after that. Where it ends before, again makes the state in which it began.
func storm(s *scene.Scene, again func(), args ...string) {
	t := s.T
	t.Helper()
	const kills = 20
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	args = append([]string{"kubectl", "zkmigrate"}, append(args, "-n", s.Name)...)
	limit, killed, ended := 8*time.Second, 0, 0
	for run := 1; ; run++ {
		p, err := s.Lab.Start(t.Context(), fmt.Sprintf("%s-%03d.log", args[2], run), args...)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if killed < kills {
			time.Sleep(time.Duration(random.Int64N(int64(limit))))
			if !p.Ended() {
				p.Kill()
				killed++
				continue
			}
		}
		if code, err := p.Exit(3 * time.Minute); err != nil || code != 0 {
			t.Fatalf("%s, run %d, seed %d: exit code %d, %v\n%s", args[2], run, seed, code, err, p.Log())
		}
		ended++
		if killed >= kills {
			t.Logf("%s: killed %d times, ended %d times by itself", args[2], killed, ended)
			return
		}
		limit = min(limit, max(time.Since(began), time.Second))
		again()
	}
}

// unwrap is the command with the hosts' files; no client was told of the Services.
func unwrap(s *scene.Scene) []string {
	return append(append([]string{"unwrap", s.Name}, s.Files()...), "--assume-unused=clients")
}

// refused wants exit code 3 and that rule, and returns what was said.
func refused(s *scene.Scene, code string, args ...string) string {
	s.T.Helper()
	r := s.Zkmigrate(3, args...)
	if err := scene.Contains(r.Stderr, "["+code+"]"); err != nil {
		s.T.Error(err)
	}
	return r.Stderr
}

// mayRemove gives the operator what the published Role leaves out.
func mayRemove(s *scene.Scene) {
	s.T.Helper()
	role := s.Zkmigrate(0, "rbac", "--removal", "--user", "operator-"+s.Name)
	file := s.File("removal.yaml")
	if err := os.WriteFile(file, []byte(role.Stdout), 0o600); err != nil {
		s.T.Fatal(err)
	}
	s.Kubectl("apply", "-f", file)
}

// theirs are objects of others, one of them by a name that ours could have.
func theirs(s *scene.Scene) {
	s.T.Helper()
	s.Kubectl("create", "configmap", "theirs", "--from-literal=a=b")
	s.Kubectl("create", "configmap", s.Name+"-zkmigrate-conf", "--from-literal=a=b")
	s.Kubectl("create", "secret", "generic", "theirs", "--from-literal=a=b")
	s.Kubectl("create", "service", "clusterip", "theirs", "--tcp=80")
	// What controllers make of the Service comes later.
	scene.Eventually(s.T, "the Service of others has a slice", func() error {
		return scene.Contains(s.Kubectl("get", "endpointslices", "-o", "name"), "theirs")
	})
}

// objects are all objects of the namespace but events, by kind and name, as the API server has them.
func objects(s *scene.Scene) map[string]string {
	s.T.Helper()
	var kinds []string
	for kind := range strings.FieldsSeq(s.Kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name")) {
		if kind != "events" && kind != "events.events.k8s.io" && !strings.HasSuffix(kind, "metrics.k8s.io") {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(s.Kubectl("get", strings.Join(kinds, ","), "-o", "json")), &list); err != nil {
		s.T.Fatal(err)
	}
	out := map[string]string{}
	for _, o := range list.Items {
		text, err := json.Marshal(o)
		if err != nil {
			s.T.Fatal(err)
		}
		meta, _ := o["metadata"].(map[string]any)
		out[fmt.Sprint(o["apiVersion"], " ", o["kind"], " ", meta["name"])] = string(text)
	}
	return out
}

// asBefore waits until the garbage collector has taken what was owned by what is gone.
func asBefore(s *scene.Scene, before map[string]string) {
	s.T.Helper()
	scene.Eventually(s.T, "the namespace is as before", func() error {
		if diff := cmp.Diff(before, objects(s)); diff != "" {
			return fmt.Errorf("it differs (-before +after):\n%s", diff)
		}
		return nil
	})
}

// freeVolumes does what a provisioner does: the lab's volumes are static and are retained.
func freeVolumes(s *scene.Scene) {
	s.T.Helper()
	for _, name := range strings.Fields(s.Kubectl("get", "pv", "-l", "zklab.test/ensemble="+s.Name, "-o", `jsonpath={.items[?(@.status.phase=="Released")].metadata.name}`)) {
		s.Kubectl("patch", "pv", name, "--type=json", "-p", `[{"op":"remove","path":"/spec/claimRef"}]`)
	}
}
