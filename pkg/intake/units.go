package intake

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
)

// UnitNames reads NAME, the supervisor's name for all servers, and ID=NAME, that for one. bad is
// the first value that is neither, empty where all are.
func UnitNames(values []string) (out migration.HostOptions, bad string) {
	for _, value := range values {
		own, name, found := strings.Cut(value, "=")
		if !found {
			name = value
		}
		id, err := strconv.ParseInt(own, 10, 64)
		switch {
		case found && (err != nil || ensemble.ID(id) < ensemble.MinID || ensemble.ID(id) > ensemble.MaxID || name == ""), !isUnit(name):
			return out, value
		case found:
			out.Own = append(out.Own, migration.OwnUnit{ID: ensemble.ID(id), Unit: name})
		default:
			out.Unit = name
		}
	}
	return out, ""
}

func isUnit(name string) bool {
	return name == "" || len(name) <= 255 && regexp.MustCompile(`^[A-Za-z0-9_/][A-Za-z0-9@:._/\\+-]*$`).MatchString(name)
}
