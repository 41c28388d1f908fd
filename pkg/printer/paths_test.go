package printer_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// examplePaths are from a host that reported a while ago, one that did not, a pod and a client.
func examplePaths() []preflight.Path {
	host1 := preflight.From{Place: preflight.OnHost, Name: "10.0.0.1", Server: ensemble.ID(1).Known()}
	host2 := preflight.From{Place: preflight.OnHost, Name: "10.0.0.2", Server: ensemble.ID(2).Known()}
	pod := preflight.From{Place: preflight.InPod, Name: "zk1-pod-0", Node: "node1", Server: ensemble.ID(1).Known()}
	client := preflight.From{Place: preflight.OnClient, Name: "app1"}
	var out []preflight.Path
	add := func(from preflight.From, to ensemble.ID, via vantage.Via, port ensemble.PortName, r preflight.Outcome, v preflight.Verdict, age preflight.Seconds) {
		p := preflight.Path{From: from, To: to, Via: via, Port: port, Result: r, Verdict: v, Age: age, Host: "10.96.0.1", Number: 3888}
		if v == preflight.PathLost {
			p.Cause = &preflight.Cause{Code: preflight.Firewall, Text: "it reaches port 2181 of the same address"}
		}
		out = append(out, p)
	}
	add(host1, 2, vantage.ViaPod, ensemble.PortPeer, "closed", preflight.PathIdle, 900)
	add(host1, 2, vantage.ViaService, ensemble.PortPeer, "closed", preflight.PathIdle, 900)
	add(host1, 2, vantage.ViaService, ensemble.PortElection, "open", preflight.PathOK, 900)
	add(host1, 3, vantage.ViaService, ensemble.PortPeer, "closed", preflight.PathIdle, 900)
	add(host1, 3, vantage.ViaService, ensemble.PortElection, "silent", preflight.PathLost, 900)
	add(host2, 1, vantage.ViaService, ensemble.PortPeer, preflight.NotTried, preflight.PathUnknown, 0)
	add(host2, 1, vantage.ViaService, ensemble.PortElection, preflight.NotTried, preflight.PathUnknown, 0)
	add(pod, 3, vantage.ViaHost, ensemble.PortClient, "open", preflight.PathOK, 0)
	add(pod, 3, vantage.ViaHost, ensemble.PortElection, preflight.NotLearned, preflight.PathUnknown, 0)
	add(client, 1, vantage.ViaService, ensemble.PortClient, "closed", preflight.PathLost, 0)
	add(client, 2, vantage.ViaService, ensemble.PortClient, "unreachable", preflight.PathLost, 0)
	return out
}

func TestPaths(t *testing.T) {
	var got bytes.Buffer
	if err := (printer.Printer{}).Paths(&got, examplePaths()); err != nil {
		t.Fatal(err)
	}
	golden(t, "paths", got.String())
	got.Reset()
	var untried []preflight.Path
	for _, p := range examplePaths() {
		p.Result = preflight.NotTried
		untried = append(untried, p)
	}
	if err := (printer.Printer{}).Paths(&got, untried); err != nil || got.Len() > 0 {
		t.Errorf("a grid of nothing: %s (%v)", got.String(), err)
	}
}

// TestPathsOfAPlan: programs get every path, those that nobody tried among them.
func TestPathsOfAPlan(t *testing.T) {
	var got bytes.Buffer
	if err := (printer.Printer{Format: printer.JSON}).Plan(&got, migration.EnsemblePlan{Name: "zk1", Kind: "EnsemblePlan"}, examplePaths()); err != nil {
		t.Fatal(err)
	}
	var read struct {
		Kind  string `json:"kind"`
		Paths []struct {
			Result, Verdict, Port, Via, Host string
			To, AgeSeconds, Number           int
			From                             struct{ Place, Name string }
			Cause                            *struct{ Code, Text string }
		} `json:"paths"`
	}
	if err := json.Unmarshal(got.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if p := read.Paths[5]; read.Kind != "EnsemblePlan" || len(read.Paths) != 11 || p.Result != "not-tried" || p.From.Place != "host" || p.To != 1 || p.Verdict != "unknown" {
		t.Errorf("%+v", read)
	}
	if p := read.Paths[4]; p.Cause == nil || p.Cause.Code != "firewall" || p.AgeSeconds != 900 || p.Result != "silent" {
		t.Errorf("%+v", p)
	}
	got.Reset()
	if err := (printer.Printer{}).Plan(&got, examplePlan(), examplePaths()); err != nil || strings.Index(got.String(), "FROM") > strings.LastIndex(got.String(), "next:") {
		t.Errorf("the grid stands behind the next command: %s (%v)", got.String(), err)
	}
}
