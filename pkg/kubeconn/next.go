package kubeconn

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/command"

// view is what to do about a kubeconfig that says something else than was meant.
func view(via command.Via) string {
	return "look at it with: " + viewing(via) + "; --kubeconfig, --context, or KUBECONFIG choose another"
}

// viewing shows the kubeconfig, as far as it is used.
func viewing(via command.Via) string {
	return command.At{Via: via}.Kubectl("config view --minify")
}

// reachable is what to do about an API server that nobody answers for.
func reachable(via command.Via) string {
	return "check the server's address in the kubeconfig and that it is reachable from here (VPN, firewall, proxy variables): " + readyz(via)
}

func readyz(via command.Via) string {
	return command.At{Via: via}.Kubectl("get --raw /readyz")
}

// notKubernetes is what to do about an answer that is not one of an API server.
func notKubernetes(via command.Via) string {
	return "check the server's address in the kubeconfig (" + viewing(via) + "), and log in to the network or VPN if it wants that first"
}
