package migration

import (
	"fmt"
	"reflect"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// WaiverImage is the check id that lets pods be used whose image does not tell
// which ZooKeeper it holds.
const WaiverImage = "ZK030"

// PodRef names one pod, by its uid: its successor is another.
type PodRef struct {
	ID  ensemble.ID `json:"id"`
	UID string      `json:"uid"`
}

// provePods: every pod that the command counts on is made as recorded now, waits
// at its gate, sees its host and holds the ensemble's ZooKeeper. What can be
// learned of a pod before a host is stopped is learned here.
func (c *context) provePods() Decision {
	if c.in.Refused != "" {
		return stop(CodeVersionDiffers, c.retry()+" --image=IMAGE, one with ZooKeeper "+c.rec.Settings.Version,
			"%s; nothing was stopped, and the pods' settings are what they were before", c.in.Refused)
	}
	moving := c.moving()
	for _, s := range moving {
		switch {
		case !s.gate.Found || s.pod.Source.Missing:
			return do(StepPark, nil, "the pods do not exist yet")
		case len(s.pod.Source.Lost) > 0:
			return do(StepPark, nil, "%s", s.lost())
		case s.pod.Source.Set.Outdated:
			return do(StepPark, nil, "the pods' settings have changed")
		}
	}
	if old := c.outdated(); len(old) > 0 {
		text := "the pods of servers %s were made before the last change of settings; nothing was started in them, and they are made again first"
		if len(old) == 1 {
			text = "the pod of server %s was made before the last change of settings; nothing was started in it, and it is made again first"
		}
		d := do(StepRemakePods, nil, text, ensemble.JoinIDs(old))
		for _, id := range old {
			d.Pods = append(d.Pods, PodRef{ID: id, UID: c.of(id).pod.UID})
		}
		return d
	}
	for _, s := range moving {
		if d := s.provePod(); d.made() {
			return d
		}
	}
	return Decision{}
}

// retry is the command that makes pods, to be given other settings.
func (c *context) retry() string {
	if c.in.Kind == Park {
		return c.cmd("park")
	}
	return c.cmd("replace --id=%d", c.in.ID)
}

// moving are the servers whose pods the command counts on: the one it is about,
// then, with --all, the others that run on their hosts.
func (c *context) moving() []*context {
	out := []*context{c}
	for _, s := range c.members {
		if c.in.All && s != c.member && s.onHost() {
			out = append(out, &context{facts: c.facts, member: s, in: c.in})
		}
	}
	return out
}

// outdated are the servers whose pods were made from other settings than are recorded
// now, and in which nothing was started. One left behind would keep what it has
// (a node, quota, an image that does not exist) from those that are new.
func (c *context) outdated() []ensemble.ID {
	return c.ids(func(m *member) bool {
		return m.onHost() && !m.gate.Released && m.idleOutdated()
	})
}

// provePod is provePods for one of them.
func (c *context) provePod() Decision {
	pod := c.pod
	switch {
	case c.stands != PodParked:
		return c.toPark(wait(CodePodNotParked, PhaseParked, "pod %s is not parked yet: %s", pod.Name, c.podState()))
	case !c.report.Fresh:
		return wait(CodePodNotParked, PhaseParked, "pod %s has not reported for more than %s", pod.Name, ReportFresh)
	}
	if d := c.proveImage(); d.made() {
		return d
	}
	if c.host.open() && c.report.HostClosed() {
		return stop(CodePodCannotReachHost, "make host "+c.HostIP+" reachable from the pods' network on the client and election ports",
			"pod %s is refused by host %s, which answers us: it could neither join nor serve as the second witness", pod.Name, c.HostIP)
	}
	return Decision{}
}

// proveImage: the pod's image holds the release that the hosts run.
func (c *context) proveImage() Decision {
	switch differs := c.otherImage(); {
	case differs != "" && c.rec.PodsBefore != nil:
		return do(StepRestorePods, nil, "%s", differs)
	case differs != "":
		return stop(CodeVersionDiffers, c.retry()+" --image=IMAGE, one with ZooKeeper "+c.rec.Settings.Version,
			"%s; nothing was stopped", differs)
	case c.imageUntold():
		return stop(CodeImageUnknown, c.cmd("wrap --waive=%s", WaiverImage)+" if you know that it holds ZooKeeper "+c.rec.Settings.Version+"; or name another --image",
			"pod %s does not say which ZooKeeper its image %s holds, so nothing was stopped for it", c.pod.Name, c.rec.Pods.Image).
			with(orUnknown(c.report.Detail), "with the check waived it is compared after the start only, while the server is away")
	}
	return Decision{}
}

// otherImage says that a pod's image holds another release than the hosts run;
// empty when it does not, when nobody knows, and when that was waived.
func (c *context) otherImage() string {
	want, err := ensemble.ParseVersion(c.rec.Settings.Version)
	if err != nil || c.report.Version.IsZero() || c.report.Version.Compare(want) == 0 || c.rec.Waived(WaiverOneVersion) {
		return ""
	}
	return fmt.Sprintf("the image of pod %s holds ZooKeeper %s, and the ensemble runs %s", c.pod.Name, c.report.Version, want)
}

// imageUntold: the pod does not say which release its image holds, and that matters.
func (c *context) imageUntold() bool {
	return c.report.Version.IsZero() && !c.rec.Waived(WaiverOneVersion) && !c.rec.Waived(WaiverImage)
}

// rightImage holds a pod's image against the ensemble once the operation has
// begun; the way back is the revert, which restores the pods' settings, too.
func (c *context) rightImage() Decision {
	back := c.cmd("revert --id=%d", c.flight.ID)
	switch differs := c.otherImage(); {
	case differs != "":
		return stop(CodeVersionDiffers, back, "%s", differs)
	case c.imageUntold():
		return stop(CodeImageUnknown, back, "pod %s does not say any more which ZooKeeper its image holds", c.pod.Name).with(c.report.Detail)
	}
	return Decision{}
}

// InPods are the servers that run in their pods.
func InPods(r Record) []ensemble.ID {
	var ids []ensemble.ID
	for _, s := range r.Servers {
		if s.Replaced != nil {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// Begun reports whether any server is in its pod, or on its way.
func (r Record) Begun() bool { return r.Flight != nil || len(InPods(r)) > 0 }

// unproven: the pods' settings were changed for a replacement that has not shown
// that a server runs with them, and servers run in pods that would take them when
// they are made again.
func (c *context) unproven() bool {
	return c.rec.PodsBefore != nil && len(ensemble.Without(InPods(c.rec), c.in.ID)) > 0
}

// unprovenPods says so, and what puts them back: the revert of a server on its host, or, where none
// is left there, apply.
func (c *context) unprovenPods() Decision {
	changes := c.rec.PodsBefore.Changes(c.rec.Pods)
	if c.rec.PodsBefore.Template != c.rec.Pods.Template {
		changes = append(changes, "--pod-template")
	}
	differs := "changed: " + orNone(changes)
	if s := c.first((*member).onHost); s != nil {
		return stop(CodePodOutdated, c.cmd("revert --id=%d", s.ID),
			"the pods' settings were changed for a replacement that has not finished, and servers %s would take them when their pods are recreated", ensemble.JoinIDs(InPods(c.rec))).
			with(differs, "revert restores the former settings, and moves nothing that runs on its host; a finished replacement confirms the new ones")
	}
	return stop(CodePodOutdated, c.cmd("apply --undo"), "the pods' settings were changed, and no server has joined with them; servers %s would take them when their pods are recreated", ensemble.JoinIDs(InPods(c.rec))).
		with(differs, "apply --undo restores the former settings, and stops nothing that runs with them", "or restart the servers with the new ones: "+c.cmd("apply"))
}

// Changes names what differs from other settings, in the words of the flags; the pod template's
// contents are left out.
func (p PodOptions) Changes(to PodOptions) []string {
	var out []string
	for _, c := range []struct{ flag, from, to string }{
		{"image", p.Image, to.Image}, {"storage-class", p.StorageClass, to.StorageClass}, {"storage-size", p.StorageSize, to.StorageSize},
		{"files-secret", p.FilesSecret, to.FilesSecret}, {"files-configmap", p.FilesConfigMap, to.FilesConfigMap},
		{"memory", p.Memory, to.Memory}, {"cpu", p.CPU, to.CPU}, {"jvm-flags", p.JVMFlags, to.JVMFlags},
		{"anti-affinity", p.AntiAffinity, to.AntiAffinity}, {"run-as-user", fmt.Sprint(p.RunAsUser), fmt.Sprint(to.RunAsUser)},
	} {
		if c.from != c.to {
			out = append(out, fmt.Sprintf("--%s from %q to %q", c.flag, c.from, c.to))
		}
	}
	return out
}

// ChangePods records other settings for the pods. What they were is kept until a
// server has joined with the new ones.
func (r Record) ChangePods(to PodOptions) Record {
	out := r.clone()
	if out.PodsBefore == nil {
		before := out.Pods
		out.PodsBefore = &before
	}
	out.Pods = to
	if reflect.DeepEqual(out.RestorePods().Pods, to) {
		// They are the proven ones again.
		out.PodsBefore = nil
	}
	return out
}

// RestorePods puts the pods' settings back to what they were before the change
// that has not proven itself; where there was none, the pods get their gates again. Their
// files are none of it.
func (r Record) RestorePods() Record {
	out := r.clone()
	if out.PodsBefore == nil {
		out.Pods.Plain, out.Pods.PlainFiles = false, nil
		return out
	}
	before := *out.PodsBefore
	before.ZooCfg, before.DynamicName, before.Dynamic = out.Pods.ZooCfg, out.Pods.DynamicName, out.Pods.Dynamic
	before.Own, before.PrivateSecret = out.Pods.Own, out.Pods.PrivateSecret
	out.Pods, out.PodsBefore = before, nil
	return out
}
