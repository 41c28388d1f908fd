package hostscript

import (
	"os"
	"strings"
	"testing"
)

// TestControlGroups: whether a process is in a container, and its unit.
func TestControlGroups(t *testing.T) {
	type answer struct{ container, unit string }
	cases := map[string]answer{
		"0::/system.slice/zookeeper.service":                                               {"no", "zookeeper.service"},
		"0::/system.slice/system-zookeeper.slice/zookeeper@1.service":                      {"no", "zookeeper@1.service"},
		"0::/user.slice/user-1000.slice/session-3.scope":                                   {"no", "session-3.scope"},
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/zk.service":            {"no", "zk.service"},
		"12:pids:/system.slice/zk.service\n1:name=systemd:/system.slice/zk.service\n0::/x": {"no", "zk.service"},
		"0::/system.slice/docker-0123456789abcdef.scope":                                   {"yes", "docker-0123456789abcdef.scope"},
		"4:cpu:/docker/0123456789abcdef":                                                   {"yes", ""},
		"0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-0123.scope":            {"yes", "cri-containerd-0123.scope"},
		"0::/machine.slice/libpod-0123.scope/container":                                    {"yes", "libpod-0123.scope"},
		"0::/lxc.payload.zk1/system.slice/zookeeper.service":                               {"yes", "zookeeper.service"},
		"0::/":                       {"", ""},
		"":                           {"", ""},
		"11:cpu:/\n1:name=systemd:/": {"", ""},
	}
	script := means + servers + "\nfor CGROUP; do export CGROUP; printf '%s|%s\\n' \"$(contained 1)\" \"$(unit_of 1)\"; done\n"
	var args []string
	for text := range cases {
		args = append(args, text)
	}
	for _, s := range shells(t) {
		out, err := s.command(t, script, map[string]string{"cat": "printf '%s\\n' \"$CGROUP\"\n"}, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		for i, text := range args {
			if want := cases[text].container + "|" + cases[text].unit; len(got) != len(args) || got[i] != want {
				t.Errorf("%s: %q is %q, want %q", s.name, text, got[i], want)
			}
		}
	}
}

// TestRulesOfKubeProxy: what the programs say counts only where they speak of the
// part of the kernel that is loaded; a failure is no answer.
func TestRulesOfKubeProxy(t *testing.T) {
	version := func(text, code string) string {
		return "case $1 in -V) echo '" + text + "' ;; *) exit " + code + " ;; esac\n"
	}
	const old, legacy, nft = "iptables v1.4.21", "iptables v1.8.9 (legacy)", "iptables v1.8.9 (nf_tables)"
	for name, c := range map[string]struct {
		programs map[string]string
		ask      string
		want     string
	}{
		"not loaded":         {nil, "chains legacy no", "no"},
		"loaded is unknown":  {map[string]string{"iptables": version(nft, "0")}, "chains nf_tables ''", ""},
		"old has them":       {map[string]string{"iptables": version(old, "0")}, "chains legacy yes", "yes"},
		"old has none":       {map[string]string{"iptables": version(old, "1")}, "chains legacy yes", "no"},
		"refused":            {map[string]string{"iptables": version(old, "4")}, "chains legacy yes", ""},
		"of the other kind":  {map[string]string{"iptables": version(nft, "0")}, "chains legacy yes", ""},
		"both kinds":         {map[string]string{"iptables": version(nft, "1"), "iptables-legacy": version(legacy, "0")}, "chains legacy yes", "yes"},
		"both kinds, nft":    {map[string]string{"iptables": version(nft, "1"), "iptables-legacy": version(legacy, "0")}, "chains nf_tables yes", "no"},
		"no program":         {nil, "chains legacy yes", ""},
		"nftables":           {map[string]string{"nft": "echo 'table ip kube-proxy'\n"}, "tables yes", "yes"},
		"nftables of others": {map[string]string{"nft": "echo 'table inet filter'\n"}, "tables yes", "no"},
		"nft fails":          {map[string]string{"nft": "echo 'table ip kube-proxy'; exit 1\n"}, "tables yes", ""},
		"nf_tables is not":   {nil, "tables no", "no"},
		"of none":            {map[string]string{"grep": "exit 1\n", "uname": "echo none\n", "id": "echo 0\n"}, "loaded() { echo no; }; rules", "no"},
		"of IPVS":            {map[string]string{"grep": "case $1 in *ipvs*) exit 0 ;; esac; exit 1\n", "id": "echo 1000\n"}, "rules", "yes"},
		"not as root":        {map[string]string{"grep": "exit 1\n", "id": "echo 1000\n"}, "rules", ""},
		"one is not known":   {map[string]string{"grep": "exit 1\n", "id": "echo 0\n"}, "loaded() { :; }; rules", ""},
	} {
		t.Run(name, func(t *testing.T) {
			setup, ask := "", c.ask
			if i := strings.LastIndex(ask, "; "); i > 0 {
				setup, ask = ask[:i+1], ask[i+2:]
			}
			for _, s := range shells(t)[:2] {
				if c.programs == nil {
					c.programs = map[string]string{}
				}
				// None of the machine's own.
				for _, p := range []string{"iptables", "iptables-nft", "iptables-legacy", "nft"} {
					if c.programs[p] == "" {
						c.programs[p] = "exit 127\n"
					}
				}
				out, err := s.command(t, means+host+"\n"+setup+"\necho \"$("+ask+")\"\n", c.programs).Output()
				if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
					t.Errorf("%s: %q, want %q (%v)", s.name, got, c.want, err)
				}
			}
		})
	}
}

// TestContainers: a process is led to its container by its control group, and what the engine
// says of that is told; where it says nothing, nothing is known.
func TestContainers(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	const answer = "/zk1\ntrue\nunless-stopped\nzookeeper:3.8.0\n/srv/zk\n\n"
	for name, c := range map[string]struct{ cgroup, says, want string }{
		"docker by systemd":   {"0::/system.slice/docker-" + id + ".scope", answer, `{"engine":"docker","name":"zk1","running":true,"restart":"unless-stopped","image":"zookeeper:3.8.0","compose":"/srv/zk","unit":null}`},
		"docker by cgroupfs":  {"12:cpu:/docker/" + id + "\n1:name=systemd:/docker/" + id, "/zk1\nfalse\nno\nx\n\n\n", `{"engine":"docker","name":"zk1","running":false,"restart":"no","image":"x","compose":null,"unit":null}`},
		"podman":              {"0::/machine.slice/libpod-" + id + ".scope/container", "zk1\ntrue\n\nx\n\nzk1.service\n", `{"engine":"podman","name":"zk1","running":true,"restart":null,"image":"x","compose":null,"unit":"zk1.service"}`},
		"podman's monitor":    {"0::/machine.slice/libpod-conmon-" + id + ".scope", answer, "null"},
		"a slice of docker's": {"0::/docker/buildkit", answer, "null"},
		"of Kubernetes":       {"0::/kubepods.slice/cri-containerd-" + id + ".scope", answer, "null"},
		"none":                {"0::/system.slice/zookeeper.service", answer, "null"},
		"the engine refuses":  {"0::/system.slice/docker-" + id + ".scope", "", "null"},
	} {
		engine := "[ \"$1 $2 $3 $4\" = \"inspect --type container --format\" ] && shift 5 && case $1$2 in buildkit|another" + id + ") true ;; *) false ;; esac && [ -n \"$SAYS\" ] && printf %s \"$SAYS\"\n"
		for _, s := range shells(t) {
			cmd := s.command(t, means+servers+"\nengine_of 1 | { read -r engine id; container \"$engine\" another \"$id\"; }\n",
				map[string]string{"cat": "printf '%s\\n' \"$CGROUP\"\n", "docker": engine, "podman": engine})
			cmd.Env = append(cmd.Env, "CGROUP="+c.cgroup, "SAYS="+c.says)
			if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != c.want {
				t.Errorf("%s: %s: %s, want %s (%v)", name, s.name, out, c.want, err)
			}
		}
	}
}

// TestUnitFiles: a unit's file, what it was generated from and its drop-ins are told with their
// heads.
func TestUnitFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"zk.service": "# Ansible managed\n[Unit]\n# later\n", "10-x.conf": "[Service]\n"} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range shells(t) {
		cmd := s.command(t, means+servers+host+"\nunit zk\n", map[string]string{"systemctl": "printf '%s\\n' LoadState=loaded UnitFileState=enabled \"FragmentPath=$DIR/zk.service\" SourcePath= \"DropInPaths=$DIR/10-x.conf $DIR/gone.conf\"\n"})
		cmd.Env = append(cmd.Env, "DIR="+dir)
		want := `{"name":"zk","load":"loaded","enabled":"enabled","files":[{"path":"` + dir + `/zk.service","comments":["# Ansible managed"]},{"path":"` + dir + `/10-x.conf","comments":[]},{"path":"` + dir + `/gone.conf","comments":[]}]}`
		if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: %s, want %s (%v)", s.name, out, want, err)
		}
	}
}
