package model

import (
	"fmt"
	"strings"
)

// tell says in words what a transition does.
func (w *world) tell(st *state, l label) string {
	id := func(i uint8) string { return w.cfg.IDs[i].String() }
	proc := func(p uint8) string {
		if p%2 == 0 {
			return "server " + id(p/2) + " on its host"
		}
		return "server " + id(p/2) + " in its pod"
	}
	switch l.op {
	case opLook:
		o := w.observe(st)
		d := w.decide(spans(w.intent(l.a, int(l.b)), st, o), o)
		return fmt.Sprintf("tool (%s %s): decides %s: %s", kindOf(l.a), id(l.b), d.Step, d.Reason)
	case opPerform, opPerformDie, opDie, opLie:
		step := w.base.steps[l.b]
		who := "tool"
		if l.a == 1 {
			who = "second tool"
		}
		switch l.op {
		case opPerformDie:
			return fmt.Sprintf("%s: carries out %s of server %s%s and dies before writing it down", who, step, id(st.tool[l.a].id), w.acks(l.set))
		case opDie:
			return fmt.Sprintf("%s: dies before it carries out %s", who, step)
		case opLie:
			return fmt.Sprintf("operator: confirms %s of server %s without having done it", step, id(st.tool[l.a].id))
		}
		return fmt.Sprintf("%s: carries out %s of server %s%s", who, step, id(st.tool[l.a].id), w.acks(l.set))
	case opWrite:
		return "client: a write is acknowledged" + w.acks(l.set)
	case opElect:
		var who []string
		for p := range uint8(2 * w.n) {
			if l.set&(1<<p) != 0 {
				who = append(who, proc(p))
			}
		}
		next := *st
		w.elect(&next, l.set)
		return fmt.Sprintf("election among %s: %s leads", strings.Join(who, ", "), proc(uint8(next.leader)))
	case opKill:
		return proc(l.a) + " is killed (fault)"
	case opJoin:
		return proc(l.a) + " syncs and follows"
	case opReplicate:
		return proc(l.a) + " catches up, not on its disk yet"
	case opTime:
		return "time passes"
	case opRestart:
		if l.b == 1 {
			return "supervisor starts server " + id(l.a) + " on its host again"
		}
		return "container of server " + id(l.a) + " is started again"
	case opLoseJournal:
		if l.a == 1 {
			return "the journal is deleted, and a backup from long ago put back (fault)"
		}
		return "the journal is deleted, and its copy put back (fault)"
	case opBackup:
		return "somebody makes a backup of the journal"
	case opUnsee:
		who := "everybody"
		if l.a != everybody {
			who = "server " + id(l.a)
		}
		return fmt.Sprintf("the tool does not see %s any more: %s (fault)", who, [...]string{"", "silence", "something refuses its connections", "something accepts its connections and does not answer", "it answers srvr, and conf does not come"}[l.b])
	case opElsewhere:
		if l.b == 1 {
			return "the tool asks through a pod on the node of the parked one"
		}
		return "the tool asks through a pod on another node"
	case opRewrap:
		return "somebody wraps again: the Services are there, with their addresses"
	case opSee:
		return "the tool sees everybody again"
	case opPause:
		return proc(l.a) + " is paused (fault)"
	case opLoseLease:
		return "the tool is paused and loses its Lease (fault)"
	}
	return fmt.Sprintf("server %s: %s", id(l.a), map[op]string{
		opStop: "the operator stops it on its host, as asked", opStart: "the operator starts it on its host, as asked",
		opRefresh: "its pod's volume shows the newest gate", opReport: "its pod reports what it sees of the host",
		opPodStart: "the gate's script starts ZooKeeper in its pod", opPodGone: "its pod is gone", opPodAgain: "the StatefulSet makes its pod again",
		opWatch: "the endpointslice controller sees the new Service", opController: "the endpointslice controller writes its slice",
		opCollect: "the garbage collector takes the bridge of a pod that is gone", opHeal: "the network around its host is well again",
		opOutlive: "its parked pod sees the host run and notes it on the volume", opWrap: "wrap points its Service to its host",
		opResume:    "its paused process goes on",
		opReboot:    "its host reboots, the unit starts (fault)",
		opHandStart: "the operator unmasks and starts it on its host by hand, while nobody looks (fault)",
		opStopEarly: "the operator stops it on its host, unasked (fault)", opCut: "its host is cut off from tool and pod (fault)",
		opToolBlind: "something refuses the tool's probes of its host (fault)", opPodBlind: "something refuses its pod's probes of its host (fault)",
		opEvict: "its pod is evicted (fault)", opLoseVolume: "its pod's node dies, with the volume (fault)",
	}[l.op])
}

// acks names who acknowledges, and so who lags.
func (w *world) acks(set uint16) string {
	if set == 0 {
		return ""
	}
	var who []string
	for p := range 2 * w.n {
		if set&(1<<p) != 0 {
			who = append(who, w.cfg.IDs[p/2].String())
		}
	}
	return " (acknowledged by " + strings.Join(who, ", ") + " and the leader)"
}
