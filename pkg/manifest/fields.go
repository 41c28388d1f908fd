package manifest

// Fields is the table of all fields, as the root object.
func Fields() Field {
	return Field{Name: "ensemble", Type: Object, Doc: "An ensemble that is to be moved, for -f of every command. " +
		"What a field says is what its flag says; a field that is left out keeps what is recorded", Fields: []Field{
		{Name: "apiVersion", Type: Text, Required: true, Enum: []string{APIVersion}, Doc: "The version of this format"},
		{Name: "kind", Type: Text, Required: true, Enum: []string{Kind}, Doc: "What the file describes"},
		{Name: "metadata", Type: Object, Doc: "Which ensemble it is", Fields: []Field{
			{Name: "name", Type: Text, Pattern: `^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`, Want: "lower-case letters, digits and dashes, starting with a letter and not ending with a dash, 63 at most",
				Doc: "The ensemble's name, instead of NAME on the command line"},
			{Name: "namespace", Type: Text, Flag: "namespace", Pattern: `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`, Want: "the name of a namespace: lower-case letters, digits and dashes, 63 at most",
				Doc: "The namespace, instead of -n; without either the kubeconfig's"},
		}},
		{Name: "spec", Type: Object, Doc: "How it runs, and how its pods are made", Fields: spec(), NotBoth: []string{"zooCfg", "servers"}},
	}}
}

func spec() []Field {
	return []Field{
		{Name: "zooCfg", Type: Text, File: true, Doc: "One host's zoo.cfg that stands for all hosts; instead of servers"},
		{Name: "dynamicFile", Type: Text, File: true, With: "zooCfg", Doc: "A copy of the dynamic file that zooCfg names (default: the file of that name beside it)"},
		{Name: "servers", Type: Objects, Fields: server(), OneOf: []string{"zooCfg", "host"}, Doc: "The servers, all by their hosts' files (zooCfg), which is best, or all by their addresses (host and ports). Without servers and without zooCfg it is about an ensemble that is wrapped already"},
		{Name: "endpointsAPI", Type: Text, Flag: "endpoints-api", Default: "endpointslices", Enum: []string{"endpointslices", "endpoints"},
			Doc: "endpointslices, or endpoints for clusters or policies that know only v1 Endpoints (weaker, see docs/endpoints.md)"},
		{Name: "expose", Type: List, Flag: "expose", Enum: []string{"admin", "metrics"},
			Doc: "Ports that Services get besides those that servers and clients use: admin, metrics; as the hosts' files have them"},
		{Name: "waive", Type: List, Flag: "waive", Pattern: `^[A-Z]{2,4}[0-9]{3}$`, Want: "the id of a check, such as ZK002", Doc: "Ids of checks to waive; kept in the journal"},
		{Name: "address", Type: Text, Flag: "address", Default: "ip", Enum: []string{"ip", "dns"},
			Doc: "What goes into the server lines: ip, the Services' addresses, or dns, their names (TLS, Kerberos); kept in the journal"},
		{Name: "clusterDomain", Type: Text, Flag: "cluster-domain", Default: "cluster.local", Doc: "The cluster's DNS domain, for --address=dns"},
		{Name: "credentials", Type: Text, Flag: "credentials", File: true,
			Doc: "What ZooKeeper is asked with where it wants TLS or SASL: a file that names others, or secret/NAME, as docs/credentials.md says"},
		{Name: "hosts", Type: Object, Doc: "How servers are run on their hosts", Fields: []Field{
			{Name: "supervisor", Type: Text, Flag: "supervisor", Default: "systemd", Enum: []string{"systemd", "supervisord", "script", "docker", "podman"},
				Doc: "What starts the servers on their hosts: systemd, supervisord, script, docker or podman; kept in the journal"},
			{Name: "unit", Type: List, Flag: "unit", Doc: "The name of the unit, program or container, or the path of zkServer.sh (default zookeeper), or ID=NAME for one server; repeatable; kept in the journal"},
			{Name: "path", Type: Text, Flag: "path", Default: "zoo.cfg", Doc: "Path of zoo.cfg as the commands name it: on the hosts, or with --supervisor=docker or podman in the containers"},
			{Name: "hook", Type: Text, Flag: "host-hook", File: true, Doc: "Program that carries out what must happen on hosts"},
			{Name: "leave", Type: List, Flag: "leave", Doc: "Optional changes to leave out, by the names that README.txt lists beside the patches"},
		}},
		{Name: "pods", Type: Object, Doc: "How pods are made; kept in the journal", Fields: pods()},
		{Name: "dns", Type: Object, Doc: "For the DNS records of the clients' step", Fields: []Field{
			{Name: "zone", Type: Text, Flag: "dns-zone", Doc: "Zone of the hosts' names, for the DNS records"},
			{Name: "server", Type: Text, Flag: "dns-server", Doc: "Name server that takes updates, for the nsupdate script"},
		}},
	}
}

func server() []Field {
	const port = "a port, 1 to 65535"
	return []Field{
		{Name: "id", Type: Number, Required: true, Min: 0, Max: 1<<32 - 1, Want: "a server's id, 0 to 4294967295", Doc: "The server's id, as in its myid"},
		{Name: "zooCfg", Type: Text, File: true, Doc: "A copy of its host's zoo.cfg"},
		{Name: "dynamicFile", Type: Text, File: true, With: "zooCfg", Doc: "A copy of the dynamic file that zooCfg names (default: the file of that name beside it)"},
		{Name: "host", Type: Text, Pattern: hostPattern, Want: "a host name or an address, without brackets and port", Doc: "Its host's name or address, where the file is not at hand"},
		{Name: "peerPort", Type: Number, With: "host", Required: true, Min: 1, Max: 65535, Want: port, Doc: "The port that followers connect to"},
		{Name: "electionPort", Type: Number, With: "host", Required: true, Min: 1, Max: 65535, Want: port, Doc: "The port for elections"},
		{Name: "clientPort", Type: Number, With: "host", Min: 0, Max: 65535, Want: port + ", or 0 for none", Default: "2181", Doc: "The port for clients in plain text; 0 where there is none"},
		{Name: "secureClientPort", Type: Number, With: "host", Min: 1, Max: 65535, Want: port, Doc: "The port for clients with TLS, of servers that are wrapped already; others need zooCfg for it"},
		{Name: "role", Type: Text, With: "host", Enum: []string{"participant", "observer"}, Default: "participant", Doc: "participant, or observer for a server without a vote"},
	}
}

// hostPattern has names, and addresses of both families.
const hostPattern = `^([0-9A-Za-z]([0-9A-Za-z._-]{0,252})|[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$`

func pods() []Field {
	return []Field{
		{Name: "image", Type: Text, Flag: "image", Doc: "Image of the pods, with the ZooKeeper version of the hosts (default zookeeper:VERSION)"},
		{Name: "storageClass", Type: Text, Flag: "storage-class", Doc: "StorageClass of the pods' volumes (default: the cluster's)"},
		{Name: "storageSize", Type: Quantity, Flag: "storage-size", Default: "20Gi", Doc: "Size of the pods' volumes: at least three snapshots plus logs"},
		{Name: "memory", Type: Quantity, Flag: "memory", Default: "2Gi", Doc: "Memory request and limit of a pod: heap plus 512Mi at least"},
		{Name: "cpu", Type: Quantity, Flag: "cpu", Default: "500m", Doc: "CPU request of a pod"},
		{Name: "jvmFlags", Type: Text, Flag: "jvm-flags", Doc: `JVM flags of the hosts to carry over, as "-Xmx1g -Djute.maxbuffer=4194304"`},
		{Name: "files", Type: Object, Doc: "The files that zoo.cfg and the JVM flags name, see docs/files.md", Fields: []Field{
			{Name: "secret", Type: Text, Flag: "files-secret", Doc: "Secret with the files that zoo.cfg and the JVM flags name, by their base names; ID.NAME is one server's own"},
			{Name: "configMap", Type: Text, Flag: "files-configmap", Doc: "ConfigMap with such files that anybody may read"},
		}},
		{Name: "antiAffinity", Type: Text, Flag: "anti-affinity", Default: "required", Enum: []string{"required", "preferred"}, Doc: "required (one server a node) or preferred"},
		{Name: "runAsUser", Type: Number, Flag: "run-as-user", Default: "1000", Min: 1, Max: 1<<31 - 1, Want: "a uid other than root's, 1 to 2147483647", Doc: "uid and gid of the pods' process and volume"},
		{Name: "template", Type: Text, Flag: "pod-template", File: true,
			Doc: "File with a pod template (YAML) that is merged over the pods', as kubectl's strategic merge does: what no flag sets, as tolerations or sidecars (docs/pod-template.md)"},
	}
}
