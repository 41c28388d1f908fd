package cli

import (
	"io"
	"strings"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// via are the flags that say which cluster is meant, as they were given, and by
// whom: a command that is printed for one cluster and run without them works on
// another, where an ensemble of that name may be as well.
func via(flags *genericclioptions.ConfigFlags) string {
	var out strings.Builder
	for _, f := range []struct {
		name  string
		value *string
	}{
		{"kubeconfig", flags.KubeConfig}, {"context", flags.Context}, {"cluster", flags.ClusterName},
		{"server", flags.APIServer}, {"user", flags.AuthInfoName}, {"as", flags.Impersonate},
	} {
		if f.value != nil && *f.value != "" {
			out.WriteString("--" + f.name + "=" + quote.Shell(*f.value) + " ")
		}
	}
	return out.String()
}

// viaWriter puts those flags into every command that passes.
type viaWriter struct {
	w     io.Writer
	flags *genericclioptions.ConfigFlags
}

func (v viaWriter) Write(p []byte) (int, error) {
	add := via(v.flags)
	if add == "" {
		return v.w.Write(p)
	}
	// The Role is for an administrator, who has a kubeconfig of his own; --user
	// means the Role's subject there.
	pairs := []string{"kubectl zkmigrate rbac ", "kubectl zkmigrate rbac "}
	for _, word := range []string{"zkmigrate ", "describe ", "logs ", "delete ", "get "} {
		pairs = append(pairs, "kubectl "+word)
		if word == "zkmigrate " {
			pairs = append(pairs, "kubectl "+word+add)
		} else {
			pairs = append(pairs, "kubectl "+add+word)
		}
	}
	if _, err := io.WriteString(v.w, strings.NewReplacer(pairs...).Replace(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// withVia has what commands print, but no help, name the cluster.
func withVia(s genericiooptions.IOStreams, flags *genericclioptions.ConfigFlags) genericiooptions.IOStreams {
	s.Out, s.ErrOut = viaWriter{s.Out, flags}, viaWriter{s.ErrOut, flags}
	return s
}
