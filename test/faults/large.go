package faults

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// LargeZnodes and LargeSize are the data of the ensemble that large faults are
// played on: 225 MB.
const (
	LargeZnodes = 25_000
	LargeSize   = 9_000
)

// LargeSpec has hosts with room for the data and an initLimit of 5 s.
func LargeSpec() []string {
	return []string{"heap=1024", "zoo-cfg-line=tickTime=500", "zoo-cfg-line=initLimit=10", "zoo-cfg-line=syncLimit=10"}
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
			Name: "snapshot-beyond-initlimit", What: "The pod gets little of its node's processors, and to load and write so large a snapshot takes it longer than initLimit: the leader gives up, and the server begins anew, for ever.",
			Version: Guarded, Large: true, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.Throttle(syncLink) },
			Verdict: Verdict{Code: migration.CodeJoining, Exit: Waits, Says: "and initLimit gives a new server 5s (10 ticks of 500 ms) to get the snapshot, load it and write it", Next: "kubectl logs {pod} -n {name}"},
			Way:     "The pod's log, as printed, says \"Getting a snapshot from leader\" and \"Exception when following the leader\", again and again. `revert`, then `replace --data=copy`, as printed: the host's data is copied, and the start is an ordinary one, without a snapshot. Or raise initLimit by `reconfigure` in between.",
			Recover: func(g *Stage) {
				g.PodSays("Getting a snapshot from leader")
				g.SlowDown()
				g.PodSays("Exception when following the leader")
				g.Follow()
				g.interrupt()
				g.Begin("revert", g.Name, g.fill("--id={id}"))
				g.Ends()
				g.Begin("replace", g.Name, g.fill("--id={id}"), "--data=copy")
				g.Ends()
				g.PodSays("Getting a diff from the leader")
			},
			After: InPod,
		},
	}
}

// syncLink is a link over which this data takes some 20 s: long enough to see
// that it is on its way.
const syncLink = "100mbit"

// slowPercent is how much of one processor a slow pod gets. With all of one,
// this data is loaded and written within 2 s.
const slowPercent = 5

// SlowDown leaves the pod little of its node's processors, for as long as it
// lives.
func (g *Stage) SlowDown() {
	g.T.Helper()
	const period = 100_000 // microseconds
	pod := g.Pod()
	group := "/zklab/" + g.Lab.Name + "/" + pod.Spec.NodeName + "/pods/kubepods/*/pod" + string(pod.UID)
	for file, text := range map[string]string{
		"/sys/fs/cgroup/cpu" + group + "/cpu.cfs_quota_us": fmt.Sprint(period * slowPercent / 100),
		"/sys/fs/cgroup" + group + "/cpu.max":              fmt.Sprintf("%d %d", period*slowPercent/100, period),
	} {
		found, err := filepath.Glob(file)
		if err != nil {
			g.T.Fatal(err)
		}
		if len(found) == 0 {
			continue
		}
		if err := os.WriteFile(found[0], []byte(text), 0o644); err != nil {
			g.T.Fatal(err)
		}
		return
	}
	g.T.Fatalf("no cgroup %s", group)
}
