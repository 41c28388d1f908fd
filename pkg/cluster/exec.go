package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// execFunc runs a program in a pod's container until it ends or the context
// does. An exit code other than 0 is an error (k8s.io/client-go/util/exec).
type execFunc func(ctx context.Context, namespace, pod string, program []string, stdin io.Reader, stdout, stderr io.Writer) error

// Option changes a Client.
type Option func(*Client)

// WithExec lets the client run programs in pods. It needs more than the typed
// client has: the connection is upgraded to a stream.
func WithExec(cfg *rest.Config) Option {
	return func(c *Client) { c.exec = executor(c.kube, cfg) }
}

// WithWords has errors of the connection, where they end in a sentence of ours,
// said in a person's words.
func WithWords(words func(error) string) Option {
	return func(c *Client) { c.words = words }
}

// noExec is for clients that were made without a configuration.
func noExec(context.Context, string, string, []string, io.Reader, io.Writer, io.Writer) error {
	return errors.New("this client cannot run programs in pods: it was made without a connection's configuration")
}

// executor talks WebSocket and, where the API server or a proxy in between does
// not, SPDY (KEP-4006), as kubectl exec does. Only WebSocket's version 5 (1.30)
// can end the standard input alone; older servers do not accept it and get SPDY.
func executor(kube kubernetes.Interface, cfg *rest.Config) execFunc {
	return func(ctx context.Context, namespace, pod string, program []string, stdin io.Reader, stdout, stderr io.Writer) error {
		url := kube.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
			VersionedParams(&corev1.PodExecOptions{
				Container: render.ContainerName, Command: program, Stdin: stdin != nil, Stdout: true, Stderr: true,
			}, scheme.ParameterCodec).URL()
		spdy, err := remotecommand.NewSPDYExecutor(cfg, "POST", url)
		if err != nil {
			return fmt.Errorf("preparing a stream to pod %s/%s: %w", namespace, pod, err)
		}
		socket, err := remotecommand.NewWebSocketExecutor(cfg, "GET", url.String())
		if err != nil {
			return fmt.Errorf("preparing a stream to pod %s/%s: %w", namespace, pod, err)
		}
		both, err := remotecommand.NewFallbackExecutor(socket, spdy, func(err error) bool {
			return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
		})
		if err != nil {
			return fmt.Errorf("preparing a stream to pod %s/%s: %w", namespace, pod, err)
		}
		return refusal(pod, both.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: stderr}))
	}
}

// refusal gives an error its type back of which SPDY keeps the text alone (k8s.io/streaming,
// SpdyRoundTripper.NewConnection): who is not allowed to run a program is told how to be.
func refusal(pod string, err error) error {
	if err == nil {
		return nil
	}
	text, upgrade := strings.CutPrefix(err.Error(), "unable to upgrade connection: ")
	_, why, forbidden := strings.Cut(text, " is forbidden: ")
	switch {
	case upgrade && forbidden:
		return apierrors.NewForbidden(corev1.Resource("pods"), pod, errors.New(why))
	case upgrade && text == "Unauthorized":
		return apierrors.NewUnauthorized(text)
	}
	return err
}
