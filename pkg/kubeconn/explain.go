package kubeconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
)

// Explain finds in an error what the connection to the API server, or the API
// server itself, has to do with it, and says it in a person's words. What stood
// in front of it in the chain (what was being done) stays in front. via is put into
// the commands that it names.
func Explain(err error, via command.Via) (*Error, bool) {
	if err == nil {
		return nil, false
	}
	cause, said := find(err, via)
	if cause == nil {
		return nil, false
	}
	out := *said
	if head, _, found := strings.Cut(err.Error(), cause.Error()); found && head != "" {
		out.What = strings.TrimRight(head, ": ") + ": " + said.What
	}
	return &out, true
}

// find returns the link of the chain where the connection begins.
func find(err error, via command.Via) (error, *Error) {
	var link *url.Error
	if errors.As(err, &link) {
		return link, connection(link.Err, via)
	}
	var own *Error
	if errors.As(err, &own) {
		return own, own
	}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return asError(status, err), answered(status.Status(), via)
	}
	text := err.Error()
	switch {
	case runtime.IsNotRegisteredError(cause(err)), runtime.IsMissingKind(cause(err)), runtime.IsMissingVersion(cause(err)),
		strings.Contains(text, "unable to decode"), strings.Contains(text, "unknown conversion"), strings.Contains(text, "couldn't get version/kind"),
		strings.Contains(text, "json: cannot unmarshal"), strings.Contains(text, "json: invalid"):
		return cause(err), &Error{What: "the answer holds another kind of object than was asked for", Next: notKubernetes(via), Err: err}
	case strings.Contains(text, "client rate limiter Wait returned an error"):
		return cause(err), &Error{What: "the time was over before the request could be sent", Timeout: true, Next: "give it more time with --timeout", Err: err}
	}
	return nil, nil
}

func asError(s apierrors.APIStatus, chain error) error {
	if e, ok := s.(error); ok {
		return e
	}
	return chain
}

// cause is the innermost link.
func cause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// connection says why a request brought no answer.
func connection(err error, via command.Via) *Error {
	var (
		own      *Error
		unknown  x509.UnknownAuthorityError
		invalid  x509.CertificateInvalidError
		hostname x509.HostnameError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		dns      *net.DNSError
		netErr   net.Error
	)
	const certificate = "certificate-authority-data in the kubeconfig must be that of this server; if it is, have the server's certificate renewed"
	switch text := err.Error(); {
	case errors.As(err, &own):
		return own
	case errors.As(err, &unknown):
		return &Error{What: "the API server's certificate is signed by an authority that the kubeconfig does not know", Next: certificate, Err: err}
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &Error{What: "the API server's certificate has expired or is not valid yet: " + expiry(invalid.Cert), Next: "check this machine's clock; if it is right, " + certificate, Err: err}
	case errors.As(err, &invalid):
		return &Error{What: "the API server's certificate is not valid: " + sentence(invalid), Next: certificate, Err: err}
	case errors.As(err, &hostname):
		return &Error{What: fmt.Sprintf("the API server's certificate is not for %s", hostname.Host), Next: "use a name or address that the certificate has, or --tls-server-name", Err: err}
	case errors.As(err, &record), strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return &Error{What: "the API server's port does not speak TLS, and the kubeconfig says https://", Next: "check the port in the kubeconfig's server address", Err: err}
	case errors.As(err, &alert), strings.Contains(text, "tls: "):
		return &Error{What: "the TLS handshake with the API server failed: " + sentence(err), Next: "check the client certificate and key in the kubeconfig: " + viewing(via), Err: err}
	case strings.Contains(text, "getting credentials: "):
		_, why, _ := strings.Cut(text, "getting credentials: ")
		if strings.Contains(why, "__internal") || strings.Contains(why, "decoding stdout") {
			why = "what it printed is not an ExecCredential of the version that the kubeconfig asks for"
		}
		return &Error{What: "the kubeconfig's credential plugin gave no credentials: " + oneLine(why), Next: "run it by hand, install it, or log in again; " + viewing(via) + " shows its command", Err: err}
	case errors.As(err, &dns):
		return &Error{What: fmt.Sprintf("the API server's name %q does not resolve here", dns.Name), Next: reachable(via), Err: err}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return &Error{What: "the API server did not answer in time", Timeout: true, Next: reachable(via), Err: err}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &Error{What: "the API server refuses connections: nothing listens at its address", Next: reachable(via), Err: err}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &Error{What: "there is no route to the API server", Next: reachable(via), Err: err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		strings.Contains(text, "server closed idle connection"), strings.Contains(text, "connection reset"):
		return &Error{What: "the API server closed the connection without an answer", Next: "run the command again; it may be restarting. " + reachable(via), Err: err}
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "readLoopPeekFailLocked: %!w"):
		// The second is how net/http says that bytes came before anything was asked
		// (transport.go wraps a reason that is nil there).
		return &Error{What: "what listens at the API server's address does not speak HTTP", Next: notKubernetes(via), Err: err}
	}
	return &Error{What: "the request to the API server failed: " + sentence(err), Next: reachable(via), Err: err}
}

func expiry(c *x509.Certificate) string {
	if c == nil {
		return "its dates are unknown"
	}
	return fmt.Sprintf("it is valid from %s to %s", c.NotBefore.UTC().Format("2006-01-02 15:04"), c.NotAfter.UTC().Format("2006-01-02 15:04 MST"))
}

// answered says what an answer other than success means.
func answered(s metav1.Status, via command.Via) *Error {
	at := command.At{Via: via}
	e := &Error{What: fmt.Sprintf("the API server answered %d (%s)", s.Code, oneLine(s.Message))}
	retry := "wait a little and run the command again; if it stays so, look at the API server (" + at.Kubectl("get --raw /readyz?verbose") + ")"
	switch s.Code {
	case http.StatusUnauthorized:
		e.What, e.Next = "the API server does not accept these credentials (401)", "log in again, or choose another user; "+at.Kubectl("auth whoami")+" shows who you are"
	case http.StatusForbidden:
		e.What, e.Next = "you may not do that (403): "+oneLine(s.Message), "let an administrator apply docs/rbac/role.yaml in the namespace; "+at.Kubectl("auth can-i --list -n NAMESPACE")+" shows what you may do"
	case http.StatusNotFound:
		if d := s.Details; d != nil && d.Kind == "namespaces" {
			e.What, e.Next = fmt.Sprintf("namespace %s does not exist", d.Name), at.Kubectl("create namespace %s", d.Name)+", or choose another one with -n"
			break
		}
		e.What, e.Next = "the API server does not have it (404): "+oneLine(s.Message), "check the name, the namespace (-n) and the cluster (--context)"
	case http.StatusConflict, http.StatusGone:
		e.Next = "somebody else changed it meanwhile; run the command again"
	case http.StatusTooManyRequests:
		e.What, e.Next = "the API server asks to slow down (429): "+oneLine(s.Message), retry
	case http.StatusGatewayTimeout:
		e.Next, e.Timeout = retry, true
	default:
		e.Next = retry
		if s.Code < 500 {
			e.Next = "check that the cluster's version is supported and what an admission webhook says: the message above is the API server's"
		}
	}
	return e
}

// sentence is a foreign error's text without the names of packages that it may
// begin with.
func sentence(err error) string {
	text := oneLine(err.Error())
	for _, prefix := range []string{"invalid configuration: ", "x509: ", "tls: ", "readLoopPeekFailLocked: ", "error loading config file "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// oneLine keeps a foreign text short and on its line.
func oneLine(s string) string {
	const limit = 400
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > limit {
		s = s[:limit] + "..."
	}
	return s
}
