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
	add("a directory", 2, func(dir string) setup { return setup{path: dir} }, nil, "kubeconfig", "directory")
	text("empty", 2, "", "names no cluster")
	text("no YAML", 2, "a: b: c: d", "cannot be read")
	text("binary", 2, "\x7fELF\x00\x01\x02", "cannot be read")
	text("a list", 2, "- a\n- b\n", "cannot be read")
	text("another kind", 2, "apiVersion: v1\nkind: Pod\n", "kubeconfig")
	text("no current context", 2, strings.Replace(user(""), "current-context: here\n", "", 1), "no current context", "--context", "here")
	text("current context is missing", 2, strings.Replace(user(""), "current-context: here", "current-context: there", 1), `no context "there"`, "here")
	add("wrong --context", 2, func(string) setup { return setup{text: user("")} }, []string{"--context=there"}, `no context "there"`, "here")
	add("wrong --cluster", 2, func(string) setup { return setup{text: user("")} }, []string{"--cluster=there"}, "there")
	add("wrong --user", 2, func(string) setup { return setup{text: user("")} }, []string{"--user=there"}, "there")
	add("wrong --server", 2, func(string) setup { return setup{text: user("")} }, []string{"--server=://x"}, "--server", "https://HOST:PORT")
	add("wrong --namespace", 2, func(string) setup { return setup{text: user("")} }, []string{"--namespace=A B"}, "A B", "namespace")
	text("context without its cluster", 2, strings.Replace(user(""), "cluster: c,", "cluster: x,", 1), "kubeconfig", "x")
	text("context without its user", 2, strings.Replace(user(""), "user: u,", "user: x,", 1), "kubeconfig", "x")
	text("no server", 2, configText("", "", ""), "kubeconfig", "server")
	text("a server that is none", 2, configText("https://[::1", "", ""), "kubeconfig")
	text("CA file is missing", 2, configText(server, ", certificate-authority: /nowhere/ca.crt", ""), "/nowhere/ca.crt")
	text("CA is not base64", 2, configText(server, ", certificate-authority-data: '###'", ""), "kubeconfig")
	text("CA is no certificate", 2, configText(server, ", certificate-authority-data: aGVsbG8=", ""), "kubeconfig")
	text("certificate file is missing", 2, user("client-certificate: /nowhere/c.crt, client-key: /nowhere/c.key"), "/nowhere/c.crt")
	text("certificate without key", 2, user("client-certificate-data: aGVsbG8="), "kubeconfig")
	text("certificate that is none", 2, user("client-certificate-data: aGVsbG8=, client-key-data: aGVsbG8="), "kubeconfig")
	text("token file is missing", 2, user("tokenFile: /nowhere/token"), "/nowhere/token")
	text("proxy that is none", 2, configText(server, ", proxy-url: 'gopher://x'", ""), "proxy")
	exec := func(command string) string {
		return user("exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: " + command + "}")
	}
	text("plugin is missing", 1, exec("no-such-plugin"), "credential plugin", "no-such-plugin", "install")
	text("plugin fails", 1, exec("'false'"), "credential plugin", "exit code 1", "log in")
	text("plugin prints nothing", 1, exec("'true'"), "credential plugin")
	text("plugin prints something else", 1, exec("date"), "credential plugin")
	text("plugin never ends", 124, exec("sleep, args: ['60']"), "no answer", "credential plugin")
	text("plugin of no version", 2, strings.Replace(exec("date"), "client.authentication.k8s.io/v1", "v9", 1), "kubeconfig")
	text("plugin without command", 2, exec("''"), "kubeconfig", "command")
	add("a circle of links", 2, func(dir string) setup {
		path := filepath.Join(dir, "k")
		_ = os.Symlink("k", path)
		return setup{path: path}
	}, nil, "kubeconfig")
	return out
}
