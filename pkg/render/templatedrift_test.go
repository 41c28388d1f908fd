package render

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestTemplateDrift: what somebody changed of ours is named; what the API server
// fills in and admission adds is not.
func TestTemplateDrift(t *testing.T) {
	for name, tc := range map[string]struct {
		edit     func(*corev1.PodSpec)
		want     []string
		template string
	}{
		"as it was made": {edit: func(*corev1.PodSpec) {}},
		"as the API server returns it": {edit: func(p *corev1.PodSpec) {
			mode := int32(420)
			p.RestartPolicy, p.DNSPolicy, p.SchedulerName = corev1.RestartPolicyAlways, corev1.DNSClusterFirst, corev1.DefaultSchedulerName
			for i := range p.Containers {
				p.Containers[i].TerminationMessagePath, p.Containers[i].TerminationMessagePolicy = "/dev/termination-log", corev1.TerminationMessageReadFile
			}
			p.Volumes[0].ConfigMap.DefaultMode, p.Volumes[1].ConfigMap.DefaultMode = &mode, &mode
			p.Containers[0].LivenessProbe.InitialDelaySeconds = 0
			p.Containers[0].Env[0].ValueFrom.FieldRef.APIVersion = "v1"
			p.Containers[0].Resources.Limits[corev1.ResourceMemory] = resource.MustParse("2048Mi")
			p.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("0.5")
		}},
		"what admission adds": {edit: func(p *corev1.PodSpec) {
			p.Containers = append([]corev1.Container{{Name: "proxy", Image: "proxy:1"}}, p.Containers...)
			zk := &p.Containers[1]
			zk.Env = append([]corev1.EnvVar{{Name: "HTTP_PROXY", Value: "x"}}, zk.Env...)
			zk.VolumeMounts = append(zk.VolumeMounts, corev1.VolumeMount{Name: "token", MountPath: "/var/run/secrets"})
			zk.Resources.Limits[corev1.ResourceCPU] = resource.MustParse("2")
			p.Volumes = append(p.Volumes, corev1.Volume{Name: "token"})
			p.Tolerations = append(p.Tolerations, corev1.Toleration{Key: "x"})
			p.Affinity.NodeAffinity = &corev1.NodeAffinity{}
		}},
		"image": {edit: func(p *corev1.PodSpec) { p.Containers[0].Image = "zk:other" },
			want: []string{`container zookeeper: image is "zk:other", recorded is "registry.example.com/zookeeper:3.8.0"`}},
		"memory": {edit: func(p *corev1.PodSpec) {
			p.Containers[0].Resources.Limits[corev1.ResourceMemory] = resource.MustParse("1Gi")
			delete(p.Containers[0].Resources.Requests, corev1.ResourceMemory)
		}, want: []string{"container zookeeper: memory of requests is missing, recorded is 2Gi", "container zookeeper: memory of limits is 1Gi, recorded is 2Gi"}},
		"command and args": {edit: func(p *corev1.PodSpec) { p.Containers[1].Command, p.Containers[0].Args = []string{"sleep"}, nil },
			want: []string{`container zookeeper: args is []`, `container gate: command is ["sleep"]`}},
		"variables": {edit: func(p *corev1.PodSpec) {
			p.Containers[0].Env[0].ValueFrom.FieldRef.FieldPath = "spec.nodeName"
			p.Containers[0].Env[2].Value = "x"
			p.Containers[0].Env = p.Containers[0].Env[:3]
		}, want: []string{`container zookeeper: variable POD_NAME comes from "spec.nodeName"`, `container zookeeper: variable ZKMIGRATE_SERVERS is "x"`, "container zookeeper: variable ZKMIGRATE_LISTEN is missing",
			"container zookeeper: variable SERVER_JVMFLAGS is missing"}},
		"secret variables and arguments": {edit: func(p *corev1.PodSpec) {
			i := slices.IndexFunc(p.Containers, func(c corev1.Container) bool { return c.Name == "exporter" })
			p.Containers[i].Env[0].Value, p.Containers[i].Args = "hush", []string{"--password=hush"}
		}, want: []string{`container exporter: args is ["--password=<hidden>"], recorded is ["--password=<hidden>"]`, "container exporter: variable EXPORTER_PASSWORD has another value than recorded"},
			template: `{"spec":{"containers":[{"name":"exporter","image":"x","args":["--password=old"],"env":[{"name":"EXPORTER_PASSWORD","value":"old"}]}]}}`},
		"mounts": {edit: func(p *corev1.PodSpec) {
			p.Containers[0].VolumeMounts[1].Name = "other"
			p.Containers[1].VolumeMounts = nil
		}, want: []string{"container zookeeper: volume other is mounted at /zkmigrate/gate", "container gate: nothing is mounted at /zkmigrate/conf", "container gate: nothing is mounted at /zkmigrate/report"}},
		"probes": {edit: func(p *corev1.PodSpec) {
			p.Containers[0].LivenessProbe = nil
			p.Containers[0].ReadinessProbe.Exec.Command = []string{"true"}
		}, want: []string{"container zookeeper: its liveness probe is another one", `container zookeeper: its readiness probe runs ["true"]`}},
		"volumes": {edit: func(p *corev1.PodSpec) {
			p.Volumes[0].ConfigMap.Name = "forged"
			p.Volumes = p.Volumes[:2]
		}, want: []string{"volume gate: is ConfigMap forged", "volume report: is missing", "volume tmp: is missing"}},
		"security": {edit: func(p *corev1.PodSpec) {
			root := int64(0)
			p.SecurityContext.RunAsUser = &root
			p.Containers[0].SecurityContext = nil
		}, want: []string{"container zookeeper: allowPrivilegeEscalation is missing, recorded is false", "container zookeeper: readOnlyRootFilesystem is missing", "container zookeeper: capabilities ALL are not dropped", "runAsUser is 0, recorded is 1000"}},
		"affinity":  {edit: func(p *corev1.PodSpec) { p.Affinity = nil }, want: []string{"the required anti-affinity is missing or changed"}},
		"container": {edit: func(p *corev1.PodSpec) { p.Containers = p.Containers[:1] }, want: []string{"container gate: is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			rec := record()
			rec.Pods.Template = tc.template
			template, err := podTemplate(rec)
			if err != nil {
				t.Fatal(err)
			}
			have := template.Spec.DeepCopy()
			tc.edit(have)
			got, err := TemplateDrift(rec, *have)
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for i, d := range got {
				if i < len(tc.want) && len(d.Text) > len(tc.want[i]) {
					d.Text = d.Text[:len(tc.want[i])]
				}
				texts = append(texts, d.Text)
			}
			if diff := cmp.Diff(tc.want, texts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
