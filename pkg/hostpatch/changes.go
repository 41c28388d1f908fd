package hostpatch

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// The names of the changes, as used in Input.Leave.
const (
	ChangeAddresses    = "addresses"
	ChangeListen       = "listen-on-all-ips"
	ChangeClientBind   = "client-address"
	ChangeWhitelist    = "4lw-whitelist"
	ChangeInitLimit    = "init-limit"
	ChangeKeepAlive    = "tcp-keep-alive"
	ChangeCnxTimeout   = "cnx-timeout"
	cnxTimeoutMillis   = 1000
	cnxTimeoutStandard = 5000
)

// ChangeInfo describes one change for help and documentation.
type ChangeInfo struct {
	Name string
	// When says in which cases the change is made.
	When string
	// Reason says why.
	Reason string
}

// Catalogue lists the changes in the order they are made.
func Catalogue() []ChangeInfo {
	return []ChangeInfo{
		{ChangeAddresses, "always",
			"servers find each other at their Services, which lead to the host now and to the pod later"},
		{ChangeListen, "always",
			"the address in the server's own line is its Service's, which the host cannot bind (ZOOKEEPER-1096)"},
		{ChangeClientBind, "the client port is bound to a name",
			"a name that moves to the Service cannot be bound at the next start"},
		{ChangeWhitelist, "3.5.3 and later, and where a list lacks words this tool asks",
			"the state of each server is read with these four-letter words; the default allows srvr alone"},
		{ChangeInitLimit, "the snapshot needs longer than initLimit allows",
			"an empty server gets the whole snapshot; if that takes longer than initLimit it starts over and over"},
		{ChangeKeepAlive, "3.4.11, 3.5.4 and later",
			"an election connection whose other end vanished with a host or a pod is noticed (ZOOKEEPER-2938)"},
		{ChangeCnxTimeout, "before 3.5.8, and 3.6.0",
			"a dead address holds up all elections for this long each time (ZOOKEEPER-3756); the default is 5000 ms"},
	}
}

// checkLeave refuses names that no change has, and leaving out what another
// change cannot do without.
func checkLeave(in Input) error { return CheckLeave(in.Leave) }

// CheckLeave does so for the names alone.
func CheckLeave(leave []string) error {
	known := map[string]bool{}
	var names []string
	for _, c := range Catalogue() {
		known[c.Name] = true
		names = append(names, c.Name)
	}
	left := map[string]bool{}
	for _, name := range leave {
		if !known[name] {
			return fmt.Errorf("no change is called %q: known are %s", name, strings.Join(names, ", "))
		}
		left[name] = true
	}
	if left[ChangeListen] && !left[ChangeAddresses] {
		return fmt.Errorf("%s cannot be left out while %s is made: no server could bind its address", ChangeListen, ChangeAddresses)
	}
	return nil
}

// editor works on one host's files.
type editor struct {
	in      Input
	host    Host
	leave   map[string]bool
	zoo     *ensemble.Properties
	dynamic *ensemble.Properties // nil where there is none
	changes []Change
}

func newEditor(in Input, h Host, leave map[string]bool) *editor {
	e := &editor{in: in, host: h, leave: leave, zoo: h.Config.Props.Clone()}
	if h.Config.Dynamic != nil {
		e.dynamic = h.Config.Dynamic.Clone()
	}
	return e
}

// run makes the changes in the order of the catalogue.
func (e *editor) run() {
	steps := map[string]func(reason string){
		ChangeAddresses:  e.addresses,
		ChangeListen:     e.listen,
		ChangeClientBind: e.clientBind,
		ChangeWhitelist:  e.whitelist,
		ChangeInitLimit:  e.initLimit,
		ChangeKeepAlive:  e.keepAlive,
		ChangeCnxTimeout: e.cnxTimeout,
	}
	for _, c := range Catalogue() {
		if !e.leave[c.Name] {
			steps[c.Name](c.Reason)
		}
	}
}

// set changes one key and records it.
func (e *editor) set(p *ensemble.Properties, name, key, value, reason string) {
	old, ok := p.Get(key)
	if ok && old == value {
		return
	}
	p.Set(key, value)
	e.changes = append(e.changes, Change{Name: name, Key: key, Old: old, New: value, Reason: reason})
}

// serverList is the file that holds the server lines. They are never written
// into zoo.cfg where there is a dynamic file: the server would not start.
func (e *editor) serverList() *ensemble.Properties {
	if e.dynamic != nil {
		return e.dynamic
	}
	return e.zoo
}

func (e *editor) addresses(reason string) {
	c := e.host.Config
	for _, s := range c.Servers {
		e.set(e.serverList(), ChangeAddresses, c.ServerKey(s.ID), c.PeerLineAt(s.ID, e.in.ServiceHosts[s.ID]), reason)
	}
}

func (e *editor) listen(reason string) {
	e.set(e.zoo, ChangeListen, "quorumListenOnAllIPs", "true", reason)
}

// clientBind frees the client ports from addresses that will not be this host's
// any more once a name has moved. The host's own literal address takes their
// place where it is known, so that nothing listens wider than before. A loopback
// address stays: what lets others in there listens on the host's own address.
func (e *editor) clientBind(reason string) {
	literal := ""
	if a, err := netip.ParseAddr(e.host.Address); err == nil && !a.IsLoopback() && !a.IsUnspecified() {
		literal = a.String()
	}
	for _, key := range []string{"clientPortAddress", "secureClientPortAddress"} {
		v, ok := e.zoo.Get(key)
		if !ok || bindable(strings.TrimSpace(v)) {
			continue
		}
		if literal != "" {
			e.set(e.zoo, ChangeClientBind, key, literal, reason)
			continue
		}
		e.zoo.Delete(key)
		e.changes = append(e.changes, Change{Name: ChangeClientBind, Key: key, Old: v, Reason: reason})
	}
	own, ok := e.host.Config.Server(e.host.ID)
	if !ok || !e.host.Config.HasClientPart(e.host.ID) || own.ClientAddress == "" || bindable(own.ClientAddress) {
		return
	}
	key := e.host.Config.ServerKey(e.host.ID)
	line, _ := e.serverList().Get(key)
	head, _, _ := strings.Cut(line, ";")
	value := head + ";" + strconv.Itoa(own.ClientPort)
	if literal != "" {
		value = head + ";" + ensemble.JoinHostPort(literal, own.ClientPort)
	}
	e.set(e.serverList(), ChangeClientBind, key, value, reason)
}

// bindable reports whether a client bind address stays good: a literal one, or the
// host's name for itself.
func bindable(address string) bool {
	_, err := netip.ParseAddr(address)
	return err == nil || ensemble.Loopback(address)
}

func (e *editor) whitelist(reason string) {
	const key = "4lw.commands.whitelist"
	old, set := e.zoo.Get(key)
	if value, change := ensemble.Whitelist(old, set, e.in.Version); change {
		e.set(e.zoo, ChangeWhitelist, key, value, reason)
	}
}

func (e *editor) initLimit(reason string) {
	if e.in.InitLimit > e.host.Config.InitLimit {
		e.set(e.zoo, ChangeInitLimit, "initLimit", strconv.Itoa(e.in.InitLimit), reason)
	}
}

func (e *editor) keepAlive(reason string) {
	const key = "tcpKeepAlive"
	if spec, _ := ensemble.FindKey(key); spec.In(e.in.Version) {
		if v, _ := e.zoo.Get(key); !strings.EqualFold(strings.TrimSpace(v), "true") {
			e.set(e.zoo, ChangeKeepAlive, key, "true", reason)
		}
	}
}

// cnxTimeout shortens the time one dead address can block the others. An
// operator's own lower value stays.
func (e *editor) cnxTimeout(reason string) {
	v := e.in.Version
	if v.IsZero() || v.AtLeast(3, 6, 1) || v.Minor == 5 && v.AtLeast(3, 5, 8) {
		return
	}
	now := cnxTimeoutStandard
	if old, ok := e.zoo.Get("cnxTimeout"); ok {
		if n, err := strconv.Atoi(strings.TrimSpace(old)); err == nil {
			now = n
		}
	}
	if now > cnxTimeoutMillis {
		e.set(e.zoo, ChangeCnxTimeout, "cnxTimeout", strconv.Itoa(cnxTimeoutMillis), reason)
	}
}

// patch turns the edited files into diffs.
func (e *editor) patch() HostPatch {
	c := e.host.Config
	h := HostPatch{
		ID: e.host.ID, Address: e.host.Address, Changes: e.changes,
		FilePatch: filePatch(pathOf(e.host), c.Props.Bytes(), e.zoo.Bytes()),
	}
	if e.dynamic != nil {
		d := filePatch(dynamicPath(e.host), c.Dynamic.Bytes(), e.dynamic.Bytes())
		h.Dynamic = &d
	}
	return h
}
