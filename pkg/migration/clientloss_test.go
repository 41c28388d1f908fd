package migration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
)

// clinging: so many sessions of one address have only ever been seen at the host of a server.
func clinging(n int, at ensemble.ID) *sessions.View {
	return &sessions.View{
		At: t0(), Pods: []ensemble.ID{1}, Sessions: n, Addresses: 1,
		Left: []sessions.Address{{Address: "10.9.0.7", Sessions: n, IDs: []sessions.ID{0xabc}, Servers: []ensemble.ID{at}, Since: *ago(time.Hour)}},
	}
}

// deaf: a server on its host does not tell who is connected.
func deaf(at ensemble.ID) *sessions.View {
	return &sessions.View{At: t0(), Untold: []sessions.Untold{{Server: at, Place: sessions.OnHost, Why: "cons is closed"}}}
}

// TestClientLoss: the last host is not stopped while clients are there that have only ever been
// seen at hosts, unless those are accepted.
func TestClientLoss(t *testing.T) {
	last := func(v *sessions.View) func(*scene) {
		return func(s *scene) {
			s.replaced(1)
			s.replaced(2)
			s.o.Clients = v
		}
	}
	under := func(v *sessions.View, change func(*migration.Flight)) func(*scene) {
		return func(s *scene) {
			last(v)(s)
			change(s.flight(migration.Replace, 3))
		}
	}
	refused := func(name string, set func(*scene), loss, says string) rule {
		return rule{name: name, id: 3, set: set, loss: loss, want: stop, code: migration.CodeClientLoss, says: says}
	}
	begins := func(name string, id ensemble.ID, set func(*scene), loss, says string) rule {
		return rule{name: name, id: id, set: set, loss: loss, want: do, step: migration.StepBegin, says: says}
	}
	checkAll(t, []rule{
		begins("nobody is left", 3, last(&sessions.View{Pods: []ensemble.ID{1, 2}, Moved: 5}), "", ""),
		begins("another host is left", 2, func(s *scene) {
			s.replaced(1)
			s.o.Clients = clinging(9, 2)
		}, "", ""),
		begins("another host is left, and nobody was asked", 2, func(s *scene) {
			s.replaced(1)
			s.o.Clients = nil
		}, "", ""),
		refused("two sessions", last(clinging(2, 3)), "", "clients that were only ever seen at hosts would lose every address that they may know: 2 sessions of 1 address"),
		refused("they are named", last(clinging(2, 3)), "", "10.9.0.7: 2 sessions (0xabc, ...) at server 3, first seen 2026-03-01 11:00:00 UTC"),
		refused("the way to go on is named", last(clinging(2, 3)), "", "add --accept-client-loss=2"),
		refused("who moves is waited for", last(clinging(2, 3)), "", "clients demo --wait -n zk"),
		refused("more than were accepted", last(clinging(3, 3)), "2", "3 sessions"),
		refused("another address than was accepted", last(clinging(1, 3)), "10.9.0.8", "10.9.0.7"),
		begins("as many as were accepted", 3, last(clinging(2, 3)), "2", "; accepted: clients that were only ever seen at hosts would lose every address that they may know: 2 sessions of 1 address"),
		begins("the address that was accepted", 3, last(clinging(2, 3)), "10.9.0.7", "accepted"),
		refused("the last host does not tell", last(deaf(3)), "", "server 3 on its host does not tell who is connected: cons is closed"),
		refused("the last host does not tell, and a number is accepted", last(deaf(3)), "100", "which clients would lose every address"),
		refused("nobody was asked", last(nil), "", "add --accept-client-loss=unknown"),
		begins("what is not known is accepted", 3, last(deaf(3)), "unknown", "accepted: which clients would lose"),
		begins("a pod does not tell", 3, last(&sessions.View{Untold: []sessions.Untold{{Server: 1, Place: sessions.InPod, Why: "closed"}}}), "", ""),
		{
			name: "an observer's host is no way out", ids: []ensemble.ID{1, 2, 3, 4}, id: 3,
			set: func(s *scene) {
				s.observer(4, 3)
				last(clinging(1, 3))(s)
			}, want: stop, code: migration.CodeClientLoss, says: "no server is left on a host except observers",
		},
		refused("it has begun, and nothing was stopped", under(clinging(1, 3), func(*migration.Flight) {}), "", "1 session of 1 address"),
		{
			name: "the stop was asked for", id: 3,
			set:  under(clinging(1, 3), func(f *migration.Flight) { f.StopAsked = ago(time.Second) }),
			want: do, step: migration.StepMaskHost,
		},
	})
}

// TestPlanIsNotHeldUp: a plan says that the last host needs consent, and shows what else there is.
func TestPlanIsNotHeldUp(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.replaced(1)
	s.replaced(2)
	s.o.Clients = clinging(2, 3)
	p := migration.Plan(s.o)
	if diff := cmp.Diff([]string{"elections 1", "replace: 1", "3 ready Step election"}, lines(p)); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if note := p.Phases[0].Note; !strings.Contains(note, "(now: only ever seen at hosts: 2 sessions of 1 address") || strings.Contains(p.Phases[0].Servers[0].Reason, "accepted") {
		t.Errorf("it says %q, and of the server %q", note, p.Phases[0].Servers[0].Reason)
	}
	if st := migration.Summarize(s.o); !st.Healthy || st.Clients != s.o.Clients {
		t.Errorf("status: %+v", st)
	}
}

// TestClientsAtStop: what is said before each stop.
func TestClientsAtStop(t *testing.T) {
	none := healthy("3.8.0", 1, 2, 3)
	one := healthy("3.8.0", 1, 2, 3)
	one.replaced(1)
	two := healthy("3.8.0", 1, 2, 3)
	two.replaced(1)
	two.replaced(2)
	flying := healthy("3.8.0", 1, 2, 3)
	flying.flight(migration.Replace, 1).StopAsked = ago(time.Second)
	early := clinging(2, 3)
	early.Pods = nil
	for name, c := range map[string]struct {
		s    *scene
		v    *sessions.View
		id   ensemble.ID
		says string
	}{
		"two hosts are left":        {none, early, 1, "Clients only ever seen at hosts: 2 sessions of 1 address; after this stop they have left the hosts of servers 2, 3. No server in a pod tells yet"},
		"one is left":               {one, clinging(2, 3), 2, "after this stop they have left the host of server 3.\n  - 10.9.0.7: 2 sessions"},
		"none is left":              {two, clinging(1, 3), 3, "1 session of 1 address; after this stop they have no host left.\n"},
		"nobody is named":           {one, &sessions.View{Pods: []ensemble.ID{1}, Moved: 3}, 2, "Clients only ever seen at hosts: none."},
		"a host does not tell":      {one, deaf(3), 2, "not known; after this stop they have left the host of server 3"},
		"the server is in its pod":  {one, clinging(1, 3), 1, ""},
		"the stop was asked for":    {flying, clinging(1, 3), 1, ""},
		"another one is on its way": {flying, clinging(1, 3), 2, ""},
		"nobody was asked":          {one, nil, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(migration.ClientsAtStop(c.s.o.Record, c.v, c.id), "\n")
			if !strings.Contains(got, c.says) || c.says == "" && got != "" {
				t.Errorf("it says %q, want %q", got, c.says)
			}
		})
	}
}

// TestHome: where a server's Service leads, for telling where clients were seen.
func TestHome(t *testing.T) {
	s := healthy("3.8.0", 1, 2, 3)
	s.replaced(1)
	places := func() (out []sessions.Place) {
		for _, srv := range s.o.Record.Servers {
			out = append(out, s.o.Record.Home(srv))
		}
		return out
	}
	for name, c := range map[string]struct {
		set  func()
		want []sessions.Place
	}{
		"nothing is under way":      {func() { s.o.Record.Flight = nil }, []sessions.Place{sessions.InPod, sessions.OnHost, sessions.OnHost}},
		"a replacement has begun":   {func() { s.flight(migration.Replace, 2) }, []sessions.Place{sessions.InPod, sessions.OnHost, sessions.OnHost}},
		"its stop was asked for":    {func() { s.flight(migration.Replace, 2).StopAsked = ago(0) }, []sessions.Place{sessions.InPod, sessions.OnItsWay, sessions.OnHost}},
		"a server goes back":        {func() { s.flight(migration.Revert, 1) }, []sessions.Place{sessions.OnItsWay, sessions.OnHost, sessions.OnHost}},
		"a host is being restarted": {func() { s.flight(migration.Reconfigure, 3) }, []sessions.Place{sessions.InPod, sessions.OnHost, sessions.OnItsWay}},
	} {
		c.set()
		if diff := cmp.Diff(c.want, places()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
