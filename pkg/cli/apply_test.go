package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"
	ktesting "k8s.io/client-go/testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/engine"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// podsIn is a cluster that shows an observation, in which pods were made with 2Gi of memory.
type podsIn struct {
	engine.Cluster
	engine.Prober
	seen *migration.Observation
}

func (p podsIn) Observe(_ context.Context, rec migration.Record) (map[ensemble.ID]migration.ClusterView, error) {
	out := map[ensemble.ID]migration.ClusterView{}
	for _, v := range p.seen.Servers {
		v.Cluster.Pod.Source.Pod.Outdated = rec.Pods.Memory != "2Gi"
		out[v.ID] = v.Cluster
	}
	return out, nil
}

func (p podsIn) Sight(_ context.Context, at vantage.Target) vantage.Sighting {
	for i, s := range p.seen.Record.Servers {
		if at.Server == s.ID {
			return p.seen.Servers[i].Live
		}
	}
	return vantage.Sighting{Reach: vantage.Refused}
}

func (podsIn) Port(context.Context, vantage.Target) vantage.PortState { return vantage.PortClosed }

// applying is a command line of apply about servers that all run in their pods.
func applying(t *testing.T, change func(*migration.Observation), args ...string) (*MoveOptions, *session) {
	t.Helper()
	s, seen := wrapped(t, "3.8.0"), inPods()
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rec.Pods, err = replacing(t, "--id=1").pods.Over(rec.Pods, "3.8.0"); err != nil {
		t.Fatal(err)
	}
	for i := range rec.Servers {
		sr, in := &rec.Servers[i], seen.Record.Servers[i]
		sr.Reconfigured, sr.Replaced, sr.Release, sr.ServiceUID = in.Reconfigured, in.Replaced, in.Release, in.ServiceUID
		sr.Reconfigured.By = "ada"
	}
	rec.EndpointsAPI, seen.Record = seen.Record.EndpointsAPI, rec
	change(&seen)
	if err := s.journal.Save(t.Context(), seen.Record); err != nil {
		t.Fatal(err)
	}
	s.engine.Cluster, s.engine.Prober = podsIn{seen: &seen}, podsIn{seen: &seen}

	var out bytes.Buffer
	f := &moveFlags{deps: &deps{streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out}}, kind: migration.Apply, timeout: defaultTimeout}
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	f.said = f.deps.says(cmd, "spec.pods")
	f.id.add(cmd)
	cmd.Flags().BoolVar(&f.undo, "undo", false, "")
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	o, err := f.toOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	return o, s
}

// TestApplyAsksFirst: what a refused or unanswered apply would change is not in the journal.
func TestApplyAsksFirst(t *testing.T) {
	started := func(o *migration.Observation) {
		at := o.At
		o.Record.Flight = &migration.Flight{Kind: migration.Apply, ID: 1, By: "ada", Started: at, Served: true, Gate: 1}
		o.Record.Flight.StopAsked, o.Record.Flight.Reclaimed, o.Record.Flight.PodUID = &at, &at, "before"
	}
	unscheduled := func(o *migration.Observation) {
		started(o)
		o.Servers[0].Live = vantage.Sighting{Reach: vantage.Refused}
		o.Servers[0].Cluster.Pod = migration.PodView{Name: "demo-pod-0", UID: "next", Problem: "Unschedulable"}
	}
	for name, c := range map[string]struct {
		change func(*migration.Observation)
		args   []string
		memory string
		says   string
	}{
		"nobody to ask":             {func(*migration.Observation) {}, []string{"--memory=4Gi"}, "2Gi", "confirm with --yes"},
		"the rules refuse":          {func(o *migration.Observation) { o.Servers[1].Live = vantage.Sighting{Reach: vantage.Refused} }, []string{"--memory=4Gi"}, "2Gi", "not every server is in sync"},
		"the leader first":          {func(*migration.Observation) {}, []string{"--memory=4Gi", "--id=3"}, "2Gi", "goes last"},
		"its new pod never started": {unscheduled, []string{"--memory=4Gi", "--id=1"}, "4Gi", ""},
		"its new pod has started":   {started, []string{"--memory=4Gi"}, "2Gi", "begun with the settings that are recorded"},
		"finalize is under way": {func(o *migration.Observation) { unscheduled(o); o.Record.Pods.Plain = true }, []string{"--memory=4Gi"}, "2Gi",
			"made again without a gate"},
		"nothing to restart": {func(o *migration.Observation) {
			o.Record = o.Record.ChangePods(func(p migration.PodOptions) migration.PodOptions { p.Memory = "4Gi"; return p }(o.Record.Pods))
		}, []string{"--memory=2Gi"}, "2Gi", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o, s := applying(t, c.change, c.args...)
			err := s.locked(t.Context(), func(ctx context.Context) error {
				if err := o.store(ctx, s); err != nil {
					return err
				}
				obs, err := o.observe(ctx, s)
				if err != nil {
					return err
				}
				in := migration.Intent{Kind: migration.Apply, By: "ada", ID: 1}
				if id, one := o.id.Get(); one {
					in.ID = id
				} else if order := migration.ApplyOrder(obs); len(order) == 0 {
					return o.keep(ctx, s)
				}
				return o.begin(ctx, s, in)
			})
			rec, loadErr := s.record(t.Context())
			if loadErr != nil {
				t.Fatal(loadErr)
			}
			if said := errors.Join(err); rec.Pods.Memory != c.memory || (err == nil) != (c.says == "") || err != nil && !strings.Contains(said.Error(), c.says) {
				t.Errorf("it ends with %v, and %s is recorded; want %q, %s", err, rec.Pods.Memory, c.says, c.memory)
			}
			var refused *refusedError
			if errors.As(err, &refused) && strings.Contains(refused.reason, "has begun") && !strings.Contains(refused.next, "apply demo --id=1 --undo -n zk, then ") {
				t.Errorf("next is %q", refused.next)
			}
		})
	}
}

// TestUndoneUnasked: to take back settings that no pod was made with stops nothing, and asks nothing.
func TestUndoneUnasked(t *testing.T) {
	o, s := applying(t, func(o *migration.Observation) {
		to := o.Record.Pods
		to.Memory = "4Gi"
		o.Record = o.Record.ChangePods(to)
	}, "--undo")
	if err := s.locked(t.Context(), func(ctx context.Context) error {
		return o.begin(ctx, s, migration.Intent{Kind: migration.Apply, ID: 1, By: "ada", Undo: true})
	}); err != nil {
		t.Error(err)
	}
}

// TestApplyWithoutPermission: it is refused as long as nothing has been begun.
func TestApplyWithoutPermission(t *testing.T) {
	o, s := applying(t, func(*migration.Observation) {}, "--memory=4Gi")
	rec, err := s.record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.kube.client.(*fake.Clientset).PrependReactor("create", "selfsubjectaccessreviews", func(ktesting.Action) (bool, runtime.Object, error) {
		return true, &authorizationv1.SelfSubjectAccessReview{}, nil
	})
	var out bytes.Buffer
	if code := report(&out, o.before(t.Context(), s, rec)); code != exitRefused || !strings.Contains(out.String(), "Nothing was changed.") {
		t.Errorf("exit code %d:\n%s", code, out.String())
	}
}
