package migration

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
)

// UseState is what is known of a possible user of the Services.
type UseState string

const (
	// UseNone: it was looked at, and uses none.
	UseNone UseState = "none"
	// UseSeen: it uses one.
	UseSeen UseState = "in use"
	// UseUnseen: nobody could look.
	UseUnseen UseState = "unseen"
)

// Use is one possible user of the Services.
type Use struct {
	// Key names it, for the operator who answers for what was not seen.
	Key   string   `json:"key"`
	State UseState `json:"state"`
	// Text is what was seen, or why nothing was.
	Text string `json:"text"`
}

// UseClients is the key of the ensemble's clients, UseKeptList that of the list which they
// may follow (/zookeeper/config).
const (
	UseClients  = "clients"
	UseKeptList = "kept-list"
)

// FileKey and listKey name a host's file, and the list that its server runs with.
func FileKey(id ensemble.ID) string { return "file-" + id.String() }

func listKey(id ensemble.ID) string { return "list-" + id.String() }

// UseKeys are all keys that an operator may answer for.
func UseKeys(r Record) []string {
	out := []string{UseClients, UseKeptList}
	for _, s := range r.Servers {
		out = append(out, FileKey(s.ID), listKey(s.ID), volumeKey(s.ID))
	}
	return out
}

// NamesService says which Service of the record a host of a server line is, by its address or
// by a name.
func (r Record) NamesService(host string) (ServerRecord, bool) {
	i := slices.IndexFunc(r.Servers, func(s ServerRecord) bool { return atService(r, s, host) })
	if i < 0 {
		return ServerRecord{}, false
	}
	return r.Servers[i], true
}

// Mentions says which Services a text names by their addresses, or by their names with the
// namespace; a bare name may be anything.
func (r Record) Mentions(text string) []ServerRecord {
	words := strings.FieldsFunc(text, func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-' || c == ':')
	})
	var out []ServerRecord
	for _, s := range r.Servers {
		full := strings.ToLower(s.Service + "." + r.Namespace)
		if slices.ContainsFunc(words, func(word string) bool {
			name, _, _ := strings.Cut(strings.ToLower(word), ":")
			return name == full || strings.HasPrefix(name, full+".") || addressIn(word, s.ClusterIP)
		}) {
			out = append(out, s)
		}
	}
	return out
}

// addressIn reports whether a word is an address, with or without ports after it.
func addressIn(word, address string) bool {
	want, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for word = strings.Trim(word, ".:"); ; {
		if got, err := netip.ParseAddr(word); err == nil && got.Unmap() == want.Unmap() {
			return true
		}
		cut := strings.LastIndexByte(word, ':')
		if cut < 0 {
			return false
		}
		word = word[:cut]
	}
}

// unwrapping is unwrap's order. That nobody uses the Services is asked in every round: it must
// hold before each of them goes.
func unwrapping() []stage {
	return []stage{{
		phase: PhaseRemove, steps: []StepID{StepBeginUnwrap, StepDeleteService},
		rules: []rule{
			(*context).nobodyMoves, (*context).looked, (*context).noPods, (*context).ownServices, (*context).unlisted, (*context).unnamed, (*context).unassumed,
			(*context).beginUnwrap, (*context).deleteService, (*context).unwrapped,
		},
	}}
}

// noPods: no server is in its pod, and there are no pods.
func (c *context) noPods() Decision {
	if s := c.first(func(m *member) bool { return !m.onHost() || m.gate.Released }); s != nil {
		return stop(CodeInUse, c.cmd("revert --id=%d", s.ID), "server %d runs in its pod, behind its Service", s.ID)
	}
	pods := c.ids(func(m *member) bool { return m.stands != PodNone })
	if b := c.belongings; b.Set || len(b.Objects) > 0 || len(pods) > 0 {
		return stop(CodeInUse, c.cmd("unpark"), "there are pods, or objects of theirs; they go first")
	}
	return Decision{}
}

// ownServices: each Service that is there is the one that was made, and leads to its host.
func (c *context) ownServices() Decision {
	for _, s := range c.members {
		if !s.service.Found {
			continue
		}
		if d := c.checkAddress(s); d.made() {
			return d
		}
		if s.selected || s.address == AddressPod || s.address == AddressElse {
			return stop(CodeInUse, c.cmd("status"), "Service %s of server %d does not lead to its host: %s", s.Service, s.ID, orNone(s.endpoints.Union))
		}
	}
	return Decision{}
}

// runs is the best that was heard of the server on its host: the Service may be gone.
func (m *member) runs() vantage.Sighting {
	if m.ports.Answer.Serving() && !m.ports.Answer.Unread() {
		return m.ports.Answer
	}
	return m.live
}

// unlisted is I1: every server on its host was seen, and the list that it runs with names no Service.
func (c *context) unlisted() Decision {
	var listed, unseen []string
	for _, s := range c.members {
		says := s.runs()
		if !says.Serving() || says.Unread() || says.Another(s.ID) {
			unseen = append(unseen, fmt.Sprintf("server %d: %s", s.ID, says.Said()))
			continue
		}
		for _, m := range says.Members {
			for _, at := range append([]ensemble.PeerAddress{m.PeerAddress}, m.More...) {
				if svc, found := c.rec.NamesService(at.Host); found {
					listed = append(listed, fmt.Sprintf("server %d runs with server.%d=%s, which is Service %s", s.ID, m.ID, at.Host, svc.Service))
				}
			}
		}
		if says.Members == nil && s.Reconfigured != nil {
			listed = append(listed, fmt.Sprintf("server %d was restarted with the Services' addresses (%s), and ZooKeeper %s does not show that it runs with another list now",
				s.ID, moment(s.Reconfigured.At), says.Version))
		}
	}
	switch {
	case len(listed) > 0:
		return stop(CodeInUse, "restart the servers with the hosts' addresses first (the undo patches of reconfigure), then "+c.cmd("unwrap"),
			"servers know each other by the Services' addresses: without them the next election fails").with(listed...)
	case len(unseen) > 0 && c.patient():
		return wait(CodeUnseen, PhaseRemove, "not every server is seen, and one that is not may run with the Services' addresses").with(unseen...)
	case len(unseen) > 0:
		return stop(CodeUnseen, c.cmd("status"), "not every server is seen, and one that is not may run with the Services' addresses").with(unseen...)
	}
	return Decision{}
}

// unnamed: nothing else that was seen uses a Service.
func (c *context) unnamed() Decision {
	var seen []string
	for _, u := range c.uses {
		if u.State == UseSeen {
			seen = append(seen, u.Text)
		}
	}
	if len(seen) == 0 {
		return Decision{}
	}
	return stop(CodeInUse, "take the Services out there first, then "+c.cmd("unwrap"), "the Services are in use").with(seen...)
}

// unassumed: for what nobody saw the operator answers by name.
func (c *context) unassumed() Decision {
	var keys, texts []string
	for _, u := range c.unseenUses() {
		if !c.assumed(u.Key) {
			keys = append(keys, u.Key)
			texts = append(texts, u.Key+": "+u.Text)
		}
	}
	if len(keys) == 0 {
		return Decision{}
	}
	all := strings.Join(keys, ",")
	d := stop(CodeUseUnseen, c.cmd("unwrap --assume-unused=%s", all),
		"it was not seen whether these use the Services; if you know that they do not, say so by name").with(texts...)
	d.Unseen = keys
	return d
}

// unseenUses are those of whom nothing is known: what was asked about and not seen, what
// nobody asked about, and lists that a server does not show though its patch was handed out.
func (c *context) unseenUses() []Use {
	var out []Use
	asked := map[string]bool{}
	for _, u := range c.uses {
		asked[u.Key] = true
		if u.State == UseUnseen {
			out = append(out, u)
		}
	}
	if !asked[UseClients] {
		out = append(out, Use{Key: UseClients, Text: "nobody asked who is connected"})
	}
	for _, s := range c.members {
		if key := FileKey(s.ID); !asked[key] {
			out = append(out, Use{Key: key, Text: fmt.Sprintf("the zoo.cfg of server %d on host %s was not given (-f %d=FILE)", s.ID, s.HostIP, s.ID)})
		}
		if says := s.runs(); says.Members == nil && s.Emitted != nil {
			out = append(out, Use{Key: listKey(s.ID), Text: fmt.Sprintf("server %d: its patch was handed out at %s, and ZooKeeper %s does not show with which list it runs",
				s.ID, moment(s.Emitted.At), says.Version)})
		}
	}
	return out
}

func (c *context) assumed(key string) bool { return slices.Contains(c.in.Assumed, key) }

func (c *context) beginUnwrap() Decision {
	if r := c.rec.Removal; r != nil && r.Kind == Unwrap {
		return Decision{}
	}
	d := do(StepBeginUnwrap, nil, "no server's list, no file and no client that was seen uses the Services")
	d.Removal = &Removal{Kind: Unwrap, Started: c.now, By: c.in.By, Assumed: c.in.Assumed}
	return d
}

func (c *context) deleteService() Decision {
	s := c.first(func(m *member) bool { return m.service.Found || m.endpoints.BridgeFound })
	if s == nil {
		return Decision{}
	}
	d := do(StepDeleteService, nil, "nobody uses Service %s of server %d (%s)", s.Service, s.ID, s.ClusterIP)
	d.Services = []ensemble.ID{s.ID}
	return d
}

func (c *context) unwrapped() Decision {
	return done("nothing of %s is left but its journal", c.rec.Name)
}
