package render

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// golden compares text with testdata/NAME; with -update it writes the file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite golden files")
	flag.Parse()
	os.Exit(m.Run())
}

// record is a valid record with ids 2, 5 and 9; each test changes one thing.
func record(change ...func(*migration.Record)) migration.Record {
	rec := migration.Record{
		APIVersion:   migration.RecordVersion,
		Kind:         "Ensemble",
		Name:         "main",
		Namespace:    "zk",
		EndpointsAPI: migration.EndpointSlices,
		Pods: migration.PodOptions{
			Image:        "registry.example.com/zookeeper:3.8.0",
			StorageSize:  "20Gi",
			Memory:       "2Gi",
			CPU:          "500m",
			JVMFlags:     "-Xms1g -Xmx1g",
			AntiAffinity: "required",
			RunAsUser:    1000,
			ZooCfg:       "tickTime=2000\ndataDir=/zookeeper/data\ndataLogDir=/zookeeper/datalog\nclientPort=2181\n",
		},
	}
	for i, id := range []ensemble.ID{2, 5, 9} {
		rec.Servers = append(rec.Servers, migration.ServerRecord{
			Server: ensemble.Server{
				ID:          id,
				Role:        ensemble.Participant,
				Weight:      1,
				ClientPort:  2181,
				PeerAddress: ensemble.PeerAddress{Host: "zk" + id.String(), PeerPort: 2888, ElectionPort: 3888},
			},
			HostIP:  "10.1.0." + id.String(),
			Ordinal: i,
			Service: ServiceName("main", id),
		})
	}
	for _, c := range change {
		c(&rec)
	}
	return rec
}
