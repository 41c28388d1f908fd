package migration

import (
	"fmt"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
)

// EnsemblePlan is what would happen from here on, in order; its JSON form is
// stable. It holds no rule of its own: every verdict is Decide's.
type EnsemblePlan struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	// Context is the kubeconfig context of its cluster, where several were asked for.
	Context string           `json:"context,omitempty"`
	At      time.Time        `json:"at"`
	Version string           `json:"version,omitempty"`
	Leader  ensemble.MaybeID `json:"leader,omitzero"`
	// Elections is how many the rest of the way forces.
	Elections int            `json:"elections"`
	Phases    []PlannedPhase `json:"phases"`
	// Advice is empty where the way as it stands needs none.
	Advice []PlannedAdvice `json:"advice,omitempty"`
	// Clients is who is connected, as status has it.
	Clients *sessions.View `json:"clients,omitempty"`
	// Problems is what is not as it should be now, as status has it.
	Problems []Problem `json:"problems,omitempty"`
	// Next is the command that goes on; empty at the end of the way.
	Next string `json:"next,omitempty"`
}

// Done reports whether nothing is left to do: no part of the way, and nothing
// that is not as it should be.
func (p EnsemblePlan) Done() bool { return len(p.Phases) == 0 && len(Hindrances(p.Problems)) == 0 }

// PhaseName names a part of the way.
type PhaseName string

// The parts of the way that are left, in order.
const (
	// PlanFlight is the operation that is under way.
	PlanFlight      PhaseName = "under-way"
	PlanClients     PhaseName = "clients"
	PlanReconfigure PhaseName = "reconfigure"
	PlanReplace     PhaseName = "replace"
)

// PlannedPhase is one part of the way.
type PlannedPhase struct {
	Name  PhaseName `json:"name"`
	Title string    `json:"title"`
	// Command does it.
	Command   string `json:"command,omitempty"`
	Elections int    `json:"elections"`
	// Note says what cannot be known yet.
	Note    string          `json:"note,omitempty"`
	Servers []PlannedServer `json:"servers,omitempty"`
	// Pods is what will run in them: image, command, user.
	Pods string `json:"pods,omitempty"`
	// Steps are those of each server, on a way without obstacles.
	Steps []PlannedStep `json:"steps,omitempty"`
}

// Readiness is how Decide answers for a server at its turn.
type Readiness string

const (
	// Ready: it would go on.
	Ready Readiness = "ready"
	// Waits: something must happen first; it would wait for it.
	Waits Readiness = "waits"
	// Blocked: it would stop.
	Blocked Readiness = "blocked"
)

// PlannedServer is one server at its turn: as if those before it were done.
type PlannedServer struct {
	ID        ensemble.ID   `json:"id"`
	Role      ensemble.Role `json:"role"`
	Mode      ensemble.Mode `json:"mode,omitempty"`
	Readiness Readiness     `json:"readiness"`
	Code      Code          `json:"code"`
	// Reason is why it may be taken away, or why not; Evidence what that rests
	// on and Next what helps.
	Reason   string   `json:"reason"`
	Evidence []string `json:"evidence,omitempty"`
	Next     string   `json:"next,omitempty"`
	// Election: its stop forces one.
	Election bool `json:"election"`
}

// PlannedStep is one step of each server.
type PlannedStep struct {
	ID    StepID `json:"id"`
	Title string `json:"title"`
	Why   string `json:"why"`
}

// PlannedAdvice is something that would make the rest of the way safer.
type PlannedAdvice struct {
	What    string `json:"what"`
	Why     string `json:"why"`
	Command string `json:"command"`
}

// Plan says what would happen, in order, without doing any of it.
func Plan(o Observation) EnsemblePlan {
	c := derive(o).summarized()
	st := c.summary()
	p := EnsemblePlan{
		APIVersion: RecordVersion, Kind: "EnsemblePlan", Name: c.rec.Name, Namespace: c.rec.Namespace,
		At: o.At, Version: st.Version, Leader: st.Leader, Clients: st.Clients, Problems: st.Problems, Next: st.Next, Phases: []PlannedPhase{},
	}
	// Each phase is judged in the world that the ones before it leave behind.
	w := o
	if c.flight != nil {
		p.Phases = append(p.Phases, c.planFlight(w))
	}
	order := ReplacementOrder(o)
	if len(order) == len(c.rec.Servers) && (c.flight == nil || c.flight.Kind == Reconfigure) {
		p.Phases = append(p.Phases, PlannedPhase{
			Name: PlanClients, Title: "clients move to the Services' addresses", Command: c.cmd("clients"),
			Note: "whether they have cannot be seen before a server runs in a pod; both addresses work until a server's host is stopped",
		})
	}
	note, elected := c.clientsAhead(), false
	if restarts := c.leftFor(RestartOrder(o)); len(restarts) > 0 {
		phase := PlannedPhase{Name: PlanReconfigure, Title: "one rolling restart with the Services' addresses", Command: c.cmd("reconfigure")}
		w = phase.judge(w, Reconfigure, restarts)
		p.Phases = append(p.Phases, phase)
		if phase.Elections > 0 {
			note = "the rolling restart makes another server the leader; whoever leads then goes last; " + note
			elected = true
		}
	}
	if left := c.leftFor(order); len(left) > 0 {
		phase := PlannedPhase{Name: PlanReplace, Title: "one host after the other is replaced by a pod", Command: c.cmd("replace --all"), Note: note, Pods: c.rec.Pods.What()}
		phase.judge(w, Replace, left)
		if elected && len(c.voting(left)) > 0 {
			phase.Elections = 1
		}
		p.Phases = append(p.Phases, phase)
		p.Advice = c.advise(left)
	}
	for _, phase := range p.Phases {
		p.Elections += phase.Elections
	}
	return p
}

// leftFor leaves out the server that is under way: it has a phase of its own.
func (c *context) leftFor(order []ensemble.ID) []ensemble.ID {
	if c.flight == nil {
		return order
	}
	return ensemble.Without(order, c.flight.ID)
}

// planFlight is the operation under way, as Decide sees it now.
func (c *context) planFlight(o Observation) PlannedPhase {
	f := c.flight
	phase := PlannedPhase{
		Name: PlanFlight, Title: fmt.Sprintf("%s of server %d, begun by %s: %s", c.doing(), f.ID, f.By, f.phase()),
		Command: c.next(), Note: "at most one server is away from sync: nothing else may begin before it ends",
	}
	s := planServer(o, f.Kind, f.ID)
	// Its own election is ahead as long as nothing was stopped.
	s.Election = s.Election && f.DeadSince == nil
	if s.Election {
		phase.Elections = 1
	}
	phase.Servers = []PlannedServer{s}
	return phase
}

// judge judges servers in order, each as if those before it were done, and
// returns the world as it is after the last one.
func (p *PlannedPhase) judge(o Observation, kind FlightKind, order []ensemble.ID) Observation {
	p.Steps = plannedSteps(kind)
	for _, id := range order {
		s := planServer(o, kind, id)
		if s.Election {
			p.Elections++
		}
		p.Servers = append(p.Servers, s)
		o = imagineDone(o, kind, id)
	}
	return o
}

// planServer asks Decide about one server. Pods that do not exist yet are made
// first; what comes after that is what the plan is about.
func planServer(o Observation, kind FlightKind, id ensemble.ID) PlannedServer {
	in := Intent{Kind: kind, ID: id, By: "plan", Since: o.At, AcceptLoss: sessions.Consent{Any: true}}
	f := derive(o)
	d := f.decide(in)
	if d.Kind == Do && (d.Step == StepPark || d.Step == StepRemakePods) {
		d = Decide(in, imagineParked(o, id))
	}
	at := f.of(id)
	readiness := map[Kind]Readiness{Do: Ready, Done: Ready, Wait: Waits, Stop: Blocked}
	return PlannedServer{
		ID: id, Role: at.Role, Mode: at.live.Mode, Code: d.Code, Reason: d.Reason, Evidence: d.Evidence, Next: d.Next,
		Readiness: readiness[d.Kind], Election: kind != Revert && at.Voter() && f.leads(id),
	}
}

// advise recommends copied data where a second failure, while the new member
// is empty, would cost the quorum and the version has no guard of its own.
func (c *context) advise(left []ensemble.ID) []PlannedAdvice {
	voters := c.voting(left)
	if c.guarded() || len(voters) == 0 || !c.noSpare() {
		return nil
	}
	return []PlannedAdvice{{
		What: fmt.Sprintf("move the data as well: --data=copy, for each of servers %s", ensemble.JoinIDs(voters)),
		Why: fmt.Sprintf("ZooKeeper %s lets an empty member vote (no db.autocreate before 3.6, ZOOKEEPER-261), and %d voters can spare one only: "+
			"when a second one fails while the pod is still empty, this tool stops the pod rather than let it vote, and there is no quorum until the other one is back; "+
			"a pod with the host's data is an ordinary restart and votes", c.rec.Settings.Version, len(c.voters())),
		Command: c.cmd("replace --id=%d --data=copy", voters[0]),
	}}
}

// noSpare: some two voters are more than the ensemble can miss.
func (c *context) noSpare() bool {
	quorum, voters := c.quorum(), c.voters()
	for i, a := range voters {
		for _, b := range voters[i+1:] {
			if !quorum.Has(ensemble.Without(ensemble.Without(voters, a), b)) {
				return true
			}
		}
	}
	return false
}
