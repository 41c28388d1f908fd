package ensemble

import "testing"

func TestReadPodFile(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want PodFile
	}{
		"one directory":    {"tickTime=2000\ndataDir=/zookeeper/data\n", PodFile{DataDir: "/zookeeper/data"}},
		"two, with blanks": {" dataDir = /zookeeper/data \r\ndataLogDir: /zookeeper/datalog\t\r\n", PodFile{DataDir: "/zookeeper/data", DataLogDir: "/zookeeper/datalog"}},
		"the last counts":  {"dataDir=/old\ndataDir=/new\n", PodFile{DataDir: "/new"}},
		"a comment":        {"#dataLogDir=/logs\ndataDir=/data\n", PodFile{DataDir: "/data"}},
		"dynamic": {"reconfigEnabled=True\ndataDir=/data\ndynamicConfigFile=/conf/zoo.cfg.dynamic.1\n",
			PodFile{DataDir: "/data", DynamicFile: "/conf/zoo.cfg.dynamic.1", Reconfig: true}},
		"empty": {"", PodFile{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ReadPodFile(c.text); err != nil || got != c.want {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
	if _, err := ReadPodFile("dataDir=\\u12"); err == nil {
		t.Error("what ZooKeeper does not read was read")
	}
}
