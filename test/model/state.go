package model

import (
	"slices"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// maxServers bounds the ensembles that can be explored.
const maxServers = 5

// zxid is an epoch in the high byte and a counter in the low one.
type zxid uint16

func (z zxid) epoch() uint8 { return uint8(z >> 8) }

func zx(epoch, counter uint8) zxid { return zxid(epoch)<<8 | zxid(counter) }

// store is one data directory. Logs are histories of one leader at a time, and
// a follower's log becomes its leader's when it syncs, so the last zxid and the
// set of client writes in the log say all there is to say.
type store struct {
	// z and writes are what the process has, dz and dwrites what a crash
	// leaves.
	z, dz           zxid
	writes, dwrites uint8
	// accepted and current are ZooKeeper's acceptedEpoch and currentEpoch.
	accepted, current uint8
	// empty: no snapshot and no log yet.
	empty bool
}

// role is what a ZooKeeper process does.
type role uint8

const (
	down role = iota
	looking
	following
	leading
)

func (r role) serving() bool { return r == following || r == leading }

// Pods, as far as they differ for the tool.
type podPhase uint8

const (
	podAbsent podPhase = iota
	podWaiting
	podStarted
	podTerminating
)

// bySeed, in place of a uid, says that the pod starts from a copy.
const bySeed uint8 = 255

// forGone, in place of a uid, is that of a pod that is long gone.
const forGone uint8 = 254

// target is what a slice points to.
type target uint8

const (
	noSlice target = iota
	emptySlice
	toHost
	toPod
)

// server is everything about one id.
type server struct {
	host, pod store
	// hostRole and podRole are those of the two processes that may exist.
	hostRole, podRole role

	// masked: the host's unit cannot start. wanted: its supervisor restarts
	// it after a crash.
	masked, wanted bool
	// askedStop and askedStart: the operator was asked, and has not acted yet.
	askedStop, askedStart bool
	// lied: the operator confirmed what was not done.
	lied bool
	// cut: tool and pod get no answer from the host. toolBlind, podBlind:
	// that one is refused by something in between.
	cut, toolBlind, podBlind bool
	// sight is how the tool sees its addresses. paused: its process does not run
	// (SIGSTOP), and its kernel accepts connections all the same.
	sight  sight
	paused bool

	// selector on the Service; seen is the controller's cached view of it.
	selector, seen bool
	bridge         target
	bridgeUID      uint8
	// orphan: the bridge went with the pod it belonged to.
	orphan   bool
	slice    target
	sliceUID uint8

	// gate is the generation of the server's line, 0 when it has none; view
	// is what the pod's volume shows, and viewFresh whether that is the
	// newest generation of the whole gate.
	gate, view uint8
	viewFresh  bool
	// gateFor and viewFor are the uid of the pod the line lets start from
	// nothing, or bySeed.
	gateFor, viewFor uint8
	// line and lineFor are the line of the gate that the journal keeps.
	line, lineFor uint8
	// kept is the same, and replaced, in the copy of the journal.
	kept keeping
	// late: a pod was made with an old view of this gate once already.
	late bool

	phase podPhase
	uid   uint8
	// marker is the generation the pod's data belongs to.
	marker uint8
	// joined: a start in the marker's generation has synced, and the readiness
	// probe has noted it.
	joined bool
	// outlived: the volume remembers that the host has run since its data was made.
	outlived bool
	// quiet: its host has not run since the backup of the journal, and the same
	// parked pod has watched it.
	quiet bool
	// another: the volume is another one than when the gate was opened last.
	another bool
	// outdated: the pod was made with other settings than are recorded.
	outdated bool
	// seeded: a complete copy of the host's data waits on the volume.
	seeded bool
	copied store
	// hostClosed and reportAt are the pod's latest report of its host.
	hostClosed bool
	reportAt   uint8

	// helped are the writes that were acknowledged while it last ran.
	helped uint8
	// stale: a process in the pod has voted since the host's last did.
	stale bool
	// replaced and away are the journal's word and the truth: away is set
	// from the stop the tool asked for to the end of the operation.
	replaced, away bool
	// restarted: its process on the host was started after the patch, by whomever.
	restarted bool
	listing
}

// keeping is what a copy of the journal says of a server.
type keeping struct {
	replaced      bool
	line, lineFor uint8
}

// sight is how the tool, or what stands between it and a server, sees it.
type sight uint8

const (
	seesAll sight = iota
	// silent: no answer at any port. refused: something refuses in its name.
	// swallowed: something accepts every connection and never answers.
	silent
	refused
	swallowed
	// halved: srvr is answered, and conf does not come.
	halved
)

// everybody, in place of a server, is the whole ensemble.
const everybody uint8 = 255

// pending is a tool between its write-ahead and its action.
type pending struct {
	on   bool
	kind uint8
	id   uint8
	step uint8
	uid  uint8
	// gate is the generation it saw.
	gate uint8
	// journal: somebody else wrote the journal since it looked.
	journal bool
	// dying: it will not live to write down what the step brings.
	dying bool
}

// state is one state of the world. It is comparable and holds no pointers.
type state struct {
	s [maxServers]server
	// leader is the leading process: 2*index, plus 1 for the pod; -1 when
	// there is none.
	leader int8
	// acked are the client writes that were acknowledged, used how many there
	// were.
	acked, used uint8
	flight      flight
	// kept is the operation under way in the copy of the journal.
	kept flight
	tool [2]pending
	// What is left of the budgets.
	faults, writes, reverts, begins uint8
	// twoTools: the Lease was lost while its holder was paused.
	twoTools bool
	// lame: nobody has led for long, and nobody could be elected.
	lame bool
	// liar is who was refused by something in between: 1 the tool, 2 a pod.
	liar uint8
	// removing: the journal says that the Services are being taken back.
	removing bool
	// beside: the tool asks through a pod on the node of the parked one.
	beside bool
	// broken is the invariant that does not hold.
	broken violation
}

// Config is one exploration.
type Config struct {
	Name string
	// IDs of the servers, ascending.
	IDs []ensemble.ID
	// Observers among them.
	Observers []ensemble.ID
	// Groups of a hierarchical quorum, nil for a majority.
	Groups map[ensemble.ID]int
	// Weightless servers follow and are counted by their leader, and have no vote.
	Weightless []ensemble.ID
	// Version decides about the db.autocreate guard.
	Version string
	// Restart explores the rolling restart instead of replacements.
	Restart bool
	// Apply explores the restart of pods that were made with other settings.
	Apply bool
	// Unwrap: somebody takes the Services back, beside a rolling restart (Restart) of servers
	// that show their lists.
	Unwrap bool
	// Copy starts pods from a copy of their host's data.
	Copy bool
	// Hand: somebody unmasks and starts a server by hand that the tool has
	// stopped, while nobody looks.
	Hand bool
	// Faults, Writes, Reverts and Begins are budgets of one run.
	Faults, Writes, Reverts, Begins int
	// Moved servers run in their pods at the start.
	Moved []ensemble.ID
	// Only names the servers that are touched, all where it is empty.
	Only []ensemble.ID
	// Late: a tool that was overtaken writes to Kubernetes all the same (it
	// was paused between its last look at the journal and the write). I2 is
	// not checked then.
	Late bool
	// Copies: the journal is deleted and its copy, the last one without an operation
	// under way, put back. Backups: so is one from an earlier time.
	Copies, Backups bool
	// Flights: a backup may have an operation under way in it. Restarted: there is
	// one from the rolling restart, when the first server had just been stopped.
	Flights, Restarted bool
	// Forgetful: pods do not note that they have seen their host run.
	Forgetful bool
	// Unguarded: Kubernetes takes every write. pkg/cluster refuses many a
	// wrong one by itself; a rule of Decide is tried without that net.
	Unguarded bool
	// Sight: the tool loses sight of a server, or of all, in every way there is, and
	// a process may be paused.
	Sight bool
	// Through: the tool asks through pods, at times through one on the node of the parked
	// pod: what refuses that one's connections refuses the tool's then.
	Through bool
	// Limit ends the exploration after so many states, breadth first, without
	// having seen everything; 0 asks for everything.
	Limit int
	// Deeds: only what happened counts, not what was decided.
	Deeds bool
	// Sample is how many states lie between two samples, 97 where it is 0.
	Sample int
	// Without names the faults that are left out.
	Without []string
}

// world is a Config made ready.
type world struct {
	cfg   Config
	n     int
	guard bool
	// version is what hosts and pods run alike.
	version ensemble.Version
	voter   [maxServers]bool
	// counted are all but observers: mntr has them as followers.
	counted [maxServers]bool
	quorum  [1 << maxServers]bool
	voters  int
	off     map[string]bool
	only    [maxServers]bool
	decide  decideFunc
	base    base
}

func newWorld(cfg Config, rule decideFunc) *world {
	w := &world{cfg: cfg, n: len(cfg.IDs), decide: rule, off: map[string]bool{}}
	v, err := ensemble.ParseVersion(cfg.Version)
	w.guard, w.version = err == nil && v.HasAutocreateGuard(), v
	var servers []ensemble.Server
	for i, id := range cfg.IDs {
		s := ensemble.Server{ID: id, Role: ensemble.Participant, Weight: 1, Group: cfg.Groups[id]}
		for _, o := range cfg.Observers {
			if o == id {
				s.Role = ensemble.Observer
			}
		}
		if slices.Contains(cfg.Weightless, id) {
			s.Weight = 0
		}
		w.voter[i], w.counted[i] = s.Voter(), s.Role != ensemble.Observer
		if w.voter[i] {
			w.voters++
		}
		servers = append(servers, s)
		w.only[i] = len(cfg.Only) > 0 && !slices.Contains(cfg.Only, id)
	}
	q := ensemble.NewQuorum(servers)
	for mask := range w.quorum {
		var ids []ensemble.ID
		for i, id := range cfg.IDs {
			if mask&(1<<i) != 0 {
				ids = append(ids, id)
			}
		}
		w.quorum[mask] = q.Has(ids)
	}
	for _, name := range cfg.Without {
		w.off[name] = true
	}
	w.base = newBase(cfg, servers)
	return w
}

// start is a healthy ensemble: everything written is everywhere, the last
// voter leads.
func (w *world) start() state {
	st := state{
		leader: -1, faults: uint8(w.cfg.Faults), writes: uint8(w.cfg.Writes),
		reverts: uint8(w.cfg.Reverts), begins: uint8(w.cfg.Begins),
	}
	for i := range w.n {
		s := &st.s[i]
		full := store{z: zx(1, 1), dz: zx(1, 1), accepted: 1, current: 1}
		s.host, s.hostRole, s.wanted = full, following, true
		s.pod.empty = true
		s.bridge = toHost
		s.phase, s.uid, s.viewFresh = podWaiting, 1, true
		for _, id := range w.cfg.Moved {
			if id == w.cfg.IDs[i] {
				s.pod, s.podRole, s.hostRole = full, following, down
				s.masked, s.wanted, s.hostClosed, s.replaced = true, false, true, true
				s.selector, s.seen, s.slice, s.sliceUID, s.bridge = true, true, toPod, 1, noSlice
				s.gate, s.view, s.marker, s.phase = 1, 1, 1, podStarted
				s.gateFor, s.viewFor, s.joined = 1, 1, true
				s.line, s.lineFor, s.stale = 1, 1, true
				s.outdated = w.cfg.Apply
			}
		}
		s.keep()
		if w.voter[i] {
			st.leader = int8(2 * i)
			if s.replaced {
				st.leader++
			}
		}
	}
	*w.roleOf(&st, st.leader) = leading
	if w.cfg.Restarted {
		st.kept = flight{on: true, kind: restart, patched: true, stopAsked: ancient, deadSince: ancient, gate: unchanged}
		st.s[0].restarted = true // since then
	}
	return w.canonical(st)
}

func (w *world) roleOf(st *state, p int8) *role {
	s := &st.s[p/2]
	if p%2 == 0 {
		return &s.hostRole
	}
	return &s.podRole
}

func storeOf(st *state, p int8) *store {
	s := &st.s[p/2]
	if p%2 == 0 {
		return &s.host
	}
	return &s.pod
}
