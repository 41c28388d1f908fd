package hostscript

import (
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
