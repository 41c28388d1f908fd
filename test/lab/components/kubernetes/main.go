// Command kubernetes is the lab's Kubernetes: its components and kubectl in one binary,
// so that their common code is compiled, linked and cached once. It does what
// the name it is called by says; "kubernetes kubelet --flags" works too.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	// Making a command registers signal handlers and metrics, so it is made once.
	newCommand := component(filepath.Base(os.Args[0]))
	if newCommand == nil && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		newCommand = component(os.Args[0])
	}
	if newCommand == nil {
		fmt.Fprintln(os.Stderr, "kubernetes: call it as kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy or kubectl")
		os.Exit(2)
	}
	command := newCommand()
	if command.Name() == "kubectl" {
		if err := cli.RunNoErrOutput(command); err != nil {
			kubectlutil.CheckErr(err)
		}
		return
	}
	os.Exit(cli.Run(command))
}

func component(name string) func() *cobra.Command {
	switch name {
	case "kube-apiserver":
		return apiserver.NewAPIServerCommand
	case "kube-controller-manager":
		return controllermanager.NewControllerManagerCommand
	case "kube-scheduler":
		return func() *cobra.Command { return scheduler.NewSchedulerCommand() }
	case "kubelet":
		return newKubelet
	case "kube-proxy":
		return proxy.NewProxyCommand
	case "kubectl":
		return kubectl.NewDefaultKubectlCommand
	}
	return nil
}
