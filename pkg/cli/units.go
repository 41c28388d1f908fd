package cli

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
)

// unitNames reads --unit: NAME is for all servers, ID=NAME for one of them.
func unitNames(values []string) (out migration.HostOptions, err error) {
	for _, value := range values {
		own, name, found := strings.Cut(value, "=")
		if !found {
			name = value
		}
		id, err := strconv.ParseInt(own, 10, 64)
		switch {
		case found && (err != nil || ensemble.ID(id) < ensemble.MinID || ensemble.ID(id) > ensemble.MaxID || name == ""), !isUnit(name):
			return out, usagef("--unit=%q is not the name of a unit, program or container, or the path of a script: write it without blanks, as zookeeper.service, or ID=NAME for one server", quote.Typed(value))
		case found:
			out.Own = append(out.Own, migration.OwnUnit{ID: ensemble.ID(id), Unit: name})
		default:
			out.Unit = name
		}
	}
	return out, nil
}

func isUnit(name string) bool {
	return name == "" || len(name) <= 255 && regexp.MustCompile(`^[A-Za-z0-9_/][A-Za-z0-9@:._/\\+-]*$`).MatchString(name)
}

// nameUnits puts names that were given over those that are recorded: one for all is in place of
// every other.
func nameUnits(rec *migration.Record, given migration.HostOptions) error {
	if given.Unit != "" || len(given.Own) == 0 {
		rec.Hosts.Unit, rec.Hosts.Own = given.Unit, nil
	}
	for _, own := range given.Own {
		if _, ok := rec.Server(own.ID); !ok {
			return usagef("--unit=%d=%s: the ensemble has no server %d", own.ID, own.Unit, own.ID)
		}
		rec.Hosts.Own = append(slices.DeleteFunc(slices.Clone(rec.Hosts.Own), func(o migration.OwnUnit) bool { return o.ID == own.ID }), own)
	}
	return nil
}
