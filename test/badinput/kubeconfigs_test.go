package badinput

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// config is a kubeconfig with one context.
func configText(server, cluster, user string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster: {server: '%s'%s}\nusers:\n- name: u\n  user: {%s}\ncontexts:\n- name: here\n  context: {cluster: c, user: u, namespace: zk}\ncurrent-context: here\n", server, cluster, user)
}

func kubeconfigRows() []row {
	var out []row
	const server = "https://127.0.0.1:1"
	add := func(name string, code int, s func(dir string) setup, args []string, says ...string) {
		limit := "--request-timeout=75s"
		if code == 124 {
			limit = "--request-timeout=2s"
		}
		out = append(out, row{name: "kubeconfig/" + name, args: append([]string{"status", "zk1", limit, "--timeout=80s"}, args...), code: code, says: append(says, "next: "),
			config: func(_ *testing.T, dir string) setup { return s(dir) }})
	}
	text := func(name string, code int, content string, says ...string) {
		add(name, code, func(string) setup { return setup{text: content} }, nil, says...)
	}
	user := func(u string) string { return configText(server, "", u) }
	missing := func(dir string) setup { return setup{path: filepath.Join(dir, "nowhere")} }
	add("missing", 2, missing, nil, "nowhere does not exist", "--kubeconfig")
	add("missing, by KUBECONFIG", 2, func(dir string) setup { s := missing(dir); s.env = true; return s }, nil, "nowhere does not exist", "KUBECONFIG")
	add("a directory", 2, func(dir string) setup { return setup{path: dir} }, nil, "kubeconfig", "cannot be read: is a directory")
	text("empty", 2, "", "names no cluster")
	text("no YAML", 2, "a: b: c: d", "cannot be read", "mapping values")
	text("binary", 2, "\x7fELF\x00\x01\x02", "cannot be read", "control characters")
	text("a list", 2, "- a\n- b\n", "cannot be read", "not a kubeconfig")
	text("another kind", 2, "apiVersion: v1\nkind: Pod\n", "is not a kubeconfig but another kind of object")
	text("no current context", 2, strings.Replace(user(""), "current-context: here\n", "", 1), "no current context", "--context", "here")
	text("current context is missing", 2, strings.Replace(user(""), "current-context: here", "current-context: there", 1), `no context "there"`, "here")
	add("wrong --context", 2, func(string) setup { return setup{text: user("")} }, []string{"--context=there"}, `no context "there"`, "here")
	add("wrong --cluster", 2, func(string) setup { return setup{text: user("")} }, []string{"--cluster=there"}, `has no cluster "there"`)
	add("wrong --user", 2, func(string) setup { return setup{text: user("")} }, []string{"--user=there"}, `has no user "there"`)
	add("wrong --server", 2, func(string) setup { return setup{text: user("")} }, []string{"--server=://x"}, "--server", "https://HOST:PORT")
	add("wrong --namespace", 2, func(string) setup { return setup{text: user("")} }, []string{"--namespace=A B"}, "A B", "is not the name of a namespace", "lower-case")
	text("context without its cluster", 2, strings.Replace(user(""), "cluster: c,", "cluster: x,", 1), "kubeconfig", `has no cluster "x"`)
	text("context without its user", 2, strings.Replace(user(""), "user: u,", "user: x,", 1), "kubeconfig", `has no user "x"`)
	text("no server", 2, configText("", "", ""), "kubeconfig", "names no server", "https://HOST:PORT")
	text("a server that is none", 2, configText("https://[::1", "", ""), "kubeconfig", "host must be a URL")
	text("CA file is missing", 2, configText(server, ", certificate-authority: /nowhere/ca.crt", ""), "certificate-authority /nowhere/ca.crt", "no such file")
	text("CA is not base64", 2, configText(server, ", certificate-authority-data: '###'", ""), "kubeconfig", "illegal base64")
	text("CA is no certificate", 2, configText(server, ", certificate-authority-data: aGVsbG8=", ""), "kubeconfig", "root certificates")
	text("certificate file is missing", 2, user("client-certificate: /nowhere/c.crt, client-key: /nowhere/c.key"), "client-cert /nowhere/c.crt", "no such file")
	text("certificate without key", 2, user("client-certificate-data: aGVsbG8="), "kubeconfig", "client-key-data or client-key must be specified")
	text("certificate that is none", 2, user("client-certificate-data: aGVsbG8=, client-key-data: aGVsbG8="), "kubeconfig", "PEM data")
	text("token file is missing", 2, user("tokenFile: /nowhere/token"), "/nowhere/token: no such file")
	text("proxy that is none", 2, configText(server, ", proxy-url: 'gopher://x'", ""), "proxy")
	exec := func(command string) string {
		return user("exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: " + command + "}")
	}
	text("plugin is missing", 1, exec("no-such-plugin"), "credential plugin", "no-such-plugin", "install")
	text("plugin fails", 1, exec("'false'"), "credential plugin", "exit code 1", "log in")
	text("plugin prints nothing", 1, exec("'true'"), "credential plugin", "not an ExecCredential")
	text("plugin prints something else", 1, exec("date"), "credential plugin", "not an ExecCredential")
	text("plugin never ends", 124, exec("sleep, args: ['60']"), "no answer", "credential plugin")
	text("plugin of no version", 2, strings.Replace(exec("date"), "client.authentication.k8s.io/v1", "v9", 1), "kubeconfig", `invalid apiVersion "v9"`)
	text("plugin without command", 2, exec("''"), "kubeconfig", "command must be specified")
	add("a circle of links", 2, func(dir string) setup {
		path := filepath.Join(dir, "k")
		_ = os.Symlink("k", path)
		return setup{path: path}
	}, nil, "kubeconfig", "too many levels of symbolic links")
	return out
}
