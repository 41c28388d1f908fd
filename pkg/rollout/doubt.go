package rollout

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// Doubt is what a look says against the word that all servers are done.
type Doubt struct {
	// Code is the first problem's.
	Code     migration.Code
	Evidence []string
	// Next is what to do about it.
	Next string
}

// Doubts reports whether a look contradicts that word.
func Doubts(o migration.Observation) (Doubt, bool) {
	hindrances := migration.Hindrances(migration.Problems(o))
	if len(hindrances) == 0 {
		return Doubt{}, false
	}
	d := Doubt{Code: hindrances[0].Code, Next: migration.Next(o)}
	for _, p := range hindrances {
		d.Evidence = append(append(d.Evidence, p.Text), p.Evidence...)
	}
	return d, true
}
