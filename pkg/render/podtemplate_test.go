package render

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// everything is a template with what no flag sets.
const everything = `metadata:
  labels: {team: infra, app.kubernetes.io/part-of: search}
  annotations: {example.com/scrape: "true"}
spec:
  tolerations: [{key: zk, operator: Exists}]
  nodeSelector: {disk: ssd}
  topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {zkmigrate.io/ensemble: main}}}
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: zk, operator: Exists}]}]}}}
  priorityClassName: high
  imagePullSecrets: [{name: registry}]
  serviceAccountName: zk
  terminationGracePeriodSeconds: 120
  securityContext: {fsGroupChangePolicy: Always, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: zookeeper
    imagePullPolicy: Always
    env: [{name: TZ, value: UTC}]
    resources: {limits: {cpu: "2"}, requests: {ephemeral-storage: 1Gi}}
    readinessProbe: {periodSeconds: 9}
    securityContext: {readOnlyRootFilesystem: false}
    volumeMounts: [{name: certs, mountPath: /certs}]
  - name: gate
    resources: {limits: {cpu: 50m}}
  - name: log
    image: log:1
    ports: [{containerPort: 9000}]
    volumeMounts: [{name: data, mountPath: /data, readOnly: true}]
    readinessProbe: {httpGet: {path: /, port: 9000}}
  initContainers:
  - {name: first, image: first:1}
  volumes:
  - {name: certs, secret: {secretName: certs}}
`

// TestTemplateIsMerged: what the template says is there, and all of ours still is.
func TestTemplateIsMerged(t *testing.T) {
	text, err := ReadTemplate("pods.yaml", []byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	rec := record()
	ours, err := podTemplate(rec)
	if err != nil {
		t.Fatal(err)
	}
	rec.Pods.Template = text
	got, err := podTemplate(rec)
	if err != nil {
		t.Fatal(err)
	}
	zk := got.Spec.Containers[slices.IndexFunc(got.Spec.Containers, func(c corev1.Container) bool { return c.Name == ContainerName })]
	cpu := zk.Resources.Limits[corev1.ResourceCPU]
	memory := zk.Resources.Limits[corev1.ResourceMemory]
	for what, ok := range map[string]bool{
		"toleration":     len(got.Spec.Tolerations) == 1,
		"label":          got.Labels["team"] == "infra" && got.Labels["app.kubernetes.io/part-of"] == "search" && got.Labels[EnsembleLabel] == "main",
		"annotation":     got.Annotations["example.com/scrape"] == "true" && got.Annotations["linkerd.io/inject"] == "disabled",
		"priority":       got.Spec.PriorityClassName == "high",
		"grace":          *got.Spec.TerminationGracePeriodSeconds == 120,
		"affinity":       got.Spec.Affinity.NodeAffinity != nil && got.Spec.Affinity.PodAntiAffinity != nil,
		"sidecar":        len(got.Spec.Containers) == 3 && len(got.Spec.InitContainers) == 1,
		"limits":         cpu.String() == "2" && memory.String() == "2Gi",
		"probe":          zk.ReadinessProbe.PeriodSeconds == 9 && zk.ReadinessProbe.Exec != nil && zk.ReadinessProbe.FailureThreshold == 1,
		"root":           !*zk.SecurityContext.ReadOnlyRootFilesystem && !*zk.SecurityContext.AllowPrivilegeEscalation,
		"mounts":         len(zk.VolumeMounts) == len(ours.Spec.Containers[0].VolumeMounts)+1,
		"volumes":        len(got.Spec.Volumes) == len(ours.Spec.Volumes)+1,
		"user":           *got.Spec.SecurityContext.RunAsUser == 1000 && *got.Spec.SecurityContext.FSGroup == 1000,
		"another mark":   mark(t, rec) != mark(t, record()),
		"nothing drifts": drifts(t, rec, got.Spec) == "",
	} {
		if !ok {
			t.Errorf("%s: %+v", what, got)
		}
	}
	want := "metadata.labels.team metadata.labels[app.kubernetes.io/part-of] metadata.annotations[example.com/scrape] spec.tolerations spec.nodeSelector spec.topologySpreadConstraints " +
		"spec.affinity.nodeAffinity spec.priorityClassName spec.imagePullSecrets spec.serviceAccountName spec.terminationGracePeriodSeconds spec.securityContext.fsGroupChangePolicy spec.securityContext.seccompProfile " +
		"spec.containers[zookeeper].imagePullPolicy spec.containers[zookeeper].env[TZ] spec.containers[zookeeper].resources.limits.cpu spec.containers[zookeeper].resources.requests.ephemeral-storage " +
		"spec.containers[zookeeper].readinessProbe.periodSeconds spec.containers[zookeeper].securityContext.readOnlyRootFilesystem spec.containers[zookeeper].volumeMounts[/certs] " +
		"spec.containers[gate].resources.limits.cpu spec.containers[log] spec.initContainers[first] spec.volumes[certs]"
	fields := TemplateFields(text)
	slices.Sort(fields)
	sorted := strings.Fields(want)
	slices.Sort(sorted)
	if diff := cmp.Diff(sorted, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	again, err := ReadTemplate("", []byte(text))
	if err != nil || again != text {
		t.Errorf("what is recorded is read as something else: %v\n%s\n%s", err, text, again)
	}
}

func mark(t *testing.T, rec migration.Record) string {
	t.Helper()
	m, err := TemplateMark(rec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func drifts(t *testing.T, rec migration.Record, have corev1.PodSpec) string {
	t.Helper()
	d, err := TemplateDrift(rec, have)
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, one := range d {
		out += one.Text + "\n"
	}
	return out
}

// refusals has one template for each rule, by the path that the refusal names.
func refusals() map[string]string {
	zk := func(text string) string { return "spec: {containers: [{name: zookeeper, " + text + "}]}" }
	out := map[string]string{
		"metadata.labels[app.kubernetes.io/name]":                       "metadata: {labels: {app.kubernetes.io/name: x}}",
		"metadata.labels[zkmigrate.io/ensemble]":                        "metadata: {labels: {zkmigrate.io/ensemble: x}}",
		"metadata.labels[statefulset.kubernetes.io/pod-name]":           "metadata: {labels: {statefulset.kubernetes.io/pod-name: x}}",
		"metadata.labels[apps.kubernetes.io/pod-index]":                 "metadata: {labels: {apps.kubernetes.io/pod-index: '1'}}",
		"metadata.labels.controller-revision-hash":                      "metadata: {labels: {controller-revision-hash: x}}",
		"metadata.annotations[zkmigrate.io/template]":                   "metadata: {annotations: {zkmigrate.io/template: x}}",
		"metadata.labels[sidecar.istio.io/inject]":                      "metadata: {labels: {sidecar.istio.io/inject: 'true'}}",
		"metadata.annotations[kubectl.kubernetes.io/default-container]": "metadata: {annotations: {kubectl.kubernetes.io/default-container: exporter}}",
		"metadata.annotations[linkerd.io/inject]":                       "metadata: {annotations: {linkerd.io/inject: enabled}}",
		"metadata.name":                                               "metadata: {name: x}",
		"metadata.finalizers":                                         "metadata: {finalizers: [x/y]}",
		"spec.restartPolicy":                                          "spec: {restartPolicy: Never}",
		"spec.activeDeadlineSeconds":                                  "spec: {activeDeadlineSeconds: 9}",
		"spec.ephemeralContainers":                                    "spec: {ephemeralContainers: [{name: x}]}",
		"spec.nodeName":                                               "spec: {nodeName: x}",
		"spec.hostname":                                               "spec: {hostname: x}",
		"spec.subdomain":                                              "spec: {subdomain: x}",
		"spec.setHostnameAsFQDN":                                      "spec: {setHostnameAsFQDN: true}",
		"spec.hostNetwork":                                            "spec: {hostNetwork: true}",
		"spec.hostPID":                                                "spec: {hostPID: true}",
		"spec.hostIPC":                                                "spec: {hostIPC: true}",
		"spec.shareProcessNamespace":                                  "spec: {shareProcessNamespace: true}",
		"spec.readinessGates":                                         "spec: {readinessGates: [{conditionType: x}]}",
		"spec.terminationGracePeriodSeconds":                          "spec: {terminationGracePeriodSeconds: 30}",
		"spec.affinity.podAntiAffinity":                               "spec: {affinity: {podAntiAffinity: {}}}",
		"spec.containers[gate].command":                               "spec: {containers: [{name: gate, command: [x]}]}",
		"spec.containers[gate].env":                                   "spec: {containers: [{name: gate, env: [{name: x}]}]}",
		"spec.initContainers[zookeeper]":                              "spec: {initContainers: [{name: zookeeper}]}",
		"spec.initContainers[gate]":                                   "spec: {initContainers: [{name: gate}]}",
		"spec.containers[log].volumeMounts[/x]":                       "spec: {containers: [{name: log, volumeMounts: [{name: report, mountPath: /x}]}]}",
		"spec.containers[log].volumeMounts[/data]":                    "spec: {containers: [{name: log, volumeMounts: [{name: data, mountPath: /data}]}]}",
		"spec.initContainers[own].volumeMounts[/gate]":                "spec: {initContainers: [{name: own, volumeMounts: [{name: gate, mountPath: /gate, readOnly: true}]}]}",
		"spec.containers[log].volumeDevices[data]":                    "spec: {containers: [{name: log, volumeDevices: [{name: data, devicePath: /x}]}]}",
		"spec.containers[zookeeper].image":                            zk("image: x"),
		"spec.containers[zookeeper].command":                          zk("command: [x]"),
		"spec.containers[zookeeper].args":                             zk("args: [x]"),
		"spec.containers[zookeeper].lifecycle":                        zk("lifecycle: {postStart: {exec: {command: [x]}}}"),
		"spec.containers[zookeeper].restartPolicy":                    zk("restartPolicy: Always"),
		"spec.containers[zookeeper].terminationMessagePath":           zk("terminationMessagePath: /x"),
		"spec.containers[zookeeper].ports":                            zk("ports: [{containerPort: 9}]"),
		"spec.containers[zookeeper].envFrom":                          zk("envFrom: [{configMapRef: {name: x}}]"),
		"spec.containers[zookeeper].resources.limits.memory":          zk("resources: {limits: {memory: 1Gi}}"),
		"spec.containers[zookeeper].resources.requests.memory":        zk("resources: {requests: {memory: 1Gi}}"),
		"spec.containers[zookeeper].resources.requests.cpu":           zk("resources: {requests: {cpu: 1}}"),
		"spec.containers[zookeeper].volumeMounts[/zookeeper]":         zk("volumeMounts: [{name: x, mountPath: /zookeeper}]"),
		"spec.containers[zookeeper].volumeMounts[/zkmigrate/../]":     zk("volumeMounts: [{name: x, mountPath: /zkmigrate/../}]"),
		"spec.containers[zookeeper].volumeMounts[//zkmigrate/gate/x]": zk("volumeMounts: [{name: x, mountPath: //zkmigrate/gate/x}]"),
		"spec.containers[zookeeper].volumeMounts[/x]":                 zk("volumeMounts: [{name: conf, mountPath: /x}]"),
		"spec.containers[zookeeper].securityContext.runAsUser":        zk("securityContext: {runAsUser: 0}"),
		"spec.containers[zookeeper].securityContext.runAsGroup":       zk("securityContext: {runAsGroup: 0}"),
		"spec.containers[zookeeper].securityContext.runAsNonRoot":     zk("securityContext: {runAsNonRoot: false}"),
	}
	for _, key := range []string{"runAsUser", "runAsGroup", "fsGroup"} {
		out["spec.securityContext."+key] = "spec: {securityContext: {" + key + ": 0}}"
	}
	out["spec.securityContext.runAsNonRoot"] = "spec: {securityContext: {runAsNonRoot: false}}"
	for _, name := range []string{"POD_NAME", "POD_UID", "ZKMIGRATE_SERVERS", "SERVER_JVMFLAGS", "JVMFLAGS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS",
		"BASH_ENV", "SHELLOPTS", "ENV", "POSIXLY_CORRECT", "LD_PRELOAD", "PATH", "CLASSPATH", "ZOOMAIN", "ZOOCFG", "ZOOCFGDIR"} {
		out["spec.containers[zookeeper].env."+name] = zk("env: [{name: " + name + ", value: x}]")
	}
	for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
		for key, value := range map[string]string{"exec": "{command: [x]}", "httpGet": "{port: 1}", "tcpSocket": "{port: 1}", "grpc": "{port: 1}", "terminationGracePeriodSeconds": "5"} {
			out["spec.containers[zookeeper]."+probe+"."+key] = zk(probe + ": {" + key + ": " + value + "}")
		}
	}
	for _, name := range ourVolumes() {
		out["spec.volumes."+name] = "spec: {volumes: [{name: " + name + ", emptyDir: {}}]}"
	}
	return out
}

// TestTemplateRefusals: each field that would break the gate or an invariant is refused by
// its path, with the reason and the line, and every rule is tried.
func TestTemplateRefusals(t *testing.T) {
	tried := map[int]bool{}
	for path, text := range refusals() {
		_, err := ReadTemplate("pods.yaml", []byte(text))
		var input *ensemble.InputError
		name := strings.NewReplacer("env.", "env[", "volumes.", "volumes[").Replace(path)
		if name != path && !strings.HasSuffix(name, "]") {
			name += "]"
		}
		if !errors.As(err, &input) || !strings.HasPrefix(input.Problem, name+" cannot be set by a pod template: ") || input.Line != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, why, _ := strings.Cut(input.Problem, "template: ")
		doc, err := parseTemplate("", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		doc.walk(func(f templateField) bool {
			if i := slices.IndexFunc(templateRules(), func(r templateRule) bool { return r.judges(f.path) }); i >= 0 && templateRules()[i].why == why {
				tried[i] = true
			}
			return true
		})
	}
	for i, r := range templateRules() {
		if r.why != "" && !tried[i] {
			t.Errorf("no test for %v", r.path)
		}
	}
}

// TestTemplateInput: what is wrong is said with the number of its line; the line itself may hold a
// password.
func TestTemplateInput(t *testing.T) {
	for text, want := range map[string]string{
		"spec:\n  tolerationss: []":                              `pods.yaml:2: a pod template has no field spec.tolerationss`,
		"spec:\n  containers:\n  - name: log\n    imge: x":       `pods.yaml:4: a pod template has no field spec.containers[0].imge`,
		"apiVersion: v1\nspec: {}":                               `pods.yaml:1: a pod template has no field apiVersion`,
		"spec:\n  hostUsers: maybe":                              `pods.yaml:2: spec.hostUsers is of the wrong kind (string) (expected what Kubernetes has there)`,
		"spec:\n  tolerations:\n    key: x":                      `pods.yaml:3: spec.tolerations is of the wrong kind (object) (expected what Kubernetes has there)`,
		"spec:\n  priorityClassName: null":                       `pods.yaml:2: null removes a field (expected a value, or leave the field out)`,
		"spec:\n  containers:\n  - {name: gate, $patch: delete}": `pods.yaml:3: a directive of the strategic merge can remove what the pods need (expected only values that are set or added)`,
		"spec:\n  containers:\n  - image: x":                     `pods.yaml:3: an element of containers has no name (expected name: NAME, by which it is merged)`,
		"spec: {}\nspec: {}":                                     `pods.yaml:2: "spec" appears twice`,
		"spec: &a {}\nmetadata: *a":                              `pods.yaml:1: an alias, an anchor or a tag (expected the value itself)`,
		"spec: {containers: [{name: !!binary em9va2VlcGVy}]}":    `pods.yaml:1: an alias, an anchor or a tag (expected the value itself)`,
		"- spec":                  `pods.yaml:1: it is not a pod template (expected keys metadata and spec, as in the template of a StatefulSet)`,
		"spec: {}\n---\nspec: {}": `pods.yaml: it has more than one document (expected one pod template)`,
		"spec: [":                 `pods.yaml: it is not YAML: line 1: did not find expected node content`,
		"spec: {tolerations: [{key: " + strings.Repeat("x", 33<<10) + "}]}": `pods.yaml: it is too long for a pod template (expected at most 32 KiB)`,
		"spec: {containers: [{name: log, resources: {limits: {cpu: x}}}]}":  `pods.yaml: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
	} {
		if _, err := ReadTemplate("pods.yaml", []byte(text)); fmt.Sprint(err) != want {
			t.Errorf("%.80q:\n got %v\nwant %s", text, err, want)
		}
	}
	for _, nothing := range []string{"", "# nothing", "{}", "null", "---\n"} {
		if got, err := ReadTemplate("pods.yaml", []byte(nothing)); err != nil || got != "" {
			t.Errorf("%q: %q, %v", nothing, got, err)
		}
	}
}

// TestTemplateOfTheJournal: it is somebody's input, and is judged each time.
func TestTemplateOfTheJournal(t *testing.T) {
	for text, want := range map[string]string{
		`{"spec":{"hostNetwork":true}}`: "ensemble main: the pod template: 1: spec.hostNetwork cannot be set by a pod template",
		`{"spec":{"containers":[{"name":"log","image":"x","ports":[{"containerPort":2181}]}]}}`: "spec.containers[log].ports: 2181 is a port of ZooKeeper",
	} {
		_, err := Pods(record(func(r *migration.Record) { r.Pods.Template = text }))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzTemplate: whatever is accepted leaves the gate, its volumes and the selectors as they
// are.
func FuzzTemplate(f *testing.F) {
	f.Add(everything)
	for _, text := range refusals() {
		f.Add(text)
	}
	rec := record()
	base, err := podTemplate(rec)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kept, err := ReadTemplate("pods.yaml", []byte(text))
		if err != nil {
			return
		}
		changed := rec
		changed.Pods.Template = kept
		got, err := podTemplate(changed)
		if err != nil {
			return
		}
		for k, v := range PodSelector(rec.Name) {
			if got.Labels[k] != v {
				t.Errorf("label %s is %q\n%s", k, got.Labels[k], text)
			}
		}
		have := got.Spec
		for i, c := range have.Containers {
			// What a template may change of ours.
			if c.Name == RelayName {
				have.Containers[i].Resources, have.Containers[i].SecurityContext = base.Spec.Containers[1].Resources, base.Spec.Containers[1].SecurityContext
			}
			if c.Name == ContainerName {
				have.Containers[i].SecurityContext = base.Spec.Containers[0].SecurityContext
			}
		}
		have.SecurityContext.SeccompProfile = base.Spec.SecurityContext.SeccompProfile
		have.TerminationGracePeriodSeconds = base.Spec.TerminationGracePeriodSeconds
		if d := drifts(t, rec, have); d != "" && !strings.Contains(d, " is mounted at /tmp") {
			t.Errorf("%s\n%s", d, text)
		}
	})
}

// TestEarlierObjects: a StatefulSet's selector and claims cannot be changed, and what an
// earlier release has made is kept.
func TestEarlierObjects(t *testing.T) {
	var was struct {
		Spec struct {
			Selector             any              `json:"selector"`
			ServiceName          string           `json:"serviceName"`
			PodManagementPolicy  string           `json:"podManagementPolicy"`
			VolumeClaimTemplates []map[string]any `json:"volumeClaimTemplates"`
		} `json:"spec"`
	}
	is := was
	last := func(out any, text []byte) {
		docs := strings.Split(string(text), "\n---\n")
		if err := yaml.Unmarshal([]byte(docs[len(docs)-1]), out); err != nil {
			t.Fatal(err)
		}
	}
	last(&was, readFile(t, "testdata/earlier/pods-default.yaml"))
	objects, err := Pods(record())
	if err != nil {
		t.Fatal(err)
	}
	text, err := YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	last(&is, text)
	// The API server's default, which is written out now.
	for _, claim := range is.Spec.VolumeClaimTemplates {
		if cmp.Diff(claim["status"], any(map[string]any{"phase": "Pending"})) != "" {
			t.Errorf("status of the claims: %v", claim["status"])
		}
		delete(claim, "status")
	}
	if diff := cmp.Diff(was, is); diff != "" || was.Spec.ServiceName == "" {
		t.Errorf("what cannot be changed (-earlier +now):\n%s", diff)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
