package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// emission is everything that is handed to the operator for the restarts.
type emission struct {
	rec   migration.Record
	plan  hostpatch.Plan
	input hostpatch.Input
	at    time.Time
	// epoch is the leader's at that time, 0 when unknown.
	epoch uint32
	// jvm holds the hosts' JVM flags by server, empty where none were given.
	jvm map[string]hostpatch.CommandLine
	dns hostpatch.DNSInput
}

// live is what the running ensemble adds to the files.
type live struct {
	leader ensemble.ID
	epoch  uint32
	// bytes is the size of a snapshot, 0 when unknown.
	bytes int64
}

func (s *session) live(ctx context.Context, rec migration.Record) live {
	seen := make([]zkprobe.Sighting, len(rec.Servers))
	var wg sync.WaitGroup
	for i, srv := range rec.Servers {
		wg.Go(func() { seen[i] = s.prober.zk.Sight(ctx, hostPort(srv.ClusterIP, srv.ClientPort)) })
	}
	wg.Wait()
	var out live
	for i, srv := range rec.Servers {
		if v := sighting(seen[i]); v.Serving() && v.Mode == ensemble.Leader {
			out.leader, out.epoch = srv.ID, v.Zxid.Epoch()
		}
		out.bytes = max(out.bytes, snapshotBytes(seen[i]))
	}
	return out
}

// plan computes the patches from the hosts' files and the live ensemble.
func (f *reconfigureFlags) plan(ctx context.Context, s *session, rec migration.Record, in *input) (emission, error) {
	e := emission{rec: rec, at: time.Now()}
	if in.empty() {
		return e, usagef("the patches are made from the hosts' files: name them with -f (one for all, or ID=FILE for each)")
	}
	desc, err := in.read(ctx, rec.Name)
	if err != nil {
		return e, err
	}
	if desc.config == nil {
		return e, usagef("--member says nothing about the hosts' files: name them with -f")
	}
	if err := eachKnown(desc); err != nil {
		return e, err
	}
	if err := refusePatched(desc.differences, rec); err != nil {
		return e, err
	}
	if want := rec.Ensemble().IDs(); !slices.Equal(desc.ensemble.IDs(), want) {
		return e, usagef("the files have servers %v, the wrapped ensemble has %v", desc.ensemble.IDs(), want)
	}
	for _, srv := range desc.ensemble.Servers {
		if old, ok := rec.Server(srv.ID); ok && old.Vote() != srv.Vote() {
			return e, usagef("server %d is %s in the files, %s in the journal: bring it up to date with %s, while everything runs on its host", srv.ID, srv.Vote(), old.Vote(), f.deps.in(rec.Namespace).Ours("wrap %s -f FILE", rec.Name))
		}
	}
	v, err := ensemble.ParseVersion(rec.Settings.Version)
	if err != nil {
		return e, err
	}
	if err := refuseFindings(lint(desc, func(ensemble.HostConfig) ensemble.Version { return v })); err != nil {
		return e, err
	}
	now := s.live(ctx, rec)
	e.epoch = now.epoch
	initLimit, err := f.initLimit(desc, now)
	if err != nil {
		return e, err
	}
	e.input = hostpatch.Input{
		Ensemble: rec.Ensemble(), Version: v, ServiceHosts: map[ensemble.ID]string{}, Leader: now.leader, Leave: f.leave,
		InitLimit: initLimit, Supervisor: hostpatch.Supervisor(rec.Hosts.Supervisor), Unit: rec.Hosts.Unit,
	}
	e.dns = hostpatch.DNSInput{Ensemble: rec.Ensemble(), Targets: map[ensemble.ID]string{}, Addresses: map[ensemble.ID]string{}, Zone: f.dnsZone, Server: f.dnsServer}
	for _, srv := range rec.Servers {
		e.input.ServiceHosts[srv.ID] = rec.ServerHost(srv)
		e.dns.Targets[srv.ID], e.dns.Addresses[srv.ID] = srv.ClusterIP, srv.HostIP
		host := hostpatch.Host{ID: srv.ID, Address: srv.HostIP, Path: f.path, Config: desc.config}
		for _, h := range desc.hosts {
			if h.ID == srv.ID {
				host.Config, host.Next = h.Config, h.Next
			}
		}
		e.input.Hosts = append(e.input.Hosts, host)
		if fl := rec.Flight; srv.Replaced != nil || fl != nil && fl.ID == srv.ID && fl.Kind != migration.Reconfigure {
			e.input.InPods = append(e.input.InPods, srv.ID)
		}
	}
	if e.plan, err = hostpatch.Reconfigure(e.input); err != nil {
		return e, &usageError{err}
	}
	if e.jvm, err = f.jvm(rec); err != nil {
		return e, err
	}
	return e, nil
}

// eachKnown wants to know whose file each of several is: a patch made from
// another host's file would carry over that host's settings.
func eachKnown(desc described) error {
	if len(desc.hosts) == 1 {
		return nil
	}
	for _, h := range desc.hosts {
		if h.ID == 0 {
			return usagef("%s: whose file is this? Name it as ID=FILE, call its folder by the id or the host, or put a copy of myid beside it", h.Source)
		}
	}
	for _, id := range desc.ensemble.IDs() {
		if !slices.ContainsFunc(desc.hosts, func(h ensemble.HostConfig) bool { return h.ID == id }) {
			return usagef("server %d: its host's file is missing; give one file for all, or one for each", id)
		}
	}
	return nil
}

// initLimit is what the live data needs, 0 where nothing is known of it.
func (f *reconfigureFlags) initLimit(desc described, now live) (int, error) {
	bytes, err := f.snapshotSize()
	if err != nil {
		return 0, err
	}
	if bytes == 0 {
		bytes = now.bytes
	}
	if bytes == 0 {
		fmt.Fprintf(f.deps.streams.ErrOut, "note: no server tells how large the data is (mntr is not whitelisted): initLimit stays as it is; --data-size says it\n")
	}
	return hostpatch.InitLimitNeeded(bytes, desc.config.TickTime), nil
}

// snapshotSize is what --data-size says, 0 where it is not given.
func (f *reconfigureFlags) snapshotSize() (int64, error) {
	if f.dataSize == "" {
		return 0, nil
	}
	if err := (amount{"data-size", f.dataSize, "1", "16Ti", "800Mi"}).check(); err != nil {
		return 0, err
	}
	q := resource.MustParse(f.dataSize)
	return q.Value(), nil
}

// jvm reads copies of /proc/PID/cmdline, by server.
func (f *reconfigureFlags) jvm(rec migration.Record) (map[string]hostpatch.CommandLine, error) {
	out := map[string]hostpatch.CommandLine{}
	files, err := f.commandLines()
	if err != nil {
		return nil, err
	}
	for _, named := range files {
		id, file := named.id, named.path
		if _, ok := rec.Server(id); !ok {
			return nil, usagef("--jvm-cmdline=%d=%s: ensemble %s has no server %d; it has %v", id, file, rec.Name, id, rec.Ensemble().IDs())
		}
		data, err := readBounded(file, maxFile)
		if err != nil {
			return nil, usagef("--jvm-cmdline: %w", err)
		}
		line := hostpatch.ParseCommandLine(data)
		if line.Main == "" || !bytes.ContainsRune(data, 0) {
			return nil, usagef("%s is no copy of /proc/PID/cmdline of a JVM: expected words that end with a zero byte, a main class among them", file)
		}
		for _, flag := range line.Flags {
			if why := hostpatch.UnsafeFlag(flag.Raw); why != "" && flag.Action == hostpatch.FlagCarry {
				return nil, usagef("server %d runs with %s: %s; restart it without the flag first", id, flag.Text, why)
			}
		}
		out["server "+id.String()] = line
	}
	return out, nil
}

// commandLines takes --jvm-cmdline apart.
func (f *reconfigureFlags) commandLines() ([]namedFile, error) {
	var out []namedFile
	for _, arg := range f.cmdlines {
		left, file, found := strings.Cut(arg, "=")
		id, err := ensemble.ParseID(left)
		if !found || err != nil || file == "" {
			return nil, usagef("--jvm-cmdline=%q: expected ID=FILE, as 1=cmdline1", clipped(arg))
		}
		out = append(out, namedFile{id: id, path: file})
	}
	return out, nil
}

// keep writes into the journal what later commands need: when each patch was
// handed out and in which epoch, how hosts are run, and the pods' files, made
// from the patched ones so that pods run with the same settings.
func (f *reconfigureFlags) keep(ctx context.Context, s *session, e emission) error {
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	rec.Hosts = e.rec.Hosts
	if rec.Elections.AtReconfigure == 0 {
		rec.Elections.AtReconfigure = e.epoch
	}
	for i := range rec.Servers {
		sr := &rec.Servers[i]
		for _, in := range e.input.Hosts {
			if in.ID == sr.ID {
				keepDirectories(sr, in.Config)
			}
		}
		h, ok := e.plan.Host(sr.ID)
		if !ok {
			continue
		}
		if sum := digest(h); sr.Emitted == nil || sr.Emitted.Digest != sum {
			sr.Emitted = &migration.Emission{At: e.at, Epoch: e.epoch, Digest: sum}
		}
	}
	if !moved(rec) {
		config, err := patchedConfig(e.plan.Hosts[0])
		if err != nil {
			return err
		}
		notes, err := setPodConfig(&rec, config)
		if err != nil {
			return err
		}
		printNotes(f.deps.streams.ErrOut, notes)
		rec.Settings.InitLimit = config.InitLimit
	}
	rec.Note(migration.AuditEntry{At: e.at, By: me(), Step: "reconfigure", Detail: "patches written"})
	return s.save(ctx, rec)
}

func patchedConfig(h hostpatch.HostPatch) (*ensemble.Config, error) {
	var dynamic []byte
	if h.Dynamic != nil {
		dynamic = h.Dynamic.New
	}
	return ensemble.ParseConfig(h.Path, h.New, dynamic)
}

// digest is that of a host's files as patched.
func digest(h hostpatch.HostPatch) string {
	sum := sha256.New()
	for _, file := range h.Files() {
		fmt.Fprintf(sum, "%s %d\n", file.Path, len(file.New))
		_, _ = sum.Write(file.New) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil))
}
