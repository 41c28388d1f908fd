package kubeconn

import (
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
)

// Via are the flags that say which cluster is meant, and by whom, for the commands
// that are printed.
func Via(flags *genericclioptions.ConfigFlags) command.Via {
	return command.Via("").
		With("kubeconfig", value(flags.KubeConfig)).With("context", value(flags.Context)).With("cluster", value(flags.ClusterName)).
		With("server", value(flags.APIServer)).With("user", value(flags.AuthInfoName)).With("as", value(flags.Impersonate))
}
