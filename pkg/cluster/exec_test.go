package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
	"k8s.io/streaming/pkg/httpstream/wsstream"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
)

// execServer runs what is asked for on this machine, as a kubelet would in a
// pod, over WebSocket or, when that is refused, over SPDY.
type execServer struct {
	t *testing.T
	// socket is the status for a WebSocket, 0 to take it.
	socket int
	// over says which protocol carried the last call.
	over string
}

func (s *execServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	program := r.URL.Query()["command"]
	if r.URL.Path != "/api/v1/namespaces/zk/pods/main-pod-1/exec" || r.URL.Query().Get("container") != "zookeeper" {
		s.t.Errorf("asked for %s", r.URL)
	}
	if !wsstream.IsWebSocketRequest(r) {
		s.over = "spdy"
		s.spdy(w, r, program)
		return
	}
	if s.socket != 0 {
		http.Error(w, "no WebSocket here", s.socket)
		return
	}
	s.over = "websocket"
	conn := wsstream.NewConn(map[string]wsstream.ChannelProtocolConfig{remotecommand.StreamProtocolV5Name: {Binary: true, Channels: []wsstream.ChannelType{
		wsstream.ReadChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.WriteChannel, wsstream.IgnoreChannel,
	}}})
	_, ch, err := conn.Open(w, r)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.run(r.Context(), program, ch[0], ch[1], ch[2], ch[3])
	conn.Close()
}

func (s *execServer) spdy(w http.ResponseWriter, r *http.Request, program []string) {
	if _, err := httpstream.Handshake(r, w, []string{remotecommand.StreamProtocolV4Name}); err != nil {
		s.t.Error(err)
		return
	}
	streams := make(chan httpstream.Stream, 4)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(stream httpstream.Stream, _ <-chan struct{}) error {
		streams <- stream
		return nil
	})
	if conn == nil {
		return
	}
	defer conn.Close()
	by := map[string]httpstream.Stream{}
	for len(by) < 4 {
		select {
		case st := <-streams:
			by[st.Headers().Get("streamType")] = st
		case <-s.t.Context().Done():
			return
		}
	}
	s.run(context.WithoutCancel(r.Context()), program, by["stdin"], by["stdout"], by["stderr"], by["error"])
}

// run answers with the exit code as Kubernetes does.
func (s *execServer) run(ctx context.Context, program []string, stdin io.Reader, stdout, stderr, status io.Writer) {
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Error(err)
		return
	}
	go func() {
		_, _ = io.Copy(in, stdin)
		_ = in.Close()
	}()
	answer := metav1.Status{Status: metav1.StatusSuccess}
	if exit := new(exec.ExitError); errors.As(cmd.Run(), &exit) {
		code, _ := json.Marshal(exit.ExitCode())
		answer = metav1.Status{Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason, Message: "it failed",
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: remotecommand.ExitCodeCauseType, Message: string(code)}}}}
	}
	if err := json.NewEncoder(status).Encode(answer); err != nil {
		s.t.Error(err)
	}
}

// TestExecOverBothTransports: a copy gets through, and what goes wrong at the
// other end is told, over WebSocket and over what older servers know.
func TestExecOverBothTransports(t *testing.T) {
	for name, tc := range map[string]struct{ socket int }{
		"websocket": {0}, "spdy": {http.StatusBadRequest}, "spdy, websocket forbidden": {http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			s := &execServer{t: t, socket: tc.socket}
			server := httptest.NewServer(s)
			defer server.Close()
			cfg := &rest.Config{Host: server.URL}
			kube, err := kubernetes.NewForConfig(cfg)
			if err != nil {
				t.Fatal(err)
			}
			c := New(kube, WithExec(cfg))
			volume := t.TempDir()
			rep, err := c.receive(t.Context(), "zk", "main-pod-1", volume, copyWanted(), bytes.NewReader(copyOf(t, "5")))
			if err != nil || rep.Files != 5 {
				t.Fatalf("%+v, %v", rep, err)
			}
			if diff := cmp.Diff(received(), tree(t, volume)); diff != "" {
				t.Errorf("volume (-want +got):\n%s", diff)
			}
			if want := name[:4]; s.over[:4] != want {
				t.Errorf("came over %s", s.over)
			}
			if _, err := c.receive(t.Context(), "zk", "main-pod-1", volume, copyWanted(), bytes.NewReader(copyOf(t, "5"))); !errors.Is(err, ErrSeeded) {
				t.Errorf("a second copy: %v", err)
			}
			var refused *zkdata.RefusedError
			if _, err := c.receive(t.Context(), "zk", "main-pod-1", t.TempDir(), copyWanted(), bytes.NewReader(copyOf(t, "2"))); !errors.As(err, &refused) {
				t.Errorf("another server's copy: %v", err)
			}
			if _, err := c.receive(t.Context(), "zk", "main-pod-1", volume+"/nowhere", copyWanted(), bytes.NewReader(copyOf(t, "5"))); err == nil || !bytes.Contains([]byte(err.Error()), []byte("there is no "+volume+"/nowhere")) {
				t.Errorf("no volume: %v", err)
			}
		})
	}
}

// TestExecRefused: who may not run a program is told so with the type that the rest of the
// client gives such errors, whatever the stream's library makes of it.
func TestExecRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		status := apierrors.NewForbidden(corev1.Resource("pods"), "main-pod-1", errors.New(`User "op" cannot create resource "pods/exec"`)).ErrStatus
		status.APIVersion, status.Kind = "v1", "Status"
		_ = json.NewEncoder(w).Encode(status)
	}))
	defer server.Close()
	cfg := &rest.Config{Host: server.URL}
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = New(kube, WithExec(cfg)).exec(t.Context(), "zk", "main-pod-1", []string{"true"}, nil, io.Discard, io.Discard)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `pods "main-pod-1" is forbidden: User "op" cannot create resource "pods/exec"`) {
		t.Errorf("%T: %v", err, err)
	}
}
