package preflight

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

const (
	plain = "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/d\nclientPort=2181\nautopurge.purgeInterval=1\n"
	three = "server.1=10.1.0.1:2888:3888\nserver.2=10.1.0.2:2888:3888\nserver.3=10.1.0.3:2888:3888\n"
)

// healthy is a wrapped ensemble of that version with nothing wrong.
func healthy(version string) Facts {
	v, _ := ensemble.ParseVersion(version)
	f := Facts{
		Room: &Room{}, Images: []Image{{Pod: "demo-pod-0", Holds: v, Wants: v}},
		Direct: map[ensemble.ID]vantage.Sighting{}, Through: map[ensemble.ID]vantage.Sighting{}, Election: map[ensemble.ID]vantage.PortState{},
		FileConfig: map[ensemble.ID]string{}, LiveConfig: map[ensemble.ID]string{},
		CommitAsked: true, KubernetesMinor: 34, Wrapped: true, Files: 3, Looked: true, InitLimit: 10, TickTimeMillis: 2000, DataBytes: 1 << 20,
	}
	for id := ensemble.ID(1); id <= 3; id++ {
		mode := ensemble.Follower
		if id == 3 {
			mode = ensemble.Leader
		}
		seen := vantage.Sighting{Reach: vantage.Answered, Version: v, Mode: mode, ServerID: id.Known()}
		host := "10.0.0." + id.String()
		f.Servers = append(f.Servers, migration.ServerRecord{HostIP: host, Server: ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1}})
		f.Direct[id], f.Through[id], f.Election[id] = seen, seen, vantage.PortOpen
		f.LiveConfig[id] = "0"
	}
	return f
}

// unasked is the outcome of a check with nothing wrong, where no host and no pod was asked.
func unasked(id string) Result {
	if strings.HasPrefix(id, "NET") || strings.HasPrefix(id, "HOST") {
		return Skip
	}
	return OK
}

// weigh gives the servers weights, in one group.
func weigh(f *Facts, weights ...int) {
	for i, w := range weights {
		f.Servers[i].Weight, f.Servers[i].Group = w, 1
	}
}

func linted(t *testing.T, version, text string) []ensemble.Finding {
	t.Helper()
	v, err := ensemble.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ensemble.ParseConfig("zoo.cfg", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return ensemble.Lint(c, v)
}

// TestAudit: each case changes one thing, and one check alone speaks up.
func TestAudit(t *testing.T) {
	const version = "3.8.6"
	file := func(text string) func(*Facts) {
		return func(f *Facts) { f.Lint = linted(t, version, text) }
	}
	for name, c := range map[string]struct {
		change func(*Facts)
		id     string
		result Result
		says   string
	}{
		"nothing wrong":        {file(plain + three), "", OK, ""},
		"forceSync=no":         {file(plain + three + "forceSync=no\n"), "ZK013", Fail, "forceSync=no"},
		"Exhibitor":            {file("# made by Exhibitor\n" + plain + three), "ZK014", Fail, "zoo.cfg:1:"},
		"snapshot.trust.empty": {file(plain + three + "snapshot.trust.empty=true\n"), "ZK015", Warn, "snapshot.trust.empty"},
		"reconfigEnabled":      {file(plain + three + "reconfigEnabled=true\n"), "ZK016", Warn, "reconfigEnabled"},
		"autopurge off":        {file(strings.Replace(plain, "autopurge.purgeInterval=1\n", "", 1) + three), "ZK018", Warn, "autopurge"},
		"TLS between servers":  {file(plain + three + "sslQuorum=true\n"), "ZK021", Warn, "certificates"},
		"principals with a host": {file(plain + three + "quorum.auth.kerberos.servicePrincipal=zk/zk1.example.internal@REALM\n"), "ZK021", Warn,
			"names without zk1.example.internal"},
		"Kerberos between servers": {file(plain + three + "quorum.auth.enableSasl=true\nquorum.auth.serverRequireSasl=true\nquorum.auth.kerberos.servicePrincipal=zk/_HOST\n"), "ZK034", Fail,
			"servers reject each other"},
		"client part on loopback": {file(plain + strings.ReplaceAll(three, ":3888\n", ":3888;localhost:2181\n")), "ZK022", Warn, "localhost is this machine alone"},
		"client port on loopback": {file(plain + three + "clientPortAddress=127.0.0.1\n"), "ZK022", Warn,
			"clientPortAddress"},
		"a port that no Service has": {func(f *Facts) {
			f.Wrapped = true
			for _, s := range f.Servers {
				s.SecureClientPort = 2281
				f.Said = append(f.Said, s.Server)
			}
		}, "ZK029", Fail, "server 1 listens on secure-client port 2281, which its Service does not have"},
		"a typing error": {file(plain + three + "server.3=10.1.0.4:2888:3888\n"), "ZK010", Fail, "server.3"},
		"a key twice":    {file(plain + three + "syncLimit=5\n"), "ZK012", Warn, "syncLimit"},
		"two servers":    {file(plain + strings.Replace(three, "server.3=10.1.0.3:2888:3888\n", "", 1)), "ZK009", Fail, "2 voters"},
		"a voter that the quorum cannot spare": {func(f *Facts) { weigh(f, 2, 1, 1) }, "ZK009", Fail,
			"without server 1 the other 2 voters are no quorum"},
		"each can be spared":    {func(f *Facts) { weigh(f, 3, 2, 2) }, "", OK, ""},
		"a vote without weight": {func(f *Facts) { weigh(f, 0, 1, 1) }, "ZK009", Fail, "2 voters"},
		"files that differ":     {func(f *Facts) { f.Differences = []string{"x differs"} }, "ZK011", Fail, "x differs"},
		"a reconfiguration under way": {func(f *Facts) { f.LiveConfig[2] = "100000003" }, "ZK017", Fail,
			"version 100000003: servers [2]"},
		"files older than the servers": {func(f *Facts) {
			for id := range f.LiveConfig {
				f.LiveConfig[id], f.FileConfig[id] = "200000000", "100000000"
			}
		}, "ZK017", Fail, "server 1 runs with version 200000000, its file has 100000000"},
		"versions in two spellings": {func(f *Facts) { f.FileConfig[1], f.LiveConfig[1] = "00", "" }, "", OK, ""},
		"no version shown":          {func(f *Facts) { f.LiveConfig = nil }, "ZK017", Skip, "3.4"},
		"large data":                {func(f *Facts) { f.DataBytes = 4 << 30 }, "ZK019", Warn, "initLimit is 10"},
		"size unknown":              {func(f *Facts) { f.DataBytes = 0 }, "ZK019", Skip, "mntr"},
		"mixed versions": {func(f *Facts) {
			s := f.Through[2]
			s.Version, _ = ensemble.ParseVersion("3.8.5")
			f.Through[2] = s
		}, "ZK004", Fail, "3.8.5: servers [2]"},
		"mixed versions, waived": {func(f *Facts) {
			s := f.Through[2]
			s.Version, _ = ensemble.ParseVersion("3.8.5")
			f.Through[2], f.Waivers = s, []string{"ZK004"}
		}, "ZK004", Waived, "3.8.5"},
		"silent, and nobody asked": {func(f *Facts) {
			f.Direct[2], f.Through[2], f.Election[2] = vantage.Sighting{}, vantage.Sighting{}, vantage.PortClosed
			f.Wrapped, f.Unasked = false, map[ensemble.ID]bool{2: true}
		}, "ZK020", Skip, "not wrapped yet"},
		"a voter that no file names": {func(f *Facts) {
			s := f.Through[3]
			s.SyncedFollowers = 4
			f.Through[3] = s
		}, "ZK023", Fail, "server 3 leads and forwards to 4 followers, the files have 2"},
		"a list with more": {func(f *Facts) {
			s := f.Through[1]
			for id := ensemble.ID(1); id <= 4; id++ {
				s.Members = append(s.Members, ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1})
			}
			f.Through[1] = s
		}, "ZK023", Fail, "server 1 runs with a server.4"},
		"groups that no file names": {func(f *Facts) {
			s := f.Through[1]
			for id := ensemble.ID(1); id <= 3; id++ {
				s.Members = append(s.Members, ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, Group: 1})
			}
			f.Through[1] = s
		}, "ZK023", Fail, "weight 1 in group 1, the files have participant of weight 1 in group 0"},
		"nobody tells of followers": {func(f *Facts) {
			s := f.Through[3]
			s.SyncedFollowers = -1
			f.Through[3] = s
		}, "ZK023", Skip, "whitelisted"},
		"forceSync=no cannot be waived": {func(f *Facts) {
			f.Lint, f.Waivers = linted(t, version, plain+three+"forceSync=no\n"), []string{"ZK013"}
		}, "ZK013", Fail, "forceSync"},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(version)
			c.change(&f)
			for _, got := range Run(f) {
				want := unasked(got.ID)
				if got.ID == c.id {
					want = c.result
				}
				if got.Result != want {
					t.Errorf("%s %s: %s, want %s (%v)", got.ID, got.Title, got.Result, want, got.Detail)
				}
				if got.ID == c.id && !strings.Contains(strings.Join(got.Detail, "\n"), c.says) {
					t.Errorf("%s does not say %q: %v", got.ID, c.says, got.Detail)
				}
			}
		})
	}
}

// TestAMovedServerIsHeldToTheServices: what a server runs with that has moved to
// the Services' addresses is no more in the hosts' files; the journal knows it.
func TestAMovedServerIsHeldToTheServices(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	verified := func(s *migration.ServerRecord) { s.Reconfigured = &migration.Confirmation{At: at} }
	inItsPod := func(s *migration.ServerRecord) { s.Replaced = &at }
	for name, c := range map[string]struct {
		moved  func(*migration.ServerRecord)
		change func(list []ensemble.Server) []ensemble.Server
		says   string
	}{
		"the Services' addresses":                     {moved: verified},
		"the Services' addresses, in its pod":         {moved: inItsPod},
		"a Service's name":                            {verified, func(l []ensemble.Server) []ensemble.Server { l[2].Host = "demo-3.zk.svc"; return l }, ""},
		"its host's address":                          {verified, func(l []ensemble.Server) []ensemble.Server { l[2].Host = "10.1.0.3"; return l }, "server.3 is 10.1.0.3, not 10.96.0.3"},
		"its host's address, in its pod":              {inItsPod, func(l []ensemble.Server) []ensemble.Server { l[2].Host = "10.1.0.3"; return l }, "server.3 is 10.1.0.3, not 10.96.0.3"},
		"an address of nobody's":                      {verified, func(l []ensemble.Server) []ensemble.Server { l[2].Host = "10.1.9.9"; return l }, "server.3 is 10.1.9.9, neither 10.96.0.3 nor its host"},
		"a server is missing":                         {verified, func(l []ensemble.Server) []ensemble.Server { return l[:2] }, "server.3 is missing"},
		"a server too many":                           {verified, func(l []ensemble.Server) []ensemble.Server { return append(l, ensemble.Server{ID: 4}) }, "server.4 is none of this ensemble"},
		"another role":                                {verified, func(l []ensemble.Server) []ensemble.Server { l[2].Role = ensemble.Observer; return l }, "server.3 is observer there, not participant of weight 1 in group 0"},
		"another port":                                {inItsPod, func(l []ensemble.Server) []ensemble.Server { l[2].ElectionPort = 3889; return l }, "server.3 has ports 2888:3889, not 2888:3888"},
		"one that was not restarted has its old list": {nil, func(l []ensemble.Server) []ensemble.Server { l[2].Host = "10.1.0.3"; return l }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy("3.8.6")
			var list []ensemble.Server
			for i := range f.Servers {
				s := &f.Servers[i]
				s.PeerAddress = ensemble.PeerAddress{Host: "zk" + s.ID.String(), PeerPort: 2888, ElectionPort: 3888}
				s.HostIP, s.Service, s.ClusterIP = "10.1.0."+s.ID.String(), "demo-"+s.ID.String(), "10.96.0."+s.ID.String()
				member := s.Server
				member.Host = s.ClusterIP
				list = append(list, member)
			}
			if c.moved != nil {
				c.moved(&f.Servers[1])
			}
			if c.change != nil {
				list = c.change(list)
			}
			f.Record = migration.Record{Name: "demo", Namespace: "zk", Servers: f.Servers}
			seen := f.Through[2]
			seen.Members = list
			f.Through[2] = seen
			for _, got := range Run(f) {
				if got.ID != "ZK023" {
					continue
				}
				if c.says == "" {
					if got.Result != OK {
						t.Errorf("%s: %v", got.Result, got.Detail)
					}
					continue
				}
				if want := []string{"the live list of server 2: " + c.says}; got.Result != Fail || !slices.Equal(got.Detail, want) {
					t.Errorf("%s: %q, want %q", got.Result, got.Detail, want)
				}
			}
		})
	}
}

// TestVersionGate: each refused release with its reason, its neighbours not.
func TestVersionGate(t *testing.T) {
	for version, refused := range map[string]bool{
		"3.3.6": true, "3.4.0": true, "3.4.5": true, "3.4.6": false, "3.4.14": false, "3.5.0": true, "3.5.8": true, "3.5.9": false,
		"3.6.0": true, "3.6.1": true, "3.6.2": false, "3.7.0": false, "3.8.0": false, "3.9.2": false, "3.9.3": true, "3.9.4": false, "3.10.0": true,
	} {
		for _, got := range Run(healthy(version)) {
			if got.ID == migration.WaiverVersion && (got.Result == Fail) != refused {
				t.Errorf("%s: %s %v", version, got.Result, got.Detail)
			}
		}
	}
}

// TestChecksAreData: ids once, texts there, every code one that Lint has and
// reported by one check.
func TestChecksAreData(t *testing.T) {
	ids, codes := map[string]bool{}, map[string]string{}
	for _, c := range Checks() {
		if ids[c.ID] || c.Title == "" || c.Eval == nil && len(c.Codes) == 0 {
			t.Errorf("check %q is there twice, or empty", c.ID)
		}
		if c.Severity == Blocker && c.Hint == "" {
			t.Errorf("%s blocks and does not say what helps", c.ID)
		}
		ids[c.ID] = true
		for _, code := range c.Codes {
			if codes[code] != "" {
				t.Errorf("%s and %s both report %s", codes[code], c.ID, code)
			}
			codes[code] = c.ID
		}
	}
}

// TestLeaderNobodyAsks: the Service of the leader, in its pod, may be the one
// that wrap is to make again; two leaders are one too many all the same.
func TestLeaderNobodyAsks(t *testing.T) {
	f := healthy("3.8.0")
	f.Direct[3], f.Through[3], f.Election[3] = vantage.Sighting{}, vantage.Sighting{}, vantage.PortClosed
	f.Wrapped, f.Unasked = false, map[ensemble.ID]bool{3: true}
	for _, got := range Run(f) {
		if got.Result == Fail {
			t.Errorf("%s %s: %v", got.ID, got.Title, got.Detail)
		}
	}
	for _, id := range []ensemble.ID{1, 2} {
		v := f.Direct[id]
		v.Mode = ensemble.Leader
		f.Direct[id], f.Through[id] = v, v
	}
	for _, got := range Run(f) {
		if (got.Result == Fail) != (got.ID == "ZK006") {
			t.Errorf("%s %s: %s", got.ID, got.Title, got.Result)
		}
	}
}
