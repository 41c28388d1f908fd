package ensemble

import "strings"

// PodFile is what others need to know of the pods' zoo.cfg, as PodConfig makes it.
type PodFile struct {
	// DataDir and DataLogDir are its directories; DataLogDir is empty where the logs are
	// in DataDir.
	DataDir, DataLogDir string
	// DynamicFile is the path of the file with the server list, empty where zoo.cfg itself
	// has it.
	DynamicFile string
	// Reconfig: the list may be changed while the servers run (reconfigEnabled, 3.5.3+).
	Reconfig bool
}

// ReadPodFile reads it as ZooKeeper does (QuorumPeerConfig trims values). It fails where ZooKeeper could not read the text.
func ReadPodFile(zooCfg string) (PodFile, error) {
	p, err := ParseProperties("zoo.cfg", []byte(zooCfg))
	if err != nil {
		return PodFile{}, err
	}
	value := func(key string) string {
		v, _ := p.Get(key) // absent is empty
		return strings.TrimSpace(v)
	}
	return PodFile{
		DataDir: value("dataDir"), DataLogDir: value("dataLogDir"), DynamicFile: value("dynamicConfigFile"),
		Reconfig: strings.EqualFold(value("reconfigEnabled"), "true"),
	}, nil
}
