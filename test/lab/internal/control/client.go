package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/plan"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/state"
	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// Client talks to the lab's API server as its admin.
func Client(lab *state.Lab) (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", lab.Kubeconfig("admin", false))
	if err != nil {
		return nil, fmt.Errorf("read the admin's kubeconfig: %w", err)
	}
	config.QPS, config.Burst = 100, 200
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("talk to the API server: %w", err)
	}
	return client, nil
}

// APIReady tells whether the API server serves.
func APIReady(ctx context.Context, client kubernetes.Interface) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
	return err == nil
}

// Reported tells whether a node's kubelet has told of its state since a time,
// to the second.
func Reported(ctx context.Context, client kubernetes.Interface, n state.Node, since time.Time) bool {
	node, err := client.CoreV1().Nodes().Get(ctx, n.Name, metav1.GetOptions{})
	if err != nil {
		return false
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.LastHeartbeatTime.After(since)
		}
	}
	return false
}

// NodeReady tells whether a node is ready, and gives it its pod range.
func NodeReady(ctx context.Context, client kubernetes.Interface, n state.Node) bool {
	node, err := client.CoreV1().Nodes().Get(ctx, n.Name, metav1.GetOptions{})
	if err != nil {
		return false
	}
	if node.Spec.PodCIDR == "" {
		patch, err := json.Marshal(map[string]any{"spec": map[string]any{"podCIDR": n.PodCIDR, "podCIDRs": n.PodCIDRs()}})
		if err != nil {
			return false
		}
		if _, err := client.CoreV1().Nodes().Patch(ctx, n.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return false
		}
	}
	for _, t := range node.Spec.Taints {
		if t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable {
			return false
		}
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// Introduce shows a machine that is no node as one for as long as its
// kube-proxy takes to start: without it, kube-proxy waits 30 s for a Node of
// its name. Once started it needs none.
func Introduce(ctx context.Context, client kubernetes.Interface, m state.Machine) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: m.Name}, Spec: corev1.NodeSpec{Unschedulable: true}}
	_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("introduce %s: %w", m.Name, err)
	}
	// A patch: controllers write to the new Node at the same time.
	var addresses []corev1.NodeAddress
	for _, a := range m.Addresses() {
		addresses = append(addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: a})
	}
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"addresses": addresses}})
	if err != nil {
		return fmt.Errorf("introduce %s: %w", m.Name, err)
	}
	_, err = client.CoreV1().Nodes().Patch(ctx, m.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		return fmt.Errorf("introduce %s: %w", m.Name, err)
	}
	return nil
}

// Dismiss takes a machine's Node away again.
func Dismiss(ctx context.Context, client kubernetes.Interface, machine string) error {
	err := client.CoreV1().Nodes().Delete(ctx, machine, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("dismiss %s: %w", machine, err)
	}
	return nil
}

// ProxyReady tells whether a machine's kube-proxy lives. Before 1.28 it has no /livez.
func ProxyReady(ctx context.Context, lab *state.Lab, address string) bool {
	at := "http://" + net.JoinHostPort(address, strconv.Itoa(ProxyHealthPort))
	// 1.37 answers healthz with 503 where it has seen no Node, and 1.27 has no livez.
	return httpOK(ctx, lab, at+"/healthz") || httpOK(ctx, lab, at+"/livez")
}

// DNSReady tells whether cluster DNS has read the cluster.
func DNSReady(ctx context.Context, lab *state.Lab) bool {
	return httpOK(ctx, lab, "http://"+lab.ControlPlane(8181)+"/ready")
}

func httpOK(ctx context.Context, lab *state.Lab, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return Dial(ctx, lab, address)
	}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Dial connects to an address of the lab, as the control plane sees it.
func Dial(ctx context.Context, lab *state.Lab, address string) (net.Conn, error) {
	var conn net.Conn
	err := sys.InNetwork(lab.Name.NamespacePath(plan.ControlPlaneMachine), func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "tcp", address)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reach %s in lab %s", address, lab.Name), err)
	}
	return conn, nil
}
