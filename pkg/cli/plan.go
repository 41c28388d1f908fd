package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
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
	leader ensemble.MaybeID
	epoch  uint32
	// bytes is the size of a snapshot, 0 when unknown.
	bytes int64
}

func (s *session) live(ctx context.Context, rec migration.Record) live {
	seen := make([]zkprobe.Answers, len(rec.Servers))
	var wg sync.WaitGroup
	for i, srv := range rec.Servers {
		wg.Go(func() { seen[i] = s.prober.Learn(ctx, srv.AtService()) })
	}
	wg.Wait()
	var out live
	for i, srv := range rec.Servers {
		if v := seen[i].Sighting(); v.Serving() && v.Mode == ensemble.Leader {
			out.leader, out.epoch = srv.ID.Known(), v.Zxid.Epoch()
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
	if err := intake.Patchable(desc, rec); err != nil {
		return e, err
	}
	if srv, old, found := intake.OtherVote(desc.Ensemble, rec); found {
		return e, usagef("server %d is %s in the files, %s in the journal: bring it up to date with %s, while everything runs on its host", srv.ID, srv.Vote(), old.Vote(), f.deps.in(rec.Namespace).Ours("wrap %s -f FILE", rec.Name))
	}
	if srv, port, found := intake.UnrecordedPort(desc.Ensemble, rec); found {
		return e, usagef("server %d listens on %s port %d, which its Service does not have: %s adds ports, and moves nothing", srv.ID, port.Name, port.Number, f.deps.in(rec.Namespace).Ours("wrap %s -f FILE", rec.Name))
	}
	v, err := ensemble.ParseVersion(rec.Settings.Version)
	if err != nil {
		return e, err
	}
	if err := desc.RefuseFor(v); err != nil {
		return e, err
	}
	now := s.live(ctx, rec)
	e.epoch = now.epoch
	initLimit, err := f.initLimit(desc, now)
	if err != nil {
		return e, err
	}
	told := wrappedFacts(rec)
	told.Reports = dated(s.keptReports(ctx), time.Now())
	e.input, e.dns = intake.Patching{
		Managers: told.HostManagers(),
		Version:  v, Leader: now.leader, InitLimit: initLimit, Leave: f.said.Spec.Hosts.Leave, Path: f.said.Spec.Hosts.Path, Zone: f.said.Spec.DNS.Zone, DNSServer: f.said.Spec.DNS.Server,
	}.Inputs(desc, rec)
	if e.plan, err = hostpatch.Reconfigure(e.input); err != nil {
		return e, &usageError{err}
	}
	if e.jvm, err = f.jvm(rec); err != nil {
		return e, err
	}
	return e, nil
}

// initLimit is what the live data needs, 0 where nothing is known of it.
func (f *reconfigureFlags) initLimit(desc intake.Description, now live) (int, error) {
	bytes, err := intake.DataSize(f.dataSize)
	if err != nil {
		return 0, err
	}
	if bytes == 0 {
		bytes = now.bytes
	}
	if bytes == 0 {
		fmt.Fprintf(f.deps.streams.ErrOut, "note: no server tells how large the data is (mntr is not whitelisted): initLimit stays as it is; --data-size says it\n")
	}
	return hostpatch.InitLimitNeeded(bytes, desc.Config.TickTime), nil
}

// jvm reads copies of /proc/PID/cmdline, by server.
func (f *reconfigureFlags) jvm(rec migration.Record) (map[string]hostpatch.CommandLine, error) {
	out := map[string]hostpatch.CommandLine{}
	files, err := f.commandLines()
	if err != nil {
		return nil, err
	}
	for _, named := range files {
		id, _ := named.id.Get()
		file := named.path
		if _, ok := rec.Server(id); !ok {
			return nil, usagef("--jvm-cmdline=%d=%s: ensemble %s has no server %d; it has %v", id, file, rec.Name, id, rec.Ensemble().IDs())
		}
		data, err := readBounded(file, maxFile)
		if err != nil {
			return nil, usagef("--jvm-cmdline: %w", err)
		}
		line, err := intake.JVM(id, file, data)
		if err != nil {
			return nil, err
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
			return nil, usagef("--jvm-cmdline=%q: expected ID=FILE, as 1=cmdline1", quote.Typed(arg))
		}
		out = append(out, namedFile{id: id.Known(), path: file})
	}
	return out, nil
}

// keep writes into the journal what later commands need of what was handed out.
func (f *reconfigureFlags) keep(ctx context.Context, s *session, e emission) error {
	rec, err := s.record(ctx)
	if err != nil {
		return err
	}
	made, err := intake.HandedOut{At: e.at, By: me(), Epoch: e.epoch, Options: e.rec.Hosts, Hosts: e.input.Hosts, Plan: e.plan}.Keep(&rec)
	if err != nil {
		return err
	}
	printNotes(f.deps.streams.ErrOut, made.Notes)
	if err := s.keepPrivate(ctx, made.Private, f.deps.streams.ErrOut); err != nil {
		return err
	}
	return s.save(ctx, rec)
}
