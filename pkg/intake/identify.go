package intake

import (
	"path/filepath"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Identify finds out whose file each of several is, where the operator gave a
// directory instead of ID=FILE: by a copy of myid beside it, or by its folder's
// or its own name, which may be the id, the host as the server list has it, the
// host's short name, or ID-HOST as in what reconfigure writes. What is not found
// stays unknown. myid gives what the file of that name beside a source says.
func Identify(hosts []ensemble.HostConfig, myid func(source string) (text string, found bool)) {
	if len(hosts) < 2 {
		return
	}
	for i := range hosts {
		h := &hosts[i]
		if !h.ID.IsZero() {
			continue
		}
		if text, found := myid(h.Source); found {
			if id, err := ensemble.ParseID(strings.TrimSpace(text)); err == nil {
				h.ID = id.Known()
				continue
			}
		}
		stem := strings.TrimSuffix(filepath.Base(h.Source), filepath.Ext(h.Source))
		for _, name := range []string{filepath.Base(filepath.Dir(h.Source)), stem} {
			if id := byName(name, h.Config); !id.IsZero() {
				h.ID = id
				break
			}
		}
	}
}

// byName is the one server that a name can mean, none when none or several.
func byName(name string, c *ensemble.Config) ensemble.MaybeID {
	var found ensemble.MaybeID
	for _, s := range c.Servers {
		short, _, _ := strings.Cut(s.Host, ".")
		head, host, dashed := strings.Cut(name, "-")
		switch {
		case name == s.ID.String(), strings.EqualFold(name, s.Host), strings.EqualFold(name, short) && !isNumber(short),
			dashed && head == s.ID.String() && host != "":
			if !found.IsZero() {
				return ensemble.MaybeID{}
			}
			found = s.ID.Known()
		}
	}
	return found
}

// isNumber tells the first label of an IPv4 address from a short name.
func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
