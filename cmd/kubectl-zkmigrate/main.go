// Command kubectl-zkmigrate is a kubectl plugin that moves a running ZooKeeper
// ensemble from hosts into Kubernetes.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // windows of fleets name time zones, also where the machine has none

	"github.com/go-logr/logr"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubeconfigs name auth plugins
	"k8s.io/klog/v2"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cli"
)

func main() {
	// client-go's and net/http's own logs would stand in the middle of our output; what
	// fails is returned as an error, too.
	klog.SetLogger(logr.Discard())
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first Ctrl-C ends the command in order, a second one at once.
	context.AfterFunc(ctx, stop)
	code := cli.Main(ctx, os.Args[1:], genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	stop()
	os.Exit(code)
}
