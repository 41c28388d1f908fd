package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/manifest"
)

// Member is one ensemble that the file names, or that a selector found: with its own name
// and namespace, and the labels of its journal.
type Member struct {
	manifest.FleetEnsemble
	// Path is where the file speaks of it, as spec.ensembles[0].
	Path    string
	Found   map[string]string
	Digests map[string]string
}

// ID names an ensemble in commands.
func ID(m Member) string {
	if m.Context == "" {
		return m.Namespace + "/" + m.Name
	}
	return m.Namespace + "/" + m.Name + "@" + m.Context
}

// Freeze makes the plan of a run. Errors name file, line and field, all of them at once.
func Freeze(doc manifest.FleetDocument, namespace string, members []Member, now time.Time) (Plan, error) {
	spec := doc.Spec
	p := Plan{
		APIVersion: manifest.APIVersion, Kind: Kind, Name: doc.Metadata.Name, Namespace: namespace,
		Until: Goal(cmp.Or(spec.Until, string(Replaced))), MaxConcurrency: cmp.Or(spec.Strategy.MaxConcurrency, defaultConcurrency),
		ElectionsPerHour: spec.Strategy.ElectionsPerHour, Timeout: metav1.Duration{Duration: cmp.Or(duration(spec.Strategy.Timeout), defaultTimeout)},
	}
	var errs []error
	bad := func(path, format string, a ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", doc.At(path), fmt.Sprintf(format, a...)))
	}
	for i, w := range spec.Strategy.Windows {
		window := Window{Cron: w.Cron, Duration: metav1.Duration{Duration: duration(w.Duration)}, TimeZone: cmp.Or(w.TimeZone, "UTC")}
		if err := window.check(now); err != nil {
			bad(fmt.Sprintf("spec.strategy.windows[%d]", i), "%v", err)
		}
		p.Windows = append(p.Windows, window)
	}
	stages := spec.Strategy.Stages
	if len(stages) == 0 {
		stages = []manifest.Stage{{Name: "all"}}
	}
	selectors := make([]labels.Selector, len(stages))
	for i, s := range stages {
		var err error
		if selectors[i], err = labels.Parse(s.Selector); err != nil {
			bad(fmt.Sprintf("spec.strategy.stages[%d].selector", i), "it is not a label selector: %v", err)
		}
	}
	if len(members) == 0 {
		errs = append(errs, fmt.Errorf("%s: no ensemble is named, and no selector finds one", doc.At("spec.ensembles")))
	}
	if len(errs) > 0 {
		return p, errors.Join(errs...)
	}
	of := map[string][]Target{}
	seen := map[string]string{}
	for _, m := range members {
		t := m.target()
		if before, twice := seen[t.ID]; twice {
			bad(m.Path, "%s is named twice, first by %s", t.ID, before)
			continue
		}
		seen[t.ID] = m.Path
		var in []string
		for i, s := range stages {
			if selectors[i].Matches(labels.Set(t.Labels)) {
				in = append(in, s.Name)
			}
		}
		if len(in) != 1 {
			bad(m.Path, "%s is in %s: each ensemble must be in exactly one stage; its labels are %s", t.ID, stagesInWords(in), labels.Set(t.Labels))
			continue
		}
		t.Stage = in[0]
		of[t.Stage] = append(of[t.Stage], t)
	}
	for i, s := range stages {
		targets := of[s.Name]
		if len(targets) == 0 && len(errs) == 0 {
			bad(fmt.Sprintf("spec.strategy.stages[%d]", i), "no ensemble is in stage %s", s.Name)
		}
		slices.SortStableFunc(targets, func(a, b Target) int { return goesBefore(s.OrderBy, a, b) })
		p.Targets = append(p.Targets, targets...)
		p.Stages = append(p.Stages, Stage{
			Name: s.Name, Concurrency: concurrency(s.Concurrency, len(targets)), Tolerate: s.Tolerate,
			SoakEach: metav1.Duration{Duration: duration(s.SoakEach)}, Soak: metav1.Duration{Duration: duration(s.Soak)},
			ApproveBefore: s.ApproveBefore, ApproveAfter: s.ApproveAfter,
		})
	}
	return p, errors.Join(errs...)
}

const (
	defaultConcurrency = 5
	defaultTimeout     = time.Hour
	defaultTier        = 9
)

// duration is that of a field, whose form the manifest's table has judged.
func duration(text string) time.Duration {
	d, _ := time.ParseDuration(text)
	return d
}

func (m Member) target() Target {
	t := Target{
		ID: ID(m), Name: m.Name, Namespace: m.Namespace, Context: m.Context, Tier: cmp.Or(m.Tier, defaultTier),
		Consumers: m.Consumers, Manifest: m.Manifest, HostFiles: m.HostFiles, Hook: m.Hook, Credentials: m.Credentials, Data: m.Data, AcceptLoss: m.AcceptLoss, GiveUp: m.GiveUp, Digests: m.Digests,
	}
	// The labels of the journal first: what the file says counts more.
	t.Labels = map[string]string{}
	maps.Copy(t.Labels, m.Found)
	maps.Copy(t.Labels, m.Labels)
	t.Labels["name"], t.Labels["namespace"], t.Labels["tier"] = t.Name, t.Namespace, strconv.Itoa(t.Tier)
	return t
}

func stagesInWords(in []string) string {
	if len(in) == 0 {
		return "no stage"
	}
	return "stages " + strings.Join(in, " and ")
}

// goesBefore orders the ensembles of a stage.
func goesBefore(key string, a, b Target) int {
	return cmp.Or(byLabel(key, a, b), cmp.Compare(b.Tier, a.Tier), cmp.Compare(a.ID, b.ID))
}

func byLabel(key string, a, b Target) int {
	left, hasLeft := a.Labels[key]
	right, hasRight := b.Labels[key]
	if key == "" || !hasLeft || !hasRight {
		return -cmp.Compare(strconv.FormatBool(hasLeft && key != ""), strconv.FormatBool(hasRight && key != ""))
	}
	l, lErr := strconv.Atoi(left)
	r, rErr := strconv.Atoi(right)
	if lErr == nil && rErr == nil {
		return cmp.Compare(l, r)
	}
	return cmp.Compare(left, right)
}

// concurrency is a number, or a percentage of n, rounded down; 1 at least.
func concurrency(text string, n int) int {
	if share, percent := strings.CutSuffix(text, "%"); percent {
		p, _ := strconv.Atoi(share)
		return max(1, n*p/100)
	}
	number, _ := strconv.Atoi(text)
	return max(1, number)
}
