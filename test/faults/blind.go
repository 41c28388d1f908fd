package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

// Blindness is how the operator's machine loses sight of servers. Clients, peers
// and the API server go on seeing everybody.
type Blindness string

// What lies in between loses packets, accepts connections and never answers, or
// resets them in the name of those they go to.
const (
	Dropped   Blindness = "drop"
	Swallowed Blindness = "swallow"
	Refused   Blindness = "refuse"
)

// Blindnesses are all of them.
func Blindnesses() []Blindness { return []Blindness{Dropped, Swallowed, Refused} }

// zooKeeperPorts are those of every server in the lab.
const zooKeeperPorts = "2181,2888,3888"

// Blind takes the sight of these servers from the operator's machine: at their
// hosts, their Services and their pods; of all where none is named.
func (g *Stage) Blind(how Blindness, ids ...int) {
	g.T.Helper()
	args := []string{"net", string(how), g.machine, "--port", zooKeeperPorts}
	if len(ids) > 0 {
		var to []string
		for _, id := range ids {
			to = append(to, g.addresses(id)...)
		}
		args = append(args, "--to", strings.Join(to, ","))
	}
	g.T.Cleanup(func() {
		// Also after a failure; the next fault needs to see.
		_, _ = labkit.Must(g.Lab.Zklab(afterwards(g.T), "net", "heal", g.machine))
	})
	g.Zklab(args...)
}

// See ends every Blind.
func (g *Stage) See() { g.T.Helper(); g.Zklab("net", "heal", g.machine) }

// addresses are all at which a server may answer.
func (g *Stage) addresses(id int) []string {
	g.T.Helper()
	out := []string{g.Host(id).Address}
	svc, err := g.Kube.CoreV1().Services(g.Name).Get(g.T.Context(), render.ServiceName(g.Name, ensemble.ID(id)), metav1.GetOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	out = append(out, svc.Spec.ClusterIP)
	pods, err := g.Kube.CoreV1().Pods(g.Name).List(g.T.Context(), metav1.ListOptions{})
	if err != nil {
		g.T.Fatal(err)
	}
	for _, p := range pods.Items {
		if p.Name == g.podOf(id) && p.Status.PodIP != "" {
			out = append(out, p.Status.PodIP)
		}
	}
	return out
}

func (g *Stage) podOf(id int) string { return render.PodName(g.Name, slices.Index(g.IDs, id)) }

// StandsStill stops a server's process where it stands, on its host or in its
// pod, and returns what lets it go on; nil where it runs nowhere.
func (g *Stage) StandsStill(id int) func() {
	g.T.Helper()
	for _, at := range [][2]string{{"host", fmt.Sprintf("%s/%d", g.Name, id)}, {"pod", g.Name + "/" + g.podOf(id)}} {
		if r, err := g.Lab.Zklab(g.T.Context(), at[0], "pause", at[1]); err != nil || r.Code != 0 {
			continue
		}
		goOn := func() {
			// Its process may have been stopped meanwhile, which is no failure.
			_, _ = g.Lab.Zklab(afterwards(g.T), at[0], "resume", at[1])
		}
		g.T.Cleanup(goOn)
		return goOn
	}
	return nil
}

// lasts waits for as long as a fault does.
func (g *Stage) lasts(d time.Duration) {
	g.T.Helper()
	select {
	case <-time.After(d):
	case <-g.T.Context().Done():
	}
}

// Tells runs a command of ours to its end and wants an exit code, parts of what
// it prints, and that it does not print the others.
func (g *Stage) Tells(exit int, args, parts, never []string) {
	g.T.Helper()
	g.Begin(args...)
	g.ends(exit, parts...)
	for _, part := range never {
		if strings.Contains(g.tool.Log(), part) {
			g.T.Errorf("it says %q:\n%s", part, g.tool.Log())
		}
	}
	g.T.Logf("%s: exit code %d\n%s", strings.Join(args, " "), exit, g.tool.Log())
	g.tool = nil
}
