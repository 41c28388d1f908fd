package hostscript

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// TestWhatProgramsSay: what the programs print of a connect is understood, and what is
// not understood is not known.
func TestWhatProgramsSay(t *testing.T) {
	cases := []struct {
		code int
		says string
		want string
	}{
		{0, "", "open"},
		{0, "Connection to 127.0.0.1 2181 port [tcp/*] succeeded!", "open"},
		{1, "bash: connect: Connection refused\nbash: line 1: /dev/tcp/127.0.0.1/1: Connection refused", "closed"},
		{1, "nc: connect to 127.0.0.1 port 1 (tcp) failed: Connection refused", "closed"},
		{1, "(UNKNOWN) [127.0.0.1] 1 (tcpmux) : Connection refused", "closed"},
		{1, "Ncat: Connection refused.", "closed"},
		{1, "nc: 127.0.0.1 (127.0.0.1:1): Connection refused", "closed"},
		{124, "", "silent"},
		{124, "bash: connect: Interrupted system call", "silent"},
		{1, "bash: connect: Connection timed out", "silent"},
		{1, "nc: connect to 192.0.2.9 port 1 (tcp) timed out: Operation now in progress", "silent"},
		{1, "Ncat: Connection timed out.", "silent"},
		{1, "nc: 192.0.2.9 (192.0.2.9:1): Operation timed out", "silent"},
		{1, "bash: connect: Network is unreachable", "unreachable"},
		{1, "bash: connect: No route to host", "unreachable"},
		{1, "nc: 10.0.0.1 (10.0.0.1:1): Host is unreachable", "unreachable"},
		{1, "nc: 10.0.0.1 (10.0.0.1:1): Network unreachable", "unreachable"},
		{1, "bash: connect: Host is down", "unreachable"},
		{1, "bash: connect: Operation not permitted", ""},
		{1, "bash: zk9: Name or service not known\nbash: line 1: /dev/tcp/zk9/1: Invalid argument", ""},
		{1, "bash: line 1: /dev/tcp/127.0.0.1/1: No such file or directory", ""},
		{1, "Usage: nc [-iN] [-wN] [-l] [-p PORT]\n\n-w SEC\tTimeout for connect: timeout refused", ""},
		{127, "timeout: not found", ""},
		{125, "timeout: invalid time interval", ""},
		{126, "timeout: failed to run command: Permission denied", ""},
		{137, "", ""},
		{1, "", ""},
	}
	script := means + "\nmeans=bash\nwhile [ $# -gt 0 ]; do CODE=$1 SAYS=$2; export CODE SAYS; try 1 host h 7; shift 2; done | list\n"
	var args []string
	for _, c := range cases {
		args = append(args, strconv.Itoa(c.code), c.says)
	}
	for _, s := range shells(t) {
		t.Run(s.name, func(t *testing.T) {
			out, err := s.command(t, script, map[string]string{"timeout": "printf '%s\\n' \"$SAYS\" >&2; exit $CODE\n"}, args...).Output()
			if err != nil {
				t.Fatal(err)
			}
			var got []struct{ Result, Detail *string }
			if err := json.Unmarshal(out, &got); err != nil || len(got) != len(cases) {
				t.Fatalf("%d answers: %v", len(got), err)
			}
			for i, c := range cases {
				result := ""
				if got[i].Result != nil {
					result = *got[i].Result
				}
				if result != c.want {
					t.Errorf("%d %q is %q, want %q", c.code, c.says, result, c.want)
				}
				if (got[i].Detail != nil) != (c.want == "" && c.says != "") {
					t.Errorf("%d %q has the detail %v", c.code, c.says, got[i].Detail)
				}
			}
		})
	}
}

// TestSeenAs: the connection that asks is told from the others, and where two might be
// ours, nothing is known.
func TestSeenAs(t *testing.T) {
	const ours, idle = " /10.0.0.7:51234[0](queued=0,recved=1,sent=0)\n", " /10.0.0.8:4000[1](queued=0,recved=7,sent=7,sid=0x1,lop=PING)\n"
	for says, want := range map[string]string{
		ours:        "10.0.0.7",
		idle + ours: "10.0.0.7",
		ours + " /10.0.0.9:51234[0](queued=0,recved=1,sent=0)\n": "",
		" /0:0:0:0:0:0:0:1:51234[0](queued=0,recved=1,sent=0)\n": "0:0:0:0:0:0:0:1",
		idle: "",
		"cons is not executed because it is not in the whitelist.\n": "",
		"": "",
	} {
		for _, s := range shells(t) {
			cmd := s.command(t, means+"\nmeans=bash\nown 10.96.0.1 2181\n", map[string]string{"timeout": "printf %s \"$SAYS\"\n"})
			cmd.Env = append(cmd.Env, "SAYS="+says)
			if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != want {
				t.Errorf("%s: %q is read as %q, want %q (%v)", s.name, says, out, want, err)
			}
		}
	}
}
