// Package control starts Kubernetes in the lab: control plane, DNS, nodes and
// the kube-proxies of machines that are no nodes.
package control

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/pki"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// mastersGroup may do everything.
const mastersGroup = "system:masters"

// Identities makes every certificate and kubeconfig the lab itself needs.
func Identities(lab *state.Lab) error {
	ca, err := pki.Create(lab.Path("pki"))
	if err != nil {
		return err
	}
	err = ca.IssueFiles("apiserver", pki.Subject{User: "kube-apiserver", Groups: []string{mastersGroup}, Hosts: slices.Concat(
		[]string{"127.0.0.1", "localhost"}, lab.Family.Addresses(plan.ControlPlane), lab.Family.Addresses(plan.APIService),
		[]string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc." + plan.ClusterDomain},
	)})
	if err != nil {
		return err
	}
	users := []pki.Subject{
		{User: "admin", Groups: []string{mastersGroup}},
		{User: "system:kube-controller-manager"}, {User: "system:kube-scheduler"}, {User: "system:kube-proxy"},
		{User: "zklab:coredns", Groups: []string{mastersGroup}},
	}
	for _, n := range lab.Nodes {
		users = append(users, pki.Subject{User: "system:node:" + n.Name, Groups: []string{"system:nodes"}})
		if err := ca.IssueFiles("kubelet-"+n.Name, pki.Subject{User: "system:node:" + n.Name, Hosts: append([]string{n.Name}, n.Addresses()...)}); err != nil {
			return err
		}
	}
	for _, u := range users {
		if err := UserKubeconfigs(lab, ca, u, ""); err != nil {
			return err
		}
	}
	return nil
}

// UserKubeconfigs issues a certificate and writes both kubeconfigs of a user.
func UserKubeconfigs(lab *state.Lab, ca *pki.Authority, user pki.Subject, namespace string) error {
	pair, err := ca.Issue(user)
	if err != nil {
		return err
	}
	for _, inLab := range []bool{true, false} {
		server := lab.Server()
		if inLab {
			server = lab.InLabServer()
		}
		config := pki.Kubeconfig{Server: server, Cluster: "zklab-" + string(lab.Name), User: user.User, Namespace: namespace, CA: ca.CA(), Pair: pair}
		if err := config.Write(lab.Kubeconfig(user.User, inLab)); err != nil {
			return err
		}
	}
	return nil
}

// Etcd keeps the cluster's state. It need not survive a crash of the machine.
func Etcd(lab *state.Lab) sys.Daemon {
	return sys.Daemon{Name: "etcd", Place: lab.Place(plan.ControlPlaneMachine), Args: []string{
		"etcd", "--data-dir", lab.Path("etcd"), "--unsafe-no-fsync", "--logger=zap", "--log-level=warn",
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=default=http://127.0.0.1:2380",
	}}
}

// APIServer is the cluster's front.
func APIServer(lab *state.Lab) sys.Daemon {
	file := func(name string) string { return lab.Path("pki", name) }
	return sys.Daemon{Name: "kube-apiserver", Place: lab.Place(plan.ControlPlaneMachine), Args: []string{
		lab.Program("kube-apiserver"),
		"--etcd-servers=http://127.0.0.1:2379",
		// So that a watch of slices goes on where it was when this server was
		// killed: a cache knows nothing from before its own start. It also spares
		// the tests that the endpointslice controller misses a slice which came
		// and went meanwhile, and waits for it.
		"--watch-cache-sizes=endpointslices.discovery.k8s.io#0",
		"--advertise-address=" + lab.Family.Addresses(plan.ControlPlane)[0], fmt.Sprintf("--secure-port=%d", plan.APIPort),
		"--service-cluster-ip-range=" + strings.Join(lab.Family.Of(plan.ServiceNet, plan.ServiceNet6), ","),
		"--authorization-mode=Node,RBAC", "--allow-privileged=true",
		"--client-ca-file=" + file("ca.crt"),
		"--tls-cert-file=" + file("apiserver.crt"), "--tls-private-key-file=" + file("apiserver.key"),
		"--kubelet-client-certificate=" + file("apiserver.crt"), "--kubelet-client-key=" + file("apiserver.key"),
		"--kubelet-certificate-authority=" + file("ca.crt"),
		// Machines of the lab don't resolve each other's node names.
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc." + plan.ClusterDomain,
		"--service-account-key-file=" + file("tokens.crt"), "--service-account-signing-key-file=" + file("tokens.key"),
		"--v=1",
	}}
}

// ControllerManager runs the controllers. There is one of it: no election.
func ControllerManager(lab *state.Lab) sys.Daemon {
	config := lab.Kubeconfig("system:kube-controller-manager", true)
	return sys.Daemon{Name: "kube-controller-manager", Place: lab.Place(plan.ControlPlaneMachine), Args: []string{
		lab.Program("kube-controller-manager"),
		"--kubeconfig=" + config, "--leader-elect=false", "--bind-address=127.0.0.1",
		// Pod ranges are fixed by the lab's plan, for the routes on its hosts.
		"--allocate-node-cidrs=false",
		"--service-account-private-key-file=" + lab.Path("pki", "tokens.key"),
		// Otherwise it makes a folder in /usr/libexec.
		"--flex-volume-plugin-dir=" + lab.Path("conf", "flex-volumes"),
		"--root-ca-file=" + lab.Path("pki", "ca.crt"), "--use-service-account-credentials=true",
	}}
}

// Scheduler places pods.
func Scheduler(lab *state.Lab) sys.Daemon {
	return sys.Daemon{Name: "kube-scheduler", Place: lab.Place(plan.ControlPlaneMachine), Args: []string{
		lab.Program("kube-scheduler"),
		"--kubeconfig=" + lab.Kubeconfig("system:kube-scheduler", true), "--leader-elect=false", "--bind-address=127.0.0.1",
	}}
}

// CoreDNS answers for Services, and for the lab's machines by name.
func CoreDNS(lab *state.Lab) (sys.Daemon, error) {
	corefile := fmt.Sprintf(`%[1]s:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    ready
    kubernetes %[1]s in-addr.arpa ip6.arpa {
        kubeconfig %[2]s
        ttl 5
    }
}
%[3]s:53 {
    errors
    hosts %[4]s {
        ttl 5
        reload 1s
        no_reverse
    }
}
.:53 {
    errors
    template ANY ANY {
        rcode NXDOMAIN
    }
}
`, plan.ClusterDomain, lab.Kubeconfig("zklab:coredns", true), plan.HostDomain, HostsFile(lab))
	path := lab.Path("conf", "Corefile")
	if err := os.WriteFile(path, []byte(corefile), 0o644); err != nil {
		return sys.Daemon{}, fmt.Errorf("configure DNS: %w", err)
	}
	if err := WriteHosts(lab); err != nil {
		return sys.Daemon{}, err
	}
	return sys.Daemon{
		Name: "coredns", Place: lab.Place(plan.ControlPlaneMachine),
		Args: []string{lab.Programs.CoreDNS, "-conf", path},
	}, nil
}

// WrongDNSPort is where WrongDNS listens.
const WrongDNSPort = 5353

// WrongDNSName is the daemon's on a machine.
func WrongDNSName(machine string) string { return "dns-" + machine }

// WrongDNS answers on a machine for some names with other addresses, and for all other
// names of Services as CoreDNS does.
func WrongDNS(lab *state.Lab, machine string, names map[string]string) (sys.Daemon, error) {
	hosts, path := lab.Path("conf", "hosts-"+machine), lab.Path("conf", "Corefile-"+machine)
	text := ""
	for _, name := range slices.Sorted(maps.Keys(names)) {
		text += names[name] + " " + name + "\n"
	}
	corefile := fmt.Sprintf(`%[1]s:%[2]d {
    errors
    hosts %[3]s {
        ttl 5
        reload 1s
        fallthrough
    }
    kubernetes %[1]s {
        kubeconfig %[4]s
        ttl 5
    }
}
`, plan.ClusterDomain, WrongDNSPort, hosts, lab.Kubeconfig("zklab:coredns", true))
	for file, text := range map[string]string{hosts: text, path: corefile} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return sys.Daemon{}, fmt.Errorf("configure the DNS of %s: %w", machine, err)
		}
	}
	return sys.Daemon{Name: WrongDNSName(machine), Place: lab.Place(machine), Args: []string{lab.Programs.CoreDNS, "-conf", path}}, nil
}

// HostsFile names the lab's machines.
func HostsFile(lab *state.Lab) string { return lab.Path("conf", "hosts") }

// WriteHosts writes the names of all machines; DNS rereads it at once.
func WriteHosts(lab *state.Lab) error {
	text := ""
	add := func(name string, addresses []string) {
		for _, a := range addresses {
			text += fmt.Sprintf("%s %s.%s\n", a, name, plan.HostDomain)
		}
	}
	add(plan.ControlPlaneMachine, lab.Family.Addresses(plan.ControlPlane))
	for _, n := range lab.Nodes {
		add(n.Name, n.Addresses())
	}
	for _, c := range lab.Clients {
		add(c.Name, c.Addresses())
	}
	for _, e := range lab.Ensembles {
		for _, s := range e.Servers {
			add(fmt.Sprintf("%s-%d", e.Spec.Name, s.ID), []string{s.Address})
		}
	}
	if err := os.WriteFile(HostsFile(lab), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the hosts file: %w", err)
	}
	return nil
}

// WriteResolvConf writes what the lab's machines use to look names up.
func WriteResolvConf(lab *state.Lab) error {
	text := fmt.Sprintf("nameserver %s\nsearch svc.%s %s %s\noptions ndots:3 timeout:2\n", lab.Family.Addresses(plan.ControlPlane)[0], plan.ClusterDomain, plan.ClusterDomain, plan.HostDomain)
	if err := os.WriteFile(lab.ResolvConf(), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(lab.ResolvConf()), err)
	}
	return nil
}

// Forwarder carries connections from loopback into the lab. The listener is
// made outside and handed over: a socket stays in the network it was made in.
func Forwarder(lab *state.Lab, listener *os.File) sys.Daemon {
	place := lab.Place(plan.ControlPlaneMachine)
	return sys.Daemon{
		Name: "forwarder", Place: place, Files: []*os.File{listener},
		Args: []string{lab.Self(), "forward", lab.ControlPlane(plan.APIPort)},
	}
}
