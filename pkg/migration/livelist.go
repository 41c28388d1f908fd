package migration

import (
	"fmt"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// ListDifferences holds the list that a server shows against the record: ids,
// roles, weights, ports, and the Services' addresses, as names or as IPs. It says
// what differs; nothing where the list is right, or is not shown (3.4).
func ListDifferences(rec Record, s ServerRecord, live vantage.Sighting) []string {
	if !live.Serving() || live.Members == nil {
		return nil
	}
	old, odd := compareList(rec, s, live.Members)
	return append(odd, old...)
}

// Relisted are the servers on hosts that were seen to run with the Services'
// addresses and show another list now: their restart is to be verified again.
func Relisted(o Observation) []ensemble.ID {
	f := derive(o)
	return f.ids(func(s *member) bool {
		return s.Reconfigured != nil && s.onHost() && !f.flying(s.ID) && !s.live.Another(s.ID) && len(ListDifferences(f.rec, s.ServerRecord, s.live)) > 0
	})
}

// listsDiffer says, server by server, where the live lists are not the record's.
// It was established once, by reconfigure or by a pod's join; somebody may have
// changed it since (reconfig, a restart with another file), and then the majority
// that the rules count is not the one that ZooKeeper counts.
func (c *context) listsDiffer() []string {
	var out []string
	for _, s := range c.members {
		// A server that is being replaced runs with our file once it was released.
		released := c.flying(s.ID) && c.flight.Kind == Replace && c.flight.Released != nil
		if s.toRestart() && !released || s.live.Another(s.ID) {
			continue
		}
		if diff := ListDifferences(c.rec, s.ServerRecord, s.live); len(diff) > 0 {
			out = append(out, fmt.Sprintf("the live list of server %d is not the recorded one: %s", s.ID, strings.Join(diff, ", ")))
		}
	}
	return out
}

// sameLists is asked before a server is stopped, before a pod is released and
// before a replacement counts as done. now says what has not happened yet.
func (c *context) sameLists(now string) Decision {
	diff := c.listsDiffer()
	if len(diff) == 0 {
		return Decision{}
	}
	return stop(CodeListDiffers, c.listsBack(), "the servers do not run with the list that this migration counts on; %s", now).
		with(diff...).with(c.listHelp()...)
}

// recordedLists is the condition behind it.
func (c *context) recordedLists() (Decision, Class) {
	return c.sameLists("nothing is begun"), ClassWrong
}

// listsBack is what puts the right list back.
func (c *context) listsBack() string {
	if !c.dynamic() {
		return c.cmd("reconfigure --verify")
	}
	var members []string
	for _, s := range c.members {
		member := fmt.Sprintf("server.%d=%s:%d:%s", s.ID, ensemble.JoinHostPort(c.rec.ServerHost(s.ServerRecord), s.PeerPort), s.ElectionPort, s.Role)
		if s.ClientPort != 0 {
			member += fmt.Sprintf(";%d", s.ClientPort)
		}
		members = append(members, member)
	}
	through := ""
	if c.leader != nil {
		through = fmt.Sprintf(" -server %s", ensemble.JoinHostPort(c.leader.ClusterIP, c.leader.ClientPort))
	}
	return fmt.Sprintf("zkCli.sh%s reconfig -members %s", through, quote.Shell(strings.Join(members, ",")))
}

// listHelp says what may have happened.
func (c *context) listHelp() []string {
	verify := "a server on its host that was restarted with another file: apply the patch to the file again, restart it, then " + c.cmd("reconfigure --verify")
	if !c.dynamic() {
		return []string{verify}
	}
	return []string{"somebody ran reconfig: the command below sets the recorded list again; it needs the rights of the operator who ran it", verify}
}

// dynamic: the servers' list can be changed while they run (reconfig, 3.5+).
func (c *context) dynamic() bool {
	file, err := ensemble.ReadPodFile(c.rec.Pods.ZooCfg)
	return c.rec.Pods.DynamicName != "" || err == nil && file.Reconfig
}

// atService reports whether a host in a server line is the server's Service, as
// an address or by one of its names.
func atService(rec Record, s ServerRecord, host string) bool {
	if ensemble.SameAddress(host, s.ClusterIP) {
		return true
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	full := s.Service + "." + rec.Namespace
	return name == s.Service || name == full || name == full+".svc" || strings.HasPrefix(name, full+".svc.")
}
