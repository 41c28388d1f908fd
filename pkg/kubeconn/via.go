package kubeconn

import (
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
)

// Via are the flags that say which cluster is meant, how it is reached, and by whom, for
// the commands that are printed. A token or a password is none of them.
func Via(flags *genericclioptions.ConfigFlags) command.Via {
	via := command.Via{}.
		With("kubeconfig", value(flags.KubeConfig)).With("context", value(flags.Context)).With("cluster", value(flags.ClusterName)).
		With("server", value(flags.APIServer)).With("tls-server-name", value(flags.TLSServerName)).With("certificate-authority", value(flags.CAFile)).
		With("client-certificate", value(flags.CertFile)).With("client-key", value(flags.KeyFile)).
		With("user", value(flags.AuthInfoName)).With("as", value(flags.Impersonate)).With("as-uid", value(flags.ImpersonateUID))
	if groups := flags.ImpersonateGroup; groups != nil {
		for _, group := range *groups {
			via = via.With("as-group", group)
		}
	}
	if skip := flags.Insecure; skip != nil && *skip {
		via = via.With("insecure-skip-tls-verify", "true")
	}
	return via
}
