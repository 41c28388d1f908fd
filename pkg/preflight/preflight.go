// Package preflight holds the coded checks: facts in, findings out. It asks
// nobody anything; collecting the facts is an edge's work.
package preflight

import (
	"sort"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// Severity says what a failing check means.
type Severity string

const (
	// Blocker: the tool goes no further.
	Blocker Severity = "blocker"
	// Warning: worth knowing, no obstacle.
	Warning Severity = "warning"
)

// Result is the outcome of one check.
type Result string

// The outcomes.
const (
	OK   Result = "ok"
	Warn Result = "warn"
	Fail Result = "fail"
	// Skip: it was not made, for what it looks at was not asked for or is not told.
	Skip Result = "skip"
	// Unknown: it was made, and not everything it looks at could be seen.
	Unknown Result = "unknown"
	// Waived: it failed and an operator waived it by name.
	Waived Result = "waived"
)

// Finding is what one check found.
type Finding struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Result Result `json:"result"`
	// Detail says what was seen, Hint what helps.
	Detail []string `json:"detail,omitempty"`
	Hint   string   `json:"hint,omitempty"`
	// Blocks: nothing begins with this outcome.
	Blocks bool `json:"blocks,omitempty"`
}

// Check is one check. Ids are never reused.
type Check struct {
	ID       string
	Title    string
	Severity Severity
	// Waivable by name; the checks behind I1 to I5 are not.
	Waivable bool
	Hint     string
	// HintFor is the hint where it hangs on the facts; Hint is then what help and docs
	// say.
	HintFor func(Facts) string
	// Bounded: what the user may not look at does not block.
	Bounded bool
	// BeforeStop: asked again before a command touches the first host, for what
	// would be missing later on.
	BeforeStop bool
	// Codes are the findings of ensemble.Lint that this check reports.
	Codes []string
	// Eval returns the details of what is wrong; none means ok. skip is a
	// reason why nothing could be said. nil where Codes are all.
	Eval func(Facts) (wrong []string, skip string)
}

// Facts is everything the checks look at.
type Facts struct {
	// Servers as the operator's files list them, with host addresses.
	Servers []migration.ServerRecord
	// Record is the journal, zero before the wrap: what servers that have moved to
	// the Services' addresses are held to.
	Record migration.Record
	// Direct is what each server answers at its host's address, Through at
	// its Service's (empty before the wrap).
	Direct  map[ensemble.ID]vantage.Sighting
	Through map[ensemble.ID]vantage.Sighting
	// Unasked are servers whose silence is nobody's concern here.
	Unasked map[ensemble.ID]bool
	// Election is the state of each host's election port.
	Election map[ensemble.ID]vantage.PortState
	// CommitError is why a canary write failed, or empty; CommitAsked says
	// that one was tried.
	CommitAsked bool
	CommitError string
	// CommitAuth: clients must authenticate; CommitStuck: the write was taken and
	// did not come back.
	CommitAuth, CommitStuck bool
	// ClientAuth is how clients must authenticate. Sessions are those that this command tried with each
	// server; nil where neither it nor clients need to authenticate.
	ClientAuth ClientAuth
	Sessions   map[ensemble.ID]SessionTry
	// Files is how many hosts' files were read, 0 where none was named.
	Files int
	// Said are the servers as the hosts' files have them.
	Said []ensemble.Server
	// Lint is what ensemble.Lint found in the hosts' files, for the version
	// that runs; Differences are those between hosts.
	Lint        []ensemble.Finding
	Differences []string
	// FileConfig and LiveConfig are the versions of the dynamic configuration
	// (hexadecimal) that each host's file has and each server runs with (3.5+);
	// servers that do not say are left out.
	FileConfig map[ensemble.ID]string
	LiveConfig map[ensemble.ID]string
	// DataBytes is the live size of the data, 0 when unknown; InitLimit (ticks)
	// and TickTimeMillis are what an empty server has for loading it.
	DataBytes                 int64
	InitLimit, TickTimeMillis int
	// Named are the files that the configuration names, Stored what is in the Secret and
	// the ConfigMap that are to hold them.
	Named  []ensemble.FileRef
	Stored Stored
	// LeftOver are the Secrets and ConfigMaps of former settings that nothing refers to, LeftOverUnlooked
	// why nobody could look.
	LeftOver         []string
	LeftOverUnlooked string
	// QuorumTLS is what is configured between servers, Certificates what they show, Now when
	// that was looked at.
	QuorumTLS    QuorumTLS
	Certificates []Shown
	Now          time.Time
	// Reports are what machines said of the paths to the servers; none where nobody was asked.
	// PodLooks are what pods tried, Pods the pods' addresses.
	Reports  []HostReport
	PodLooks []PodLook
	Pods     map[ensemble.ID]string
	// Listening are the servers in whose parked pods something accepts connections at their
	// ports, as was seen before anybody was asked.
	Listening map[ensemble.ID]bool
	// Sources are the clients that each server has now, by address, and how many connections
	// of one address it takes.
	Sources map[ensemble.ID]ClientCount
	// ACLs is what a scan of the znodes found, nil where none was made; ACLsError is why it could not
	// begin.
	ACLs      *vantage.ACLScan
	ACLsError string
	// FileSHA256 is the digest of each host's zoo.cfg as it was given.
	FileSHA256 map[ensemble.ID]string
	// Lacking lists permissions that are missing, Unanswered those about which
	// nobody could say; PermissionsError is why none could be asked about,
	// RoleCommand prints the Role that has them all.
	Lacking, Unanswered []string
	PermissionsError    string
	RoleCommand         string
	// Clashes lists objects that exist and are not ours, ClashesError why nobody
	// could look.
	Clashes      []string
	ClashesError string
	// Twins are other ensembles of ours on the same hosts, TwinsUnlooked where the
	// user may not look for them, TwinsError why nobody could look at all.
	Twins                     []string
	TwinsUnlooked, TwinsError string
	// Problems are those of a look as status takes it: Looked says that one was
	// taken, LookError why not.
	Problems  []migration.Problem
	Looked    bool
	LookError string
	// Room is what the pods would find that are not there yet; nil while nobody
	// knows how they are made. RoomError is why nobody could look.
	Room      *Room
	RoomError string
	// PodsUnknown is why nobody knows how pods are made, before the wrap; empty where nothing said it.
	PodsUnknown string
	// Images are those of the parked pods.
	Images []Image
	// ServerVersion is the cluster's, as "1.34".
	KubernetesMinor int
	// Phase is the part of the way that is about to begin; empty where none is.
	Phase migration.PhaseName
	// Wrapped says that Services exist.
	Wrapped bool
	// Waivers are ids of checks that were waived.
	Waivers []string
	// Via is put into the commands of hints.
	Via command.Via
}

// Run evaluates every check, in the order of the list.
func Run(f Facts) []Finding { return run(f, Checks()) }

// BeforeStop evaluates the checks that are asked again before the first host is
// touched. Their facts can be gathered without looking at ZooKeeper.
func BeforeStop(f Facts) []Finding {
	var checks []Check
	for _, c := range Checks() {
		if c.BeforeStop {
			checks = append(checks, c)
		}
	}
	findings := run(f, checks)
	for i := range findings {
		if checks[i].lasting() {
			// What nobody has tried lately is said by check.
			findings[i].Blocks = findings[i].Result == Fail && stops(checks[i].ID, f.Phase)
		}
	}
	return findings
}

func run(f Facts, checks []Check) []Finding {
	waived := map[string]bool{}
	for _, w := range f.Waivers {
		waived[w] = true
	}
	var out []Finding
	for _, c := range checks {
		out = append(out, c.run(f, waived[c.ID]))
	}
	return out
}

// run makes one check. What was seen to be wrong counts, whatever else was not
// seen; without it, a check that was not made in full is not ok.
func (c Check) run(f Facts, waived bool) Finding {
	wrong, skip := c.eval(f)
	missing, hidden := c.lacks(f)
	if skip == "" {
		skip = missing
	}
	hint := c.Hint
	if c.HintFor != nil {
		hint = c.HintFor(f)
	}
	sort.Strings(wrong)
	fd := Finding{ID: c.ID, Title: c.Title, Result: OK}
	switch {
	case len(wrong) > 0:
		fd.Result, fd.Detail, fd.Hint = Fail, wrong, hint
		if c.Severity == Warning {
			fd.Result = Warn
		} else if c.Waivable && waived {
			fd.Result = Waived
		}
	case skip != "":
		fd.Result, fd.Detail = Skip, []string{skip}
	case len(hidden) > 0:
		fd.Result, fd.Detail = Unknown, hidden
	}
	fd.Blocks = fd.Result == Fail || fd.Result == Unknown && c.Severity == Blocker && !c.Bounded
	return fd
}

// eval joins what a check finds itself with the findings it reports.
func (c Check) eval(f Facts) (wrong []string, skip string) {
	if c.Eval != nil {
		wrong, skip = c.Eval(f)
	}
	for _, l := range f.Lint {
		for _, code := range c.Codes {
			if l.Code == code {
				wrong = append(wrong, text(l))
			}
		}
	}
	return wrong, skip
}

// Failed returns the findings that block: what failed, and what could not be
// seen.
func Failed(findings []Finding) []Finding {
	var out []Finding
	for _, f := range findings {
		if f.Blocks {
			out = append(out, f)
		}
	}
	return out
}
