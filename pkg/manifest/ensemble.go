// Package manifest is an ensemble as an operator declares it: the structure that a
// file of kind Ensemble and the commands' flags fill alike, and the one table of its
// fields from which flags, the JSON Schema, explain and the docs are made. It is pure.
package manifest

// The files' first two fields.
const (
	APIVersion = "zkmigrate.io/v1alpha1"
	Kind       = "Ensemble"
	FleetKind  = "Fleet"
)

// Ensemble is what an operator says of one ensemble. Fields says of each field what it
// means; an empty one was not given.
type Ensemble struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   Metadata `yaml:"metadata,omitempty"`
	Spec       Spec     `yaml:"spec,omitempty"`
}

// Metadata says which ensemble it is.
type Metadata struct {
	Name      string `yaml:"name,omitempty"`
	Namespace string `yaml:"namespace,omitempty"`
}

// Spec is how it runs and is to run.
type Spec struct {
	ZooCfg        string   `yaml:"zooCfg,omitempty"`
	DynamicFile   string   `yaml:"dynamicFile,omitempty"`
	Servers       []Server `yaml:"servers,omitempty"`
	EndpointsAPI  string   `yaml:"endpointsAPI,omitempty"`
	Expose        []string `yaml:"expose,omitempty"`
	Waive         []string `yaml:"waive,omitempty"`
	Address       string   `yaml:"address,omitempty"`
	ClusterDomain string   `yaml:"clusterDomain,omitempty"`
	Credentials   string   `yaml:"credentials,omitempty"`
	Hosts         Hosts    `yaml:"hosts,omitempty"`
	Pods          Pods     `yaml:"pods,omitempty"`
	DNS           DNS      `yaml:"dns,omitempty"`
}

// Server is one member: by its host's file, or by its address.
type Server struct {
	ID           int64  `yaml:"id"`
	ZooCfg       string `yaml:"zooCfg,omitempty"`
	DynamicFile  string `yaml:"dynamicFile,omitempty"`
	Host         string `yaml:"host,omitempty"`
	PeerPort     int    `yaml:"peerPort,omitempty"`
	ElectionPort int    `yaml:"electionPort,omitempty"`
	// ClientPort is nil where nobody has said it, 0 where there is none in plain text.
	ClientPort       *int   `yaml:"clientPort,omitempty"`
	SecureClientPort int    `yaml:"secureClientPort,omitempty"`
	Role             string `yaml:"role,omitempty"`
}

// Hosts is how servers are run on their hosts.
type Hosts struct {
	Supervisor string   `yaml:"supervisor,omitempty"`
	Unit       []string `yaml:"unit,omitempty"`
	Path       string   `yaml:"path,omitempty"`
	Hook       string   `yaml:"hook,omitempty"`
	Leave      []string `yaml:"leave,omitempty"`
}

// Pods is how pods are made.
type Pods struct {
	Image        string `yaml:"image,omitempty"`
	StorageClass string `yaml:"storageClass,omitempty"`
	StorageSize  string `yaml:"storageSize,omitempty"`
	Memory       string `yaml:"memory,omitempty"`
	CPU          string `yaml:"cpu,omitempty"`
	JVMFlags     string `yaml:"jvmFlags,omitempty"`
	Files        Files  `yaml:"files,omitempty"`
	AntiAffinity string `yaml:"antiAffinity,omitempty"`
	RunAsUser    int64  `yaml:"runAsUser,omitempty"`
	Template     string `yaml:"template,omitempty"`
}

// Files are where pods get the files from that their configuration names.
type Files struct {
	Secret    string `yaml:"secret,omitempty"`
	ConfigMap string `yaml:"configMap,omitempty"`
}

// DNS is for the records of the clients' step.
type DNS struct {
	Zone   string `yaml:"zone,omitempty"`
	Server string `yaml:"server,omitempty"`
}
