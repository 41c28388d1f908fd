package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
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
	antiAffinity string
	runAsUser    int64
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
	fs.StringVar(&f.antiAffinity, "anti-affinity", "required", "required (one server a node) or preferred")
	fs.Int64Var(&f.runAsUser, "run-as-user", 1000, "uid and gid of the pods' process and volume")
}

// apply writes the flags over options; flags that were not given keep what the
// journal has, or the default where it has nothing.
func (f *podFlags) apply(o migration.PodOptions, version string) (migration.PodOptions, error) {
	if f.cmd == nil {
		return o, nil
	}
	set := func(flag string, to *string, value string) {
		if *to == "" || f.cmd.Flags().Changed(flag) {
			*to = value
		}
	}
	set("image", &o.Image, f.image)
	if o.Image == "" && version != "" {
		o.Image = "zookeeper:" + version
	}
	set("storage-class", &o.StorageClass, f.storageClass)
	set("storage-size", &o.StorageSize, f.storageSize)
	set("memory", &o.Memory, f.memory)
	set("cpu", &o.CPU, f.cpu)
	set("jvm-flags", &o.JVMFlags, f.jvmFlags)
	set("anti-affinity", &o.AntiAffinity, f.antiAffinity)
	if o.RunAsUser == 0 || f.cmd.Flags().Changed("run-as-user") {
		o.RunAsUser = f.runAsUser
	}
	return o, checkPods(o)
}

// store keeps flags that change something in the journal.
func (f *podFlags) store(ctx context.Context, s *session) error {
	if f.cmd == nil {
		return nil
	}
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	pods, err := f.apply(rec.Pods, rec.Settings.Version)
	if err != nil {
		return err
	}
	if fmt.Sprint(pods) == fmt.Sprint(rec.Pods) {
		return nil
	}
	rec.Pods = pods
	return s.save(ctx, rec)
}
