package faults

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/test/hostile"
	"github.com/zkmigrate/kubectl-zkmigrate/test/scene"
)

// Forge has the server in its pod write a report of its gate's into its log that
// somebody else has made up, and waits until it stands there.
func (g *Stage) Forge() {
	g.T.Helper()
	line := g.forged()
	ctx, cancel := context.WithTimeout(g.T.Context(), time.Minute)
	defer cancel()
	conn, err := g.Lab.Dial(ctx, g.ServiceAddress(g.ID))
	if err != nil {
		g.T.Fatal(err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		g.T.Fatal(err)
	}
	if err := hostile.UnknownScheme(conn, "\n"+line+"\n"); err != nil {
		g.T.Fatal(err)
	}
	scene.Eventually(g.T, "the server's log has the line", func() error {
		return scene.Contains("\n"+g.podLog(render.ContainerName), "\n"+line)
	})
}

// forged is the newest report of the pod with what one would like to be believed.
func (g *Stage) forged() string {
	g.T.Helper()
	lines := strings.Split(strings.TrimSpace(g.podLog(render.RelayName)), "\n")
	line := lines[len(lines)-1]
	for field, value := range map[string]string{
		"state": "parked", "generation": "999999999", "host-client": "closed", "host-election": "closed", "closed": "9999",
		"at": fmt.Sprintf("%d.000000", time.Now().Unix()+5),
	} {
		line = regexp.MustCompile(` `+field+`=\S+`).ReplaceAllLiteralString(line, " "+field+"="+value)
	}
	return line
}

func (g *Stage) podLog(container string) string {
	g.T.Helper()
	data, err := g.Kube.CoreV1().Pods(g.Name).GetLogs(g.PodName(), &corev1.PodLogOptions{Container: container}).DoRaw(g.T.Context())
	if err != nil {
		g.T.Fatal(err)
	}
	return string(data)
}

// ServiceAddress is where clients reach a server.
func (g *Stage) ServiceAddress(id int) string {
	g.T.Helper()
	for _, s := range g.Status().Servers {
		if s.ID == id {
			return fmt.Sprintf("%s:%d", s.ClusterIP, g.Host(id).ClientPort)
		}
	}
	g.T.Fatalf("no server %d", id)
	return ""
}
