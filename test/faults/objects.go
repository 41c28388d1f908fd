package faults

import (
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// objects are faults of people and programs that change Kubernetes objects.
func objects() []Fault {
	return []Fault{
		{
			Name: "service-deleted", What: "A server's Service is deleted by hand.",
			Version: Unguarded, From: OnHost,
			Trigger: func(g *Stage) { g.Kubectl("delete", "service", g.fill("{name}-{id}")) },
			Verdict: Verdict{Code: migration.CodeServiceGone, Exit: 3, Says: "Service {name}-{id} of server {id} is gone", Next: "wrap {name}"},
			Way:     "`wrap`, as printed: it makes the Service again, with the same address.",
			Recover: func(g *Stage) { g.Follow(); g.Ends(); g.Again() },
			After:   InPod, NoAddress: "there is no Service meanwhile",
		},
		{
			Name: "service-deleted-after", What: "The Service of a replaced server is deleted by hand.",
			Version: Unguarded, From: InPod, Command: []string{"replace", "{name}", "--id={other}"},
			Trigger: func(g *Stage) { g.Kubectl("delete", "service", g.fill("{name}-{id}")) },
			Verdict: Verdict{Code: migration.CodeServiceGone, Exit: 3, Says: "Service {name}-{id} of server {id} is gone", Next: "wrap {name}"},
			Way:     "`wrap`, as printed, makes it again, with the same address; then `replace` of that server, as the next command prints, points it to its pod.",
			Recover: func(g *Stage) {
				g.Disagrees()
				g.Ends()
			},
			After: InPod, NoAddress: "there is no Service meanwhile",
		},
		{
			Name: "service-changed", What: "Somebody sets publishNotReadyAddresses of a server's Service to false after its host's server was stopped: no parked pod would get its address.",
			Version: Guarded, From: OnHost, When: migration.StepStopHost,
			Trigger: func(g *Stage) {
				g.patch("service", g.fill("{name}-{id}"), map[string]any{"spec": map[string]any{"publishNotReadyAddresses": false}})
			},
			Verdict: Verdict{Code: migration.CodeServiceChanged, Exit: 4, Says: "somebody changed Service {name}-{id} of server {id}: publishNotReadyAddresses is false", Next: "kubectl patch service {name}-{id} --type=merge -p"},
			Way:     "Set it right, as printed, then the same command.",
			Recover: func(g *Stage) { g.Follow(); g.Again() },
			After:   InPod,
		},
		{
			Name: "service-selects-others", What: "Somebody gives the Service of a replaced server a selector of their own.",
			Version: Unguarded, From: InPod, Command: []string{"replace", "{name}", "--id={other}"},
			Trigger: func(g *Stage) {
				g.patch("service", g.fill("{name}-{id}"), map[string]any{"spec": map[string]any{"selector": map[string]any{"app": "zk", "statefulset.kubernetes.io/pod-name": nil}}})
			},
			Verdict: Verdict{Code: migration.CodeServiceChanged, Exit: 3, Says: "somebody changed Service {name}-{id} of server {id}: its selector is map[app:zk]", Next: "kubectl patch service {name}-{id} --type=merge -p"},
			Way:     "Set it right, as printed.",
			Recover: func(g *Stage) { g.Follow() },
			After:   InPod, NoAddress: "the fault takes the address away",
		},
		{
			Name: "statefulset-deleted", What: "The pods' StatefulSet is deleted by hand, and with it the pod of a server that runs in one.",
			Version: Guarded, From: InPod, Command: []string{"replace", "{name}", "--id={other}"},
			Trigger: func(g *Stage) {
				g.Kubectl("delete", "statefulset", render.StatefulSetName(g.Name), "--cascade=foreground")
			},
			Verdict: Verdict{Code: migration.CodeDegraded, Exit: 3, Says: "not every server is in sync", Next: "replace {name} --id={id}"},
			Way:     "`replace` of that server, as printed, makes it again; the pod starts with its data.",
			Recover: func(g *Stage) { g.Follow(); g.Ends() },
			After:   InPod, NoAddress: podGone,
		},
		{
			Name: "statefulset-edited", What: "Somebody sets another image in the pods' StatefulSet while a server runs in its pod: the next drain would bring it up with that.",
			Version: Guarded, From: InPod, Command: []string{"replace", "{name}", "--id={id}"},
			Trigger: func(g *Stage) {
				g.Kubectl("set", "image", "statefulset/"+render.StatefulSetName(g.Name), render.ContainerName+"=example.com/zookeeper:edited")
			},
			Verdict: Verdict{Exit: Goes, Says: "somebody edited StatefulSet {name}-pod, and its pods would not be made as recorded"},
			Way:     "`replace` of that server, as `status` prints: the recorded template is applied again, and no pod is restarted.",
			Recover: func(g *Stage) {
				image := g.Kubectl("get", "statefulset", render.StatefulSetName(g.Name), "-o", "jsonpath={.spec.template.spec.containers[*].image}")
				if strings.Contains(image, "edited") {
					g.T.Fatalf("the template still has %s", image)
				}
			},
			After: InPod,
		},
		{
			Name: "foreign-slice", What: "Somebody else adds endpoints to a server's Service.",
			Version: Guarded, From: OnHost,
			Trigger: func(g *Stage) { g.Intrude() },
			Verdict: Verdict{Code: migration.CodeForeignEndpoints, Exit: 3, Says: "has endpoints that neither we nor Kubernetes' controllers wrote: EndpointSlice/intruder", Next: "kubectl delete EndpointSlice/intruder -n {name}"},
			Way:     "Delete them, as printed.",
			Recover: func(g *Stage) { g.Follow(); g.Again() },
			After:   InPod, NoAddress: "the fault is a second address",
		},
		{
			Name: "endpoints-swapped", What: "The endpoints of two servers are swapped by hand.",
			Version: Guarded, From: OnHost,
			Trigger: func(g *Stage) { g.Swap() },
			Verdict: Verdict{Code: migration.CodeJournalDisagrees, Exit: 3, Says: "the journal says server {id} runs on its host {host}, but its Service points to", Next: "revert {name} --id={id}"},
			Way:     "`revert`, as printed, for each.",
			Recover: func(g *Stage) {
				g.Follow()
				g.Ends()
				g.Begin("revert", g.Name, g.fill("--id={other}"))
				g.Ends()
			},
			After: OnHost,
		},
		{
			Name: "gate-garbled", What: "The gate's ConfigMap is edited by hand, and nobody can read it any more.",
			Version: Unguarded, From: OnHost,
			Trigger: func(g *Stage) { g.Parked(); g.gateReleases("once upon a time\n") },
			Verdict: Verdict{Exit: 1, Says: "the gate in ConfigMap {name}/{name}-zkmigrate-gate cannot be read", Next: "kubectl edit configmap {name}-zkmigrate-gate -n {name}"},
			Way:     "Restore it by hand, as printed: no server was released. Pods that have not started refuse it as well.",
			Recover: func(g *Stage) { g.gateReleases(""); g.Again() },
			After:   InPod,
		},
		{
			Name: "gate-deleted", What: "The gate's ConfigMap is deleted while no server has been released.",
			Version: Guarded, From: OnHost,
			Trigger: func(g *Stage) { g.Parked(); g.Kubectl("delete", "configmap", render.GateName(g.Name)) },
			Verdict: Verdict{Exit: Goes, Says: "create the pods, parked at their gates"},
			Way:     "Nothing: the command makes it again, closed.",
			Recover: func(*Stage) {},
			After:   InPod,
		},
		{
			Name: "gate-deleted-after", What: "The gate's ConfigMap is deleted while a server runs in its pod: a restart of the pod would not start ZooKeeper.",
			Version: Guarded, From: InPod, Command: []string{"replace", "{name}", "--id={other}"},
			Trigger: func(g *Stage) { g.Kubectl("delete", "configmap", render.GateName(g.Name)) },
			Verdict: Verdict{Code: migration.CodeJournalDisagrees, Exit: 3, Says: "its gate is closed: a restart of the pod would not start ZooKeeper", Next: "replace {name} --id={id}"},
			Way:     "`replace` of that server again, as printed: the gate and its line are written again as they were.",
			Recover: func(g *Stage) { g.Follow(); g.Ends() },
			After:   InPod,
		},
	}
}

// Intrude adds endpoints to the server's Service, as a controller of somebody
// else's would.
func (g *Stage) Intrude() {
	g.T.Helper()
	g.T.Cleanup(func() {
		_ = g.Kube.DiscoveryV1().EndpointSlices(g.Name).Delete(afterwards(g.T), "intruder", metav1.DeleteOptions{})
	})
	g.apply(fmt.Sprintf(`{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
"metadata":{"name":"intruder","namespace":%q,"labels":{"kubernetes.io/service-name":"%s-%d"}},
"endpoints":[{"addresses":["10.77.250.250"]}],"ports":[{"port":2181,"name":"client"}]}`, g.Name, g.Name, g.ID))
}

// losses cost data; they come last.
func losses() []Fault {
	lost := func(name, version, what string) Fault {
		return Fault{
			Name: name, What: what,
			Version: version, From: InPod, Command: []string{"replace", "{name}", "--id={other}"},
			Trigger: func(g *Stage) { g.LoseVolume() },
			Verdict: Verdict{Code: migration.CodeDegraded, Exit: 3, Says: "not every server is in sync", Next: "replace {name} --id={id}"},
			Way:     "`replace` of that server, as printed: the others prove that they hold everything, then it begins from empty.",
			Recover: func(g *Stage) { g.Follow(); g.Ends() },
			After:   InPod, NoAddress: podGone,
		}
	}
	return []Fault{
		lost("volume-lost-unguarded", Unguarded, "A replaced server loses its pod and its volume; on 3.4 and 3.5 an empty server would vote."),
		lost("volume-lost-guarded", Guarded, "The same on 3.6 and later."),
	}
}

func (g *Stage) gateReleases(text string) {
	g.T.Helper()
	g.patch("configmap", render.GateName(g.Name), map[string]any{"data": map[string]string{render.GateReleasedKey: text}})
}

// Swap has the endpoints of two servers point at each other's hosts.
func (g *Stage) Swap() {
	g.T.Helper()
	g.T.Cleanup(func() {
		if g.T.Failed() {
			g.point(g.ID, g.ID)
			g.point(g.Other, g.Other)
		}
	})
	g.point(g.ID, g.Other)
	g.point(g.Other, g.ID)
}

// point has a server's hand-made endpoints point at another one's host.
func (g *Stage) point(id, host int) {
	g.T.Helper()
	g.patch("endpointslice", render.BridgeName(g.Name, idOf(id)), map[string]any{
		"endpoints": []any{map[string]any{"addresses": []string{g.Host(host).Address}}},
	})
}

func (g *Stage) patch(kind, name string, patch map[string]any) {
	g.T.Helper()
	data, err := json.Marshal(patch)
	if err != nil {
		g.T.Fatal(err)
	}
	g.Kubectl("patch", kind, name, "--type=merge", "-p", string(data))
}

func (g *Stage) apply(object string) {
	g.T.Helper()
	g.write("object.json", object)
	g.Kubectl("create", "-f", g.File("object.json"))
}
