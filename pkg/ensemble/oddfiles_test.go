package ensemble

import (
	"fmt"
	"strings"
	"testing"
)

// TestNoConfiguration: what is no zoo.cfg, or more than one can be, is refused at once.
func TestNoConfiguration(t *testing.T) {
	const head = "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/d\nclientPort=2181\n"
	servers, settings, broken := "", "", ""
	for i := range 5000 {
		servers += fmt.Sprintf("server.%d=10.0.%d.%d:2888:3888\n", i, i/250, i%250)
		settings += fmt.Sprintf("k%d=v\n", i)
		broken += fmt.Sprintf("server.x%d=v\n", i%4000)
	}
	indented := "    " + strings.ReplaceAll(head, "\n", "\n    ") + "server.1=a:1:2\n"
	for name, c := range map[string]struct{ text, want string }{
		"a ConfigMap":             {"apiVersion: v1\nkind: ConfigMap\ndata:\n  zoo.cfg: |\n" + indented, "f:1: this is a Kubernetes object in YAML"},
		"its parts the other way": {"data:\n  zoo.cfg: |\n" + indented + "kind: ConfigMap\napiVersion: v1\n", "this is a Kubernetes object in YAML"},
		"servers":                 {head + servers, "f:4097: the file has 5005 settings (expected a configuration of 4096 settings at most)"},
		"settings":                {head + settings, "f:4097: the file has 5005 settings"},
		"one again and again":     {head + strings.Repeat("a=b\n", 5000), "f:4097: the file has 5005 settings"},
		"many errors":             {head + broken[:4000*10], "more such problems"},
	} {
		_, err := ParseConfig("f", []byte(c.text), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > maxErrors {
			t.Errorf("%s: %.300v", name, err)
		}
	}
}

// TestSameAddressSpelled: one address has several spellings.
func TestSameAddressSpelled(t *testing.T) {
	for a, b := range map[string]string{"[fd00::1]": "[FD00:0:0::1]", "[::ffff:10.1.0.1]": "10.1.0.1", "zk1.example.com": "ZK1.example.com."} {
		text := fmt.Sprintf("initLimit=1\nsyncLimit=1\ndataDir=/d\nclientPort=2181\nserver.1=%s:1:2\nserver.2=%s:1:2\nserver.3=c:1:2\n", a, b)
		c, err := ParseConfig("f", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range Lint(c, Version{}) {
			found = found || f.Code == "same-address" && f.Line == 6
		}
		if !found {
			t.Errorf("%s and %s: no finding", a, b)
		}
	}
}
