package faults

import (
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// parking are faults of pods that have never run ZooKeeper.
func parking() []Fault {
	return []Fault{
		{
			Name: "image-missing", Core: true, What: "The pods' image does not exist.",
			Version: Unguarded, From: OnHost, Args: []string{"--image=zklab.local/zookeeper:0.0.0"},
			Trigger: func(g *Stage) { g.Unpark() },
			Verdict: Verdict{Code: migration.CodePodNotParked, Exit: Waits, Says: "image zklab.local/zookeeper:0.0.0 cannot be pulled", Next: "kubectl describe pod {pod} -n {name}; image, memory, CPU and the like are corrected by the same command with the right flag"},
			Way:     "Nothing has been stopped. The same command with the right `--image`, as printed.",
			Recover: func(g *Stage) {
				g.Follow()
				g.interrupt()
				g.Begin("replace", g.Name, g.fill("--id={id}"), "--image=zklab.local/zookeeper:"+g.Version)
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "image-of-another-release", Core: true, What: "The pods' image holds another ZooKeeper than the hosts run.",
			Version: Guarded, From: OnHost, Args: []string{"--image=zklab.local/zookeeper:" + Unguarded},
			Trigger: func(g *Stage) { g.Parked() },
			Verdict: Verdict{Code: migration.CodeVersionDiffers, Exit: 3, Says: "holds ZooKeeper " + Unguarded + ", and the ensemble runs " + Guarded + "; nothing was stopped, and the pods' settings are what they were before", Next: "replace {name} --id={id} -n {name} --image=IMAGE"},
			Way:     "Nothing has been stopped, and the pods are recreated as they were: the same command goes on with their former image. Or name the right one.",
			Recover: func(g *Stage) {
				g.Begin("replace", g.Name, g.fill("--id={id}"))
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "quota", Core: true, What: "The namespace's ResourceQuota does not admit the pods.",
			Version: Guarded, From: OnHost,
			Trigger: func(g *Stage) { g.Unpark(); g.Quota("pods=0") },
			Verdict: Verdict{Code: migration.CodePodNotParked, Exit: 3, Says: "the pods would not park; no host was touched and nothing was changed", Next: "have the ResourceQuota raised"},
			Way:     "Nothing has been changed. Have the quota raised, or ask for less, as printed; then the same command.",
			Recover: func(g *Stage) { g.Unquota(); g.Again() },
			After:   InPod,
		},
		{
			Name: "no-room", What: "No node has room for the pods.",
			Version: Guarded, From: OnHost, Args: []string{"--cpu=64"},
			Trigger: func(g *Stage) { g.Unpark() },
			Verdict: Verdict{Code: migration.CodePodNotParked, Exit: Waits, Says: "no node takes the pod", Next: "kubectl describe pod {pod} -n {name}; image, memory, CPU and the like are corrected by the same command with the right flag"},
			Way:     "Nothing has been stopped. Make room, or ask for less: the same command with the right `--cpu`, as printed.",
			Recover: func(g *Stage) {
				g.Follow()
				g.interrupt()
				g.Begin("replace", g.Name, g.fill("--id={id}"), "--cpu=250m")
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "volume-pending", Core: true, What: "The storage class of the pods' volumes does not exist.",
			Version: Unguarded, From: OnHost, Args: []string{"--storage-class=nowhere"},
			Trigger: func(g *Stage) { g.Unpark(); g.Unclaim() },
			Verdict: Verdict{Code: migration.CodePodNotParked, Exit: Waits, Says: `is not bound (it asks storage class "nowhere")`, Next: "kubectl describe pvc data-{pod} -n {name}; after those commands kubectl zkmigrate replace {name} --id={id} -n {name} --storage-class=CLASS"},
			Way:     "Nothing has been stopped. The claims of a StatefulSet cannot be changed: an administrator runs the printed commands, which delete it without its pods, then the pods and claims that wait for a volume. Then name the right class: `replace --storage-class=CLASS`.",
			Recover: func(g *Stage) {
				g.Follow()
				g.interrupt()
				g.Administrate()
				g.Begin("replace", g.Name, g.fill("--id={id}"), "--storage-class=zklab-"+g.Name)
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "parked-pod-deleted", Core: true, What: "The parked pod is deleted, or evicted, after the host's server was stopped.",
			Version: Guarded, From: OnHost, When: migration.StepStopHost,
			Trigger: func(g *Stage) { g.Kubectl("delete", "pod", g.PodName()) },
			Verdict: Verdict{Exit: Goes, Says: "server {id} is in sync in pod {pod}"},
			Way:     "Nothing: the command waits until its successor is parked.",
			Recover: func(*Stage) {},
			After:   InPod,
		},
		{
			Name: "foreign-volume", Core: true, What: "The pod's volume holds another server's data.",
			Version: Unguarded, From: OnHost,
			Trigger: func(g *Stage) { g.Contaminate() },
			Verdict: Verdict{Code: migration.CodePodNotParked, Exit: Waits, Says: "the volume belongs to another server: myid is '99', this pod's template says {id}", Next: "kubectl logs {pod} -c gate -n {name}"},
			Way:     "The pod's log, as printed, says whose it is; empty the volume or give the pod another; the command goes on.",
			Recover: func(g *Stage) { g.Follow(); g.Clean(); g.Ends() },
			After:   InPod,
		},
		{
			Name: "election-port-blocked", Core: true, What: "A firewall begins to drop what the pod sends to election ports, after the paths were tried.",
			Version: Unguarded, From: OnHost, When: migration.StepTryPaths,
			Trigger: func(g *Stage) { g.CutPod(3888) },
			Verdict: Verdict{Code: migration.CodeSecondVantage, Exit: Waits, Says: "waiting for pod {pod} to see the host dead, too", Next: "kubectl logs {pod} -c gate -n {name}; or take it back: kubectl zkmigrate revert {name} --id={id}"},
			Way:     "Open the port; the command goes on. Or `revert`.",
			Recover: func(g *Stage) { g.Heal(); g.Ends() },
			After:   InPod,
		},
	}
}

// syncing are faults between the release and the join, and after it.
func syncing() []Fault {
	return []Fault{
		{
			Name: "pod-deleted-while-syncing-unguarded", What: "The pod is deleted before its first sync has ended.",
			Version: Unguarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.lonely(); g.Kubectl("delete", "pod", g.PodName()) },
			Verdict: Verdict{Exit: Goes, Says: "note that the pod needs a new start from empty"},
			Way:     "Nothing: half a sync is no data. The others prove anew that they hold everything, then the pod begins from empty again.",
			Recover: func(*Stage) {},
			After:   InPod, NoAddress: podGone,
		},
		{
			Name: "pod-deleted-while-syncing-guarded", What: "The same on 3.6 and later.",
			Version: Guarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.lonely(); g.Kubectl("delete", "pod", g.PodName()) },
			Verdict: Verdict{Exit: Goes, Says: "note that the pod needs a new start from empty"},
			Way:     "Nothing: as above.",
			Recover: func(*Stage) {},
			After:   InPod, NoAddress: podGone,
		},
		{
			Name: "pod-evicted-while-syncing", What: "A drain evicts the pod (pods/eviction) before its first sync has ended. The pods' PodDisruptionBudget refuses that; here it is deleted.",
			Version: Guarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) { g.lonely(); g.Evict() },
			Verdict: Verdict{Exit: Goes, Says: "note that the pod needs a new start from empty"},
			Way:     "Nothing: as above.",
			Recover: func(*Stage) {},
			After:   InPod, NoAddress: podGone,
		},
		{
			Name: "slow-link", What: "The snapshot takes longer than initLimit.",
			Version: Guarded, From: OnHost, When: migration.StepDropBridge,
			Trigger: func(g *Stage) {
				g.Throttle("32kbit")
				g.GoOn(migration.StepRelease)
				g.PodSays("Getting a snapshot from leader")
			},
			Verdict: Verdict{Code: migration.CodeJoining, Exit: Waits, Says: "has started and is not serving yet", Next: "kubectl logs {pod} -n {name}"},
			Way:     "The pod's log, as printed, shows the time-outs. Make the link faster (or `revert`, and `reconfigure` with a higher initLimit); the command goes on.",
			Recover: func(g *Stage) { g.Follow(); g.Unthrottle(); g.Ends() },
			After:   InPod,
		},
		{
			Name: "kube-proxy-stopped", What: "kube-proxy on the leader's host has died: that host does not learn where the server has gone.",
			Version: Guarded, From: OnHost, When: migration.StepBegin,
			Trigger: func(g *Stage) { g.Zklab("daemon", "pause", g.fill("kube-proxy-{name}-{leader}")) },
			Verdict: Verdict{Code: migration.CodeJoining, Exit: Waits, Says: "has started and is not serving yet", Next: "kubectl logs {pod} -n {name}"},
			Way:     "Start kube-proxy again; the command goes on.",
			Recover: func(g *Stage) { g.Zklab("daemon", "resume", g.fill("kube-proxy-{name}-{leader}")); g.Ends() },
			After:   InPod,
		},
		{
			Name: "memory-limit", What: "The pod is killed for using more memory than its limit, at each start.",
			Version: Guarded, From: OnHost,
			Args:    []string{"--memory=40Mi"},
			Trigger: func(g *Stage) { g.Unpark() },
			Verdict: Verdict{Code: migration.CodePodStarting, Exit: Waits, Says: "killed for using more memory than its limit (OOMKilled)", Next: "revert {name} --id={id} -n {name}, then kubectl zkmigrate replace {name} --id={id} -n {name} --memory=..."},
			Way:     "`revert`, and `replace` with more memory, as printed.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.Begin("replace", g.Name, g.fill("--id={id}"), "--memory=512Mi")
				g.Ends()
			},
			After: InPod,
		},
		{
			Name: "small-maxbuffer", What: "jute.maxbuffer is smaller in the pods than the largest znode.",
			Version: Guarded, From: OnHost,
			Args:    []string{"--jvm-flags=-Xmx128m -Djute.maxbuffer=1000"},
			Trigger: func(g *Stage) { g.BigZnode(4000); g.Unpark() },
			Verdict: Verdict{Code: migration.CodeJoining, Exit: Waits, Says: "is not serving yet", Next: "kubectl logs {pod} -n {name}"},
			Way:     "The pod's log, as printed, says \"Unreasonable length\". `revert`, and begin again with the hosts' value.",
			Recover: func(g *Stage) {
				g.Follow()
				g.interrupt()
				g.Begin("revert", g.Name, g.fill("--id={id}"))
				g.Ends()
				g.Begin("replace", g.Name, g.fill("--id={id}"), "--jvm-flags=-Xmx128m")
				g.Ends()
			},
			After: InPod,
		},
	}
}

// podGone is why the Service has no address while its pod is made again.
const podGone = "the Service selects the pod, and the pod is gone until its successor has an address"
