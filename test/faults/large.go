package faults

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// LargeZnodes and LargeSize are the data of the ensemble that large faults are
// played on: 270 MB.
const (
	LargeZnodes = 30_000
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
			Version: Guarded, Large: true, From: OnHost, Args: []string{"--memory=300Mi"},
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
	}
}
