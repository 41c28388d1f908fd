package kubeconn

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
)

// Config reads the kubeconfig that the flags name. Where kubectl falls back to
// localhost:8080 (no file, no current context) it is an error: that is never the
// cluster that was meant.
func Config(flags *genericclioptions.ConfigFlags) (*rest.Config, error) {
	if t := value(flags.Timeout); t != "" {
		if d, err := clientcmd.ParseTimeout(t); err != nil || d < 0 {
			return nil, &Error{Usage: true, What: fmt.Sprintf("--request-timeout=%q is not a duration", t), Next: "write it as 30s or 2m"}
		}
	}
	if ns := value(flags.Namespace); ns != "" && len(validation.IsDNS1123Label(ns)) > 0 {
		return nil, &Error{Usage: true, What: fmt.Sprintf("--namespace=%q is not the name of a namespace", ns), Next: "use at most 63 lower-case letters, digits and dashes"}
	}
	if s := value(flags.APIServer); s != "" {
		if u, err := url.Parse(withScheme(s)); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, &Error{Usage: true, What: fmt.Sprintf("--server=%q is not an address of an API server", s), Next: "write it as https://HOST:PORT"}
		}
	}
	loader := flags.ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, unreadable(loader, err)
	}
	if err := chosen(flags, loader, raw); err != nil {
		return nil, err
	}
	cfg, err := flags.ToRESTConfig()
	if err != nil {
		return nil, unusable(flags, loader, err)
	}
	return rest.CopyConfig(cfg), nil
}

// Client returns an HTTP client with which every request is bounded, and that
// leaves redirects alone. via is put into the commands that its errors name.
func Client(cfg *rest.Config, via command.Via) (*http.Client, error) {
	limit := cfg.Timeout
	explicit := limit > 0
	if !explicit {
		limit = RequestTimeout
	}
	login := limit
	plugin := cfg.ExecProvider != nil || cfg.AuthProvider != nil
	if !explicit && plugin {
		login = max(limit, loginTimeout)
	}
	unbounded := rest.CopyConfig(cfg)
	unbounded.Timeout = 0
	client, err := rest.HTTPClientFor(unbounded)
	if err != nil {
		return nil, &Error{Usage: true, What: "the kubeconfig cannot be used: " + sentence(err), Next: view(via), Err: err}
	}
	next := client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	client.Transport = &transport{next: next, limit: limit, login: login, plugin: plugin, via: via}
	return client, nil
}

// files are where kubeconfigs are looked for.
func files(loader clientcmd.ClientConfig) []string {
	access := loader.ConfigAccess()
	if explicit := access.GetExplicitFile(); explicit != "" {
		return []string{explicit}
	}
	return access.GetLoadingPrecedence()
}

func unreadable(loader clientcmd.ClientConfig, err error) error {
	at := strings.Join(files(loader), ", ")
	if strings.Contains(err.Error(), "is registered for version") {
		return &Error{Usage: true, What: fmt.Sprintf("%s is not a kubeconfig but another kind of object", at), Next: "choose another file with --kubeconfig or KUBECONFIG", Err: err}
	}
	if errors.Is(err, os.ErrNotExist) {
		return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s does not exist", at), Next: "check --kubeconfig and KUBECONFIG", Err: err}
	}
	if errors.Is(err, os.ErrPermission) {
		return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s may not be read", at), Next: "check its permissions (ls -l)", Err: err}
	}
	return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s cannot be read: %s", at, fileFault(at, err)), Next: "fix the file, or choose another with --kubeconfig or KUBECONFIG", Err: err}
}

// fileFault is why a kubeconfig cannot be read, without the words of decoders and
// without its name over and over.
func fileFault(at string, err error) string {
	text := sentence(err)
	if strings.Contains(text, "json: ") {
		return "it is YAML or JSON, but not a kubeconfig"
	}
	for _, prefix := range []string{fmt.Sprintf("%q: ", at), "open " + at + ": ", "read " + at + ": ", "yaml: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

func unusable(flags *genericclioptions.ConfigFlags, loader clientcmd.ClientConfig, err error) error {
	return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s cannot be used: %s", strings.Join(files(loader), ", "), sentence(err)), Next: view(Via(flags)), Err: err}
}

// chosen makes sure that the flags and the files name a cluster.
func chosen(flags *genericclioptions.ConfigFlags, loader clientcmd.ClientConfig, raw clientcmdapi.Config) error {
	at := strings.Join(files(loader), ", ")
	var contexts []string
	for name := range raw.Contexts {
		contexts = append(contexts, name)
	}
	slices.Sort(contexts)
	current := raw.CurrentContext
	if c := value(flags.Context); c != "" {
		current = c
	}
	switch {
	case current != "" && raw.Contexts[current] == nil:
		return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s has no context %q; it has %s", at, current, listed(contexts)), Next: "choose one of them with --context"}
	case value(flags.APIServer) != "" || value(flags.ClusterName) != "" || current != "":
		return complete(flags, at, current, raw)
	case inCluster():
		return nil
	case len(contexts) > 0:
		return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s has no current context, so no cluster is chosen", at), Next: "choose one with --context: " + listed(contexts)}
	}
	var missing []string
	for _, f := range files(loader) {
		if _, err := os.Stat(f); err != nil {
			missing = append(missing, f)
		}
	}
	if len(missing) > 0 {
		return &Error{Usage: true, What: fmt.Sprintf("no kubeconfig was found: %s does not exist", strings.Join(missing, ", ")), Next: "name one with --kubeconfig or KUBECONFIG"}
	}
	return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s names no cluster: it is empty", at), Next: "name another with --kubeconfig or KUBECONFIG"}
}

// complete refuses a context whose parts are not there: client-go would go to
// localhost:8080, or go there as nobody.
func complete(flags *genericclioptions.ConfigFlags, at, current string, raw clientcmdapi.Config) error {
	chosen := clientcmdapi.Context{}
	if current != "" {
		chosen = *raw.Contexts[current]
	}
	if c := value(flags.ClusterName); c != "" {
		chosen.Cluster = c
	}
	if u := value(flags.AuthInfoName); u != "" {
		chosen.AuthInfo = u
	}
	server := value(flags.APIServer)
	cluster := raw.Clusters[chosen.Cluster]
	if cluster != nil && server == "" {
		server = cluster.Server
	}
	switch {
	case cluster == nil && server == "":
		return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s has no cluster %q", at, chosen.Cluster), Next: view(Via(flags))}
	case server == "":
		return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s names no server for cluster %q", at, chosen.Cluster), Next: "write its address into the file as server: https://HOST:PORT, or choose another context with --context"}
	case chosen.AuthInfo != "" && raw.AuthInfos[chosen.AuthInfo] == nil:
		return &Error{Usage: true, What: fmt.Sprintf("kubeconfig %s has no user %q", at, chosen.AuthInfo), Next: view(Via(flags))}
	}
	return nil
}

// inCluster is how client-go decides that it runs in a pod.
func inCluster() bool {
	_, err := os.Stat("/var/run/secrets/kubernetes.io/serviceaccount/token")
	return err == nil && os.Getenv("KUBERNETES_SERVICE_HOST") != "" && os.Getenv("KUBERNETES_SERVICE_PORT") != ""
}

// Where names the server and how it was chosen.
func Where(flags *genericclioptions.ConfigFlags) string {
	loader := flags.ToRawKubeConfigLoader()
	cfg, err := loader.ClientConfig()
	if err != nil || cfg.Host == "" {
		return ""
	}
	text := "API server " + clip(cfg.Host)
	raw, err := loader.RawConfig()
	if err != nil {
		return text
	}
	current := raw.CurrentContext
	if c := value(flags.Context); c != "" {
		current = c
	}
	if current != "" && value(flags.APIServer) == "" {
		text += fmt.Sprintf(" (context %s of kubeconfig %s)", current, strings.Join(files(loader), ", "))
	}
	return text
}

func withScheme(s string) string {
	if !strings.Contains(s, "://") {
		return "http://" + s
	}
	return s
}

func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func listed(names []string) string {
	const most = 10
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > most:
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
