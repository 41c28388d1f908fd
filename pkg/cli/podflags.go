package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// podFlags say how the pods are made. They are kept in the journal, so they are
// needed once; afterwards they only change pods that do not exist yet.
type podFlags struct {
	cmd          *cobra.Command
	image        string
	storageClass string
	storageSize  string
	memory       string
	cpu          string
	jvmFlags     string
	filesSecret  string
	filesConfig  string
	antiAffinity string
	runAsUser    int64
	templateFile string
	// template is what the file says, once check has read it.
	template string
}

func (f *podFlags) add(cmd *cobra.Command) {
	f.cmd = cmd
	fs := cmd.Flags()
	fs.StringVar(&f.image, "image", "", "Image of the pods, with the ZooKeeper version of the hosts (default zookeeper:VERSION)")
	fs.StringVar(&f.storageClass, "storage-class", "", "StorageClass of the pods' volumes (default: the cluster's)")
	fs.StringVar(&f.storageSize, "storage-size", "20Gi", "Size of the pods' volumes: at least three snapshots plus logs")
	fs.StringVar(&f.memory, "memory", "2Gi", "Memory request and limit of a pod: heap plus 512Mi at least")
	fs.StringVar(&f.cpu, "cpu", "500m", "CPU request of a pod")
	fs.StringVar(&f.jvmFlags, "jvm-flags", "", "JVM flags of the hosts to carry over, as \"-Xmx1g -Djute.maxbuffer=4194304\"")
	fs.StringVar(&f.filesSecret, "files-secret", "", "Secret with the files that zoo.cfg and the JVM flags name, by their base names; ID.NAME is one server's own")
	fs.StringVar(&f.filesConfig, "files-configmap", "", "ConfigMap with such files that anybody may read")
	fs.StringVar(&f.antiAffinity, "anti-affinity", "required", "required (one server a node) or preferred")
	fs.StringVar(&f.templateFile, "pod-template", "", "File with a pod template (YAML) that is merged over the pods', as kubectl's strategic merge does: what no flag sets, as tolerations or sidecars (docs/pod-template.md)")
	fs.Int64Var(&f.runAsUser, "run-as-user", 1000, "uid and gid of the pods' process and volume")
}

// values are those of all flags, given or not.
func (f *podFlags) values() migration.PodOptions {
	return migration.PodOptions{
		Image: f.image, StorageClass: f.storageClass, StorageSize: f.storageSize, Memory: f.memory, CPU: f.cpu,
		JVMFlags: f.jvmFlags, FilesSecret: f.filesSecret, FilesConfigMap: f.filesConfig, AntiAffinity: f.antiAffinity, RunAsUser: f.runAsUser, Template: f.template,
	}
}

// check refuses values that no pod can be made with, and reads the pod template. It asks
// nobody, so that it comes before anything is written, in dry runs too.
func (f *podFlags) check(ctx context.Context) error {
	if f.cmd == nil {
		return nil
	}
	if f.templateFile != "" {
		data, err := readInput(ctx, f.templateFile, nil)
		if err != nil {
			return &usageError{fmt.Errorf("--pod-template: %w", err)}
		}
		if f.template, err = render.ReadTemplate(f.templateFile, data); err != nil {
			return &usageError{err}
		}
	}
	return intake.CheckPodFlags(f.values())
}

// apply writes the flags over options; flags that were not given keep what the
// journal has, or the default where it has nothing.
func (f *podFlags) apply(o migration.PodOptions, version string) (migration.PodOptions, error) {
	if f.cmd == nil {
		return o, nil
	}
	return intake.PodFlags{Values: f.values(), Given: f.cmd.Flags().Changed}.Over(o, version)
}

// store keeps flags that change something in the journal, with what was there
// before. Where they could change nothing it says so instead of going on.
//
// Before anything is written, ask judges what the pods would be.
func (f *podFlags) store(ctx context.Context, s *session, id ensemble.MaybeID, ask func(migration.Record) error) error {
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	to, changed, err := f.change(rec, id, s.kube.at())
	if err != nil {
		return err
	}
	if err := ask(to); err != nil || changed == "" {
		return err
	}
	if in := migration.InPods(rec); len(in) > 0 {
		fmt.Fprintf(s.kube.warn, "Warning: the pods' settings change (%s); servers %v keep what they run with until their pods are recreated\n", changed, in)
	}
	return s.save(ctx, to)
}

// change is the record with the flags, and what they change, empty for nothing.
func (f *podFlags) change(rec migration.Record, id ensemble.MaybeID, at command.At) (to migration.Record, changed string, err error) {
	pods, err := f.apply(rec.Pods, rec.Settings.Version)
	if err != nil || intake.SamePods(pods, rec.Pods) {
		return rec, "", err
	}
	changed = strings.Join(intake.PodChanges(rec.Pods, pods), ", ")
	if why, next := tooLate(rec, id, at); why != "" {
		return rec, changed, &refusedError{reason: fmt.Sprintf("nothing would change: %s (%s)", why, changed), next: next}
	}
	return rec.ChangePods(pods), changed, nil
}

// tooLate says why other settings would reach no pod any more.
func tooLate(rec migration.Record, id ensemble.MaybeID, at command.At) (why, next string) {
	switch intake.SettingsReach(rec, id) {
	case intake.ReachPods:
	case intake.ReachBegun:
		return fmt.Sprintf("the %s of server %d has begun with the settings that are recorded", rec.Flight.Kind, rec.Flight.ID),
			at.Ours("revert %s --id=%d", rec.Name, rec.Flight.ID) + ", then replace it with the new settings"
	case intake.ReachServes:
		return fmt.Sprintf("server %d runs in its pod already, and a pod that serves is not restarted for its settings", id.ID),
			at.Ours("revert %s --id=%d", rec.Name, id.ID) + ", then replace it with the new settings"
	case intake.ReachAllServe:
		return "all servers run in their pods already, and pods that serve are not restarted for their settings",
			at.Ours("status %s", rec.Name)
	}
	return "", ""
}
