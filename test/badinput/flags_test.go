package badinput

import "strings"

// flagRows are values that no command can do anything with: exit code 2, before
// anybody is asked.
func flagRows() []row {
	var out []row
	files := map[string]string{"a": zooCfg, "file": "x"}
	add := func(command string, args []string, says ...string) {
		out = append(out, row{name: "flag/" + command + " " + strings.Join(args, " "), args: append(strings.Fields(command), args...), files: files, code: 2, says: says})
	}
	pods := map[string][]string{
		"--memory=0": {"--memory", "at least", "2Gi"}, "--memory=-1Gi": {"--memory", "at least"}, "--memory=lots": {"--memory", "quantity", "2Gi"},
		"--memory=500m": {"--memory", "at least"}, "--memory=1e99999": {"--memory", "at most"}, "--memory=": {"--memory", "quantity", "2Gi"}, "--memory=1Ei": {"--memory", "at most"},
		"--cpu=1e99999": {"--cpu", "at most"}, "--cpu=0": {"--cpu", "at least"}, "--cpu=-1": {"--cpu", "at least"}, "--cpu=many": {"--cpu", "500m"}, "--cpu=100000": {"--cpu", "at most"},
		"--storage-size=0": {"--storage-size", "at least"}, "--storage-size=-20Gi": {"--storage-size", "at least"}, "--storage-size=big": {"--storage-size", "20Gi"}, "--storage-size=1e30": {"--storage-size", "at most"},
		"--image=a b": {"--image", "registry/path:tag"}, "--image=UPPER:1": {"--image", "registry/path:tag"}, "--image=-x": {"--image", "registry/path:tag"}, "--image=a:b:c": {"--image", "registry/path:tag"}, "--image=a\nb": {"--image", "registry/path:tag"},
		"--image=https://r/z": {"--image", "registry/path:tag"}, "--storage-class=A B": {"--storage-class", "StorageClass"}, "--storage-class=Fast": {"--storage-class", "use lower-case"}, "--storage-class=../x": {"--storage-class", "use lower-case"},
		"--run-as-user=0": {"--run-as-user=0 is root", "1000"}, "--run-as-user=-1": {"--run-as-user", "a uid is 1 to"}, "--run-as-user=99999999999": {"--run-as-user", "a uid is 1 to"}, "--run-as-user=me": {"--run-as-user", "whole number"},
		"--anti-affinity=maybe": {"--anti-affinity", "allowed are required, preferred"}, "--anti-affinity=": {"--anti-affinity", "allowed are required, preferred"},
		"--jvm-flags=-Dzookeeper.forceSync=no": {"--jvm-flags", "forceSync", "may not be on any disk", "leave it out"}, "--jvm-flags=Xmx1g": {"--jvm-flags", "dash"}, "--jvm-flags=-Xmx1g; rm": {"--jvm-flags", `"rm" is not a JVM flag`},
		"--timeout=0": {"--timeout", "30s"}, "--timeout=-5s": {"--timeout", "30s"}, "--timeout=soon": {"--timeout", "30s or 5m"},
	}
	for flag, says := range pods {
		add("wrap demo -f a", []string{flag}, says...)
		add("wrap demo -f a --dry-run=client", []string{flag}, says...)
		add("replace demo --id=1", []string{flag}, says...)
	}
	for _, name := range []string{"UPPER", "-x", "a_b", "a b", "a/b", "1a", "a.b", strings.Repeat("n", 64), "é", "a\nb", ""} {
		for _, command := range []string{"status", "plan", "clients", "check", "wrap", "reconfigure"} {
			add(command, []string{"--", name}, "name", "lower-case")
		}
	}
	for i := range out {
		if strings.Contains(out[i].name, strings.Repeat("n", 64)) {
			out[i].says = []string{"64 characters", "at most"}
		}
	}
	for _, bad := range []string{"NOPE", "zk001", "ZK013", ""} {
		add("wrap demo -f a", []string{"--waive=" + bad + "x"}, "--waive", "can be waived are")
	}
	add("check demo -f a", []string{"--waive=zk001"}, "did you mean ZK001")
	add("check demo -f a", []string{"--waive=ZK013"}, "cannot be waived")
	for _, c := range []string{"status", "plan", "clients", "check", "wrap demo -f a"} {
		add(c, []string{"-o", "xml"}, "xml", "allowed are", "json")
		if c != "wrap demo -f a" {
			add(c, []string{"-o", "jsonpath="}, "what to print is missing", "jsonpath='{.name}'")
			add(c, []string{"-o", "jsonpath={.x["}, "unterminated array", "jsonpath='{.name}'")
			add(c, []string{"-o", "go-template={{.x"}, "unclosed action", "jsonpath='{.name}'")
			add(c, []string{"-o", "custom-columns=NAME"}, "<header>:<json-path-expr>", "jsonpath='{.name}'")
			add(c, []string{"-o", "jsonpath-file=none"}, "none: no such file", "check the path")
			add(c, []string{"-o", "json=.x"}, "allowed are", "jsonpath")
		}
		add(c, []string{"--no-such-flag"}, "unknown flag: --no-such-flag", "--help")
		add(c, []string{"--request-timeout=soon", "-n", "zk"}, "--request-timeout", "30s")
	}
	add("status a b", nil, "at most one NAME", "--help")
	add("status a -A", nil, "leave NAME out")
	add("version x", nil, "no arguments", "--help")
	add("frobnicate", nil, "unknown command", "--help")
	add("wrap", []string{"-f", "a"}, "NAME")
	add("wrap demo -f a", []string{"--dry-run=maybe"}, "--dry-run", "none, client, server")
	add("wrap demo -f a", []string{"--endpoints-api=v3"}, "--endpoints-api", "endpointslices, endpoints")
	add("wrap demo -f a", []string{"--expose=peer"}, "--expose", "admin, metrics")
	add("wrap demo --dry-run=client", []string{"--expose=admin", "--member=1=h:2888:3888", "--member=2=i:2888:3888", "--member=3=j:2888:3888"}, "--expose", "-f")
	add("wrap demo --dry-run=client", []string{"--member=x"}, "--member", "member has no id")
	add("wrap demo --dry-run=client", []string{"--member=1=h:2888"}, "--member", "election port")
	add("wrap demo --dry-run=client", []string{"--member=-1=h:2888:3888;2181"}, "--member", "0 to 4294967295")
	add("wrap demo --dry-run=client -f a", []string{"--member=1=h:2888:3888;2181"}, "use one of them")
	for _, c := range []string{"replace demo", "revert demo"} {
		add(c, nil, "--id=N")
		add(c, []string{"--id=-1"}, `--id="-1"`, "a server's id, a whole number from")
		add(c, []string{"--id=one"}, "--id", "whole number")
		add(c, []string{"--id=99999999999999999999"}, "--id", "whole number")
		add(c, []string{"--id=1", "--host-hook=./nothing"}, "--host-hook", "chmod +x")
		add(c, []string{"--id=1", "--host-hook=./file"}, "--host-hook", "chmod +x")
		add(c, []string{"--id=1", "--host-hook= "}, "--host-hook", "no program")
		add(c, []string{"--id=1", "--yes=perhaps"}, "--yes", "true or false")
	}
	add("replace demo --id=1 --all", nil, "exclude each other", "use one of them")
	add("replace demo --all --fenced", nil, "confirms one host", "--id")
	add("replace demo --id=1", []string{"--data=some"}, "--data", "empty, copy")
	add("revert demo --id=1", []string{"--timeout=0"}, "--timeout", "positive")
	add("seed demo", nil, "--id=N")
	add("seed demo --id=1", []string{"--timeout=-1h"}, "--timeout", "positive")
	for flag, says := range map[string]string{
		"--supervisor=initd": "use systemd, supervisord, script, docker or podman", "--unit=a b": "is not the name of a unit", "--unit=$(x)": "is not the name of a unit", "--address=names": "ip, dns", "--cluster-domain=a b": "is not a DNS name",
		"--dns-zone=..": "is not a DNS name", "--dns-server=a b": "is not a DNS name", "--data-size=0": "is too little", "--data-size=-1": "is too little", "--data-size=big": "800Mi", "--path=": "is not a name for a file", "--path=a b": "is not a name for a file",
		"--leave=everything": "known are addresses", "--confirmed=-1": "ids are", "--confirmed=4294967296": "ids are", "--confirmed=x": "whole numbers", "--jvm-cmdline=x": "ID=FILE", "--jvm-cmdline=1=": "ID=FILE",
		"--output-dir=file": "not a directory", "--verify --host-hook=true": "use one of them",
	} {
		args := []string{flag}
		if strings.HasPrefix(flag, "--verify") {
			args = strings.Fields(flag)
		}
		name, _, _ := strings.Cut(args[0], "=")
		add("reconfigure demo -f a", args, name, says)
	}
	return out
}
