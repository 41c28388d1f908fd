//go:build zk && linux

package quorumpeerconfig

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
	"github.com/zkmigrate/kubectl-zkmigrate/test/zkreal"
)

func TestMain(m *testing.M) {
	flag.Bool("all", false, "start real servers from every style of file, not from a few")
	flag.Parse()
	os.Exit(m.Run())
}

// style is a case of the corpus that real servers are started from.
type style struct {
	name string
	// from is the oldest release that reads it; few marks those that run
	// without -all.
	from ensemble.Version
	few  bool
}

func styles() []style {
	v35 := ensemble.Version{Major: 3, Minor: 5}
	return []style{
		{name: "three-plain"},
		{name: "crlf", few: true},
		{name: "continuation-lines"},
		{name: "escapes", few: true},
		{name: "colons-and-blanks-as-separators"},
		{name: "blanks-round-equals"},
		{name: "no-final-newline"},
		{name: "ids-with-gaps"},
		{name: "observer", few: true},
		{name: "roles-in-capitals"},
		{name: "groups-and-weights"},
		{name: "own-line-is-wildcard"},
		{name: "whitelist-partial"},
		{name: "everything-of-3.4"},
		{name: "client-port-in-server-lines", from: v35},
		{name: "client-part-in-some-lines", from: v35},
		{name: "dynamic", from: v35, few: true},
		{name: "dynamic-with-groups", from: v35},
	}
}

// TestServersRunFromPatchedFiles starts real servers from a file, restarts
// them one by one with the patched file in the order of the plan, then one by
// one with the undone file. After each restart the ensemble takes a write.
//
// Hosts are 127.0.1.N, Services 127.0.2.N. While a server binds its host's
// address alone, a forwarder plays the Service; from its restart on it has to
// listen there itself.
func TestServersRunFromPatchedFiles(t *testing.T) {
	all := flag.Lookup("all").Value.String() == "true"
	for _, release := range zkreal.Versions() {
		for _, s := range styles() {
			v, err := ensemble.ParseVersion(release)
			if err != nil {
				t.Fatal(err)
			}
			if v.Compare(s.from) < 0 || !all && !s.few {
				continue
			}
			t.Run(release+"/"+s.name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
				defer cancel()
				r := newRolling(ctx, t, release, v, s.name)
				r.restartAll(ctx, false)
				r.restartAll(ctx, true)
			})
		}
	}
}

// rolling is one such ensemble.
type rolling struct {
	t        *testing.T
	real     *zkreal.Ensemble
	ensemble ensemble.Ensemble
	version  ensemble.Version
	hosts    []hostpatch.Host
	files    map[string][]byte // the originals
	forward  map[ensemble.ID][]*zkreal.Forward
}

func hostAddr(id ensemble.ID) string    { return "127.0.1." + id.String() }
func serviceAddr(id ensemble.ID) string { return "127.0.2." + id.String() }

func newRolling(ctx context.Context, t *testing.T, release string, v ensemble.Version, name string) *rolling {
	zooCfg, dynamic := stage(t, filepath.Join(corpus, name))
	c := parseFiles(t, zooCfg, dynamic)
	var ids []int
	for _, s := range c.Servers {
		ids = append(ids, int(s.ID))
	}
	real, err := zkreal.New(ctx, zkreal.Options{Version: release, IDs: ids, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(real.Close)
	r := &rolling{t: t, real: real, version: v, files: map[string][]byte{}, forward: map[ensemble.ID][]*zkreal.Forward{}}
	t.Cleanup(func() {
		for _, s := range c.Servers {
			r.endForward(s.ID)
		}
	})
	var configs []ensemble.HostConfig
	for _, s := range c.Servers {
		cfg := r.write(c, s.ID, dynamic)
		r.hosts = append(r.hosts, hostpatch.Host{ID: s.ID, Address: hostAddr(s.ID), Path: real.Server(int(s.ID)).ConfigFile(), Config: cfg})
		configs = append(configs, ensemble.HostConfig{ID: s.ID.Known(), Source: s.ID.String(), Config: cfg})
	}
	ens, diffs, err := ensemble.FromHosts(name, configs)
	if err != nil || len(diffs) > 0 {
		t.Fatal(err, diffs)
	}
	r.ensemble = ens
	for _, s := range ens.Servers {
		r.startForward(s.ID)
	}
	if err := real.Start(ctx); err != nil {
		t.Fatal(err)
	}
	r.canary(ctx, ens.IDs()...)
	return r
}

func parseFiles(t *testing.T, zooCfg, dynamic string) *ensemble.Config {
	t.Helper()
	c, err := parseFile(t, zooCfg, dynamic)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// write turns the corpus file into one this machine can run: other addresses,
// ports and directories, the same style.
func (r *rolling) write(c *ensemble.Config, own ensemble.ID, dynamic string) *ensemble.Config {
	r.t.Helper()
	me := r.real.Server(int(own))
	zoo := c.Props.Clone()
	zoo.Set("dataDir", me.DataDir())
	zoo.Set("tickTime", "1000")
	if _, ok := zoo.Get("dataLogDir"); ok {
		zoo.Set("dataLogDir", filepath.Join(me.Dir, "log"))
	}
	if _, ok := zoo.Get("clientPort"); ok {
		zoo.Set("clientPort", fmt.Sprint(me.ClientPort))
	}
	zoo.Set("admin.enableServer", "false")
	list, name := zoo, ""
	if dynamic != "" {
		list, name = c.Dynamic.Clone(), filepath.Join(me.Dir, filepath.Base(dynamic))
		zoo.Set("dynamicConfigFile", name)
	}
	for _, s := range c.Servers {
		list.Set(c.ServerKey(s.ID), r.serverLine(c, s, own))
	}
	r.files[me.ConfigFile()] = zoo.Bytes()
	if name != "" {
		r.files[name] = list.Bytes()
	}
	for _, file := range []string{me.ConfigFile(), name} {
		if file != "" {
			if err := os.WriteFile(file, r.files[file], 0o600); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	return parseFiles(r.t, me.ConfigFile(), name)
}

// serverLine keeps role and client part of a line and replaces the rest.
func (r *rolling) serverLine(c *ensemble.Config, s ensemble.Server, own ensemble.ID) string {
	them := r.real.Server(int(s.ID))
	host := hostAddr(s.ID)
	if wild, _ := c.Server(own); s.ID == own && wild.Host == "0.0.0.0" {
		host = "0.0.0.0" // only in the file of the host that has it in the corpus
	}
	line := fmt.Sprintf("%s:%d:%d", host, them.PeerPort, them.ElectionPort)
	value, _ := c.ServerFile().Get(c.ServerKey(s.ID))
	head, _, client := strings.Cut(value, ";")
	if parts := strings.Split(head, ":"); len(parts) == 4 {
		line += ":" + parts[3]
	}
	if client {
		line += fmt.Sprintf(";%d", them.ClientPort)
	}
	return line
}

// restartAll changes every server's files, leader last, and back with undo.
func (r *rolling) restartAll(ctx context.Context, undo bool) {
	r.t.Helper()
	in := hostpatch.Input{
		Ensemble: r.ensemble, Version: r.version, Hosts: r.hosts, ServiceHosts: map[ensemble.ID]string{},
		Leader: ensemble.ID(r.real.Leader(ctx)).Known(), InitLimit: 12,
	}
	for _, s := range r.ensemble.Servers {
		in.ServiceHosts[s.ID] = serviceAddr(s.ID)
	}
	plan, err := hostpatch.Reconfigure(in)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, id := range plan.Order {
		h, _ := plan.Host(id)
		server := r.real.Server(int(id))
		server.Stop()
		if undo {
			r.startForward(id)
		} else {
			r.endForward(id)
		}
		for _, f := range h.Files() {
			r.apply(f, undo)
		}
		if err := server.Start(); err != nil {
			r.t.Fatal(err)
		}
		if _, err := server.WaitServing(ctx); err != nil {
			r.t.Fatal(err)
		}
		if !undo {
			r.listens(id)
		}
		r.canary(ctx, id)
	}
	r.canary(ctx, r.ensemble.IDs()...)
}

// apply runs patch in the file's directory and checks the outcome.
func (r *rolling) apply(f hostpatch.FilePatch, undo bool) {
	r.t.Helper()
	diff, want := f.Patch, f.New
	if undo {
		diff, want = f.Undo, r.files[f.Path]
	}
	cmd := exec.Command("patch", "-p0")
	cmd.Dir, cmd.Stdin = path.Dir(f.Path), bytes.NewReader(diff)
	if out, err := cmd.CombinedOutput(); len(diff) > 0 && err != nil {
		r.t.Fatalf("patch: %v\n%s\n%s", err, out, diff)
	}
	got, err := os.ReadFile(f.Path)
	if err != nil {
		r.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		r.t.Fatalf("%s (-want +got):\n%s", f.Path, diff)
	}
}

// canary has each of the servers take a write. A leader's restart sends the
// others through an election, so a refusal is asked again for a while.
func (r *rolling) canary(ctx context.Context, ids ...ensemble.ID) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	p := zkprobe.Prober{CommitTimeout: 30 * time.Second}
	for _, id := range ids {
		for {
			_, err := p.Canary(ctx, []string{r.real.Server(int(id)).ClientAddr()})
			if err == nil {
				break
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				r.t.Fatal(err)
			}
		}
	}
}

// listens shows quorumListenOnAllIPs at work: the election port answers at
// the Service's address without a forwarder.
func (r *rolling) listens(id ensemble.ID) {
	r.t.Helper()
	addr := ensemble.JoinHostPort(serviceAddr(id), r.real.Server(int(id)).ElectionPort)
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		r.t.Fatalf("server %s does not listen on all addresses: %v", id, err)
	}
	if err := c.Close(); err != nil {
		r.t.Error(err)
	}
}
