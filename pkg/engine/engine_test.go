package engine_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/test/simworld"
)

func replaceOne() migration.Intent {
	return migration.Intent{Kind: migration.Replace, ID: 1, By: "test"}
}

// acts are the calls that are no journal writes.
func (w *world) acts() []string {
	return slices.DeleteFunc(slices.Clone(w.Calls), func(c string) bool { return c == "save" })
}

func TestReplaceRunsTheStepsInOrder(t *testing.T) {
	w := newWorld()
	d, err := w.engine().Run(t.Context(), replaceOne())
	if err != nil || d.Kind != migration.Done {
		t.Fatalf("%+v, %v", d, err)
	}
	want := []string{"park", "mask", "canary", "stop", "canary", "flip", "adopt", "drop-bridge", "release", "kick", "canary"}
	if diff := cmp.Diff(want, w.acts()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]ensemble.ID{3, 3, 1}, w.WroteThrough); diff != "" {
		t.Errorf("canaries, the last through the server itself (-want +got):\n%s", diff)
	}
	if s, _ := w.Rec.Server(1); s.Replaced == nil || w.Rec.Flight != nil {
		t.Errorf("the journal does not say that server 1 is replaced: %+v", w.Rec)
	}
	if len(w.Rec.Audit) == 0 {
		t.Error("the audit is empty")
	}
}

// TestTheWayIsWhatHappens: the steps a plan shows are those that are taken.
// Who is asked again, or has to be kicked, is no obstacle on the way.
func TestTheWayIsWhatHappens(t *testing.T) {
	replaced := newWorld()
	if d, err := replaced.engine().Run(t.Context(), replaceOne()); err != nil || d.Kind != migration.Done {
		t.Fatalf("%+v, %v", d, err)
	}
	unmoved := newWorld()
	for i := range unmoved.Rec.Servers {
		unmoved.Rec.Servers[i].Reconfigured = nil
	}
	for kind, w := range map[migration.FlightKind]*world{migration.Replace: newWorld(), migration.Revert: replaced, migration.Reconfigure: unmoved} {
		t.Run(string(kind), func(t *testing.T) {
			var took []migration.StepID
			e := w.engine()
			e.OnEvent = func(ev engine.Event) {
				if ev.Kind == engine.EventStepOK && ev.Decision.Step != migration.StepKick {
					took = append(took, ev.Decision.Step)
				}
			}
			in := replaceOne()
			in.Kind = kind
			if d, err := e.Run(t.Context(), in); err != nil || d.Kind != migration.Done {
				t.Fatalf("%+v, %v", d, err)
			}
			if diff := cmp.Diff(migration.Way(kind), took); diff != "" {
				t.Errorf("the way (-shown +taken):\n%s", diff)
			}
		})
	}
}

// silentOnce is a network in which every path is silent when it is tried first.
type silentOnce struct{ tried int }

func (n *silentOnce) Try(_ context.Context, _ migration.Record, _ ensemble.ID, _ string, paths []migration.Path) error {
	for i := range paths {
		paths[i].State = vantage.PortOpen
		if n.tried == 0 {
			paths[i].State = vantage.PortSilent
		}
	}
	n.tried++
	return nil
}

// TestMissingPathsAreTold: the event of the step that tried them says how many are not there.
func TestMissingPathsAreTold(t *testing.T) {
	w := newWorld()
	e := w.engine()
	e.Paths = &silentOnce{}
	var missing []int
	e.OnEvent = func(ev engine.Event) {
		if ev.Kind == engine.EventStepOK && ev.Decision.Step == migration.StepTryPaths {
			missing = append(missing, ev.Missing)
		}
	}
	if d, err := e.Run(t.Context(), replaceOne()); err != nil || d.Kind != migration.Done {
		t.Fatalf("%+v, %v", d, err)
	}
	// To both others' election ports and the leader's peer port; from both to both of the pod's.
	if diff := cmp.Diff([]int{7, 0}, missing); diff != "" {
		t.Error(diff)
	}
}

// TestAnOldLookIsNotActedOn: a machine that sleeps between the decision and the
// release wakes up to another world. What was seen before is seen anew.
func TestAnOldLookIsNotActedOn(t *testing.T) {
	w := newWorld()
	e := w.engine()
	slept := false
	e.OnEvent = func(ev engine.Event) {
		if ev.Kind == engine.EventStep && ev.Decision.Step == migration.StepRelease && !slept {
			slept, w.At = true, w.At.Add(time.Hour)
		}
	}
	if d, err := e.Run(t.Context(), replaceOne()); err != nil || d.Kind != migration.Done {
		t.Fatalf("%+v, %v", d, err)
	}
	want := []string{"park", "mask", "canary", "stop", "canary", "flip", "adopt", "drop-bridge", "mask", "canary", "release", "kick", "canary"}
	if diff := cmp.Diff(want, w.acts()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

// TestKilledBeforeEachWrite: an engine that dies before any of its writes, and
// one that dies right after it, is followed by one that finishes.
func TestKilledBeforeEachWrite(t *testing.T) {
	whole := newWorld()
	if _, err := whole.engine().Run(t.Context(), replaceOne()); err != nil {
		t.Fatal(err)
	}
	for n := range whole.Calls {
		w := newWorld()
		count := 0
		w.Die = func(string) bool { count++; return count > n }
		e := w.engine()
		e.ErrorBudget = 0
		if _, err := e.Run(t.Context(), replaceOne()); !errors.Is(err, simworld.ErrKilled) {
			t.Fatalf("write %d (%s): not killed: %v", n, whole.Calls[n], err)
		}
		w.Die = nil
		d, err := w.engine().Run(t.Context(), replaceOne())
		if err != nil || d.Kind != migration.Done {
			t.Errorf("killed before write %d (%s): the next run ends with %+v, %v", n, whole.Calls[n], d, err)
		}
	}
}

func TestPassingErrorsAreTriedAgain(t *testing.T) {
	w := newWorld()
	w.Fail["flip"] = errors.New("the API server is away")
	var told []error
	e := w.engine()
	e.OnEvent = func(ev engine.Event) {
		if ev.Kind == engine.EventError {
			told = append(told, ev.Err)
		}
	}
	if d, err := e.Run(t.Context(), replaceOne()); err != nil || d.Kind != migration.Done {
		t.Fatalf("%+v, %v", d, err)
	}
	if len(told) != 1 {
		t.Errorf("told of %d errors, want 1: %v", len(told), told)
	}
}

type permanentError struct{}

func (permanentError) Error() string   { return "forbidden" }
func (permanentError) Permanent() bool { return true }

func TestPermanentErrorsEndTheRun(t *testing.T) {
	w := newWorld()
	w.Fail["flip"] = permanentError{}
	_, err := w.engine().Run(t.Context(), replaceOne())
	var p permanentError
	if !errors.As(err, &p) {
		t.Fatalf("got %v, want the permanent error", err)
	}
}

func TestErrorsBeyondTheBudgetEndTheRun(t *testing.T) {
	w := newWorld()
	away := errors.New("the API server is away")
	w.Die = nil
	e := w.engine()
	began := w.At
	broken := &brokenCluster{world: w, err: away}
	e.Cluster = broken
	if _, err := e.Run(t.Context(), replaceOne()); !errors.Is(err, away) {
		t.Fatalf("got %v", err)
	}
	if took := w.At.Sub(began); took < 10*time.Second || took > 11*time.Second {
		t.Errorf("gave up after %s, the budget is 10 s", took)
	}
	if len(w.Calls) != 0 {
		t.Errorf("acted on half a view: %v", w.Calls)
	}
}

// TestOvertakenCommandActsOnNothing: the journal changes between look and act.
func TestOvertakenCommandActsOnNothing(t *testing.T) {
	w := newWorld()
	e := w.engine()
	e.Journal = &overtakenJournal{world: w}
	e.ErrorBudget = 0
	if _, err := e.Run(t.Context(), replaceOne()); err == nil {
		t.Error("went on although the journal had changed")
	}
	if len(w.acts()) > 0 {
		t.Errorf("acted although the journal had changed: %v", w.acts())
	}
}

func TestAnEndedContextEndsTheRun(t *testing.T) {
	w := newWorld()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.engine().Run(ctx, replaceOne()); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if len(w.acts()) != 0 {
		t.Errorf("acted after the end: %v", w.acts())
	}
}

type brokenCluster struct {
	*world
	err error
}

func (b *brokenCluster) Observe(context.Context, migration.Record) (map[ensemble.ID]migration.ClusterView, error) {
	return nil, b.err
}

// overtakenJournal is written by somebody else after each look.
type overtakenJournal struct {
	*world
	loads int
}

func (j *overtakenJournal) Load(ctx context.Context) (migration.Record, error) {
	j.loads++
	rec, err := j.world.Load(ctx)
	rec.Settings.InitLimit += j.loads
	return rec, err
}

// lockUntil is a lock that is lost from the n-th question on.
type lockUntil struct{ left int }

func (l *lockUntil) Held(context.Context) error {
	if l.left--; l.left < 0 {
		return permanentError{}
	}
	return nil
}

// TestALostLockIsFollowedByNothing: wherever the lock is lost, neither a host's
// hook nor a write of the cluster comes after that, whatever step is next.
func TestALostLockIsFollowedByNothing(t *testing.T) {
	whole := newWorld()
	e := whole.engine()
	asked := &lockUntil{left: 1000}
	e.Lock = asked
	if d, err := e.Run(t.Context(), replaceOne()); err != nil || d.Kind != migration.Done {
		t.Fatalf("%+v, %v", d, err)
	}
	steps := 1000 - asked.left
	if steps < len(migration.Way(migration.Replace)) {
		t.Fatalf("the lock was asked %d times only, of %d steps", steps, len(migration.Way(migration.Replace)))
	}
	for n := range steps {
		w := newWorld()
		e := w.engine()
		e.Lock = &lockUntil{left: n}
		_, err := e.Run(t.Context(), replaceOne())
		if !errors.As(err, new(permanentError)) {
			t.Fatalf("lost at question %d: %v", n, err)
		}
		if at := len(w.acts()); at > n || at > 0 && w.acts()[at-1] != whole.acts()[at-1] {
			t.Errorf("lost at question %d: %v", n, w.acts())
		}
	}
}

// TestAWrongImageStopsNothingAndDoesNotStay: the pods' settings go back, and the
// command does not go on with those it was not given.
func TestAWrongImageStopsNothingAndDoesNotStay(t *testing.T) {
	w := newWorld()
	w.Rec.Pods.Image = "zookeeper:3.8.0"
	w.Rec = w.Rec.ChangePods(migration.PodOptions{Image: "zookeeper:3.9.3"})
	d, err := w.engine().Run(t.Context(), replaceOne())
	if err != nil || d.Kind != migration.Stop || d.Code != migration.CodeVersionDiffers {
		t.Fatalf("%+v, %v", d, err)
	}
	if diff := cmp.Diff([]string{"park", "park"}, w.acts()); diff != "" {
		t.Errorf("acts (-want +got):\n%s", diff)
	}
	if w.Rec.Pods.Image != "zookeeper:3.8.0" || w.Rec.PodsBefore != nil || w.Rec.Flight != nil {
		t.Errorf("the journal has %+v, before %v, flight %v", w.Rec.Pods, w.Rec.PodsBefore, w.Rec.Flight)
	}
}

// TestUnmaskedByWhoeverStarts: the lines of one command may have been read and not run; the next
// one, whose hook starts the server, has its unit unmasked first.
func TestUnmaskedByWhoeverStarts(t *testing.T) {
	w := newWorld()
	if d, err := w.engine().Run(t.Context(), replaceOne()); err != nil || d.Kind != migration.Done {
		t.Fatalf("%+v, %v", d, err)
	}
	in := replaceOne()
	in.Kind = migration.Revert
	printed := w.engine()
	ctx, cancel := context.WithCancel(t.Context())
	printed.Hosts = reader{w, cancel}
	if _, err := printed.Run(ctx, in); err == nil || w.Rec.Flight == nil || w.Rec.Flight.Unfenced == nil || !w.Masked(1) {
		t.Fatalf("%v, %+v", err, w.Rec.Flight)
	}
	w.Until = w.At.Add(time.Minute) // it would be tried for ever
	if d, err := w.engine().Run(t.Context(), in); err != nil || d.Kind != migration.Done || w.Masked(1) {
		t.Errorf("%+v, %v, masked: %t", d, err, w.Masked(1))
	}
}

// reader reads what is printed and does nothing; asked to start the server, it goes.
type reader struct {
	engine.Hosts
	goes context.CancelFunc
}

func (r reader) Do(_ context.Context, action engine.HostAction, _ migration.ServerRecord) (bool, string, error) {
	if action == engine.HostStart {
		r.goes()
		return false, "", nil
	}
	return true, "read", nil
}
