package render

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// grace is how long a server that is asked to stop has for its clients and its log, in
// seconds.
const grace = 60

// templateRule says what a template may not set, and why. The first whose path leads to
// a field judges it; what no rule names is allowed.
type templateRule struct {
	// path has "*" for any word, and "X*" for those that begin with X.
	path []string
	// why is empty where the field is allowed.
	why string
	// fits, if there is one, allows some values.
	fits func(*yaml.Node) bool
}

func field(path ...string) templateRule { return templateRule{path: path} }

func (r templateRule) because(why string) templateRule {
	r.why = why
	return r
}

func (r templateRule) unless(fits func(*yaml.Node) bool) templateRule {
	r.fits = fits
	return r
}

// judges reports whether the rule is about the field or one above it.
func (r templateRule) judges(path []string) bool {
	if len(path) < len(r.path) {
		return false
	}
	for i, word := range r.path {
		prefix, open := strings.CutSuffix(word, "*")
		if word != path[i] && !(open && strings.HasPrefix(path[i], prefix)) {
			return false
		}
	}
	return true
}

// judge holds every field against the rules.
func (d *templateDoc) judge() (err error) {
	rules := templateRules()
	d.walk(func(f templateField) bool {
		if err != nil {
			return false
		}
		if last := len(f.path) - 1; last > 0 && f.value.Kind == yaml.MappingNode && slices.Contains([]string{"containers", "initContainers", "volumes", "env"}, f.path[last-1]) &&
			f.path[0] == "spec" && scalar(f.value, "name") == "" {
			err = d.problem(f.line, "an element of "+f.path[last-1]+" has no name", "name: NAME, by which it is merged")
			return false
		}
		i := slices.IndexFunc(rules, func(r templateRule) bool { return r.judges(f.path) })
		if i < 0 || rules[i].why == "" {
			return true
		}
		if fits := rules[i].fits; fits != nil && (len(f.path) > len(rules[i].path) || fits(f.value)) {
			return true
		}
		err = d.problem(f.line, f.String()+" cannot be set by a pod template: "+rules[i].why, "")
		return false
	})
	return err
}

const (
	whyLabel    = "the tool sets it, and Services, budget and StatefulSet find the pods by such labels"
	whyProxy    = "a proxy would stand between the servers on their peer ports and start after the gate"
	whyGate     = "the container runs the gate, which becomes ZooKeeper"
	whyRelay    = "the container repeats the gate's reports, which prove that a host is down"
	whyUser     = "--run-as-user sets it, for the process and its volume alike"
	whyPorts    = "they are the servers' own, from the hosts' files, and the Services have the same"
	whyProbe    = "the probe asks the gate and ZooKeeper, and its answer is noted on the volume; only timings can be changed"
	whyVolume   = "the name is that of a volume of the gate's or of ZooKeeper's"
	whyMount    = "the gate's reports, its word and the data are nobody else's; volume \"" + dataVolume + "\" can be mounted with readOnly: true, away from " + "/zookeeper and /zkmigrate"
	whyEnv      = "the gate goes by it"
	whyShell    = "it changes what bash, java or zkServer.sh run in the gate's place"
	whyJVM      = "--jvm-flags sets the JVM's options, and refuses those that endanger data"
	whyName     = "the pods' names are the StatefulSet's, and their certificates and Services go by them"
	whyNetwork  = "each pod needs an address and ports of its own: the proof that a host is down is about addresses"
	whyProcess  = "the probes know the gate from ZooKeeper by the container's first process"
	whyReadonly = "the API server lets a StatefulSet's pods have nothing else"
)

// templateRules are all of them.
func templateRules() []templateRule {
	rules := []templateRule{
		field("metadata", "labels", "app.kubernetes.io/part-of"),
		field("metadata", "labels", "app.kubernetes.io/*").because(whyLabel),
		field("metadata", "labels", "zkmigrate.io/*").because(whyLabel),
		field("metadata", "labels", "statefulset.kubernetes.io/*").because(whyLabel),
		field("metadata", "labels", "apps.kubernetes.io/*").because(whyLabel),
		field("metadata", "labels", "controller-revision-hash").because(whyLabel),
		field("metadata", "annotations", "kubectl.kubernetes.io/default-container").because("the commands that are printed name the pod alone, and mean ZooKeeper's container"),
		field("metadata", "annotations", "zkmigrate.io/*").because("the tool sets it, and knows by it what a pod was made from"),
		field("metadata", "*", "sidecar.istio.io/inject").because(whyProxy),
		field("metadata", "*", "linkerd.io/inject").because(whyProxy),
		field("metadata", "labels"),
		field("metadata", "annotations"),
		field("metadata", "*").because("of a pod's metadata a template has labels and annotations"),

		field("spec", "restartPolicy").because(whyReadonly),
		field("spec", "activeDeadlineSeconds").because(whyReadonly),
		field("spec", "ephemeralContainers").because(whyReadonly),
		field("spec", "nodeName").because("it would put all pods on one node, past the scheduler; use nodeSelector or affinity"),
		field("spec", "hostname*").because(whyName),
		field("spec", "subdomain").because(whyName),
		field("spec", "setHostnameAsFQDN").because(whyName),
		field("spec", "hostNetwork").because(whyNetwork),
		field("spec", "hostPID").because(whyProcess),
		field("spec", "shareProcessNamespace").because(whyProcess),
		field("spec", "hostIPC").because("nothing in the pod needs it"),
		field("spec", "readinessGates").because("the tool tells a lost node from the pod's conditions, which a gate of others changes"),
		field("spec", "terminationGracePeriodSeconds").because(fmt.Sprintf("at least %d seconds are needed to stop a server cleanly", grace)).unless(atLeast(grace)),
		field("spec", "affinity", "podAntiAffinity").because("--anti-affinity sets it; topologySpreadConstraints spread the pods further"),
	}
	for _, key := range []string{"runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup"} {
		rules = append(rules, field("spec", "securityContext", key).because(whyUser))
	}
	rules = append(rules, ofZooKeeper()...)
	for _, key := range []string{"name", "resources", "imagePullPolicy", "securityContext"} {
		rules = append(rules, field("spec", "containers", RelayName, key))
	}
	rules = append(rules, field("spec", "containers", RelayName, "*").because(whyRelay))
	for _, name := range []string{ContainerName, RelayName} {
		rules = append(rules, field("spec", "initContainers", name).because("a container of the pod has that name"))
	}
	for _, name := range ourVolumes() {
		rules = append(rules, field("spec", "volumes", name).because(whyVolume))
	}
	return append(rules,
		field("spec", "*", "*", "volumeMounts", "*").because(whyMount).unless(foreignMount),
		field("spec", "*", "*", "volumeDevices", "*").because(whyMount).unless(func(n *yaml.Node) bool { return !slices.Contains(ourVolumes(), scalar(n, "name")) }),
	)
}

// ofZooKeeper are the rules of the container that becomes ZooKeeper.
func ofZooKeeper() []templateRule {
	in := func(path ...string) templateRule {
		return field(append([]string{"spec", "containers", ContainerName}, path...)...)
	}
	rules := []templateRule{
		in("image").because("--image sets it, and the parked pod tells which ZooKeeper it holds"),
		in("command").because(whyGate),
		in("args").because(whyGate),
		in("lifecycle").because(whyGate + ": nothing else is started in it"),
		in("restartPolicy*").because(whyGate),
		in("terminationMessagePath").because("the gate writes there why it does not start"),
		in("ports").because(whyPorts),
		in("envFrom").because("it would set variables that the gate goes by, unseen; name each in env"),
		in("resources", "limits", "memory").because("--memory sets it, request and limit alike"),
		in("resources", "requests", "memory").because("--memory sets it, request and limit alike"),
		in("resources", "requests", "cpu").because("--cpu sets it"),
		in("volumeMounts", "*").because(whyMount).unless(freeMount),
	}
	for _, name := range []string{"POD_NAME", "POD_UID", "ZKMIGRATE_*"} {
		rules = append(rules, in("env", name).because(whyEnv))
	}
	for _, name := range []string{"SERVER_JVMFLAGS", "JVMFLAGS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"} {
		rules = append(rules, in("env", name).because(whyJVM))
	}
	for _, name := range []string{"BASH*", "SHELLOPTS", "ENV", "POSIXLY_CORRECT", "LD_*", "PATH", "CLASSPATH", "ZOOMAIN", "ZOOCFG", "ZOOCFGDIR"} {
		rules = append(rules, in("env", name).because(whyShell))
	}
	for _, probe := range []string{"startupProbe", "livenessProbe", "readinessProbe"} {
		for _, key := range []string{"exec", "httpGet", "tcpSocket", "grpc"} {
			rules = append(rules, in(probe, key).because(whyProbe))
		}
		rules = append(rules, in(probe, "terminationGracePeriodSeconds").because(fmt.Sprintf("at least %d seconds are needed to stop a server cleanly", grace)).unless(atLeast(grace)))
	}
	for _, key := range []string{"runAsUser", "runAsGroup", "runAsNonRoot"} {
		rules = append(rules, in("securityContext", key).because(whyUser))
	}
	return rules
}

// ourVolumes are the names of those that we mount.
func ourVolumes() []string {
	return []string{dataVolume, gateVolume, confVolume, reportVolume, tmpVolume, privateVolume, filesVolume, filesSecretVolume, filesConfigVolume}
}

func atLeast(seconds int) func(*yaml.Node) bool {
	return func(n *yaml.Node) bool {
		have, err := strconv.Atoi(n.Value)
		return err == nil && have >= seconds
	}
}

// foreignMount is one of a volume that is not ours, or of the data to be read.
func foreignMount(n *yaml.Node) bool {
	name := scalar(n, "name")
	return !slices.Contains(ourVolumes(), name) || name == dataVolume && scalar(n, "readOnly") == "true" || name == tmpVolume
}

// freeMount is one in ZooKeeper's container where nothing of ours is mounted.
func freeMount(n *yaml.Node) bool {
	at := path.Clean("/" + scalar(n, "mountPath"))
	for _, ours := range []string{migration.PodVolumePath, toolRoot} {
		if at == "/" || at == ours || strings.HasPrefix(at, ours+"/") {
			return false
		}
	}
	return !slices.Contains(ourVolumes(), scalar(n, "name"))
}
