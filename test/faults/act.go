package faults

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// Returns starts a server's host as a reboot or a supervisor does, whatever was
// masked, and waits until it answers.
func (g *Stage) Returns(id int) {
	g.T.Helper()
	g.OnHost(id, "unmask", "start")
	g.Answers(id)
}

// Answers waits until a server's host does.
func (g *Stage) Answers(id int) {
	g.T.Helper()
	h := g.Host(id)
	scene.Eventually(g.T, "host "+h.Name+" answers", func() error {
		_, err := labkit.Must(g.Lab.OnClient(g.T.Context(), "bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/%s/%d", h.Address, h.ClientPort)))
		return err
	})
}

// Zklab runs the lab's own command.
func (g *Stage) Zklab(args ...string) {
	g.T.Helper()
	g.Must(g.Lab.Zklab(g.T.Context(), args...))
}

// PodName is that of the server's pod.
func (g *Stage) PodName() string { return render.PodName(g.Name, g.ordinal()) }

func (g *Stage) ordinal() int { return slices.Index(g.IDs, g.ID) }

// Pod is the server's pod as it is now.
func (g *Stage) Pod() *corev1.Pod {
	g.T.Helper()
	pod, err := g.Kube.CoreV1().Pods(g.Name).Get(g.T.Context(), g.PodName(), metav1.GetOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	return pod
}

// PodSays waits until ZooKeeper's log in the pod has the part, GateSays until a
// report of its gate has.
func (g *Stage) PodSays(part string) {
	g.T.Helper()
	g.says(render.ContainerName, part)
}

func (g *Stage) GateSays(part string) {
	g.T.Helper()
	g.says(render.RelayName, part)
}

func (g *Stage) says(container, part string) {
	g.T.Helper()
	scene.Eventually(g.T, "the pod says "+part, func() error {
		data, err := g.Kube.CoreV1().Pods(g.Name).GetLogs(g.PodName(), &corev1.PodLogOptions{Container: container}).DoRaw(g.T.Context())
		if err != nil {
			return err
		}
		return scene.Contains(string(data), part)
	})
}

// CutPod loses what the pod sends to a port, until Heal; with quorum's port it
// elects and never syncs.
func (g *Stage) CutPod(port int) {
	g.T.Helper()
	pod := g.Pod()
	g.disturb("drop", pod.Spec.NodeName, "--from", pod.Status.PodIP, "--port", fmt.Sprint(port))
}

// disturb a machine's network, as zklab net does.
func (g *Stage) disturb(how, machine string, args ...string) {
	g.T.Helper()
	g.T.Cleanup(func() {
		// Also after a failure; the next fault needs the network.
		_, _ = labkit.Must(g.Lab.Zklab(afterwards(g.T), "net", "heal", machine))
	})
	g.Zklab(append([]string{"net", how, machine}, args...)...)
}

// Heal ends what CutPod began.
func (g *Stage) Heal() {
	g.T.Helper()
	g.Zklab("net", "heal", g.Pod().Spec.NodeName)
}

// Unroute takes a host's route to the server's pod, Reroute gives it back.
func (g *Stage) Unroute(id int) {
	g.T.Helper()
	give := g.unreachable("del", id)
	g.T.Cleanup(func() { _, _ = labkit.Must(g.Lab.Zklab(afterwards(g.T), give...)) })
	g.Zklab(g.unreachable("add", id)...)
}

// Reroute ends what Unroute began.
func (g *Stage) Reroute(id int) { g.T.Helper(); g.Zklab(g.unreachable("del", id)...) }

func (g *Stage) unreachable(how string, id int) []string {
	return []string{"exec", fmt.Sprintf("%s/%d", g.Name, id), "--", "ip", "route", how, "unreachable", g.Pod().Status.PodIP}
}

// Follow carries out the last way out that was printed, to the letter: a
// command of ours is begun (an earlier one is interrupted first), an action on
// a host is done, and a command of kubectl's is run with the operator's rights.
func (g *Stage) Follow() {
	g.T.Helper()
	way := lastWay(g.said)
	look := strings.HasPrefix(way, "kubectl ") && !strings.HasPrefix(way, "kubectl zkmigrate ")
	if _, command, ok := strings.Cut(way, "kubectl zkmigrate "); ok && !look {
		g.interrupt()
		// Without -n NAMESPACE, which Begin adds, and what comes after that.
		command, _, _ = strings.Cut(command, " -n "+g.Name)
		g.Begin(strings.Fields(command)...)
		return
	}
	if _, command, ok := strings.Cut(way, "kubectl "); ok {
		command, _, _ = strings.Cut(command, ";")
		g.asOperator("kubectl " + command)
		return
	}
	if rest, ok := strings.CutPrefix(way, "on host "); ok {
		address, action, _ := strings.Cut(rest, ": ")
		for _, h := range g.Hosts {
			if h.Address == address {
				g.onHost(h.ID, action)
				return
			}
		}
	}
	g.T.Fatalf("nobody can follow %q", way)
}

// Administrate carries out, in order, the commands of kubectl's that were printed
// for somebody with more rights than the operator.
func (g *Stage) Administrate() {
	g.T.Helper()
	var done []string
	for _, line := range strings.Split(g.said, "\n") {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), "- kubectl ")
		if !ok || slices.Contains(done, command) { // a wait is printed again and again
			continue
		}
		done = append(done, command)
		admin := *g.Lab
		admin.Kubeconfig = ""
		g.Must(admin.OnClient(g.T.Context(), append([]string{"kubectl"}, strings.Fields(command)...)...))
	}
	if len(done) == 0 {
		g.T.Fatalf("nothing is printed for an administrator:\n%s", g.said)
	}
	g.T.Logf("%d commands of an administrator: %s", len(done), strings.Join(done, "; "))
}

func (g *Stage) onHost(id int, action string) {
	g.T.Helper()
	switch action {
	case "stop the server":
		g.OnHost(id, "stop")
	case "stop the server and mask its unit":
		g.OnHost(id, "stop", "mask")
	case "start the server":
		g.OnHost(id, "start")
	case "start the server (unmask its unit first if it is masked)":
		g.OnHost(id, "unmask", "start")
	case "unmask and start the server again; this command waits for it":
		// The command has masked it.
		g.OnHost(id, "unmask", "start")
	default:
		g.T.Fatalf("nobody can do %q", action)
	}
}

// newEpoch restarts the leader and waits until all serve again.
func (g *Stage) newEpoch() {
	g.T.Helper()
	before := g.Status().Epoch
	g.OnHost(g.Leader, "kill")
	scene.Eventually(g.T, "an election", func() error {
		st := g.Status()
		if !st.Healthy || st.Epoch == before {
			return fmt.Errorf("epoch %d, %v", st.Epoch, st.Problems)
		}
		return nil
	})
}

// newEpochOfTwo is the same while the server in question is down.
func (g *Stage) newEpochOfTwo() {
	g.T.Helper()
	before := g.Status().Epoch
	g.OnHost(g.Leader, "kill")
	scene.Eventually(g.T, "an election", func() error {
		st := g.Status()
		if st.Leader == 0 || st.Epoch == before || len(st.Problems) > 1 {
			return fmt.Errorf("epoch %d, %v", st.Epoch, st.Problems)
		}
		return nil
	})
}

// write puts a file beside the hook.
func (g *Stage) write(name, text string) {
	g.T.Helper()
	if err := os.WriteFile(g.File(name), []byte(text), 0o644); err != nil {
		g.T.Fatal(err)
	}
}

// afterwards is a context for clearing up when a test's own has ended.
func afterwards(t *testing.T) context.Context {
	t.Helper()
	return context.WithoutCancel(t.Context())
}

// interrupt ends a command as Ctrl-C does.
func (g *Stage) interrupt() {
	g.T.Helper()
	if g.tool == nil || g.tool.Ended() {
		return
	}
	_ = g.tool.Stop() // its exit code is looked at below
	if code, err := g.tool.Exit(patience); err != nil || code != 130 {
		g.T.Fatalf("interrupted: exit code %d (%v), want 130:\n%s", code, err, g.tool.Log())
	}
}

// lastWay is the last way out in a command's output.
func lastWay(said string) string {
	way := ""
	for _, line := range strings.Split(said, "\n") {
		line = strings.TrimSpace(line)
		for _, word := range []string{"next: ", "what helps: "} {
			if rest, ok := strings.CutPrefix(line, word); ok {
				way = strings.TrimSpace(rest)
			}
		}
	}
	return way
}

// next is what status says to do; it has to say something wherever something has
// gone wrong, also where it can see nothing.
func (g *Stage) next() string {
	g.T.Helper()
	r, err := g.Lab.Zkmigrate(g.T.Context(), "status", g.Name, "-n", g.Name)
	if err != nil {
		g.T.Fatal(err)
	}
	way := lastWay(r.Stdout + r.Stderr)
	if way == "" {
		g.T.Errorf("status names no next step:\n%s%s", r.Stdout, r.Stderr)
	}
	return way
}
