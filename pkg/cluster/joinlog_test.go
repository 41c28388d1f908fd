package cluster

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
)

// Lines as real servers write them, see TestCluesOfRealServers.
func TestClues(t *testing.T) {
	for name, tc := range map[string]struct {
		log  string
		want []string
	}{
		"nothing": {"INFO [main] Reading configuration\nINFO Getting a snapshot from leader\n", nil},
		"a peer": {
			"WARN QuorumCnxManager - Cannot open channel to 2 at election address /10.1.0.2:3888\njava.net.ConnectException: Connection refused (Connection refused)\n",
			[]string{"Cannot open channel to 2 at election address /10.1.0.2:3888"},
		},
		"the same again and again": {
			strings.Repeat("javax.net.ssl.SSLHandshakeException: PKIX path building failed\n", 9),
			[]string{"SSLHandshakeException: PKIX path building failed"},
		},
		"the latest three of four": {
			"a.FileNotFoundException: /1\nb.FileNotFoundException: /2\nc.FileNotFoundException: /3\nd.FileNotFoundException: /4 (No such file or directory)\n",
			[]string{"FileNotFoundException: /4 (No such file or directory)", "FileNotFoundException: /3", "FileNotFoundException: /2"},
		},
		"a full volume": {"java.io.IOException: No space left on device\n", []string{"Exception: No space left on device"}},
		"a directory":   {"java.io.IOException: Unable to create data directory /zookeeper/x/version-2\n", []string{"Exception: Unable to create data directory /zookeeper/x/version-2"}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			if got := clues([]byte(tc.log)); !slices.Equal(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// What somebody has written there is bounded, and does nothing to a terminal.
func TestCluesAreHarmless(t *testing.T) {
	got := clues([]byte("FileNotFoundException: \x1b[2J" + strings.Repeat("x", 1<<20)))
	if len(got) != 1 || len(got[0]) > clueMax+40 || strings.Contains(got[0], "\x1b") {
		t.Errorf("%q", got)
	}
}

// The log is read of a server that was started and does not serve, and of its
// former run where this one is silent; that it cannot be read is no error.
func TestReadJoin(t *testing.T) {
	const full, snapshots = "java.io.IOException: No space left on device\n", "Getting a snapshot from leader\nGetting a snapshot from leader\n"
	for name, tc := range map[string]struct {
		v         migration.PodView
		now, then string
		says      int
		snapshots int
		asked     int
	}{
		"parked":               {v: migration.PodView{Report: migration.Report{State: migration.GateParked}}, now: full},
		"serves":               {v: migration.PodView{Report: migration.Report{State: migration.GateStarted}, Container: migration.ContainerReady}, now: full},
		"joins":                {v: migration.PodView{Report: migration.Report{State: migration.GateStarted}}, now: full, says: 1, asked: 1},
		"begins anew":          {v: migration.PodView{Report: migration.Report{State: migration.GateStarted}}, now: snapshots, snapshots: 2, asked: 1},
		"has ended and is new": {v: migration.PodView{Report: migration.Report{State: migration.GateRefused}, Restarts: 1}, then: full, says: 1, asked: 2},
		"cannot be read":       {v: migration.PodView{Report: migration.Report{State: migration.GateStarted}}, now: "error", asked: 1},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			c, asked := New(nil), 0
			c.logs = func(_ context.Context, _, _ string, o *corev1.PodLogOptions) ([]byte, error) {
				asked++
				switch {
				case o.Container != render.ContainerName || o.LimitBytes == nil || o.TailLines == nil:
					t.Errorf("asked for %+v", o)
				case tc.now == "error":
					return nil, errors.New("no answer")
				case o.Previous:
					return []byte(tc.then), nil
				}
				return []byte(tc.now), nil
			}
			c.readJoin(t.Context(), podObject(), &tc.v)
			if len(tc.v.Log.Says) != tc.says || tc.v.Log.Snapshots != tc.snapshots || asked != tc.asked {
				t.Errorf("says %q, %d snapshots, asked %d times", tc.v.Log.Says, tc.v.Log.Snapshots, asked)
			}
		})
	}
}
