package access

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// Resource is one kind of object with what is needed of it.
type Resource struct {
	Group, Name string
	// Note is the comment in the Role.
	Note  string
	Needs []Need
}

// need fills in what a row says of its verb.
func (r Resource) need(verb string, target Target, when When, commands []Command, steps []migration.StepID, why string) Resource {
	r.Needs = append(r.Needs, Need{Group: r.Group, Resource: r.Name, Verb: verb, Target: target, When: when, Commands: commands, Steps: steps, Why: why})
	return r
}

func steps(s ...migration.StepID) []migration.StepID { return s }

// looking are the commands that look at all objects of an ensemble, locking
// those that hold its lock and write its journal, moving those that move servers.
func looking() []Command {
	return []Command{Status, Plan, Reconfigure, Park, Replace, Apply, Revert, Finalize, Seed, Retire, Unpark, Unwrap}
}

func locking() []Command {
	return []Command{Wrap, Reconfigure, Park, Replace, Apply, Revert, Finalize, Retire, Unpark, Unwrap}
}
func moving() []Command { return []Command{Replace, Revert} }

// creating are the commands that create pods, making those that change how pods are made, or
// have one made again, too.
func creating() []Command { return []Command{Park, Replace} }
func making() []Command   { return append(creating(), Apply, Revert, Finalize, Retire) }

// trying are the commands that try whether the cluster follows v1 Endpoints.
func trying() []Command { return []Command{Wrap, Replace, Apply, Revert} }

// foretelling are the commands that say beforehand whether the pods will park.
func foretelling() []Command { return []Command{Check, Plan, Park, Replace} }

// fitting are the commands that look for room.
func fitting() []Command { return append(foretelling(), Apply) }

// Resources is the table.
func Resources() []Resource {
	all := append([]Command{Clients, Check, Wrap}, looking()...)
	recorded := append([]Command{Render, Diff}, all...)
	return []Resource{
		Resource{Name: "services", Note: `The servers' addresses. There is no "delete", on purpose: a Service that is
deleted takes its ClusterIP along, and every other server and client knows the
server by it; unwrap proves that none does, and gets the verb by "rbac --removal".
"patch" is server-side apply, and the selector of one Service.`}.
			need("get", AllServices, Always, append([]Command{Diff, Check, Wrap}, looking()...), nil, "see that each server's Service is still the same one, with the same address").
			need("list", All, Always, looking(), nil, "look at the Services of all servers at once").
			need("create", AllServices, SliceWrites, append([]Command{Diff, Wrap}, creating()...), steps(migration.StepPark), "create a Service per server, and the pods' own").
			need("create", AllServices, LegacyWrites, append([]Command{Diff, Wrap, Apply, Revert}, creating()...), steps(migration.StepPark), "create a Service per server, the pods' own, and one to try whether the cluster follows v1 Endpoints").
			need("patch", AllServices, Always, append([]Command{Diff, Wrap}, making()...), steps(migration.StepPark, migration.StepAdopt, migration.StepClearSelector, migration.StepFinalize), "let a server's Service select its pod, and take the selector away again").
			need("delete", AllServices, Removing, []Command{Unpark, Unwrap}, steps(migration.StepDeletePodObjects, migration.StepDeleteService), "take back Services that nobody uses, and the pods' own"),

		Resource{Group: "discovery.k8s.io", Name: "endpointslices", Note: `What stands behind the Services. "delete" is for our own slice once the
controller's holds the same address, and for what controllers leave behind
when a server goes back to its host (kubernetes/kubernetes#118376); those have
names that nobody knows before.`}.
			need("list", All, Always, append([]Command{Diff, Wrap}, looking()...), nil, "see every address behind a Service").
			need("create", All, SliceWrites, []Command{Wrap, Replace, Revert}, steps(migration.StepBridge, migration.StepFlip), "point a Service to its host, or to its pod, where no slice of ours exists").
			need("update", Bridges, SliceWrites, moving(), steps(migration.StepFlip, migration.StepBridge, migration.StepFlipBack), "move a Service's address between host and pod in one write").
			need("delete", All, Always, append(moving(), Unwrap), steps(migration.StepDropBridge, migration.StepDeleteLeftovers, migration.StepDeleteService), "remove our slice once the controller's holds the same address, and what controllers leave behind"),

		Resource{Name: "endpoints", Note: `"get" and "delete" find and remove left-over Endpoints. "create" and "update"
are for --endpoints-api=endpoints only.`}.
			need("get", Services, Always, append([]Command{Diff, Wrap}, looking()...), nil, "find Endpoints that would add an address to a Service").
			need("create", All, LegacyWrites, trying(), steps(migration.StepBridge, migration.StepFlip), "point a Service to its host, or to its pod, where it has no Endpoints").
			need("update", Services, LegacyWrites, moving(), steps(migration.StepFlip, migration.StepDropBridge, migration.StepFlipBack), "move a Service's address between host and pod").
			need("delete", Services, SliceWrites, append(moving(), Unwrap), steps(migration.StepDeleteLeftovers, migration.StepDeleteService), "remove Endpoints that a controller leaves behind").
			need("delete", Services, LegacyWrites, append(trying(), Unwrap), steps(migration.StepDeleteLeftovers, migration.StepDeleteService), "remove Endpoints that a controller leaves behind, and those that a trial has made"),

		Resource{Name: "configmaps", Note: `The journal, its copy, the gate, the pods' zoo.cfg and scripts, the host reports
that check keeps, and what is remembered of clients' sessions. "delete" comes with
"rbac --removal": for unpark, unwrap and finalize --delete-helpers.`}.
			need("get", Maps, Always, recorded, nil, "read the journal and the gate").
			need("list", All, Unnamed, recorded, nil, "find the ensembles of a namespace").
			need("create", All, Always, append([]Command{Diff}, locking()...), steps(migration.StepPark), "create the journal, its copy, the gate and the pods' files").
			need("update", Journals, Always, locking(), steps(migration.StepBegin, migration.StepRelease, migration.StepRenew, migration.StepRestoreGate, migration.StepCloseGate), "save the journal and its copy, and open or close the gate").
			need("patch", Applied, Always, append([]Command{Diff}, making()...), steps(migration.StepPark, migration.StepRestorePods), "apply the pods' files, and keep out what a command that died left under way").
			need("delete", Kept, Cleaning, []Command{Finalize}, nil, "delete what only the migration needed").
			need("get", Reports, Known, append(foretelling(), Reconfigure, Clients), nil, "know what hosts and client machines have reported to another command").
			need("create", All, Keeping, []Command{Check}, nil, "keep host reports for later commands").
			need("update", Reports, Keeping, []Command{Check}, nil, "keep host reports for later commands").
			need("get", Kept, Removing, []Command{Unpark, Unwrap}, nil, "see that what is taken back is ours").
			need("get", Sessions, Remembered, []Command{Status, Plan, Clients, Wrap, Replace}, nil, "know at which servers clients were seen before").
			need("create", All, Remembered, []Command{Clients, Wrap, Replace}, nil, "remember at which servers clients were seen").
			need("update", Sessions, Remembered, []Command{Clients, Wrap, Replace}, nil, "remember at which servers clients were seen").
			need("delete", Kept, Removing, []Command{Unpark, Unwrap}, steps(migration.StepDeletePodObjects), "take back the gate and the pods' files, and at the end the journal").
			need("get", FilesMap, Entries, append([]Command{Check, Wrap}, foretelling()...), nil, "see that it has every file that the configuration names").
			need("get", FilesMap, Finalizing, []Command{Finalize}, steps(migration.StepUngate), "mount each file where it is named"),

		Resource{Name: "secrets", Note: `Passwords in zoo.cfg go into a Secret whose name tells whether it is the right one:
"create" is enough, and no Secret is read but the one that --files-secret names, if
it may be. Finalize reads both: "rbac NAME --finalize".`}.
			need("create", All, Private, []Command{Wrap, Reconfigure}, nil, "keep the passwords of zoo.cfg out of the journal and the pods' ConfigMap").
			need("create", All, Finalizing, []Command{Finalize}, steps(migration.StepUngate), "keep the passwords of zoo.cfg out of the ConfigMap of pods without a gate").
			need("get", ReadSecrets, Finalizing, []Command{Finalize}, steps(migration.StepUngate), "put passwords into the zoo.cfg of pods without a gate, and mount each file where it is named").
			need("delete", OwnSecret, Cleaning, []Command{Finalize}, nil, "delete what only the migration needed").
			need("delete", OwnSecret, Removing, []Command{Unwrap}, nil, "take back the Secret with the passwords of zoo.cfg").
			need("get", FilesSecret, Entries, append([]Command{Check, Wrap}, foretelling()...), nil, "see that it has every file that the configuration names"),

		Resource{Group: "coordination.k8s.io", Name: "leases", Note: `One command at a time works on an ensemble.`}.
			need("get", Lock, Always, locking(), nil, "see who holds the ensemble's lock").
			need("create", All, Always, locking(), nil, "take the ensemble's lock for the first time").
			need("update", Lock, Always, locking(), nil, "take, renew and release the ensemble's lock").
			need("delete", Lock, Removing, []Command{Unwrap}, nil, "give the lock up for good, right before the journal goes").
			need("delete", Lock, Cleaning, []Command{Finalize}, nil, "give the lock up for good, right before the journal goes"),

		Resource{Group: "apps", Name: "statefulsets", Note: `The pods' home.`}.
			need("get", Set, Always, append([]Command{Diff}, looking()...), nil, "see that something makes the pods").
			need("create", Set, Always, append([]Command{Diff}, creating()...), steps(migration.StepPark), "create the pods").
			need("patch", Set, Always, append([]Command{Diff, Unpark}, making()...), steps(migration.StepPark, migration.StepRestorePods, migration.StepShrinkSet), "create the pods, or change how they are made").
			need("delete", Set, Removing, []Command{Unpark}, steps(migration.StepDeletePodObjects), "take back the StatefulSet once it makes no pods"),

		Resource{Group: "policy", Name: "poddisruptionbudgets"}.
			need("get", Budget, Always, append([]Command{Diff, Unpark, Unwrap}, making()...), steps(migration.StepPark, migration.StepRestorePods), "see whose the pods' budget is").
			need("get", Budget, Watched, []Command{Status, Plan}, nil, "see that the pods' budget is still there").
			need("create", Budget, Always, append([]Command{Diff}, creating()...), steps(migration.StepPark), "keep a drain from stopping two pods at once").
			need("patch", Budget, Always, append([]Command{Diff}, making()...), steps(migration.StepPark, migration.StepRestorePods), "keep a drain from stopping two pods at once").
			need("delete", Budget, Removing, []Command{Unpark}, steps(migration.StepDeletePodObjects), "take back the pods' budget"),

		Resource{Name: "pods", Note: `"patch" sets an annotation, so that the kubelet looks at the pod at once;
"delete" is for going back to a host: the pod is deleted by its uid, gracefully.`}.
			need("get", Pods, Always, []Command{Replace, Revert, Seed}, steps(migration.StepFlip, migration.StepAdopt, migration.StepKick), "see that a pod is still the one that was looked at").
			need("list", All, Always, looking(), nil, "look at all pods of the ensemble at once").
			need("list", WholeCluster, Forecast, fitting(), nil, "see what other pods have reserved on the nodes").
			need("patch", Pods, Always, append(moving(), Apply), steps(migration.StepRelease, migration.StepRenew, migration.StepKick), "make the kubelet read the gate at once").
			need("delete", Pods, Always, append(creating(), Apply, Revert), steps(migration.StepDeletePod, migration.StepRemakePods), "stop a pod, whose successor waits at the gate").
			need("list", All, Through, all, nil, "find a pod to ask ZooKeeper from").
			need("create", All, Through, all, nil, "make a pod to ask ZooKeeper from, where none of the ensemble runs").
			need("get", AskedPods, Through, all, nil, "see that the pod that is asked from runs, and is still the same one").
			need("delete", ProbePods, Through, all, nil, "delete a pod that was made for it"),

		Resource{Name: "pods/log", Note: `The gate in the pod reports through its log.`}.
			need("get", Pods, Always, looking(), nil, "read what the gate in a pod reports"),

		Resource{Name: "pods/exec", Note: `A copy of a host's data is streamed into the parked pod (replace --data=copy,
seed), and ZooKeeper is asked through a pod (--probe-via=pod). Without it replace
cannot try the paths between pods before it stops a host, and says so; nothing
else asks for it. "get" is the stream over WebSocket, "create" the one over SPDY, and over WebSocket
where the API server asks for it.`}.
			need("get", Pods, Copy, []Command{Replace, Seed}, steps(migration.StepSeed), "stream a copy of the host's data into the pod").
			need("create", Pods, Copy, []Command{Replace, Seed}, steps(migration.StepSeed), "stream a copy of the host's data into the pod").
			need("get", AskedPods, Through, all, nil, "ask ZooKeeper from a pod").
			need("create", AskedPods, Through, all, nil, "ask ZooKeeper from a pod"),

		Resource{Name: "persistentvolumeclaims", Note: `To say why a pod does not start.`}.
			need("get", Claims, Always, looking(), nil, "say why a pod has no volume").
			need("delete", Claims, Removing, []Command{Unpark}, steps(migration.StepDeleteClaims), "take back volumes on which ZooKeeper was never started"),

		Resource{Name: "resourcequotas", Note: `To say before a pod is created what would keep it out. Nothing fails without
these two: the checks that look at them are skipped.`}.
			need("list", All, Forecast, fitting(), nil, "compare what the namespace has left with what the pods need"),
		Resource{Name: "limitranges"}.
			need("list", All, Forecast, fitting(), nil, "see whether the namespace's limits admit the pods"),
		Resource{Name: "nodes"}.
			need("list", WholeCluster, Forecast, fitting(), nil, "count the nodes that the pods fit on"),
		Resource{Group: "storage.k8s.io", Name: "storageclasses"}.
			need("list", WholeCluster, Forecast, fitting(), nil, "see whether the volumes can be provisioned"),
		Resource{Name: "persistentvolumes"}.
			need("list", WholeCluster, Forecast, fitting(), nil, "find volumes that were made by hand"),
	}
}
