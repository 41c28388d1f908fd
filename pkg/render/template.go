package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Names and paths inside the pods.
const (
	// ContainerName is the container that becomes ZooKeeper.
	ContainerName = "zookeeper"
	// RelayName is the container whose log holds the gate's reports, and nothing
	// that ZooKeeper says.
	RelayName = migration.GateContainer

	dataVolume   = migration.PodVolume
	gateVolume   = "gate"
	confVolume   = "conf"
	reportVolume = "report"
	// tmpVolume is where a JVM and bash write what they forget: the root file system is
	// read-only.
	tmpVolume = "tmp"
	tmpPath   = "/tmp"
	// toolRoot is above all that is mounted for the gate.
	toolRoot   = "/zkmigrate"
	gatePath   = "/zkmigrate/gate"
	confPath   = "/zkmigrate/conf"
	reportPath = "/zkmigrate/report"

	// serversEnv holds serverTable.
	serversEnv = "ZKMIGRATE_SERVERS"
	// listenEnv holds listenTable.
	listenEnv = "ZKMIGRATE_LISTEN"
	// localPortEnv holds the plain-text port of servers that have none for others.
	localPortEnv = "ZKMIGRATE_LOCAL_PORT"
)

// podTemplate meets the "restricted" pod security standard. Service links are
// off, for one environment variable per Service of the namespace helps nobody;
// the service account's token is not mounted, for the pods ask the API server
// nothing. Injected proxies are kept out: they would stand between servers on
// the peer ports and be up later than the gate.
func podTemplate(rec migration.Record) (corev1.PodTemplateSpec, error) {
	containers, volumes, err := containers(rec)
	if err != nil {
		return corev1.PodTemplateSpec{}, err
	}
	affinity, err := antiAffinity(rec)
	if err != nil {
		return corev1.PodTemplateSpec{}, err
	}
	if rec.Pods.RunAsUser <= 0 {
		return corev1.PodTemplateSpec{}, fmt.Errorf("ensemble %s: the pods' user id is %d: ZooKeeper must not run as root",
			rec.Name, rec.Pods.RunAsUser)
	}
	user, nonRoot, no := rec.Pods.RunAsUser, true, false
	seconds := int64(grace)
	onMismatch := corev1.FSGroupChangeOnRootMismatch
	labels, annotations := objectLabels(rec), map[string]string{"kubectl.kubernetes.io/default-container": ContainerName}
	keepProxiesOut(labels, annotations)
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{
			Labels:      labels,
			Annotations: annotations,
		},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken:  &no,
			EnableServiceLinks:            &no,
			TerminationGracePeriodSeconds: &seconds,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:        &nonRoot,
				RunAsUser:           &user,
				RunAsGroup:          &user,
				FSGroup:             &user,
				FSGroupChangePolicy: &onMismatch,
				SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Affinity:   affinity,
			Containers: containers,
			Volumes:    volumes,
		},
	}
	if !rec.Pods.Plain {
		withFiles(rec, &template.Spec)
	}
	if template, err = applyTemplate(template, rec.Pods.Template, allPorts(rec)); err != nil {
		return template, fmt.Errorf("ensemble %s: %w", rec.Name, err)
	}
	return template, nil
}

// containers are the pod's, with the volumes that they mount.
func containers(rec migration.Record) ([]corev1.Container, []corev1.Volume, error) {
	c, err := zookeeperContainer(rec)
	if err != nil {
		return nil, nil, err
	}
	if rec.Pods.Plain {
		c, volumes := plainContainer(rec, c)
		return []corev1.Container{c}, volumes, nil
	}
	conf := configVolume(confVolume, Conf(rec).Name)
	tmp := corev1.Volume{Name: tmpVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
	if c, err = gateContainer(rec, c); err != nil {
		return nil, nil, err
	}
	// Whole directories: files mounted by subPath are never refreshed.
	return []corev1.Container{c, relayContainer(rec)}, []corev1.Volume{configVolume(gateVolume, GateName(rec.Name)), conf, memoryVolume(reportVolume), tmp}, nil
}

// keepProxiesOut says to the meshes' injectors that this pod gets no proxy.
func keepProxiesOut(labels, annotations map[string]string) {
	labels["sidecar.istio.io/inject"] = "false"
	annotations["sidecar.istio.io/inject"], annotations["linkerd.io/inject"] = "false", "disabled"
}

// readOnly is what the restricted pod security standard wants of a container, which
// writes nothing but to its volumes.
func readOnly() *corev1.SecurityContext {
	yes, no := true, false
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no,
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		ReadOnlyRootFilesystem:   &yes,
	}
}

func configVolume(name, configMap string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: configMap}},
	}}
}

// memoryVolume is a small directory that a full disk does not keep from being
// written.
func memoryVolume(name string) corev1.Volume {
	size := resource.MustParse("1Mi")
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: &size},
	}}
}

// relayContainer repeats the gate's reports (ADR 9). It sees nothing of the data,
// and has no probe: where it does not run, there is no report.
func relayContainer(rec migration.Record) corev1.Container {
	memory := resource.MustParse("32Mi")
	return corev1.Container{
		Name:            RelayName,
		Image:           rec.Pods.Image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Command:         checked(rec, relayKey),
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceMemory: memory, corev1.ResourceCPU: resource.MustParse("10m")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: memory},
		},
		SecurityContext: readOnly(),
		VolumeMounts: []corev1.VolumeMount{
			{Name: confVolume, MountPath: confPath, ReadOnly: true},
			{Name: reportVolume, MountPath: reportPath, ReadOnly: true},
		},
	}
}

// serverTable has a line for each pod: ordinal, id, and the host that must be down
// before it starts, with its client and election port; - stands for one that is gone. One template serves all pods,
// and a pod's environment cannot be changed once it exists.
func serverTable(rec migration.Record) (string, error) {
	var lines []string
	for _, s := range byID(rec) {
		addr, err := HostAddr(s)
		if err != nil {
			return "", err
		}
		host := addr.String()
		if s.Retired != nil {
			host = "-"
		}
		port, _ := s.AskedPort()
		lines = append(lines, fmt.Sprintf("%d %s %s %d %d", s.Ordinal, s.ID, host, port, s.ElectionPort))
	}
	return strings.Join(lines, "\n"), nil
}

// listenTable has a line for each pod: ordinal, and the server's ports. The gate listens
// at them until its host is stopped.
func listenTable(rec migration.Record) string {
	var lines []string
	for _, s := range byID(rec) {
		line := strconv.Itoa(s.Ordinal)
		for _, p := range s.Ports() {
			line += " " + strconv.Itoa(p.Number)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// zookeeperContainer is what containers have in common that run ZooKeeper.
func zookeeperContainer(rec migration.Record) (corev1.Container, error) {
	if rec.Pods.Image == "" {
		return corev1.Container{}, fmt.Errorf("ensemble %s: no image for the pods: name one that holds the hosts' ZooKeeper version", rec.Name)
	}
	resources, err := resources(rec)
	if err != nil {
		return corev1.Container{}, err
	}
	c := corev1.Container{
		Name:            ContainerName,
		Image:           rec.Pods.Image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		Resources:       resources,
		SecurityContext: readOnly(),
	}
	for _, p := range podPorts(rec) {
		c.Ports = append(c.Ports, corev1.ContainerPort{Name: string(p.Name), ContainerPort: int32(p.Number), Protocol: corev1.ProtocolTCP})
	}
	return c, nil
}

// jvmFlagsEnv is the variable with the JVM's flags; none where there are no flags.
func jvmFlagsEnv(rec migration.Record) []corev1.EnvVar {
	flags := ensemble.MapFileFlags(rec.Pods.JVMFlags, fileRefs(rec), migration.PodFilesDir)
	if flags == "" {
		return nil
	}
	return []corev1.EnvVar{{Name: "SERVER_JVMFLAGS", Value: quote.Container(flags)}}
}

// podNameEnv tells a pod its name.
func podNameEnv() corev1.EnvVar { return fieldEnv("POD_NAME", "metadata.name") }

func fieldEnv(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}}}
}

// gateContainer makes of a container one that runs the gate, which becomes ZooKeeper.
func gateContainer(rec migration.Record, c corev1.Container) (corev1.Container, error) {
	servers, err := serverTable(rec)
	if err != nil {
		return c, err
	}
	c.Command, c.Args = checked(rec, gateKey), quote.Containers(rec.Pods.Run())
	c.Env = []corev1.EnvVar{
		podNameEnv(), fieldEnv("POD_UID", "metadata.uid"), {Name: serversEnv, Value: servers}, {Name: listenEnv, Value: listenTable(rec)},
	}
	if made := madeFor(rec); made != "" {
		c.Env = append(c.Env, corev1.EnvVar{Name: "ZKMIGRATE_VERSION", Value: made})
	}
	if port := localPort(rec); port != 0 {
		c.Env = append(c.Env, corev1.EnvVar{Name: localPortEnv, Value: strconv.Itoa(port)})
	}
	c.Env = append(c.Env, jvmFlagsEnv(rec)...)
	c.VolumeMounts = []corev1.VolumeMount{
		{Name: dataVolume, MountPath: migration.PodVolumePath},
		{Name: gateVolume, MountPath: gatePath, ReadOnly: true},
		{Name: confVolume, MountPath: confPath, ReadOnly: true},
		{Name: reportVolume, MountPath: reportPath},
		{Name: tmpVolume, MountPath: tmpPath},
	}
	c.StartupProbe, c.LivenessProbe, c.ReadinessProbe = probe("live", 5, 5, 24), probe("live", 15, 5, 4), probe("ready", 5, 5, 1)
	return c, nil
}

// localPort is the pods' own plain-text port, at their loopback address; 0 where the
// servers have one that others use.
func localPort(rec migration.Record) int {
	servers := rec.Ensemble().Servers
	if slices.ContainsFunc(servers, func(s ensemble.Server) bool { return s.ClientPort != 0 }) {
		return 0
	}
	return ensemble.LocalPort(servers)
}

// madeFor is the one ZooKeeper release that the pods' gate starts; empty where an
// operator has waived that there is one.
func madeFor(rec migration.Record) string {
	v, err := ensemble.ParseVersion(rec.Settings.Version)
	if err != nil || rec.Waived(migration.WaiverOneVersion) {
		return ""
	}
	return v.String()
}

// probe asks probe.sh; period and timeout are in seconds. The API server's
// defaults are written out, so that applying twice changes nothing.
func probe(question string, period, timeout, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{
			Command: []string{"bash", confPath + "/" + probeKey, question},
		}},
		PeriodSeconds:    period,
		TimeoutSeconds:   timeout,
		SuccessThreshold: 1,
		FailureThreshold: failures,
	}
}

// resources: memory is request and limit alike, CPU has no limit, for a
// throttled garbage collection is a missed heartbeat and thereby an election.
func resources(rec migration.Record) (corev1.ResourceRequirements, error) {
	memory, err := quantity(rec, "memory", rec.Pods.Memory)
	if err != nil {
		return corev1.ResourceRequirements{}, err
	}
	cpu, err := quantity(rec, "cpu", rec.Pods.CPU)
	if err != nil {
		return corev1.ResourceRequirements{}, err
	}
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceMemory: memory, corev1.ResourceCPU: cpu},
		Limits:   map[corev1.ResourceName]resource.Quantity{corev1.ResourceMemory: memory},
	}, nil
}

// antiAffinity keeps two servers off one node.
func antiAffinity(rec migration.Record) (*corev1.Affinity, error) {
	term := corev1.PodAffinityTerm{
		TopologyKey:   corev1.LabelHostname,
		LabelSelector: &metav1.LabelSelector{MatchLabels: PodSelector(rec.Name)},
	}
	switch rec.Pods.AntiAffinity {
	case "required":
		return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{term},
		}}, nil
	case "preferred":
		return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 100, PodAffinityTerm: term}},
		}}, nil
	default:
		return nil, fmt.Errorf("ensemble %s: anti-affinity %q is neither \"required\" nor \"preferred\"", rec.Name, rec.Pods.AntiAffinity)
	}
}
