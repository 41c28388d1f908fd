package render

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const (
	// RoleProbe is the RoleLabel of a probe pod.
	RoleProbe = "probe"
	// AliveEnv names the file in which a tunnel in the pod shows that it is heard.
	AliveEnv = "ZKMIGRATE_ALIVE"

	aliveVolume = "alive"
	alivePath   = "/zkmigrate/alive"
	probePods   = 4
	// probePodSeconds is the most that a probe pod lives; a rolling restart is watched for
	// hours.
	probePodSeconds = 6 * 3600
	// probePodUser is nobody's.
	probePodUser = 65534
)

// ProbePodNames are those of an ensemble's probe pods, one for each command at a time; a
// Role can name them.
func ProbePodNames(name string) []string {
	out := make([]string, probePods)
	for i := range out {
		out[i] = fmt.Sprintf("%s-probe-%d", name, i+1)
	}
	return out
}

// ProbePod is a pod from which ZooKeeper is asked where this machine reaches nothing. It
// has the labels of the ensemble's own pods, so that policies apply to it as to them, but for
// app.kubernetes.io/name: by that one the pods' Service, budget and affinity select. It
// does nothing itself, meets the restricted standard, and ends when no tunnel has run in
// it for a minute; the deadline is for when even that fails.
func ProbePod(rec migration.Record, podName, image string) (*corev1.Pod, error) {
	if image == "" {
		return nil, fmt.Errorf("ensemble %s: no image for a probe pod", rec.Name)
	}
	labels := Labels(rec.Name)
	labels["app.kubernetes.io/name"] = "zookeeper-probe"
	labels["app.kubernetes.io/component"] = "probe"
	labels[RoleLabel] = RoleProbe
	annotations := map[string]string{}
	keepProxiesOut(labels, annotations)
	no, yes := false, true
	user, group := int64(probePodUser), int64(probePodUser)
	grace, deadline := int64(0), int64(probePodSeconds)
	memory := resource.MustParse("256Mi")
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{
			Name: podName, Namespace: rec.Namespace, Labels: labels,
			Annotations: annotations,
		},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         &deadline,
			TerminationGracePeriodSeconds: &grace,
			AutomountServiceAccountToken:  &no,
			EnableServiceLinks:            &no,
			Affinity:                      apart(rec.Name),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &group,
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: ContainerName, Image: image, ImagePullPolicy: corev1.PullIfNotPresent,
				Command: []string{"bash", "-c", probePodScript},
				Env:     []corev1.EnvVar{{Name: AliveEnv, Value: alivePath + "/beat"}},
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceMemory: memory, corev1.ResourceCPU: resource.MustParse("10m")},
					Limits:   corev1.ResourceList{corev1.ResourceMemory: memory},
				},
				SecurityContext: readOnly(),
				VolumeMounts:    []corev1.VolumeMount{{Name: aliveVolume, MountPath: alivePath}},
			}},
			Volumes: []corev1.Volume{memoryVolume(aliveVolume)},
		},
	}, nil
}

// apart has several probe pods run on nodes of their own, where there are as many.
func apart(name string) *corev1.Affinity {
	others := &metav1.LabelSelector{MatchLabels: map[string]string{EnsembleLabel: name, RoleLabel: RoleProbe}}
	return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{
		{Weight: 100, PodAffinityTerm: corev1.PodAffinityTerm{LabelSelector: others, TopologyKey: corev1.LabelHostname}},
	}}}
}

// probePodScript waits until the beat of the tunnels has been the same for a minute.
const probePodScript = `set -uf
trap 'exit 0' TERM INT
exec {idle}<> <(:)
last= since=$SECONDS
while ((SECONDS - since < 60)); do
  read -rt 2 -u "$idle" _
  beat=
  [[ -f $ZKMIGRATE_ALIVE ]] && { IFS= read -rn 40 beat <"$ZKMIGRATE_ALIVE"; } 2>/dev/null
  [[ $beat == "$last" ]] || last=$beat since=$SECONDS
done
`
