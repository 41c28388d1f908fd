package hostpatch

import (
	"sort"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// FlagAction is what becomes of a JVM flag of the host in the pod.
type FlagAction string

const (
	// FlagCarry: the pod's JVM gets the flag as it is.
	FlagCarry FlagAction = "carry"
	// FlagMap: the flag names something of the host, the pod needs its own.
	FlagMap FlagAction = "map"
	// FlagDrop: the flag has no place in a pod.
	FlagDrop FlagAction = "drop"
)

// Flag is one JVM flag.
type Flag struct {
	// Text is the flag for people: passwords are hidden in it.
	Text string `json:"flag"`
	// Raw is the flag as it stands, for a Secret.
	Raw    string     `json:"-"`
	Action FlagAction `json:"action"`
	Why    string     `json:"why"`
}

// CommandLine is the running server's command line, taken apart.
type CommandLine struct {
	Flags []Flag
	// Main is the main class; Config the argument behind it.
	Main, Config string
}

// ParseCommandLine reads /proc/PID/cmdline: words that end with a zero byte.
// It is the running server that counts, not the files its flags may have come
// from. Unknown flags are carried: they are there for a reason.
func ParseCommandLine(cmdline []byte) CommandLine {
	words := strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
	var out CommandLine
	for i := 1; i < len(words); i++ {
		w := words[i]
		switch {
		case w == "-cp" || w == "-classpath" || w == "--class-path" || w == "-p" || w == "--module-path":
			i++ // its value; the image has its own jars
		case strings.HasPrefix(w, "-"):
			f := classifyFlag(w)
			f.Text, f.Raw = hide(w), w
			out.Flags = append(out.Flags, f)
		case out.Main == "":
			out.Main = w
		case out.Config == "":
			out.Config = w
		}
	}
	return out
}

// flagRule says what a prefix of a flag means.
type flagRule struct {
	prefix string
	action FlagAction
	why    string
}

// flagRules are tried in order.
func flagRules() []flagRule {
	return []flagRule{
		{"-Djute.maxbuffer=", FlagCarry, "must be as large as on the hosts and clients, else the largest znode cannot be synced"},
		{"-Xmx", FlagCarry, "a smaller heap fails while the snapshot is loaded; the container needs about 512 MB more than this"},
		{"-XX:MaxRAMPercentage", FlagMap, "a share of the container's memory is not a share of the host's"},
		{"-XX:HeapDumpPath=", FlagMap, "a path of the host"},
		{"-XX:ErrorFile=", FlagMap, "a path of the host"},
		{"-XX:OnOutOfMemoryError=", FlagCarry, ""},
		{"-XX:OnError=", FlagCarry, ""},
		{"-XX:+PrintGC", FlagCarry, ""},
		{"-Xloggc:", FlagMap, "a path of the host"},
		{"-Xlog:", FlagMap, "may name a path of the host"},
		{"-javaagent:", FlagMap, "the image must hold the agent"},
		{"-agentlib:", FlagDrop, "a debugger has no place in the pod"},
		{"-agentpath:", FlagMap, "the image must hold the agent"},
		{"-Dcom.sun.management.jmxremote", FlagMap, "JMX needs a port of the pod, and an address of its own"},
		{"-Djava.rmi.server.hostname=", FlagDrop, "the host's address"},
		{"-Djava.net.preferIPv4Stack=", FlagCarry, ""},
		{"-Djava.security.auth.login.config=", FlagMap, "the JAAS file must be in the pod"},
		{"-Djava.security.krb5.conf=", FlagMap, "krb5.conf must be in the pod"},
		{"-Djavax.net.ssl.", FlagMap, "stores must be in the pod"},
		{"-Dzookeeper.ssl.", FlagMap, "stores must be in the pod"},
		{"-Dzookeeper.log.dir=", FlagMap, "pods log to standard output"},
		{"-Dzookeeper.log.file=", FlagMap, "pods log to standard output"},
		{"-Dzookeeper.root.logger=", FlagMap, "pods log to standard output"},
		{"-Dzookeeper.DigestAuthenticationProvider.superDigest=", FlagCarry, "keep it in a Secret"},
		{"-Dzookeeper.forceSync=no", FlagCarry, "no proof of writes on disk holds: refused"},
		{"-Dzookeeper.snapshot.trust.empty=", FlagDrop, "it switches off the check that a lost snapshot is noticed (ZOOKEEPER-3056)"},
		{"-Dzookeeper.db.autocreate=", FlagDrop, "pods run with db.autocreate=false in zoo.cfg"},
		{"-Dzookeeper.admin.serverAddress=", FlagDrop, "the host's address"},
		{"-Dzookeeper.", FlagCarry, "counts unless zoo.cfg has the same key, which wins"},
		{"-Dlog4j.", FlagMap, "pods log to standard output"},
		{"-Dlogback.", FlagMap, "pods log to standard output"},
	}
}

func classifyFlag(flag string) Flag {
	for _, r := range flagRules() {
		if strings.HasPrefix(flag, r.prefix) {
			return Flag{Action: r.action, Why: r.why}
		}
	}
	return Flag{Action: FlagCarry}
}

// UnsafeFlag says why no server may run with a flag while its ensemble is
// migrated; empty for all others.
func UnsafeFlag(flag string) string {
	name, value, _ := strings.Cut(flag, "=")
	switch {
	case flag == "-Dzookeeper.forceSync=no": // nothing else, no other case
		return "an acknowledged write may not be on any disk, no proof holds"
	case name == "-Dzookeeper.snapshot.trust.empty" && strings.EqualFold(value, "true"): // Boolean.getBoolean
		return "a server whose snapshots are lost would start as if it had never had any (ZOOKEEPER-3056)"
	}
	return ""
}

// NotAnOption says why a flag of java cannot be passed to the JVM of a ZooKeeper server in a
// pod; empty for all others.
func NotAnOption(flag string) string {
	name, _, _ := strings.Cut(flag, "=")
	switch name {
	case "-cp", "-classpath", "--class-path", "-p", "--module-path", "-jar", "-m", "--module", "--source":
		return "zkServer.sh says what java runs, and from which jars; the image has them"
	case "-version", "--version", "-fullversion", "--full-version", "-help", "--help", "-h", "-?", "-X", "--help-extra", "--dry-run", "--validate-modules", "--list-modules", "-d", "--describe-module":
		return "java prints something and ends, and no server runs"
	case "-XX:Flags", "-XX:VMOptionsFile":
		return "the options are in a file that nobody has checked, and that is not in the pod; give the options themselves"
	}
	return ""
}

// hide keeps passwords and digests out of what is printed.
func hide(flag string) string {
	if name, _, found := strings.Cut(flag, "="); found && ensemble.Secret(name) {
		return name + "=" + ensemble.Hidden
	}
	return ensemble.HideSecrets(flag)
}

// FlagDifferences lists the flags that not all hosts have, with those that
// do. Flags that name the host itself are left out.
func FlagDifferences(lines map[string]CommandLine) map[string][]string {
	have := map[string][]string{}
	for source, line := range lines {
		for _, f := range line.Flags {
			if f.Action == FlagCarry {
				have[f.Text] = append(have[f.Text], source)
			}
		}
	}
	for flag, sources := range have {
		if len(sources) == len(lines) {
			delete(have, flag)
			continue
		}
		sort.Strings(sources)
	}
	return have
}
