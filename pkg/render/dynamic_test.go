package render

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

const (
	dynamicConf = "dataDir=/zookeeper/data\ndynamicConfigFile=/zookeeper/conf/zoo.cfg.dynamic.100000000\n"
	dynamicText = "server.1=10.96.0.1:2888:3888;2181\n"
)

// TestGateDynamicFile: the dynamic file is copied once a generation, and what
// ZooKeeper writes in its place outlives restarts but not a new generation.
func TestGateDynamicFile(t *testing.T) {
	p := newPod(t)
	p.write("conf/zoo.cfg", dynamicConf)
	p.write("conf/zoo.cfg.dynamic.100000000", dynamicText)
	p.hostDown()
	line := p.release()
	p.start()
	p.waitZooKeeper()
	if p.read("volume/conf/zoo.cfg") != dynamicConf || p.read("volume/conf/zoo.cfg.dynamic.100000000") != dynamicText {
		t.Error("the files were not copied")
	}
	p.joined()
	p.kill()
	// A reconfiguration, as ZooKeeper writes it.
	newer := strings.ReplaceAll(dynamicConf, ".100000000", ".200000003")
	p.write("volume/conf/zoo.cfg", newer)
	p.write("volume/conf/zoo.cfg.dynamic.200000003", "server.1=10.96.0.9:2888:3888;2181\n")
	p.gate(line)
	p.start()
	p.waitZooKeeper()
	if got := p.read("volume/conf/zoo.cfg"); got != newer {
		t.Errorf("a restart went back to the first configuration:\n%s", got)
	}
	p.kill()
	p.release()
	p.start()
	p.waitZooKeeper()
	if p.read("volume/conf/zoo.cfg") != dynamicConf || p.exists("volume/conf/zoo.cfg.dynamic.200000003") {
		t.Error("a new generation runs with the configuration of the one before")
	}
}

func TestGateRefusesWithoutTheDynamicFile(t *testing.T) {
	p := newPod(t)
	p.write("conf/zoo.cfg", dynamicConf)
	p.hostDown()
	p.release()
	p.start()
	p.waitReport("refused", func(r GateReport) bool {
		return r.State == migration.GateRefused && strings.Contains(r.Detail, "configuration")
	})
}

func TestPodsDynamicFile(t *testing.T) {
	with := func(zooCfg, name string) migration.Record {
		return record(func(r *migration.Record) {
			r.Pods.ZooCfg, r.Pods.DynamicName, r.Pods.Dynamic = zooCfg, name, dynamicText
		})
	}
	objects, err := Pods(with(dynamicConf, "zoo.cfg.dynamic.100000000"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "zoo.cfg.dynamic.100000000: |\n") {
		t.Errorf("the ConfigMap has no dynamic file:\n%s", data)
	}
	for name, rec := range map[string]migration.Record{
		"zoo.cfg names none":       with("dataDir=/zookeeper/data\n", "zoo.cfg.dynamic.1"),
		"zoo.cfg names another":    with(dynamicConf, "zoo.cfg.dynamic.2"),
		"the record has none":      with(dynamicConf, ""),
		"no key of a ConfigMap":    with("dataDir=/zookeeper/data\ndynamicConfigFile=/zookeeper/conf/a b\n", "a b"),
		"the gate's name is taken": with("dataDir=/zookeeper/data\ndynamicConfigFile=/zookeeper/conf/gate.sh\n", "gate.sh"),
	} {
		if _, err := Pods(rec); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
