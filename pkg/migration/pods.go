package migration

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// PodOptions is how the pods are made; kept in the journal so that every later
// command, on any machine, renders the same pods.
type PodOptions struct {
	// Image must hold the same ZooKeeper version as the hosts run; the command
	// is started as "<Command...> <path of zoo.cfg>".
	Image   string   `json:"image"`
	Command []string `json:"command,omitempty"`
	// StorageClass is empty for the cluster's default; StorageSize is a
	// Kubernetes quantity.
	StorageClass string `json:"storageClass,omitempty"`
	StorageSize  string `json:"storageSize"`
	// Memory is request and limit, CPU the request; Kubernetes quantities.
	Memory string `json:"memory"`
	CPU    string `json:"cpu"`
	// JVMFlags go to SERVER_JVMFLAGS (heap, GC, carried -D options).
	JVMFlags string `json:"jvmFlags,omitempty"`
	// AntiAffinity is "required" (one server a node) or "preferred".
	AntiAffinity string `json:"antiAffinity"`
	// RunAsUser is the uid and gid of the ZooKeeper process and of its volume.
	RunAsUser int64 `json:"runAsUser"`
	// Template is merged over the pods' template, strategically: a PodTemplateSpec in
	// JSON (render.ReadTemplate); empty for none.
	Template string `json:"template,omitempty"`
	// FilesSecret and FilesConfigMap hold the files that zoo.cfg and the JVM flags name
	// (ensemble.FileRefs); empty where the image has them.
	FilesSecret    string `json:"filesSecret,omitempty"`
	FilesConfigMap string `json:"filesConfigMap,omitempty"`
	// ZooCfg is the pods' zoo.cfg, the same in every pod. Files have their paths on the
	// hosts.
	ZooCfg string `json:"zooCfg"`
	// Own are the lines of zoo.cfg that differ from pod to pod.
	Own []OwnLines `json:"own,omitempty"`
	// PrivateSecret is the Secret with the lines that nobody may read; its name tells what
	// is in it (render.Private). Empty where there are none.
	PrivateSecret string `json:"privateSecret,omitempty"`
	// DynamicName and Dynamic are the pods' dynamic file, where the hosts have
	// one (3.5+): the name carries the configuration's version. zoo.cfg names
	// it in PodConfDir.
	DynamicName string `json:"dynamicName,omitempty"`
	Dynamic     string `json:"dynamic,omitempty"`
	// Plain pods run the image's own entry point: they have no gate, and start whenever
	// they are made.
	Plain bool `json:"plain,omitempty"`
	// PlainFiles is what those mount besides a recorded zoo.cfg; nil where that is all.
	PlainFiles *PlainFiles `json:"plainFiles,omitempty"`
}

// PlainFiles is what is mounted for plain pods in place of what the gate's script puts in
// place (ADR 29). It was found out when they were to lose their gates, and says nothing secret.
type PlainFiles struct {
	// Secret is ours. Its name tells what is in it; empty for none.
	Secret string `json:"secret,omitempty"`
	// ZooCfg: it has each server's whole zoo.cfg. JVMFlags: it has JVM flags for all.
	ZooCfg   bool `json:"zooCfg,omitempty"`
	JVMFlags bool `json:"jvmFlags,omitempty"`
	// Files are those that zoo.cfg, JVM flags or other files name.
	Files []PlainFile `json:"files,omitempty"`
}

// PlainFile is one file of plain pods.
type PlainFile struct {
	// Name is what they call it.
	Name string `json:"name"`
	// ID is the server that it is for, none for all. A file that one server has of its own is
	// listed for each.
	ID ensemble.MaybeID `json:"id,omitzero"`
	// From and Key are the entry with its content.
	From FileSource `json:"from"`
	Key  string     `json:"key"`
}

// FileSource is an object that has files for plain pods.
type FileSource string

// FromSecret and FromConfigMap are what an operator has named, FromOurs is PlainFiles.Secret.
const (
	FromSecret    FileSource = "secret"
	FromConfigMap FileSource = "configmap"
	FromOurs      FileSource = "ours"
)

// PerServer reports whether each server has a file of that name for itself.
func (p *PlainFiles) PerServer(name string) bool {
	return p != nil && slices.ContainsFunc(p.Files, func(f PlainFile) bool { return f.Name == name && !f.ID.IsZero() })
}

// OwnLines are one server's own lines of zoo.cfg.
type OwnLines struct {
	ID     ensemble.ID `json:"id"`
	ZooCfg string      `json:"zooCfg"`
}

// FilesNamed reports whether somebody said where the pods' files come from.
func (o PodOptions) FilesNamed() bool { return o.FilesSecret != "" || o.FilesConfigMap != "" }

// FileRefs are the files that the pods' configuration and JVM flags name.
func (o PodOptions) FileRefs() []ensemble.FileRef {
	own := map[ensemble.ID]string{}
	for _, lines := range o.Own {
		own[lines.ID] = lines.ZooCfg
	}
	return ensemble.FileRefs(o.ZooCfg, own, o.JVMFlags)
}

// Secrets are the keys and flags in these settings whose values nobody should see there.
func (o PodOptions) Secrets() (names []string) {
	texts := []string{o.ZooCfg}
	for _, own := range o.Own {
		texts = append(texts, own.ZooCfg)
	}
	for _, text := range texts {
		names = append(names, ensemble.SecretKeys(text)...)
	}
	for _, flag := range strings.Fields(o.JVMFlags) {
		if name, _, _ := strings.Cut(flag, "="); ensemble.HideSecrets(flag) != flag {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Run is the command that a pod starts ZooKeeper with.
func (o PodOptions) Run() []string {
	if len(o.Command) == 0 {
		return []string{"zkServer.sh", "start-foreground"}
	}
	return o.Command
}

// What says what runs in the pods, with whose rights, to whoever lets it run.
func (o PodOptions) What() string {
	if o.Image == "" {
		return ""
	}
	return fmt.Sprintf("image %s, command %s, as user %d", o.Image, quote.Words(o.Run()), o.RunAsUser)
}

// PodVolume is the name of the pods' volume, which a StatefulSet puts before a pod's to
// name its claim.
const PodVolume = "data"

// Paths inside the pods. The volume is mounted one level above dataDir, so
// that dataDir can be renamed as a whole.
const (
	PodVolumePath = "/zookeeper"
	PodDataDir    = "/zookeeper/data"
	PodDataLogDir = "/zookeeper/datalog"
	// PodConfDir holds the configuration a server runs from. It is writable:
	// with reconfigEnabled ZooKeeper rewrites its own files.
	PodConfDir = "/zookeeper/conf"
	// PodFilesDir is where a server finds the files that its configuration names.
	PodFilesDir = "/zkmigrate/files"
)
