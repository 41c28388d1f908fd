package render

import (
	"path"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

	// noID is in place of an id that an entry point would make up. No pod with a gate has the
	// variable.
	noIDVar = "ZOO_MY_ID"
	noID    = "the-volume-has-no-id"
)

// plainConfMap holds zoo.cfg for plain pods: one for all, or one per pod where servers differ.
func plainConfMap(rec migration.Record) *corev1.ConfigMap {
	data := map[string]string{}
	if len(rec.Pods.Own) == 0 {
		data[zooCfgKey] = plainCfg(rec, migration.ServerRecord{}) // no server has lines or files of its own
	} else {
		for _, s := range rec.Servers {
			data[plainCfgKey(rec, s)] = plainCfg(rec, s)
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

// plainCfg is what is recorded of a server's zoo.cfg, as its plain pod has it.
func plainCfg(rec migration.Record, s migration.ServerRecord) string {
	refs := plainRefs(rec, PodName(rec.Name, s.Ordinal))
	text := podCfg(rec.Pods.ZooCfg, refs)
	for _, own := range rec.Pods.Own {
		if own.ID == s.ID {
			text += podCfg(own.ZooCfg, refs)
		}
	}
	return text
}

// plainCfgKey is the entry with a server's zoo.cfg.
func plainCfgKey(rec migration.Record, s migration.ServerRecord) string {
	return PodName(rec.Name, s.Ordinal) + "." + zooCfgKey
}

// plainConfIn says where zoo.cfg of plain pods is: on the volume where ZooKeeper writes to
// it, in the Secret where nobody may read it, and else in the ConfigMap.
func plainConfIn(rec migration.Record) (volume, secret bool) {
	p := rec.Pods.PlainFiles
	volume = rewritesConf(rec)
	return volume, !volume && p != nil && p.ZooCfg
}

func plainConfName(name string, data map[string]string) string {
	return PlainConfName(name) + "-" + contentHash(data)[:16]
}

// plainContainer makes of a container one that runs ZooKeeper without a gate, and lists the
// volumes that it mounts.
func plainContainer(rec migration.Record, c corev1.Container) (corev1.Container, []corev1.Volume) {
	dir := plainConfDir
	c.VolumeMounts = []corev1.VolumeMount{{Name: dataVolume, MountPath: migration.PodVolumePath}}
	var volumes []corev1.Volume
	switch volume, secret := plainConfIn(rec); {
	case volume:
		dir = migration.PodConfDir
	case secret:
		volumes = append(volumes, secretVolume(confVolume, rec.Pods.PlainFiles.Secret))
		c.VolumeMounts = append(c.VolumeMounts, plainConfMount(true))
	default:
		volumes = append(volumes, configVolume(confVolume, Conf(rec).Name))
		c.VolumeMounts = append(c.VolumeMounts, plainConfMount(len(rec.Pods.Own) > 0))
	}
	if files, found := plainVolume(rec); found {
		volumes = append(volumes, files)
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: filesVolume, MountPath: migration.PodFilesDir, ReadOnly: true})
	}
	volumes = append(volumes, corev1.Volume{Name: tmpVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: tmpVolume, MountPath: tmpPath})

	run := quote.Containers(append(slices.Clone(rec.Pods.Run()), path.Join(dir, zooCfgKey)))
	if len(rec.Pods.Command) > 0 {
		c.Command = run // somebody said what starts ZooKeeper in this image
	} else {
		c.Args = run
	}
	c.Env = []corev1.EnvVar{podNameEnv()}
	for _, e := range [][2]string{
		{"ZOO_CONF_DIR", dir}, {"ZOO_DATA_DIR", migration.PodDataDir}, {"ZOO_DATA_LOG_DIR", migration.PodDataLogDir}, {noIDVar, noID},
	} {
		c.Env = append(c.Env, corev1.EnvVar{Name: e[0], Value: e[1]})
	}
	c.Env = append(c.Env, plainJVMFlags(rec)...)
	c.StartupProbe = plainProbe(rec, "ruok", `IFS= read -rN 1 -t 4 -u 3`, 5, 5, 120)
	c.LivenessProbe = plainProbe(rec, "ruok", `IFS= read -rN 1 -t 4 -u 3`, 15, 5, 4)
	c.ReadinessProbe = plainProbe(rec, "srvr", `grep -qE "^Mode: (leader|follower|observer)" <&3`, 5, 5, 2)
	return c, volumes
}

// plainConfMount is zoo.cfg of all pods, or the pod's own.
func plainConfMount(own bool) corev1.VolumeMount {
	m := corev1.VolumeMount{Name: confVolume, MountPath: plainConfDir + "/" + zooCfgKey, ReadOnly: true}
	if own {
		m.SubPathExpr = "$(POD_NAME)." + zooCfgKey
	} else {
		m.SubPath = zooCfgKey
	}
	return m
}

// plainProbe asks ZooKeeper a word. Ready is who takes part in a quorum; ruok is answered in
// some way by whoever runs.
func plainProbe(rec migration.Record, word, holds string, period, timeout, failures int32) *corev1.Probe {
	ports, port := plainPorts(rec)
	p := probe("", period, timeout, failures)
	p.Exec.Command = []string{"bash", "-c", ports + "exec 3<>/dev/tcp/127.0.0.1/" + port + " && printf " + word + " >&3 && " + holds}
	return p
}

// plainPorts is the port at which a pod asks its own server. Where servers differ it is the one
// at the pod's ordinal in a list, which goes before.
func plainPorts(rec migration.Record) (list, port string) {
	if local := localPort(rec); local != 0 {
		return "", strconv.Itoa(local)
	}
	var ports []string
	for _, s := range byID(rec) {
		port, _ := s.AskedPort()
		ports = append(ports, strconv.Itoa(port))
	}
	if len(slices.Compact(slices.Clone(ports))) == 1 {
		return "", ports[0]
	}
	return "ports=(" + strings.Join(ports, " ") + ") && ", "${ports[${POD_NAME##*-}]}"
}

// IsPlain reports whether pods of that spec start without a gate.
func IsPlain(spec corev1.PodSpec) bool {
	return slices.ContainsFunc(spec.Containers, func(c corev1.Container) bool {
		return c.Name == ContainerName && slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == noIDVar && e.Value == noID })
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

// Left is Final with what stands for the Secret that nobody may read, for people.
func Left(rec migration.Record) ([]Object, error) {
	out, err := Final(rec)
	if p := rec.Pods.PlainFiles; err == nil && p != nil && p.Secret != "" {
		out = append(out, hiddenSecret(rec, p.Secret, plainSecretKeys(rec)...))
	}
	return sortObjects(out), err
}

func plainSecretKeys(rec migration.Record) (keys []string) {
	p := rec.Pods.PlainFiles
	for _, s := range rec.Servers {
		if p.ZooCfg {
			keys = append(keys, plainCfgKey(rec, s))
		}
	}
	if p.JVMFlags {
		keys = append(keys, jvmFlagsKey)
	}
	for _, f := range p.Files {
		if f.From == migration.FromOurs {
			keys = append(keys, f.Key)
		}
	}
	return keys
}
