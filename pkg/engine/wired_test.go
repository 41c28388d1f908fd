package engine

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestEveryStepIsWired: each step that changes something outside of the journal
// makes at least one call, each that does not makes none, and what is no step is an
// error.
func TestEveryStepIsWired(t *testing.T) {
	rec := migration.Record{Servers: []migration.ServerRecord{{Server: ensemble.Server{ID: 1}}}, Flight: &migration.Flight{ID: 1}}
	perform := func(step migration.StepID) (int, error) {
		c := &calls{}
		e := &Engine{Cluster: c, Remover: c, Prober: c, Hosts: c, Paths: c, Clock: c}
		_, err := e.perform(t.Context(), migration.Observation{Record: rec}, rec,
			migration.Decision{Server: 1, Step: step, Release: &migration.Release{}, Pods: []migration.PodRef{{ID: 1}}, Services: []ensemble.ID{1}})
		return c.n, err
	}
	for _, s := range migration.Steps() {
		n, err := perform(s.ID)
		if err != nil || n > 0 != s.Writes {
			t.Errorf("%s: %d calls, %v", s.ID, n, err)
		}
	}
	if n, err := perform("walk-the-dog"); n != 0 || err == nil {
		t.Errorf("what is no step: %d calls, %v", n, err)
	}
}

// calls counts what the engine asks of the outside.
type calls struct {
	Cluster
	Remover
	Prober
	n int
}

func (c *calls) count() error { c.n++; return nil }

func (c *calls) Now() time.Time                             { return time.Time{} }
func (c *calls) Sleep(context.Context, time.Duration) error { return nil }

func (c *calls) Park(context.Context, migration.Record) error { return c.count() }
func (c *calls) Ungate(context.Context, migration.Record) (*migration.PlainFiles, error) {
	return nil, c.count()
}
func (c *calls) Finalize(context.Context, migration.Record) error { return c.count() }
func (c *calls) PointToPod(context.Context, migration.Record, ensemble.ID, string, string) error {
	return c.count()
}
func (c *calls) PointToHost(context.Context, migration.Record, ensemble.ID) error   { return c.count() }
func (c *calls) SetSelector(context.Context, migration.Record, ensemble.ID) error   { return c.count() }
func (c *calls) ClearSelector(context.Context, migration.Record, ensemble.ID) error { return c.count() }
func (c *calls) DropBridge(context.Context, migration.Record, ensemble.ID) error    { return c.count() }
func (c *calls) DeleteLeftovers(context.Context, migration.Record, ensemble.ID) error {
	return c.count()
}
func (c *calls) OpenGate(context.Context, migration.Record, ensemble.ID, migration.GateStart) error {
	return c.count()
}
func (c *calls) RenewGate(context.Context, migration.Record, ensemble.ID, migration.GateStart, int) error {
	return c.count()
}
func (c *calls) RestoreGate(context.Context, migration.Record, ensemble.ID, migration.Release) error {
	return c.count()
}
func (c *calls) CloseGate(context.Context, migration.Record, ensemble.ID) error { return c.count() }
func (c *calls) Kick(context.Context, migration.Record, ensemble.ID) error      { return c.count() }
func (c *calls) Seed(context.Context, migration.Record, ensemble.ID, io.Reader) error {
	return c.count()
}
func (c *calls) DeletePod(context.Context, migration.Record, ensemble.ID, string) error {
	return c.count()
}
func (c *calls) ShrinkSet(context.Context, migration.Record, int) error { return c.count() }
func (c *calls) DeleteClaims(context.Context, migration.Record, []migration.ClaimRef) error {
	return c.count()
}
func (c *calls) DeletePodObjects(context.Context, migration.Record) error           { return c.count() }
func (c *calls) DeleteService(context.Context, migration.Record, ensemble.ID) error { return c.count() }
func (c *calls) Canary(context.Context, vantage.Target) (ensemble.Zxid, error)      { return 1, c.count() }
func (c *calls) Do(context.Context, HostAction, migration.ServerRecord) (bool, string, error) {
	return true, "", c.count()
}
func (c *calls) Try(context.Context, migration.Record, ensemble.ID, string, []migration.Path) error {
	return c.count()
}
func (c *calls) CopyData(context.Context, migration.ServerRecord, string) (io.ReadCloser, error) {
	return nil, c.count()
}
