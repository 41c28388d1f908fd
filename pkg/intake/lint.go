package intake

import (
	"errors"
	"fmt"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// LintBy judges every file against the version its server runs, and the ports that they
// add up to; what several files say alike comes once a file.
func (d Description) LintBy(version func(ensemble.HostConfig) ensemble.Version) []ensemble.Finding {
	if len(d.Hosts) == 0 && d.Place != nil {
		return ensemble.LintServers(d.Ensemble.Servers, d.Place)
	}
	var out []ensemble.Finding
	for _, h := range d.Hosts {
		out = append(out, ensemble.Lint(h.Config, version(h))...)
	}
	return append(out, ensemble.LintPorts(d.Ensemble, d.Hosts)...)
}

// RefuseLint turns what no migration can begin with into a usage error.
func RefuseLint(d Description) error {
	var errs []error
	if err := refuseFindings(d.Lint); err != nil {
		errs = append(errs, err)
	}
	for _, diff := range d.Differences {
		errs = append(errs, fmt.Errorf("%s (expected the same on every host: %s)", diff, diff.Why))
	}
	if d.Config == nil && len(d.Ensemble.Voters()) < 3 {
		errs = append(errs, fmt.Errorf("%d voters: at least three are needed, with fewer every stop is an outage: give all servers, or grow the ensemble first", len(d.Ensemble.Voters())))
	}
	if len(errs) > 0 {
		return usage(errors.Join(errs...))
	}
	return nil
}

// refuseFindings joins blocking findings: file, line, the line, what was
// expected.
func refuseFindings(findings []ensemble.Finding) error {
	var errs []error
	for _, f := range findings {
		if f.Severity == ensemble.SeverityError {
			errs = append(errs, f.AsError())
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return usage(errors.Join(errs...))
}
