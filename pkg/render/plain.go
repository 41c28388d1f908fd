package render

import (
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// Plain pods run the image's own entry point with a mounted zoo.cfg (ADR 27). What it rests on:
//   - The entry point of the official image (31z4/zookeeper-docker) writes zoo.cfg and myid
//     only where they are absent, and then runs its arguments; zkServer.sh takes the path of
//     zoo.cfg as its second one. Other images run the arguments alone.
//   - myid is on the volume, one directory below the mount: a volume that is lost has neither.
//     An entry point that makes up an id there writes noID, which ZooKeeper refuses
//     (QuorumPeerConfig.setupMyId); without the file 3.4 refuses as well, and later releases
//     do not find themselves in their list (QuorumPeer.start). So a server never begins with
//     an empty volume, in any release.
//   - A file that is mounted by subPathExpr is never refreshed. Its ConfigMap cannot be
//     changed, so there is nothing to refresh.
const (
	plainConfDir = "/conf"
	plainConf    = plainConfDir + "/" + zooCfgKey

	// noID is in place of an id that an entry point would make up.
	noID = "the-volume-has-no-id"
)

// notPlain says why pods cannot do without the gate's script; empty where they can.
func notPlain(rec migration.Record) string {
	file, err := ensemble.ReadPodFile(rec.Pods.ZooCfg)
	ports := map[int]bool{}
	for _, s := range rec.Servers {
		port, _ := s.AskedPort()
		ports[port] = true
	}
	switch {
	case err != nil:
		return err.Error()
	case rec.Pods.PrivateSecret != "":
		return "zoo.cfg has passwords, which the gate puts in from Secret " + rec.Pods.PrivateSecret + ": move them into files that zoo.cfg names (ssl.keyStore.passwordPath and the like)"
	case rec.Pods.FilesNamed():
		return "the gate puts the files in their places that zoo.cfg and the JVM flags name (--files-secret, --files-configmap): build them into the image"
	case rec.Pods.DynamicName != "" || file.Reconfig:
		return "ZooKeeper rewrites its own configuration (reconfigEnabled or a dynamic file), and a mounted zoo.cfg cannot be written"
	case len(ports) > 1 && localPort(rec) == 0:
		return "the servers have different client ports, and the pods of one StatefulSet have one probe"
	}
	return ""
}

// plainConfMap holds zoo.cfg for plain pods: one for all, or one per pod where servers differ.
func plainConfMap(rec migration.Record) *corev1.ConfigMap {
	data := map[string]string{}
	if len(rec.Pods.Own) == 0 {
		data[zooCfgKey] = podCfg(rec.Pods.ZooCfg, nil)
	} else {
		for _, s := range rec.Servers {
			text := podCfg(rec.Pods.ZooCfg, nil)
			for _, own := range rec.Pods.Own {
				if own.ID == s.ID {
					text += podCfg(own.ZooCfg, nil)
				}
			}
			data[PodName(rec.Name, s.Ordinal)+"."+zooCfgKey] = text
		}
	}
	fixed := true
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: plainConfName(rec.Name, data), Namespace: rec.Namespace, Labels: Labels(rec.Name)},
		Immutable:  &fixed,
		Data:       data,
	}
}

func plainConfName(name string, data map[string]string) string {
	return PlainConfName(name) + "-" + contentHash(data)[:16]
}

// plainContainer makes of a container one that runs ZooKeeper without a gate.
func plainContainer(rec migration.Record, c corev1.Container) corev1.Container {
	port := localPort(rec)
	if port == 0 {
		port, _ = rec.Servers[0].AskedPort()
	}
	file := corev1.VolumeMount{Name: confVolume, MountPath: plainConf, SubPath: zooCfgKey, ReadOnly: true}
	if len(rec.Pods.Own) > 0 {
		file.SubPath, file.SubPathExpr = "", "$(POD_NAME)."+zooCfgKey
	}
	run := quote.Containers(append(slices.Clone(rec.Pods.Run()), plainConf))
	if len(rec.Pods.Command) > 0 {
		c.Command = run // somebody said what starts ZooKeeper in this image
	} else {
		c.Args = run
	}
	c.Env = []corev1.EnvVar{podNameEnv()}
	for _, e := range [][2]string{
		{"ZOO_CONF_DIR", plainConfDir}, {"ZOO_DATA_DIR", migration.PodDataDir}, {"ZOO_DATA_LOG_DIR", migration.PodDataLogDir}, {"ZOO_MY_ID", noID},
	} {
		c.Env = append(c.Env, corev1.EnvVar{Name: e[0], Value: e[1]})
	}
	c.Env = append(c.Env, jvmFlagsEnv(rec)...)
	c.VolumeMounts = []corev1.VolumeMount{
		{Name: dataVolume, MountPath: migration.PodVolumePath},
		file,
		{Name: tmpVolume, MountPath: tmpPath},
	}
	c.StartupProbe = plainProbe(port, "ruok", `IFS= read -rN 1 -t 4 -u 3`, 5, 5, 120)
	c.LivenessProbe = plainProbe(port, "ruok", `IFS= read -rN 1 -t 4 -u 3`, 15, 5, 4)
	c.ReadinessProbe = plainProbe(port, "srvr", `grep -qE "^Mode: (leader|follower|observer)" <&3`, 5, 5, 2)
	return c
}

// plainProbe asks ZooKeeper a word. Ready is who takes part in a quorum; ruok is answered in
// some way by whoever runs.
func plainProbe(port int, word, holds string, period, timeout, failures int32) *corev1.Probe {
	p := probe("", period, timeout, failures)
	p.Exec.Command = []string{"bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/" + strconv.Itoa(port) + " && printf " + word + " >&3 && " + holds}
	return p
}

// IsPlain reports whether pods of that spec start without a gate: zoo.cfg is mounted where
// ZooKeeper itself reads it.
func IsPlain(spec corev1.PodSpec) bool {
	return slices.ContainsFunc(spec.Containers, func(c corev1.Container) bool {
		return c.Name == ContainerName && slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == plainConf })
	})
}

// rolling has the StatefulSet restart pods by itself, one at a time: the next one goes once
// the former has been in sync for as long as a leader needs to drop a follower.
func rolling(rec migration.Record, set *appsv1.StatefulSet) {
	set.Spec.UpdateStrategy = appsv1.StatefulSetUpdateStrategy{Type: appsv1.RollingUpdateStatefulSetStrategyType}
	set.Spec.MinReadySeconds = int32(rec.JoinHold().Seconds())
}

// Final is what an ensemble is left with: Services that select their pods, configuration,
// budget and StatefulSet, which nobody but their owner changes from then on.
func Final(rec migration.Record) ([]Object, error) {
	rec.Pods.Plain = true
	if rec.Finalized == nil {
		rec.Finalized = &migration.Confirmation{}
	}
	out, err := Pods(rec)
	if err != nil {
		return nil, err
	}
	for _, s := range byID(rec) {
		svc := service(rec, s)
		delete(svc.Annotations, HostIPAnnotation)
		svc.Spec.Selector = ServiceSelector(rec.Name, s.Ordinal)
		out = append(out, svc)
	}
	return sortObjects(out), nil
}

func errNotPlain(rec migration.Record) error {
	if why := notPlain(rec); why != "" {
		return fmt.Errorf("ensemble %s: its pods need the gate's script: %s", rec.Name, why)
	}
	return nil
}
