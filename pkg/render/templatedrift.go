package render

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// Difference is a value in a pod's spec that is not the one recorded.
type Difference struct {
	// Path is where it is, in the keys of an object's managed fields below the spec.
	Path []string
	// Text says it in words.
	Text string
}

// TemplateDrift holds a pod's spec against the recorded one. Only what we render
// counts, an operator's template included: the API server fills in what we leave
// empty, and admission adds containers, variables and mounts.
func TemplateDrift(rec migration.Record, have corev1.PodSpec) ([]Difference, error) {
	template, err := podTemplate(rec)
	if err != nil {
		return nil, err
	}
	d := &differences{}
	for _, w := range template.Spec.Containers {
		d.container(w, have.Containers)
	}
	for _, w := range template.Spec.Volumes {
		d.volume(w, have.Volumes)
	}
	if w, h := template.Spec.TerminationGracePeriodSeconds, have.TerminationGracePeriodSeconds; h != nil && *h != *w {
		d.add([]string{"f:terminationGracePeriodSeconds"}, "terminationGracePeriodSeconds is %d, recorded is %d", *h, *w)
	}
	d.podSecurity(template.Spec.SecurityContext, have.SecurityContext)
	d.affinity(template.Spec.Affinity, have.Affinity)
	return d.out, nil
}

// SetDrift holds the spec of the pods' StatefulSet against the recorded one: how it makes
// pods, and when it makes them again. Paths are below the spec.
func SetDrift(rec migration.Record, have appsv1.StatefulSetSpec) ([]Difference, error) {
	want, err := statefulSet(rec)
	if err != nil {
		return nil, err
	}
	out, err := TemplateDrift(rec, have.Template.Spec)
	for i := range out {
		out[i].Path = append([]string{"f:template", "f:spec"}, out[i].Path...)
	}
	if w, h := want.Spec.UpdateStrategy.Type, have.UpdateStrategy.Type; h != w {
		out = append(out, Difference{Path: []string{"f:updateStrategy", "f:type"}, Text: fmt.Sprintf("updateStrategy is %q, recorded is %q", h, w)})
	}
	return out, err
}

// differences collects what differs; who is the part of the spec that is looked
// at, at its path.
type differences struct {
	who string
	at  []string
	out []Difference
}

func (d *differences) add(path []string, format string, args ...any) {
	d.out = append(d.out, Difference{Path: slices.Concat(d.at, path), Text: d.who + fmt.Sprintf(format, args...)})
}

// in is the same list for a part.
func (d *differences) in(who string, path []string, look func(*differences)) {
	part := &differences{who: who, at: path}
	look(part)
	d.out = append(d.out, part.out...)
}

// keyed is the key of one element of a list.
func keyed(key, value string) string { return fmt.Sprintf("k:{%q:%q}", key, value) }

func (d *differences) container(w corev1.Container, have []corev1.Container) {
	d.in("container "+w.Name+": ", []string{"f:containers", keyed("name", w.Name)}, func(d *differences) {
		i := slices.IndexFunc(have, func(h corev1.Container) bool { return h.Name == w.Name })
		if i < 0 {
			d.add(nil, "is missing")
			return
		}
		h := have[i]
		if h.Image != w.Image {
			d.add([]string{"f:image"}, "image is %q, recorded is %q", h.Image, w.Image)
		}
		d.words("f:command", "command", w.Command, h.Command)
		d.words("f:args", "args", w.Args, h.Args)
		d.env(w.Env, h.Env)
		d.quantities("f:requests", "requests", w.Resources.Requests, h.Resources.Requests)
		d.quantities("f:limits", "limits", w.Resources.Limits, h.Resources.Limits)
		d.mounts(w.VolumeMounts, h.VolumeMounts)
		d.probe("f:startupProbe", "startup probe", w.StartupProbe, h.StartupProbe)
		d.probe("f:livenessProbe", "liveness probe", w.LivenessProbe, h.LivenessProbe)
		d.probe("f:readinessProbe", "readiness probe", w.ReadinessProbe, h.ReadinessProbe)
		d.security(w.SecurityContext, h.SecurityContext)
	})
}

func (d *differences) words(key, what string, w, h []string) {
	if !slices.Equal(w, h) {
		d.add([]string{key}, "%s is %q, recorded is %q", what, hideWords(h), hideWords(w))
	}
}

func (d *differences) env(want, have []corev1.EnvVar) {
	for _, w := range want {
		at := []string{"f:env", keyed("name", w.Name), "f:value"}
		if w.ValueFrom != nil {
			at[2] = "f:valueFrom"
		}
		i := slices.IndexFunc(have, func(h corev1.EnvVar) bool { return h.Name == w.Name })
		switch {
		case i < 0:
			d.add(at, "variable %s is missing", w.Name)
		case have[i].Value != w.Value && ensemble.Secret(w.Name):
			d.add(at, "variable %s has another value than recorded", w.Name)
		case have[i].Value != w.Value:
			d.add(at, "variable %s is %q, recorded is %q", w.Name, ensemble.HideSecrets(have[i].Value), ensemble.HideSecrets(w.Value))
		case fieldPath(have[i]) != fieldPath(w):
			d.add(at, "variable %s comes from %q, recorded is %q", w.Name, fieldPath(have[i]), fieldPath(w))
		}
	}
}

// fieldPath is the only source that we render; a template may have others.
func fieldPath(e corev1.EnvVar) string {
	switch {
	case e.ValueFrom == nil:
		return ""
	case e.ValueFrom.FieldRef == nil:
		return "elsewhere"
	}
	return e.ValueFrom.FieldRef.FieldPath
}

func (d *differences) quantities(key, what string, want, have corev1.ResourceList) {
	for _, name := range []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceCPU} {
		w, ok := want[name]
		if !ok {
			continue
		}
		at := []string{"f:resources", key, "f:" + string(name)}
		if h, ok := have[name]; !ok {
			d.add(at, "%s of %s is missing, recorded is %s", name, what, w.String())
		} else if h.Cmp(w) != 0 {
			d.add(at, "%s of %s is %s, recorded is %s", name, what, h.String(), w.String())
		}
	}
}

func (d *differences) mounts(want, have []corev1.VolumeMount) {
	for _, w := range want {
		at := []string{"f:volumeMounts", keyed("mountPath", w.MountPath)}
		i := slices.IndexFunc(have, func(h corev1.VolumeMount) bool { return h.MountPath == w.MountPath })
		switch {
		case i < 0:
			d.add(at, "nothing is mounted at %s", w.MountPath)
		case have[i].Name != w.Name || have[i].SubPath != w.SubPath || have[i].SubPathExpr != w.SubPathExpr:
			d.add(append(at, "f:name"), "volume %s is mounted at %s, recorded is %s", have[i].Name, w.MountPath, w.Name)
		}
	}
}

func (d *differences) probe(key, what string, w, h *corev1.Probe) {
	if w == nil || w.Exec == nil {
		return
	}
	at := []string{key, "f:exec", "f:command"}
	if h == nil || h.Exec == nil {
		d.add(at, "its %s is another one, recorded is %q", what, w.Exec.Command)
	} else if !slices.Equal(w.Exec.Command, h.Exec.Command) {
		d.add(at, "its %s runs %q, recorded is %q", what, hideWords(h.Exec.Command), hideWords(w.Exec.Command))
	}
}

func (d *differences) security(w, h *corev1.SecurityContext) {
	if w == nil {
		return
	}
	if h == nil {
		h = &corev1.SecurityContext{}
	}
	pointer(d, "allowPrivilegeEscalation", w.AllowPrivilegeEscalation, h.AllowPrivilegeEscalation)
	pointer(d, "readOnlyRootFilesystem", w.ReadOnlyRootFilesystem, h.ReadOnlyRootFilesystem)
	if w.Capabilities == nil {
		return
	}
	for _, drop := range w.Capabilities.Drop {
		if h.Capabilities == nil || !slices.Contains(h.Capabilities.Drop, drop) {
			d.add([]string{"f:securityContext", "f:capabilities", "f:drop"}, "capabilities %s are not dropped", drop)
		}
	}
}

func (d *differences) podSecurity(w, h *corev1.PodSecurityContext) {
	if h == nil {
		h = &corev1.PodSecurityContext{}
	}
	pointer(d, "runAsUser", w.RunAsUser, h.RunAsUser)
	pointer(d, "runAsGroup", w.RunAsGroup, h.RunAsGroup)
	pointer(d, "runAsNonRoot", w.RunAsNonRoot, h.RunAsNonRoot)
	pointer(d, "fsGroup", w.FSGroup, h.FSGroup)
	if h.SeccompProfile == nil || h.SeccompProfile.Type != w.SeccompProfile.Type {
		d.add([]string{"f:securityContext", "f:seccompProfile"}, "seccompProfile is not %s", w.SeccompProfile.Type)
	}
}

// pointer compares a field of a security context, if we set it.
func pointer[T comparable](d *differences, name string, w, h *T) {
	at := []string{"f:securityContext", "f:" + name}
	switch {
	case w == nil:
	case h == nil:
		d.add(at, "%s is missing, recorded is %v", name, *w)
	case *h != *w:
		d.add(at, "%s is %v, recorded is %v", name, *h, *w)
	}
}

func (d *differences) volume(w corev1.Volume, have []corev1.Volume) {
	d.in("volume "+w.Name+": ", []string{"f:volumes", keyed("name", w.Name)}, func(d *differences) {
		i := slices.IndexFunc(have, func(h corev1.Volume) bool { return h.Name == w.Name })
		switch {
		case i < 0:
			d.add(nil, "is missing")
		case w.ConfigMap != nil && have[i].ConfigMap == nil:
			d.add([]string{"f:configMap"}, "is not a ConfigMap, recorded is %s", w.ConfigMap.Name)
		case w.ConfigMap != nil && have[i].ConfigMap.Name != w.ConfigMap.Name:
			d.add([]string{"f:configMap", "f:name"}, "is ConfigMap %s, recorded is %s", have[i].ConfigMap.Name, w.ConfigMap.Name)
		case w.Secret != nil && (have[i].Secret == nil || have[i].Secret.SecretName != w.Secret.SecretName):
			d.add([]string{"f:secret"}, "is not Secret %s", w.Secret.SecretName)
		case w.EmptyDir != nil && have[i].EmptyDir == nil:
			d.add([]string{"f:emptyDir"}, "is not an emptyDir")
		}
	})
}

// affinity wants our term among those there are.
func (d *differences) affinity(want, have *corev1.Affinity) {
	if have == nil || have.PodAntiAffinity == nil {
		have = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{}}
	}
	w, h := want.PodAntiAffinity, have.PodAntiAffinity
	at := func(key string) []string { return []string{"f:affinity", "f:podAntiAffinity", key} }
	for _, term := range w.RequiredDuringSchedulingIgnoredDuringExecution {
		if !slices.ContainsFunc(h.RequiredDuringSchedulingIgnoredDuringExecution, func(t corev1.PodAffinityTerm) bool { return apiequality.Semantic.DeepEqual(t, term) }) {
			d.add(at("f:requiredDuringSchedulingIgnoredDuringExecution"), "the required anti-affinity is missing or changed")
		}
	}
	for _, term := range w.PreferredDuringSchedulingIgnoredDuringExecution {
		if !slices.ContainsFunc(h.PreferredDuringSchedulingIgnoredDuringExecution, func(t corev1.WeightedPodAffinityTerm) bool { return apiequality.Semantic.DeepEqual(t, term) }) {
			d.add(at("f:preferredDuringSchedulingIgnoredDuringExecution"), "the preferred anti-affinity is missing or changed")
		}
	}
}
