package intake

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// typed are the defaults of the flags, some of which were typed.
func typed(names ...string) PodFlags {
	return PodFlags{
		Values: migration.PodOptions{StorageSize: "20Gi", Memory: "2Gi", CPU: "500m", AntiAffinity: "required", RunAsUser: 1000},
		Given:  func(flag string) bool { return slices.Contains(names, flag) },
		Place:  typedFlag,
	}
}

func typedFlag(flag string) string { return "--" + flag }

// TestPodFlagsOver: a flag that was not typed changes nothing that is recorded.
func TestPodFlagsOver(t *testing.T) {
	recorded := migration.PodOptions{Image: "registry/zk:1", StorageSize: "10Gi", Memory: "4Gi", CPU: "1", AntiAffinity: "preferred", RunAsUser: 7}
	f := typed()
	got, err := f.Over(recorded, "3.8.0")
	if err != nil || !SamePods(got, recorded) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = f.Over(migration.PodOptions{}, "3.8.0"); err != nil || got.Image != "zookeeper:3.8.0" || got.Memory != "2Gi" || got.RunAsUser != 1000 {
		t.Errorf("nothing recorded: %+v, %v", got, err)
	}
	if got, err = f.Over(migration.PodOptions{}, ""); err != nil || got.Image != "" {
		t.Errorf("no version: %+v, %v", got, err)
	}
	f = typed("memory", "run-as-user")
	f.Values.Memory, f.Values.RunAsUser = "1Gi", 2000
	if got, err = f.Over(recorded, "3.8.0"); err != nil || !slices.Equal(PodChanges(recorded, got), []string{`--memory from "4Gi" to "1Gi"`, `--run-as-user from "7" to "2000"`}) {
		t.Errorf("%v, %v", PodChanges(recorded, got), err)
	}
}

// TestCheckPods: what no pod can be made with is a usage error that names the flag.
func TestCheckPods(t *testing.T) {
	for says, change := range map[string]func(*migration.PodOptions){
		"--image=":                   func(o *migration.PodOptions) { o.Image = "Not An Image" },
		"--storage-class=":           func(o *migration.PodOptions) { o.StorageClass = "Fast Disks" },
		"--storage-size=1Mi is too":  func(o *migration.PodOptions) { o.StorageSize = "1Mi" },
		"--memory=\"lots\" is not a": func(o *migration.PodOptions) { o.Memory = "lots" },
		"--cpu=4096 is too much":     func(o *migration.PodOptions) { o.CPU = "4096" },
		"is not a JVM flag":          func(o *migration.PodOptions) { o.JVMFlags = "Xmx1g" },
		"--anti-affinity=":           func(o *migration.PodOptions) { o.AntiAffinity = "maybe" },
		"--run-as-user=0 is root":    func(o *migration.PodOptions) { o.RunAsUser = 0 },
		"--run-as-user=-1":           func(o *migration.PodOptions) { o.RunAsUser = -1 },
	} {
		o := typed().Values
		if err := CheckPods(o, typedFlag); err != nil {
			t.Fatal(err)
		}
		change(&o)
		var e *Error
		if err := CheckPods(o, typedFlag); !errors.As(err, &e) || !e.Usage || !strings.Contains(e.Reason, says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}

func TestDataSize(t *testing.T) {
	for value, want := range map[string]int64{"": 0, "800Mi": 800 << 20, "much": -1, "0": -1, "32Ti": -1} {
		if got, err := DataSize(value); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %d, %v", value, got, err)
		}
	}
}

// TestUnsafePodFlags: what no host may run with, no pod may either.
func TestUnsafePodFlags(t *testing.T) {
	for flags, refused := range map[string]bool{
		"-Xmx1g -Dzookeeper.forceSync=no": true, "-Dzookeeper.snapshot.trust.empty=true": true, "-Xmx1g -Dzookeeper.forceSync=yes": false,
	} {
		f := typed("jvm-flags")
		f.Values.JVMFlags = flags
		if _, err := f.Over(migration.PodOptions{}, "3.8.0"); (err != nil) != refused {
			t.Errorf("%s: %v", flags, err)
		}
	}
}

// TestSettingsReach: which settings reach no pod any more.
func TestSettingsReach(t *testing.T) {
	all, one := ensemble.MaybeID{}, ensemble.ID(1).Known()
	for _, c := range []struct {
		inPods int
		flight bool
		id     ensemble.MaybeID
		want   Reach
	}{
		{0, false, one, ReachPods}, {1, false, ensemble.ID(2).Known(), ReachPods}, {1, false, all, ReachPods},
		{1, false, one, ReachServes}, {3, false, all, ReachAllServe}, {3, false, one, ReachServes}, {0, true, one, ReachBegun}, {1, true, one, ReachBegun},
	} {
		rec := recorded()
		for i := range c.inPods {
			rec.Servers[i].Replaced = &time.Time{}
		}
		if c.flight {
			rec.Flight = &migration.Flight{Kind: migration.Revert, ID: 3}
		}
		if got := SettingsReach(rec, c.id); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestPasswordsAreNoFlags: they would stand in the pods' template.
func TestPasswordsAreNoFlags(t *testing.T) {
	const secret = "s3cr3t"
	for _, flag := range []string{"-Dzookeeper.ssl.keyStore.password=" + secret, "-Da.password=p," + secret, "-javaagent:/j.jar=port=1,password=" + secret} {
		err := PodFlags{Values: migration.PodOptions{JVMFlags: "-Xmx1g " + flag}, Place: typedFlag}.Check()
		if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "jvm-flags") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// TestFlagsThatAreNone: java would print something and end, or a password would be shown.
func TestFlagsThatAreNone(t *testing.T) {
	for flags, want := range map[string]string{
		"-Xmx1g -version": "no server runs: leave it out", "-cp /x": "the image has them: leave it out", "-XX:VMOptionsFile=/x": "give the options themselves: leave it out",
		"-Dx.password hunter2": `"<hidden>" is not a JVM flag`, "x.password=hunter2": `"x.password=<hidden>" is not a JVM flag`, "-Dzookeeper.snapshot.trust.empty=TRUE": "ZOOKEEPER-3056",
	} {
		o := typed().Values
		o.JVMFlags = flags
		if err := CheckPods(o, typedFlag); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", flags, err)
		}
	}
}
