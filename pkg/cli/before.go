package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/access"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/cluster"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// What must hold before a command touches the first host: the checks marked
// BeforeStop, with facts that are gathered here. A command that goes on in the
// middle of an operation is another matter, see before.

// permissionFacts asks for the permissions.
func permissionFacts(ctx context.Context, s *session, rec migration.Record, needs []access.Need, withCopy bool, f *preflight.Facts) {
	c := s.kube.cluster()
	scope := access.Of(rec, withCopy)
	scope.Through, scope.Private = s.throughPods(), scope.Private || s.private
	has := func(when access.When) bool {
		return slices.ContainsFunc(needs, func(n access.Need) bool { return n.When == when })
	}
	scope.Removing, scope.Finalizing = has(access.Removing), has(access.Finalizing)
	lacking, err := c.Lacking(ctx, scope, needs)
	if err != nil {
		f.PermissionsError = "whether you have the permissions is not known: there was no time to ask"
		return
	}
	if len(lacking) == 0 {
		return
	}
	f.Unanswered = access.Unanswered(lacking)
	for _, l := range lacking {
		if l.Unknown == "" {
			f.Lacking = append(f.Lacking, l.String())
		}
	}
	f.RoleCommand = roleCommand(rec, scope, c.WhoAmI(ctx))
}

// roleCommand prints the Role of an ensemble, and its binding.
func roleCommand(rec migration.Record, scope access.Scope, user string) string {
	words := []string{subjectFlag(user)}
	if len(rec.Servers) > 0 && rec.Servers[0].ServiceUID == "" {
		// Not wrapped yet: there is no journal to read the ids from.
		var ids []string
		for _, id := range access.Of(rec, false).Servers {
			ids = append(ids, id.String())
		}
		words = append(words, "--ids="+strings.Join(ids, ","))
	}
	if !scope.Copy {
		words = append(words, "--data=empty")
	}
	if scope.Removing {
		words = append(words, "--removal")
	}
	if scope.Finalizing {
		words = append(words, "--finalize")
	}
	if scope.Private {
		words = append(words, "--secrets")
	}
	if scope.FilesSecret != "" {
		words = append(words, "--files-secret="+quote.Shell(scope.FilesSecret))
	}
	if scope.FilesConfigMap != "" {
		words = append(words, "--files-configmap="+quote.Shell(scope.FilesConfigMap))
	}
	return command.At{Namespace: rec.Namespace}.Ours("rbac %s %s", rec.Name, command.Quoted(strings.Join(words, " ")))
}

// subjectFlag names a user to the command that prints the Role; one that is not
// known, or not a plain word, is left for a person to fill in.
func subjectFlag(user string) string {
	flag := "--user="
	if account, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		flag, user = "--serviceaccount=", account
	}
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@._:/-", r)
	}
	if user == "" || strings.IndexFunc(user, func(r rune) bool { return !plain(r) }) >= 0 {
		user = "USER"
	}
	return flag + user
}

// beforeStop refuses what would be missing later on. phase is the part of the way that the
// command is on; it is empty where a server goes back, which waits for no path.
func (s *session) beforeStop(ctx context.Context, rec migration.Record, phase migration.PhaseName, needs []access.Need, withCopy bool) error {
	if err := s.ours(rec); err != nil {
		return err
	}
	failed := preflight.Failed(preflight.BeforeStop(s.beforeStopFacts(ctx, rec, phase, needs, withCopy)))
	if len(failed) == 0 {
		return nil
	}
	e := &refusedError{reason: fmt.Sprintf("%d %s failed that must pass before a server is stopped", len(failed), count("check", len(failed)))}
	for _, fd := range failed {
		for _, d := range fd.Detail {
			e.evidence = append(e.evidence, fd.ID+": "+d)
		}
		switch {
		case fd.Result == preflight.Unknown:
			e.next = "run the same command again in a moment: what nobody could say does not count as allowed"
		case len(failed) == 1:
			e.next = fd.Hint
		case fd.Hint != "":
			e.evidence = append(e.evidence, fd.ID+": try: "+fd.Hint)
		}
	}
	return e
}

func count(word string, n int) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// beforeStopFacts gathers what the checks marked BeforeStop look at.
func (s *session) beforeStopFacts(ctx context.Context, rec migration.Record, phase migration.PhaseName, needs []access.Need, withCopy bool) preflight.Facts {
	f := wrappedFacts(rec)
	f.Phase = phase
	permissionFacts(ctx, s, rec, needs, withCopy, &f)
	switch phase {
	case migration.PlanReconfigure:
		tlsFacts(ctx, s, rec, intake.Description{}, &f)
	case migration.PlanReplace:
		// A pod starts with them; a server that goes back, or a copy for a parked pod, needs none.
		storedFacts(ctx, s.kube, rec, nil, &f)
	case migration.PlanFlight, migration.PlanClients:
	}
	if phase != "" {
		sessionFacts(ctx, s, rec, intake.Description{}, &f)
		s.keptFacts(ctx, rec, &f)
	}
	return f
}

// before asks what a replacement or a revert needs, with the way back from it.
// Where a server may be down already nothing is refused: to go as far as possible
// is better than to leave it away, and a step that may not be taken stops by
// itself, with its name. What is missing is said all the same.
func (o *MoveOptions) before(ctx context.Context, s *session, rec migration.Record) error {
	phase := migration.PlanReplace
	if o.kind != migration.Replace {
		phase = ""
	}
	err := s.beforeStop(ctx, rec, phase, o.needs(rec), o.data == migration.DataCopy)
	return o.deps.unlessAway(err, rec, o.kind, o.id)
}

// needs are the permissions that the command needs, with the way back.
func (o *MoveOptions) needs(rec migration.Record) []access.Need {
	needs := access.WithWayBack(o.command())
	if o.end != nil && (o.end.undo || rec.Finalized != nil) {
		// No Secret is read then.
		return slices.DeleteFunc(needs, func(n access.Need) bool { return n.When == access.Finalizing })
	}
	return needs
}

// command is the one that needs the permissions.
func (o *MoveOptions) command() access.Command {
	if o.end != nil {
		return access.Finalize
	}
	return access.Command(o.kind)
}

// tryEndpoints refuses v1 Endpoints in a cluster that does not follow them, which the
// Services would never lead anywhere in.
func (s *session) tryEndpoints(ctx context.Context, rec migration.Record, next string) error {
	if rec.EndpointsAPI != migration.LegacyEndpoints {
		return nil
	}
	missing, err := s.kube.cluster().TryEndpoints(ctx, rec)
	if err != nil || missing == "" {
		return err
	}
	return &refusedError{
		reason: "this cluster does not follow v1 Endpoints, which --endpoints-api=endpoints relies on",
		evidence: []string{fmt.Sprintf("%s did nothing about a trial object for %s: it does not run (kube-controller-manager's --controllers), or is stuck", missing, cluster.TrialPatience),
			"from Kubernetes 1.37 on a cluster may run without it and without the other of the two, endpoints-controller and endpointslice-mirroring-controller (KEP-4974)"},
		next: next,
	}
}

// unlessAway turns a refusal into a warning where the command brings a server
// back that may be down, and into a pause where an operation has only begun.
func (d *deps) unlessAway(err error, rec migration.Record, kind migration.FlightKind, id ensemble.MaybeID) error {
	var refused *refusedError
	if !errors.As(err, &refused) {
		return err
	}
	sr, known := rec.ServerOf(id)
	restores := kind == migration.Replace && known && sr.Replaced != nil && rec.Flight == nil
	switch {
	case stopped(rec) || restores:
		fmt.Fprintf(d.streams.ErrOut, "Warning: %s\n", refused.reason)
		printDetails(d.streams.ErrOut, refused.evidence, refused.next)
		fmt.Fprintln(d.streams.ErrOut, "Continuing as far as possible, because a server may be down.")
		return nil
	case rec.Flight != nil:
		return &pausedError{code: refused.code, reason: refused.reason, evidence: refused.evidence, next: refused.next}
	}
	return err
}

// stopped reports whether the operation under way has asked a server to stop.
func stopped(rec migration.Record) bool {
	f := rec.Flight
	return f != nil && (f.StopAsked != nil || f.DeadSince != nil || f.Released != nil || f.Reclaimed != nil)
}
