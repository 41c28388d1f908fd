package intake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// PodFlags are the flags that say how pods are made.
type PodFlags struct {
	// Values has every flag's value, given or not.
	Values migration.PodOptions
	// Given reports whether a flag was typed; nil where a command has none of them.
	Given func(flag string) bool
	// Place is where it was given, for messages.
	Place func(flag string) string
}

// DefaultImage is the official image of a release.
func DefaultImage(version string) string { return "zookeeper:" + version }

// Over writes the flags over options; flags that were not given keep what the
// journal has, or the default where it has nothing. The result is checked. version
// is the hosts', empty where it is not known yet.
func (f PodFlags) Over(o migration.PodOptions, version string) (migration.PodOptions, error) {
	if f.Given == nil {
		return o, nil
	}
	set := func(flag string, to *string, value string) {
		if *to == "" || f.Given(flag) {
			*to = value
		}
	}
	set("image", &o.Image, f.Values.Image)
	if o.Image == "" && version != "" {
		o.Image = DefaultImage(version)
	}
	set("storage-class", &o.StorageClass, f.Values.StorageClass)
	set("storage-size", &o.StorageSize, f.Values.StorageSize)
	set("memory", &o.Memory, f.Values.Memory)
	set("cpu", &o.CPU, f.Values.CPU)
	set("jvm-flags", &o.JVMFlags, f.Values.JVMFlags)
	set("files-secret", &o.FilesSecret, f.Values.FilesSecret)
	set("files-configmap", &o.FilesConfigMap, f.Values.FilesConfigMap)
	set("anti-affinity", &o.AntiAffinity, f.Values.AntiAffinity)
	set("pod-template", &o.Template, f.Values.Template)
	if o.RunAsUser == 0 || f.Given("run-as-user") {
		o.RunAsUser = f.Values.RunAsUser
	}
	return o, CheckPods(o, f.Place)
}

// SamePods reports whether pods of both options are made alike.
func SamePods(a, b migration.PodOptions) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// PodChanges names what differs, in the words of the flags.
func PodChanges(a, b migration.PodOptions) []string {
	out := a.Changes(b)
	if a.Template != b.Template {
		sets := "nothing"
		if fields := render.TemplateFields(b.Template); len(fields) > 0 {
			sets = strings.Join(fields, ", ")
		}
		out = append(out, "--pod-template, which now sets "+sets)
	}
	return out
}

// Reach says why other settings would reach no pod any more.
type Reach string

const (
	// ReachPods: there are pods that other settings reach.
	ReachPods Reach = ""
	// ReachBegun: an operation has begun with the settings that are recorded.
	ReachBegun Reach = "begun"
	// ReachServes: the server runs in its pod.
	ReachServes Reach = "serves"
	// ReachAllServe: all servers run in their pods.
	ReachAllServe Reach = "all serve"
)

// SettingsReach tells whether settings that are changed now would reach a pod; id
// is the server they are given for, none for all.
func SettingsReach(rec migration.Record, id ensemble.MaybeID) Reach {
	in := migration.InPods(rec)
	switch {
	case rec.Flight != nil:
		return ReachBegun
	case slices.ContainsFunc(in, id.Is):
		return ReachServes
	case len(in) == len(rec.Servers):
		return ReachAllServe
	}
	return ReachPods
}
