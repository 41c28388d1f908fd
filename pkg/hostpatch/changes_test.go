package hostpatch

import (
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChangesByRelease has which changes each release gets, and that none is
// made where it is not needed.
func TestChangesByRelease(t *testing.T) {
	always := []string{ChangeAddresses, ChangeListen}
	tests := map[string]struct {
		release, extra string
		want           []string
	}{
		"3.4.9 has neither keep-alive nor whitelist": {"3.4.9", "", append(always, ChangeCnxTimeout)},
		"3.4.10 allows all words unless told":        {"3.4.10", "", append(always, ChangeCnxTimeout)},
		"3.4.10 with a list":                         {"3.4.10", "4lw.commands.whitelist=srvr\n", append(always, ChangeWhitelist, ChangeCnxTimeout)},
		"3.4.11 has keep-alive":                      {"3.4.11", "", append(always, ChangeKeepAlive, ChangeCnxTimeout)},
		"3.5.3 has the list":                         {"3.5.3", "", append(always, ChangeWhitelist, ChangeCnxTimeout)},
		"3.5.7 blocks elections":                     {"3.5.7", "", append(always, ChangeWhitelist, ChangeKeepAlive, ChangeCnxTimeout)},
		"3.5.8 does not":                             {"3.5.8", "", append(always, ChangeWhitelist, ChangeKeepAlive)},
		"3.6.0 does again":                           {"3.6.0", "", append(always, ChangeWhitelist, ChangeKeepAlive, ChangeCnxTimeout)},
		"3.6.1 does not":                             {"3.6.1", "", append(always, ChangeWhitelist, ChangeKeepAlive)},
		"what is there already": {"3.5.7", "4lw.commands.whitelist=*\ntcpKeepAlive=true\ncnxTimeout=500\nquorumListenOnAllIPs=true\n",
			[]string{ChangeAddresses}},
		"an address that stays good": {"3.9.2", "clientPortAddress=10.0.0.1\n", append(always, ChangeWhitelist, ChangeKeepAlive)},
		"an address by name":         {"3.9.2", "clientPortAddress=zk1\n", append(always, ChangeClientBind, ChangeWhitelist, ChangeKeepAlive)},
		"a loopback address":         {"3.9.2", "clientPortAddress=127.0.0.1\n", append(always, ChangeWhitelist, ChangeKeepAlive)},
		"a loopback name":            {"3.9.2", "secureClientPort=2281\nsecureClientPortAddress=localhost\n", append(always, ChangeWhitelist, ChangeKeepAlive)},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(t, plainCfg+tc.extra, 1, 2, 3)
			in.Version = version(t, tc.release)
			plan, err := Reconfigure(in)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, c := range plan.Hosts[0].Changes {
				seen[c.Name] = true
			}
			var got []string
			for c := range seen {
				got = append(got, c)
			}
			want := append([]string(nil), tc.want...)
			sort.Strings(got)
			sort.Strings(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestClientBindListensNoWiderThanBefore: a name gives way to the host's own
// address where that is known, and to all addresses only where it is not.
func TestClientBindListensNoWiderThanBefore(t *testing.T) {
	tests := map[string]struct{ address, want string }{
		"an address": {"10.0.0.1", "clientPortAddress=10.0.0.1\n"},
		"IPv6":       {"2001:db8::1", "clientPortAddress=2001:db8::1\n"},
		"a name":     {"zk1.example.com", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(t, plainCfg+"clientPortAddress=zk1.example.com\n", 1, 2, 3)
			in.Hosts[0].Address = tc.address
			plan, err := Reconfigure(in)
			if err != nil {
				t.Fatal(err)
			}
			got := string(plan.Hosts[0].New)
			if !strings.Contains(got, tc.want) || tc.want == "" && strings.Contains(got, "clientPortAddress") {
				t.Errorf("want %q in\n%s", tc.want, got)
			}
		})
	}
}
