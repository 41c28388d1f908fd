// Command zklab runs labs: a real Kubernetes and real ZooKeeper ensembles on
// one machine, for the tests and the demo of kubectl-zkmigrate.
package main

import (
	"os"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
