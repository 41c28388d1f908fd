package preflight

import (
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/command"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// TestEveryCheckSaysWhatItNeeds: none is ok because nobody thought of its input.
func TestEveryCheckSaysWhatItNeeds(t *testing.T) {
	for _, c := range Checks() {
		if len(needs(c.ID)) == 0 {
			t.Errorf("%s does not say what it looks at", c.ID)
		}
	}
}

func timedOut() vantage.Sighting { return vantage.Sighting{Reach: vantage.Timeout} }

// TestNeverOKForWhatWasNotSeen: each case takes one input away. Checks that rest
// on it are skipped or unknown; the others are not touched by it.
func TestNeverOKForWhatWasNotSeen(t *testing.T) {
	files := "ZK010 ZK012 ZK013 ZK014 ZK015 ZK016 ZK018 ZK021 ZK022 ZK034 ZK029 ZK031 ZK032"
	for name, c := range map[string]struct {
		change func(*Facts)
		ids    string
		result Result
		says   string
		// and are checks with another outcome.
		and map[string]Result
	}{
		"no files":         {func(f *Facts) { f.Files = 0 }, files, Skip, "were not read", map[string]Result{"ZK011": Skip}},
		"one file for all": {func(f *Facts) { f.Files = 1 }, "ZK011", Skip, "one file was read", nil},
		"two of three":     {func(f *Facts) { f.Files = 2 }, "ZK011", Skip, "2 files were read, and there are 3 servers", nil},
		"a server not seen": {func(f *Facts) {
			f.Direct[2], f.Through[2], f.Election[2] = timedOut(), timedOut(), vantage.PortSilent
		},
			"ZK001 ZK002 ZK003 ZK004 ZK005 ZK006 ZK008 ZK017 ZK020 ZK023", Unknown, "server 2 was not seen from here", nil},
		"seen through its Service alone": {func(f *Facts) { f.Direct[2], f.Election[2] = timedOut(), vantage.PortSilent }, "", OK, "", nil},
		"seen at its host alone":         {func(f *Facts) { f.Through[2] = timedOut() }, "ZK020", Unknown, "server 2 was not seen", nil},
		"a replaced server not seen": {func(f *Facts) {
			f.Through[2] = timedOut()
			delete(f.Direct, 2)
			delete(f.Election, 2)
		}, "ZK001 ZK002 ZK003 ZK004 ZK005 ZK006 ZK008 ZK017 ZK020 ZK023", Unknown, "server 2 was not seen", nil},
		"refused is seen": {func(f *Facts) {
			f.Direct[2] = vantage.Sighting{Reach: vantage.Refused}
			f.Through[2] = f.Direct[2]
		}, "ZK001 ZK020", Fail, "server 2", nil},
		"one that does not say who it is": {func(f *Facts) {
			for _, m := range []map[ensemble.ID]vantage.Sighting{f.Direct, f.Through} {
				s := m[2]
				s.ServerID = ensemble.MaybeID{}
				m[2] = s
			}
		}, "ZK005", Unknown, "does not say which server it is", nil},
		"nobody could look for clashes": {func(f *Facts) { f.ClashesError = "forbidden" }, "K8S002", Unknown, "forbidden", nil},
		"no look at the ensemble":       {func(f *Facts) { f.Looked, f.LookError = false, "the gate cannot be read" }, "ZK024 ZK025", Unknown, "gate", nil},
		"a look that saw not everybody": {func(f *Facts) {
			f.Problems = []migration.Problem{{Class: migration.ClassUnseen, Text: "server 2 was not seen"}}
		}, "ZK024 ZK025", Unknown, "server 2", nil},
		"a ghost": {func(f *Facts) {
			f.Problems = []migration.Problem{{Class: migration.ClassWrong, Code: migration.CodeGhostHost, Text: "two processes with one id"}}
		}, "ZK024", Fail, "two processes", nil},
		"wrapped twice":               {func(f *Facts) { f.Twins = []string{"ensemble other has 10.0.0.1:2181"} }, "ZK026", Fail, "ensemble other", nil},
		"other namespaces are closed": {func(f *Facts) { f.TwinsUnlooked = "you may not list other namespaces" }, "ZK026", Unknown, "may not", nil},
		"a planned stop": {func(f *Facts) {
			f.Problems = []migration.Problem{{Class: migration.ClassPlanned, Server: ensemble.ID(2).Known(), Text: "replace of server 2 is under way, begun by alice"}}
			f.Direct[2], f.Through[2], f.Election[2] = timedOut(), timedOut(), vantage.PortClosed
			f.Unasked = map[ensemble.ID]bool{2: true}
		}, "ZK025", Warn, "begun by alice", nil},
		"wrong beside unseen": {func(f *Facts) {
			f.Direct[2], f.Through[2] = timedOut(), timedOut()
			s := f.Through[1]
			s.Version, _ = ensemble.ParseVersion("3.9.3")
			f.Through[1] = s
		}, "ZK002 ZK004", Fail, "3.9.3", map[string]Result{"ZK001": Unknown, "ZK003": Unknown, "ZK005": Unknown, "ZK006": Unknown, "ZK017": Unknown, "ZK020": Unknown, "ZK023": Unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy("3.8.6")
			c.change(&f)
			for _, got := range Run(f) {
				want, ok := c.and[got.ID]
				if !ok {
					want = unasked(got.ID)
				}
				if strings.Contains(" "+c.ids+" ", " "+got.ID+" ") {
					want = c.result
					if !strings.Contains(strings.Join(got.Detail, "\n"), c.says) {
						t.Errorf("%s does not say %q: %v", got.ID, c.says, got.Detail)
					}
				}
				if got.Result != want {
					t.Errorf("%s %s: %s, want %s (%v)", got.ID, got.Title, got.Result, want, got.Detail)
				}
				if got.Result == Unknown && !got.Blocks && got.ID != "ZK003" && got.ID != "ZK025" && got.ID != "ZK026" {
					t.Errorf("%s is unknown and does not block", got.ID)
				}
			}
		})
	}
}

// TestHintOfCommits: nobody is told to restart all servers where a client has to
// authenticate, or an election is under way.
func TestHintOfCommits(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		change  func(*Facts)
		says    string
	}{
		"authentication":        {"3.8.6", func(f *Facts) { f.CommitAuth = true }, "add ip to enforce.auth.schemes"},
		"an election":           {"3.8.6", func(f *Facts) { f.CommitStuck = true }, "restart nothing before that"},
		"stuck by an old fault": {"3.5.7", func(f *Facts) { f.CommitStuck = true }, "only a restart of all servers at the same time"},
		"authentication on 3.5": {"3.5.7", func(f *Facts) { f.CommitAuth = true }, "add ip"},
		"anything else":         {"3.5.7", func(*Facts) {}, "run the check again"},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(c.version)
			f.CommitError = "it did not commit"
			c.change(&f)
			for _, got := range Run(f) {
				if got.ID == "ZK007" && (got.Result != Fail || !strings.Contains(got.Hint, c.says)) {
					t.Errorf("%s: %s", got.Result, got.Hint)
				}
			}
		})
	}
}

// TestHintsNameTheCluster: what a hint sends to is the cluster that was checked; the
// docs name none.
func TestHintsNameTheCluster(t *testing.T) {
	via := command.Via{}.With("context", "prod")
	for _, c := range Checks() {
		if c.HintFor == nil || !strings.Contains(c.Hint, "kubectl zkmigrate status") {
			continue
		}
		if got := c.HintFor(Facts{Via: via}); strings.ReplaceAll(got, " --context=prod", "") != c.Hint || got == c.Hint {
			t.Errorf("%s: %s, in the docs %s", c.ID, got, c.Hint)
		}
	}
}
