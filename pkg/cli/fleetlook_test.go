package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/fleet"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// TestFactOf: what is left of an ensemble's way, and what keeps it.
func TestFactOf(t *testing.T) {
	host := migration.ServerStatus{Place: migration.PlaceHost, Next: "reconfigure"}
	restarted := migration.ServerStatus{Place: migration.PlaceHost, Next: "replace"}
	pod := migration.ServerStatus{Place: migration.PlacePod, Phase: "replaced"}
	ungated := migration.ServerStatus{Place: migration.PlacePod, Phase: "ungated"}
	finalized := migration.ServerStatus{Place: migration.PlacePod, Phase: migration.PhaseFinalized}
	moving := func(kind migration.FlightKind) migration.ServerStatus {
		return migration.ServerStatus{ID: 7, Place: migration.PlaceMoving, Next: string(kind)}
	}
	all := fleetTarget{manifest: "m.yaml", hooked: true}
	for name, c := range map[string]struct {
		servers []migration.ServerStatus
		goal    fleet.Goal
		target  fleetTarget
		left    []fleet.Part
		why     string
	}{
		"wrapped":                   {[]migration.ServerStatus{host, host}, fleet.Replaced, all, []fleet.Part{fleet.Reconfigure, fleet.Replace}, ""},
		"one restarted":             {[]migration.ServerStatus{host, restarted}, fleet.Reconfigured, all, []fleet.Part{fleet.Reconfigure}, ""},
		"restarted":                 {[]migration.ServerStatus{restarted, restarted}, fleet.Reconfigured, all, nil, ""},
		"one replaced":              {[]migration.ServerStatus{pod, restarted}, fleet.Replaced, all, []fleet.Part{fleet.Replace}, ""},
		"in the middle":             {[]migration.ServerStatus{pod, moving(migration.Replace)}, fleet.Replaced, all, []fleet.Part{fleet.Replace}, ""},
		"in a restart":              {[]migration.ServerStatus{restarted, moving(migration.Reconfigure)}, fleet.Replaced, all, []fleet.Part{fleet.Reconfigure, fleet.Replace}, ""},
		"on its way back":           {[]migration.ServerStatus{pod, moving(migration.Revert)}, fleet.Replaced, all, nil, "revert of server 7 is under way"},
		"all replaced":              {[]migration.ServerStatus{pod, pod}, fleet.Replaced, all, nil, ""},
		"to be finalized":           {[]migration.ServerStatus{pod, restarted}, fleet.Finalized, all, []fleet.Part{fleet.Replace, fleet.Finalize}, ""},
		"one ungated":               {[]migration.ServerStatus{ungated, pod}, fleet.Finalized, fleetTarget{}, []fleet.Part{fleet.Finalize}, ""},
		"all ungated":               {[]migration.ServerStatus{ungated, ungated}, fleet.Finalized, fleetTarget{}, []fleet.Part{fleet.Finalize}, ""},
		"finalized":                 {[]migration.ServerStatus{finalized, finalized}, fleet.Finalized, all, nil, ""},
		"finalized, asked for less": {[]migration.ServerStatus{finalized, finalized}, fleet.Replaced, all, nil, ""},
		"its pod is made again":     {[]migration.ServerStatus{pod, moving(migration.Apply)}, fleet.Finalized, all, []fleet.Part{fleet.Finalize}, ""},
		"no hook":                   {[]migration.ServerStatus{restarted}, fleet.Replaced, fleetTarget{manifest: "m"}, []fleet.Part{fleet.Replace}, "replace needs a hook"},
		"no files":                  {[]migration.ServerStatus{host}, fleet.Replaced, fleetTarget{hooked: true}, []fleet.Part{fleet.Reconfigure, fleet.Replace}, "reconfigure needs its hosts' files"},
		"no files, and none needed": {[]migration.ServerStatus{restarted}, fleet.Replaced, fleetTarget{hooked: true}, []fleet.Part{fleet.Replace}, ""},
		"far enough without a hook": {[]migration.ServerStatus{host}, fleet.Wrapped, fleetTarget{}, nil, ""},
	} {
		f := c.target.prepared(factOf(migration.EnsembleStatus{Healthy: true, Servers: c.servers}, c.goal))
		if !slices.Equal(f.Left, c.left) || f.Ready != (c.why == "") || !strings.Contains(f.Why, c.why) || f.Elections != len(c.left) {
			t.Errorf("%s: %+v, want %v, %q", name, f, c.left, c.why)
		}
	}
	sick := factOf(migration.EnsembleStatus{Health: migration.Degraded, Problems: []migration.Problem{{Text: "server 1 is down"}}, Next: "look"}, fleet.Replaced)
	if sick.Healthy || sick.Why != "degraded: server 1 is down" || sick.Next != "look" {
		t.Errorf("%+v", sick)
	}
}

// TestFleetArgs: what one ensemble's commands are given, as a person would type it.
func TestFleetArgs(t *testing.T) {
	_, d := newRoot(genericiooptions.NewTestIOStreamsDiscard())
	*d.flags.Context = "here"
	m := &fleetMover{look: &fleetLooker{&reach{parent: d, connection: []string{"--as=x"}}}, dir: t.TempDir(), timeout: 60e9}
	there := fleetTarget{Target: fleet.Target{GiveUp: "a", ID: "n/a@there", Name: "a", Namespace: "n", Context: "there", Credentials: "c", Data: "copy", AcceptLoss: "unknown"}, hostFiles: "h", hook: "./k", credentials: "d/c"}
	plain := fleetTarget{Target: fleet.Target{ID: "n/a", Name: "a", Namespace: "n"}, manifest: "e.yaml", hooked: true}
	for _, c := range []struct {
		t    fleetTarget
		part fleet.Part
		want string
	}{
		{there, fleet.Wrap, "wrap a --timeout=1m0s --as=x --context=there --namespace=n --filename=h --credentials=d/c"},
		{there, fleet.Reconfigure, "reconfigure a --timeout=1m0s --as=x --context=there --namespace=n --filename=h --credentials=d/c --yes --host-hook=./k --output-dir=" + m.dir + "/n-a-there"},
		{there, fleet.Replace, "replace a --timeout=1m0s --as=x --context=there --namespace=n --credentials=d/c --yes --host-hook=./k --all --data=copy --accept-client-loss=unknown"},
		{there, fleet.Finalize, "finalize a --timeout=1m0s --as=x --context=there --namespace=n --credentials=d/c --yes --give-up-way-back=a"},
		{plain, fleet.Finalize, "finalize a --timeout=1m0s --as=x --context=here --namespace=n --filename=e.yaml --yes --give-up-way-back="},
		{plain, fleet.Replace, "replace a --timeout=1m0s --as=x --context=here --namespace=n --filename=e.yaml --yes --all"},
	} {
		args, err := m.args(c.t, c.part)
		if got := strings.ReplaceAll(strings.Join(args, " "), " --probe-via=auto", ""); err != nil || got != c.want {
			t.Errorf("%v\n got %s\nwant %s", err, got, c.want)
		}
	}
}

// TestLooksTogether: one set of lists says of a fleet's ensembles what a look at each says, and no
// more is asked the more there are.
func TestLooksTogether(t *testing.T) {
	s := inThree(t)
	var targets []fleetTarget
	for _, id := range []string{"a/x", "b/x", "zk/demo", "b/new"} {
		ns, name, _ := strings.Cut(id, "/")
		targets = append(targets, fleetTarget{Target: fleet.Target{ID: id, Name: name, Namespace: ns}, hooked: true, hostFiles: "h"})
	}
	f := &fleetLooker{reached(s, []string{""}, []string{"a", "b", "zk"})}
	each := f.eachOf(t.Context(), targets, fleet.Replaced)
	client := s.kube.client.(*fake.Clientset)
	client.ClearActions()
	together := f.looks(t.Context(), targets, fleet.Replaced)
	if diff := cmp.Diff(each, together); diff != "" || len(together) != len(targets) {
		t.Errorf("(-each by itself +together)\n%s", diff)
	}
	asked := map[string]bool{}
	for _, a := range client.Actions() {
		if a.GetVerb() == "list" && (a.GetResource().Resource == "services" || a.GetResource().Resource == "pods") {
			what := a.GetVerb() + " " + a.GetResource().Resource + " of " + a.GetNamespace()
			if asked[what] {
				t.Errorf("asked again: %s", what)
			}
			asked[what] = true
		}
	}
	refuse(s, forbidden("pods"), "pods", "a")
	closed := f.looks(t.Context(), targets, fleet.Replaced)
	if closed["a/x"].Seen || closed["a/x"].Why == "" || !closed["b/x"].Seen {
		t.Errorf("without a right to list pods in one namespace: %+v", closed)
	}
}
