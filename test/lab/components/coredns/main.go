// Command coredns is the lab's cluster DNS: CoreDNS with only the plugins the
// lab's Corefile names, which keeps it small and quick to build.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

func main() {
	// A query meets the plugins in this order.
	dnsserver.Directives = []string{"errors", "ready", "hosts", "kubernetes", "template"}
	coremain.Run()
}
