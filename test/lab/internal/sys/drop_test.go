package sys

import (
	"strings"
	"testing"
)

func TestDropRules(t *testing.T) {
	for name, c := range map[string]struct {
		drop Drop
		want string
	}{
		"everything": {Drop{}, "-I PREROUTING ! -i lo -j DROP; -I OUTPUT ! -o lo -j DROP"},
		"a port":     {Drop{Port: 3888}, "-I PREROUTING ! -i lo -p tcp --dport 3888 -j DROP; -I OUTPUT ! -o lo -p tcp --dport 3888 -j DROP"},
		"a port of one": {Drop{From: "10.78.1.2", Port: 2888},
			"-I PREROUTING ! -i lo -s 10.78.1.2 -p tcp --dport 2888 -j DROP; -I OUTPUT ! -o lo -s 10.78.1.2 -p tcp --dport 2888 -j DROP"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range c.drop.rules() {
				got = append(got, strings.Join(r, " "))
			}
			if g := strings.Join(got, "; "); g != c.want {
				t.Errorf("got %s\nwant %s", g, c.want)
			}
		})
	}
}
