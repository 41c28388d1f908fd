package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/hostpatch"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/render"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkdata"
)

// SeedOptions is seed with everything resolved.
type SeedOptions struct {
	deps *deps
	args []string
	id   ensemble.ID
}

func newSeedCommand(d *deps) *cobra.Command {
	var id idFlag
	var limit time.Duration
	cmd := &cobra.Command{
		Use:                   "seed [NAME] --id=N < TAR",
		DisableFlagsInUseLine: true,
		Short:                 "Send a stopped host's data into its parked pod",
		Long: long(`
			Reads a tar of a stopped server's directories from standard input and streams it
			into the parked pod's volume, for a replace with --data=copy that waits for it in
			another terminal. At a terminal it prints the line that makes the tar.

			The copy is judged while it passes: of this server, made after its stop (it holds
			the token, and no file is younger), complete (both epoch files, a whole snapshot,
			every transaction up to one that all servers held before the stop). It is there as
			a whole or not at all; after a failure run the same line again.`),
		Example: examples(`
			# The line as replace and this command print it
			ssh 10.0.0.1 'cd /var/lib/zookeeper && echo 1xabc > zkmigrate-seed && tar -chSPf - myid version-2 && tar -cf - zkmigrate-seed' | %[1]s seed --id=1`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			one, given := id.Get()
			if !given {
				return usagef("name the server with --id=N")
			}
			o := &SeedOptions{deps: d, args: args, id: one}
			return within(cmd.Context(), limit, o.Run)
		},
	}
	id.add(cmd)
	d.says(cmd, "spec.credentials")
	cmd.Flags().DurationVar(&limit, "timeout", seedTimeout, "How long the copy may take")
	return cmd
}

// seedTimeout is for the largest data over the slowest line; a line that brings
// nothing ends the copy long before.
const seedTimeout = 12 * time.Hour

// Run judges the moment, then the copy, and keeps it when both are good. It
// writes nothing into the journal and needs no lock: the replace that waits
// sees the copy by itself.
func (o *SeedOptions) Run(ctx context.Context) error {
	s, rec, err := o.deps.open(ctx, o.args, o.id.Known())
	if err != nil {
		return err
	}
	sr, ok := rec.Server(o.id)
	if !ok {
		return usagef("ensemble %s has no server %d; it has %v", s.name, o.id, rec.Ensemble().IDs())
	}
	// The host is down by now; what is missing would only show after the stream.
	if err := s.beforeStop(ctx, rec, "", access.For(access.Seed), true); err != nil {
		return err
	}
	seeded, err := o.ready(ctx, s, rec)
	if err != nil {
		return err
	}
	if seeded {
		fmt.Fprintf(o.deps.streams.Out, "server %d: its pod holds the complete copy already\n", o.id)
		return nil
	}
	if o.deps.terminal() != nil {
		lines, notes := manualCopy(rec, s.kube.via)(*sr, rec.Flight.Seed)
		for _, l := range lines {
			fmt.Fprintln(o.deps.streams.Out, l)
		}
		for _, n := range notes {
			fmt.Fprintf(o.deps.streams.ErrOut, "# %s\n", n)
		}
		return usagef("standard input is a terminal: run the line above, which pipes the copy in")
	}
	return o.stream(ctx, s, rec, *sr)
}

// ready refuses unless a copy is waited for and may come now; seeded says that
// it is there already.
func (o *SeedOptions) ready(ctx context.Context, s *session, rec migration.Record) (seeded bool, err error) {
	replace := s.kube.at().Ours("replace %s --id=%d --data=copy", s.name, o.id)
	f := rec.Flight
	switch {
	case f == nil:
		return false, &refusedError{reason: fmt.Sprintf("no replacement of server %d is under way", o.id), next: replace}
	case f.Kind != migration.Replace || f.ID != o.id:
		return false, &refusedError{reason: fmt.Sprintf("what is under way is the %s of server %d", f.Kind, f.ID), next: s.kube.at().Ours("status %s", s.name)}
	case f.Data != migration.DataCopy:
		return false, &refusedError{reason: fmt.Sprintf("the replacement of server %d was begun without --data=copy, and that cannot change on the way", o.id),
			next: s.kube.at().Ours("revert %s --id=%d", s.name, o.id) + ", then begin again"}
	case f.Seed == "" || f.Before == nil:
		return false, &refusedError{reason: fmt.Sprintf("the server on the host of server %d is not proven dead yet; the token that the copy must carry comes with that proof", o.id), next: replace}
	}
	obs, err := s.engine.Observe(ctx, o.id)
	if err != nil {
		return false, err
	}
	v, _ := obs.View(o.id)
	pod := v.Cluster.Pod
	switch {
	case v.Cluster.Gate.Released:
		return false, &refusedError{reason: fmt.Sprintf("the gate of server %d is open: its pod has started or may start at any moment", o.id), next: replace}
	case !v.Host.Closed():
		return false, o.hostUp(obs)
	case pod.Report.Volume.Seed == f.Seed:
		return true, nil
	case !pod.Parked():
		return false, &refusedError{reason: fmt.Sprintf("pod %s does not wait at its gate", pod.Name), evidence: nonEmpty(string(pod.Report.State), pod.Report.Detail, pod.Problem),
			next: s.kube.at().Kubectl("describe pod %s", pod.Name)}
	}
	return false, nil
}

func nonEmpty(list ...string) []string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// hostUp says that the host's server is not down as it must be.
func (o *SeedOptions) hostUp(obs migration.Observation) error {
	sr, _ := obs.Record.Server(o.id)
	v, _ := obs.View(o.id)
	return &refusedError{
		reason:   fmt.Sprintf("host %s does not refuse connections: a server that may run makes no copy", sr.HostIP),
		evidence: []string{fmt.Sprintf("client port %s, election port %s", v.Host.Client, v.Host.Election)},
		next:     "on host " + sr.HostIP + ": stop the server and keep it masked; the replace that waits begins its proofs anew",
	}
}

// stream copies; before the copy is kept the host is asked once more, and
// whether this very copy is still waited for.
func (o *SeedOptions) stream(ctx context.Context, s *session, rec migration.Record, sr migration.ServerRecord) error {
	began := time.Now()
	in := &meter{r: &patient{r: o.deps.streams.In, limit: silence}, out: o.deps.streams.ErrOut, began: began, told: began}
	rep, err := s.kube.cluster().Receive(ctx, rec, o.id, in, func(zkdata.Report) error {
		obs, err := s.engine.Observe(ctx, o.id)
		if err != nil {
			return err
		}
		if f := obs.Record.Flight; f == nil || f.Seed != rec.Flight.Seed {
			return &refusedError{reason: "the replacement has gone another way meanwhile", next: s.kube.at().Ours("status %s", s.name)}
		}
		if v, _ := obs.View(o.id); !v.Host.Closed() {
			return o.hostUp(obs)
		}
		return nil
	})
	if errors.Is(err, cluster.ErrSeeded) {
		fmt.Fprintf(o.deps.streams.Out, "server %d: its pod holds the complete copy already\n", o.id)
		return nil
	}
	if r := refusedCopy(err); r != nil {
		lines, _ := manualCopy(rec, s.kube.via)(sr, rec.Flight.Seed)
		return &refusedError{reason: r.Error(), next: afterRefusedCopy(r, rec, o.id, lines[0], s.kube.at())}
	}
	if silent := (*silentError)(nil); errors.As(err, &silent) {
		lines, _ := manualCopy(rec, s.kube.via)(sr, rec.Flight.Seed)
		return &failedError{err: silent, next: lines[0]}
	}
	if err != nil {
		return err
	}
	for _, n := range rep.Dropped {
		fmt.Fprintf(o.deps.streams.ErrOut, "left out: %s\n", n)
	}
	for _, n := range rep.Notes {
		fmt.Fprintf(o.deps.streams.ErrOut, "note: %s\n", n)
	}
	fmt.Fprintf(o.deps.streams.Out, "server %d: %d files, %s, up to transaction %s in epoch %d, copied in %.1f s\n",
		o.id, rep.Files, bytesText(rep.Bytes), rep.Last, rep.CurrentEpoch, time.Since(began).Seconds())
	fmt.Fprintf(o.deps.streams.ErrOut, "next: nothing; the replace that waits for it goes on by itself, or run %s\n", s.kube.at().Ours("replace %s --id=%d", s.name, o.id))
	return nil
}

// refusedCopy finds what is wrong with a copy in an error.
func refusedCopy(err error) *zkdata.RefusedError {
	var r *zkdata.RefusedError
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// afterRefusedCopy says what to do next. Sending the copy again helps where the copy
// was wrong, but not where the volume is too small.
func afterRefusedCopy(r *zkdata.RefusedError, rec migration.Record, id ensemble.ID, again string, at command.At) string {
	sr, ok := rec.Server(id)
	if r.Reason != zkdata.NoRoom || !ok {
		return again
	}
	return fmt.Sprintf("%s (a larger spec.resources.requests.storage, where its StorageClass allows that), then %s; or %s",
		at.Kubectl("edit pvc %s", render.ClaimName(rec.Name, sr.Ordinal)), again, at.Ours("revert %s --id=%d", rec.Name, id))
}

// manualCopy renders the line that sends a host's data.
func manualCopy(rec migration.Record, via command.Via) func(migration.ServerRecord, string) (lines, notes []string) {
	return func(s migration.ServerRecord, token string) ([]string, []string) {
		line, notes := hostpatch.CopyCommand(hostpatch.CopyInput{
			Host: s.HostIP, Supervisor: hostpatch.Supervisor(rec.Hosts.Supervisor), Unit: rec.Hosts.UnitOf(s.ID), DataDir: s.DataDir, DataLogDir: s.DataLogDir, TokenFile: zkdata.TokenFile, Token: token,
			To: command.At{Namespace: rec.Namespace, Via: via}.Ours("seed %s --id=%d", rec.Name, s.ID),
		})
		return []string{line}, notes
	}
}

// meter tells on the way how much has been read.
type meter struct {
	r           io.Reader
	out         io.Writer
	n           int64
	began, told time.Time
}

// tellEvery is how often the progress of a copy is printed.
const tellEvery = 5 * time.Second

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	if now := time.Now(); now.Sub(m.told) >= tellEvery {
		m.told = now
		fmt.Fprintf(m.out, "%s read, %s/s\n", bytesText(m.n), bytesText(int64(float64(m.n)/now.Sub(m.began).Seconds())))
	}
	return n, err
}

// bytesText prints a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
