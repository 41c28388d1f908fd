package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

func legacy(r *migration.Record) { r.EndpointsAPI = migration.LegacyEndpoints }

func ipv6(r *migration.Record) {
	for i := range r.Servers {
		r.Servers[i].HostIP = "fd00:0:0::" + r.Servers[i].ID.String()
	}
}

func manyPorts(r *migration.Record) {
	for i := range r.Servers {
		r.Servers[i].ClientPort += i
		r.Servers[i].PeerPort += i
		r.Servers[i].ElectionPort += i
	}
	r.Servers[2].ClusterIP = "10.96.0.9"
	r.Servers[2].ServiceUID = "uid-of-main-9"
}

// morePorts has every kind of port, and an observer, which binds fewer.
func morePorts(r *migration.Record) {
	for i := range r.Servers {
		s := &r.Servers[i]
		s.SecureClientPort, s.ObserverMasterPort, s.AdminPort, s.MetricsPort = 2281, 2191, 8080, 7000
	}
	r.Servers[2].Role = ensemble.Observer
}

func TestWrap(t *testing.T) {
	for name, change := range map[string]func(*migration.Record){
		"slices":    func(*migration.Record) {},
		"endpoints": legacy,
		"ipv6":      ipv6,
		"ports":     manyPorts,
		"more":      morePorts,
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := Wrap(record(change))
			if err != nil {
				t.Fatal(err)
			}
			text, err := YAML(objects)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "wrap-"+name+".yaml", text)
		})
	}
}

func TestWrapDoesNotDependOnOrder(t *testing.T) {
	turned := record(func(r *migration.Record) { r.Servers[0], r.Servers[2] = r.Servers[2], r.Servers[0] })
	want, err := Wrap(record())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Wrap(turned)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestServicesHaveNeitherSelectorNorOwner(t *testing.T) {
	objects, err := Wrap(record(manyPorts))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if o.GetObjectKind().GroupVersionKind().Kind != "Service" {
			continue
		}
		data, err := JSON(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range []string{"selector", "ownerReferences", "status"} {
			if strings.Contains(string(data), `"`+field+`"`) {
				t.Errorf("Service %s has a field %s: %s", o.GetName(), field, data)
			}
		}
	}
}

func TestBridgeToPod(t *testing.T) {
	for name, change := range map[string]func(*migration.Record){
		"slice":     func(*migration.Record) {},
		"endpoints": legacy,
	} {
		t.Run(name, func(t *testing.T) {
			rec := record(change)
			target, err := ToPod(rec, rec.Servers[1], "pod-uid", "10.244.1.7", "node1")
			if err != nil {
				t.Fatal(err)
			}
			o, err := Bridge(rec, rec.Servers[1], target)
			if err != nil {
				t.Fatal(err)
			}
			text, err := YAML([]Object{o})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "bridge-pod-"+name+".yaml", text)
		})
	}
}

// TestPodPorts: a record that an earlier release wrote makes the very template that release
// made, observers and all; else its pods would look outdated.
func TestPodPorts(t *testing.T) {
	observer := func(r *migration.Record) { r.Servers[2].Role = ensemble.Observer }
	triple := []ensemble.Port{{Name: ensemble.PortClient, Number: 2181}, {Name: ensemble.PortPeer, Number: 2888}, {Name: ensemble.PortElection, Number: 3888}}
	for name, c := range map[string]struct {
		change func(*migration.Record)
		want   []ensemble.Port
	}{
		"alike":             {func(*migration.Record) {}, triple},
		"an observer":       {observer, triple},
		"an observer first": {func(r *migration.Record) { r.Servers[0].Role = ensemble.Observer }, triple},
		"an observer with a peer port of its own": {func(r *migration.Record) { observer(r); r.Servers[2].PeerPort = 2889 }, nil},
		"several on one machine":                  {manyPorts, nil},
		"more": {morePorts, append(triple, ensemble.Port{Name: ensemble.PortSecureClient, Number: 2281}, ensemble.Port{Name: ensemble.PortObserverMaster, Number: 2191},
			ensemble.Port{Name: ensemble.PortAdmin, Number: 8080}, ensemble.Port{Name: ensemble.PortMetrics, Number: 7000})},
	} {
		if diff := cmp.Diff(c.want, podPorts(record(c.change))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestBridgeRefusesAnotherFamily(t *testing.T) {
	rec := record()
	target, err := ToPod(rec, rec.Servers[0], "uid", "fd00::1", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Bridge(rec, rec.Servers[0], target); err == nil {
		t.Error("an IPv6 pod was accepted for an IPv4 Service")
	}
}

func TestPods(t *testing.T) {
	for name, change := range map[string]func(*migration.Record){
		"default": func(*migration.Record) {},
		"options": func(r *migration.Record) {
			manyPorts(r)
			r.Pods.Command = []string{"/opt/zk/start", "-x"}
			r.Pods.StorageClass = "fast"
			r.Pods.AntiAffinity = "preferred"
			r.Pods.JVMFlags = ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := Pods(record(change))
			if err != nil {
				t.Fatal(err)
			}
			text, err := YAML(objects)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "pods-"+name+".yaml", text)
		})
	}
}

// What is printed must be what is meant, after the way through YAML too.
func TestScriptsSurviveYAML(t *testing.T) {
	objects, err := Pods(record())
	if err != nil {
		t.Fatal(err)
	}
	text, err := YAML(objects[:1])
	if err != nil {
		t.Fatal(err)
	}
	var cm struct{ Data map[string]string }
	if err := yaml.Unmarshal(text, &cm); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(gateScript, cm.Data[gateKey]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(probeScript, cm.Data[probeKey]); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		change func(*migration.Record)
		want   string
	}{
		"name too long":     {func(r *migration.Record) { r.Name = strings.Repeat("a", 41) }, "at most 40"},
		"name with dot":     {func(r *migration.Record) { r.Name = "a.b" }, "lower-case letters"},
		"name with digit":   {func(r *migration.Record) { r.Name = "1a" }, "lower-case letters"},
		"no namespace":      {func(r *migration.Record) { r.Namespace = "" }, "no namespace"},
		"no servers":        {func(r *migration.Record) { r.Servers = nil }, "no servers"},
		"id twice":          {func(r *migration.Record) { r.Servers[1].ID = 2 }, "stands twice"},
		"host name":         {func(r *migration.Record) { r.Servers[0].HostIP = "zk1" }, "no IP address"},
		"loopback":          {func(r *migration.Record) { r.Servers[0].HostIP = "127.0.0.1" }, "cannot be an endpoint"},
		"link-local":        {func(r *migration.Record) { r.Servers[0].HostIP = "169.254.1.1" }, "cannot be an endpoint"},
		"mapped loopback":   {func(r *migration.Record) { r.Servers[0].HostIP = "::ffff:127.0.0.1" }, "cannot be an endpoint"},
		"no client port":    {func(r *migration.Record) { r.Servers[0].ClientPort = 0 }, "has no client port"},
		"port range":        {func(r *migration.Record) { r.Servers[0].PeerPort = 70000 }, "out of range"},
		"port twice":        {func(r *migration.Record) { r.Servers[0].PeerPort = 2181 }, "both its client and its peer port"},
		"endpoints API":     {func(r *migration.Record) { r.EndpointsAPI = "x" }, "neither"},
		"ordinals":          {func(r *migration.Record) { r.Servers[0].Ordinal = 1 }, "expected 0"},
		"no zoo.cfg":        {func(r *migration.Record) { r.Pods.ZooCfg = " \n" }, "no zoo.cfg"},
		"dataDir elsewhere": {func(r *migration.Record) { r.Pods.ZooCfg = "dataDir=/tmp\n" }, "expected /zookeeper/data"},
		"dataLogDir":        {func(r *migration.Record) { r.Pods.ZooCfg += "dataLogDir=/x\n" }, "expected /zookeeper/datalog"},
		"no image":          {func(r *migration.Record) { r.Pods.Image = "" }, "no image"},
		"size":              {func(r *migration.Record) { r.Pods.StorageSize = "big" }, "storage size"},
		"memory":            {func(r *migration.Record) { r.Pods.Memory = "" }, "memory"},
		"cpu":               {func(r *migration.Record) { r.Pods.CPU = "-1" }, "cpu"},
		"root":              {func(r *migration.Record) { r.Pods.RunAsUser = 0 }, "must not run as root"},
		"affinity":          {func(r *migration.Record) { r.Pods.AntiAffinity = "some" }, "anti-affinity"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			rec := record(tc.change)
			_, err := Wrap(rec)
			if err == nil {
				_, err = Pods(rec)
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
}
