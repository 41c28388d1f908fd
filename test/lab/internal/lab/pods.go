package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/test/lab/internal/sys"
)

// PausePod stops the Java process of a pod, named NAMESPACE/POD, where it
// stands: its connections stay open and nobody is answered. ResumePod lets it go
// on.
func (l *Lab) PausePod(ctx context.Context, pod string) error {
	return l.signalPod(ctx, pod, syscall.SIGSTOP)
}

// ResumePod ends a PausePod.
func (l *Lab) ResumePod(ctx context.Context, pod string) error {
	return l.signalPod(ctx, pod, syscall.SIGCONT)
}

func (l *Lab) signalPod(ctx context.Context, word string, s syscall.Signal) error {
	namespace, name, ok := strings.Cut(word, "/")
	if !ok {
		return fmt.Errorf("pod %q: want NAMESPACE/POD", word)
	}
	client, err := l.client()
	if err != nil {
		return err
	}
	pod, err := client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("look up pod %s: %w", word, err)
	}
	signalled := false
	for _, c := range pod.Status.ContainerStatuses {
		_, container, _ := strings.Cut(c.ContainerID, "://")
		pids, err := l.javaOf(pod.Spec.NodeName, container)
		if err != nil {
			return err
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("signal the server of pod %s: %w", word, err)
			}
			signalled = true
		}
	}
	if !signalled {
		return fmt.Errorf("no Java process runs in pod %s", word)
	}
	return nil
}

// javaOf lists the Java processes of a container: the runtime names its cgroup
// after it.
func (l *Lab) javaOf(node, container string) ([]int, error) {
	if container == "" {
		return nil, nil
	}
	all, err := sys.CgroupPIDs(l.Name.Cgroup(node))
	if err != nil {
		return nil, err
	}
	var java []int
	for _, pid := range all {
		// One that has ended meanwhile is none of them.
		groups, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if strings.Contains(string(groups), container) && strings.TrimSpace(string(comm)) == "java" {
			java = append(java, pid)
		}
	}
	return java, nil
}
