package sys

import (
	"strings"
	"testing"
)

func TestDropRules(t *testing.T) {
	for name, c := range map[string]struct {
		packets Packets
		want    string
	}{
		"everything": {Packets{}, "-I PREROUTING ! -i lo -j DROP; -I OUTPUT ! -o lo -j DROP"},
		"a port": {Packets{Ports: []int{3888}},
			"-I PREROUTING ! -i lo -p tcp -m multiport --dports 3888 -j DROP; -I OUTPUT ! -o lo -p tcp -m multiport --dports 3888 -j DROP"},
		"a port of one": {Packets{From: "10.78.1.2", Ports: []int{2888}},
			"-I PREROUTING ! -i lo -s 10.78.1.2 -p tcp -m multiport --dports 2888 -j DROP; -I OUTPUT ! -o lo -s 10.78.1.2 -p tcp -m multiport --dports 2888 -j DROP"},
		"all of one server": {Packets{To: []string{"10.77.2.1", "10.79.0.7"}},
			"-I PREROUTING ! -i lo -d 10.77.2.1,10.79.0.7 -j DROP; -I OUTPUT ! -o lo -d 10.77.2.1,10.79.0.7 -j DROP"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range c.packets.dropRules() {
				got = append(got, strings.Join(r, " "))
			}
			if g := strings.Join(got, "; "); g != c.want {
				t.Errorf("got %s\nwant %s", g, c.want)
			}
		})
	}
}

func TestDivertRule(t *testing.T) {
	for name, c := range map[string]struct {
		packets Packets
		want    string
	}{
		"every connection": {Packets{To: []string{"10.77.2.1"}}, "-I ZKLAB -d 10.77.2.1 -p tcp -j REDIRECT --to-ports 9"},
		"to some ports":    {Packets{Ports: []int{2181, 3888}}, "-I ZKLAB -p tcp -m multiport --dports 2181,3888 -j REDIRECT --to-ports 9"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(c.packets.divertRule(9), " "); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}
