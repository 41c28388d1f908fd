package faults

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// LargeZnodes and LargeSize are the data of the ensemble that large faults are
// played on: 225 MB.
const (
	LargeZnodes = 25_000
	LargeSize   = 9_000
)

// LargeSpec has hosts with room for the data and an initLimit of 2 s.
func LargeSpec() []string {
	return []string{"heap=1024", "zoo-cfg-line=tickTime=500", "zoo-cfg-line=initLimit=4", "zoo-cfg-line=syncLimit=10"}
}

// LargePods are the flags of pods that have room for it, too.
func LargePods() []string { return []string{"--memory=1536Mi", "--jvm-flags=-Xmx1024m"} }

// large are faults that need much data.
func large() []Fault {
	return []Fault{
		{
			Name: "oom-while-syncing", What: "The pod's memory limit is below what the data needs: the kernel kills ZooKeeper while it loads the snapshot, each time.",
			Version: Guarded, Large: true, From: OnHost, Args: []string{"--memory=256Mi"},
			Trigger: func(*Stage) {},
			Verdict: Verdict{Code: migration.CodeKeepsFailing, Exit: 4, Says: "its container was killed for using more memory than its limit (OOMKilled)", Next: "revert {name} --id={id} -n {name}, then kubectl zkmigrate replace {name} --id={id} -n {name} --memory=..., more than the heap (-Xmx) plus 512Mi"},
			Way:     "Three starts from empty are proved and tried, then it is left to you: `revert`, and `replace` with more memory, as printed.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.Begin("replace", g.Name, g.fill("--id={id}"), "--memory=1536Mi")
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "snapshot-beyond-initlimit", What: "The link to the pod is slow for so much data, and initLimit is short: the leader gives up before the snapshot is there, and the server begins anew, for ever.",
			Version: Guarded, Large: true, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.Throttle(slowLink) },
			Verdict: Verdict{Code: migration.CodeJoining, Exit: Waits, Says: "and initLimit gives a new server 2s (4 ticks of 500 ms) to get the snapshot, load it and write it", Next: "kubectl logs {pod} -n {name}"},
			Way:     "The pod's log, as printed, says \"Getting a snapshot from leader\" again and again. `revert`, then `replace --data=copy`, as printed: the host's data is copied, and the start is an ordinary one, over the same slow link. Or raise initLimit by `reconfigure` in between.",
			Recover: func(g *Stage) {
				g.PodSaysAgain("Getting a snapshot from leader")
				g.Follow()
				g.interrupt()
				g.Begin("revert", g.Name, g.fill("--id={id}"))
				g.Ends()
				g.Begin("replace", g.Name, g.fill("--id={id}"), "--data=copy")
				g.hold(migration.StepMaskHost)
				g.Throttle(slowLink)
				g.resume()
				g.Ends()
				g.Unthrottle()
			},
			After: InPod,
		},
	}
}

// slowLink is a link over which the last of this data, when the leader has sent
// everything and waits, needs longer than initLimit; and all of it minutes. On a
// link that is not slow a common machine is fast enough.
const slowLink = "10mbit"

// PodSaysAgain waits until the pod's log has the part twice.
func (g *Stage) PodSaysAgain(part string) {
	g.T.Helper()
	scene.Within(g.T, patience, "the pod says again "+part, func() error {
		data, err := g.Kube.CoreV1().Pods(g.Name).GetLogs(g.PodName(), &corev1.PodLogOptions{}).DoRaw(g.T.Context())
		if n := strings.Count(string(data), part); err == nil && n < 2 {
			err = fmt.Errorf("%d times", n)
		}
		return err
	})
}
