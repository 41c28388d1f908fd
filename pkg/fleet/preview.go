package fleet

import "time"

// Preview is what a run of a plan would do, as plan shows it; its JSON form is stable.
type Preview struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Name       string    `json:"name"`
	Namespace  string    `json:"namespace"`
	At         time.Time `json:"at"`
	Until      Goal      `json:"until"`
	Digest     string    `json:"digest"`
	// Ready is how many of the ensembles could go now.
	Ready            int      `json:"ready"`
	Elections        int      `json:"elections"`
	ElectionsPerHour int      `json:"electionsPerHour,omitempty"`
	MaxConcurrency   int      `json:"maxConcurrency"`
	Windows          []Window `json:"windows,omitempty"`
	// PerServer is the median time per server of what the run has moved already. Ends is when it
	// ends by that, with windows, soaks and the budget of elections, if it begins now and every
	// approval is given at once, and Left how long that takes. Alternatives are the same with other concurrencies.
	PerServer    Seconds       `json:"perServerSeconds,omitempty"`
	Left         Seconds       `json:"leftSeconds,omitempty"`
	Ends         time.Time     `json:"ends,omitzero"`
	Alternatives []Alternative `json:"alternatives,omitempty"`
	// Recorded says what is recorded of a run, and what has changed since.
	Recorded  []string        `json:"recorded,omitempty"`
	Stages    []PreviewStage  `json:"stages"`
	Ensembles []PreviewTarget `json:"ensembles"`
}

// PreviewStage is one stage with how many ensembles it has.
type PreviewStage struct {
	Stage
	Ensembles int `json:"ensembles"`
}

// PreviewTarget is one ensemble, in the order in which they go.
type PreviewTarget struct {
	ID        string   `json:"id"`
	Stage     string   `json:"stage"`
	Ready     bool     `json:"ready"`
	Why       string   `json:"why,omitempty"`
	Next      string   `json:"next,omitempty"`
	Left      []string `json:"left,omitempty"`
	Servers   int      `json:"servers,omitempty"`
	Elections int      `json:"elections"`
	Consumers []string `json:"consumers,omitempty"`
	// Begins is when its turn comes, by what was measured.
	Begins time.Time `json:"begins,omitzero"`
}

// Foresee adds up what a run would do.
func Foresee(p Plan, s State, facts map[string]Fact, now time.Time) Preview {
	out := Preview{
		APIVersion: p.APIVersion, Kind: "FleetPlan", Name: p.Name, Namespace: p.Namespace, At: now, Until: p.Until, Digest: p.Digest(),
		ElectionsPerHour: p.ElectionsPerHour, MaxConcurrency: p.MaxConcurrency, Windows: p.Windows,
	}
	per := PerServer(s)
	told := Foretell(p, s, facts, per, now)
	out.PerServer, out.Left, out.Ends, out.Alternatives = Seconds(per.Seconds()), told.left(now), told.Ends, Alternatives(p, s, facts, per, now)
	for _, stage := range p.Stages {
		out.Stages = append(out.Stages, PreviewStage{Stage: stage, Ensembles: len(p.Of(stage.Name))})
	}
	for _, t := range p.Targets {
		f := facts[t.ID]
		one := PreviewTarget{ID: t.ID, Stage: t.Stage, Ready: f.Seen && f.Healthy && f.Ready, Why: f.Why, Next: f.Next, Servers: f.Servers, Elections: f.Elections, Consumers: t.Consumers, Begins: told.Begins[t.ID]}
		for _, part := range f.Left {
			one.Left = append(one.Left, string(part))
		}
		if one.Ready {
			out.Ready++
		}
		out.Elections += f.Elections
		out.Ensembles = append(out.Ensembles, one)
	}
	return out
}
