package sessions

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

func t0() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// said is a list: "1 host: a/1 a/2" is server 1 on its host with sessions 1 and 2 of address a.
func said(t *testing.T, text string) List {
	t.Helper()
	head, rest, _ := strings.Cut(text, ":")
	var l List
	var place string
	if _, err := fmt.Sscanf(head, "%d %s", &l.Server, &place); err != nil {
		t.Fatal(err)
	}
	l.Place = Place(place)
	switch place {
	case "moving":
		l.Place = OnItsWay
	case "deaf":
		l.Place, l.Untold = OnHost, "closed"
	}
	for word := range strings.FieldsSeq(rest) {
		address, id, _ := strings.Cut(word, "/")
		var n int64
		if _, err := fmt.Sscanf(id, "%d", &n); err != nil {
			t.Fatal(err)
		}
		l.Sessions = append(l.Sessions, Session{ID: ID(n), Address: "10.9.0." + address})
	}
	return l
}

// TestView: who is named after some looks.
func TestView(t *testing.T) {
	for name, c := range map[string]struct {
		// looks are a minute apart.
		looks [][]string
		// left and away are "address xSESSIONS @servers", with "+" where others have moved.
		left, away []string
		moved      int
		words      string
	}{
		"nobody": {[][]string{{"1 host:", "2 host:"}}, nil, nil, 0, "0 sessions of 0 addresses; which have moved cannot be told until"},
		"before the first pod": {
			[][]string{{"1 host: 1/1", "2 host: 2/2 2/3"}},
			[]string{"10.9.0.2 x2 @[2]", "10.9.0.1 x1 @[1]"}, nil, 0, "3 sessions of 2 addresses; which have moved cannot be told until a server in a pod tells who came there",
		},
		"one is at a pod": {
			[][]string{{"1 pod: 1/1", "2 host: 2/2"}},
			[]string{"10.9.0.2 x1 @[2]"}, nil, 1, "only ever seen at hosts: 1 session of 1 address; seen at a pod: 1 session",
		},
		"it was at a pod, and is at a host now": {
			[][]string{{"1 pod: 1/1", "2 host:"}, {"1 pod:", "2 host: 1/1"}}, nil, nil, 1, "only ever seen at hosts: 0 sessions of 0 addresses",
		},
		"it comes from a host to a pod": {
			[][]string{{"1 host: 1/1", "2 host:"}, {"1 pod: 1/1", "2 host:"}}, nil, nil, 1, "",
		},
		"it gathers on the last host": {
			[][]string{{"1 host: 1/1", "2 host:"}, {"1 pod:", "2 host: 1/1"}}, []string{"10.9.0.1 x1 @[2]"}, nil, 0, "",
		},
		"another session of the address has moved": {
			[][]string{{"1 pod: 1/1", "2 host: 1/2"}}, []string{"10.9.0.1 x1 @[2] +"}, nil, 1, "",
		},
		"a new session of an address that has moved": {
			[][]string{{"1 pod: 1/1", "2 host:"}, {"1 pod:", "2 host: 1/2"}}, []string{"10.9.0.1 x1 @[2] +"}, nil, 0, "",
		},
		"a session whose old connection is still listed": {
			[][]string{{"1 host: 1/1", "2 host: 1/1"}}, []string{"10.9.0.1 x1 @[1 2]"}, nil, 0, "",
		},
		"of a server on its way nothing is known": {
			[][]string{{"1 moving: 1/1", "2 host:"}}, nil, nil, 0, "",
		},
		"it is away": {
			[][]string{{"1 host: 1/1", "2 host:"}, {"1 pod:", "2 host:"}}, nil, []string{"10.9.0.1 x1 @[]"}, 0, "",
		},
		"it came back as another session, and has moved": {
			[][]string{{"1 host: 1/1", "2 host:"}, {"1 pod: 1/2", "2 host:"}}, nil, nil, 1, "",
		},
		"it came back as another session, at a host": {
			[][]string{{"1 host: 1/1", "2 host:"}, {"1 pod:", "2 host: 1/2"}}, []string{"10.9.0.1 x1 @[2]"}, nil, 0, "",
		},
		"a host does not tell": {
			[][]string{{"1 pod: 1/1", "2 deaf:"}}, nil, nil, 1, "only ever seen at hosts: 0 sessions of 0 addresses; seen at a pod: 1 session; not known of server 2, not telling who is connected",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var m Memory
			var v *View
			for i, look := range c.looks {
				var lists []List
				for _, text := range look {
					lists = append(lists, said(t, text))
				}
				at := t0().Add(time.Duration(i) * time.Minute)
				m.Note(lists, at)
				v = m.View(lists, at)
			}
			show := func(list []Address) (out []string) {
				for _, a := range list {
					text := fmt.Sprintf("%s x%d @%v", a.Address, a.Sessions, a.Servers)
					if a.Others {
						text += " +"
					}
					out = append(out, text)
				}
				return out
			}
			if diff := cmp.Diff(c.left, show(v.Left)); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.away, show(v.Away)); diff != "" {
				t.Errorf("away (-want +got):\n%s", diff)
			}
			if v.Moved != c.moved || !strings.HasPrefix(v.Words(), c.words) {
				t.Errorf("moved %d, want %d; it says %q, want %q", v.Moved, c.moved, v.Words(), c.words)
			}
		})
	}
}

// TestNobodyWhoNeverMovedIsCleared plays clients that choose at random among what they know, and
// looks at random moments: a session with old addresses is named at every look that finds it, and
// one that was found at a pod never again; what is kept says the same as what is not.
func TestNobodyWhoNeverMovedIsCleared(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		const servers, clients = 4, 12
		var m Memory
		at, pods := t0(), 0
		where, cleared := map[int]int{}, map[int]bool{}
		old := func(client int) bool { return client%3 == 0 }
		for pods < servers {
			for c := range clients {
				_, connected := where[c]
				lost := connected && old(c) && where[c] < pods
				if connected && !lost && r.IntN(3) > 0 {
					continue
				}
				if where[c] = r.IntN(servers); old(c) {
					where[c] = pods + r.IntN(servers-pods)
				}
			}
			if r.IntN(3) == 0 {
				pods++
				continue // clients on the host that is gone choose first
			}
			lists := make([]List, servers)
			for i := range lists {
				lists[i] = List{Server: ensemble.ID(i), Place: OnHost}
				if i < pods {
					lists[i].Place = InPod
				}
			}
			for c, i := range where {
				lists[i].Sessions = append(lists[i].Sessions, Session{ID: ID(c + 1), Address: "10.9.0." + fmt.Sprint(c)})
				cleared[c] = cleared[c] || i < pods
			}
			at = at.Add(time.Minute)
			m.Note(lists, at)
			v := m.View(lists, at)
			var got, want []string
			for _, a := range v.Left {
				got = append(got, a.Address)
			}
			for c := range where {
				if old(c) && cleared[c] {
					t.Fatal("the play is wrong: a client with old addresses is at a pod")
				}
				if !cleared[c] {
					want = append(want, "10.9.0."+fmt.Sprint(c))
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" || v.Sessions != len(want) {
				t.Fatalf("named (-want +got):\n%s", diff)
			}
			data, err := m.Write()
			if err != nil {
				t.Fatal(err)
			}
			again, err := Read(data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(v, again.View(lists, at)); diff != "" {
				t.Fatalf("kept (-before +after):\n%s", diff)
			}
			m = again
		}
	}
}

// TestJoin: what two commands have remembered adds up, whoever writes last.
func TestJoin(t *testing.T) {
	var a, b Memory
	a.Note([]List{said(t, "1 host: 1/1 1/2")}, t0())
	b.Note([]List{said(t, "1 pod: 2/1"), said(t, "2 host: 3/3")}, t0().Add(time.Minute))
	ab, ba := Memory{}, Memory{}
	ab.Join(a)
	ab.Join(b)
	ba.Join(b)
	ba.Join(a)
	now := []List{said(t, "2 host: 2/1 1/2 3/3")}
	v := ab.View(now, t0().Add(time.Hour))
	if diff := cmp.Diff(v, ba.View(now, t0().Add(time.Hour))); diff != "" {
		t.Errorf("the order counts:\n%s", diff)
	}
	if v.Moved != 1 || v.Sessions != 2 || !v.Left[0].Since.Equal(t0()) {
		t.Errorf("got %+v", v)
	}
}

// TestBounds: the memory does not grow, and what it forgets is named again, never cleared.
func TestBounds(t *testing.T) {
	var m Memory
	many := List{Server: 1, Place: InPod}
	for i := range maxRemembered {
		many.Sessions = append(many.Sessions, Session{ID: ID(i + 1), Address: fmt.Sprintf("10.8.%d.%d", i/250, i%250)})
	}
	m.Note([]List{many}, t0())
	more := List{Server: 2, Place: OnHost}
	for i := range 300 {
		more.Sessions = append(more.Sessions, Session{ID: ID(maxRemembered + i + 1), Address: fmt.Sprintf("10.9.%d.%d", i/250, i%250)})
	}
	later := t0().Add(time.Minute)
	m.Note([]List{more}, later)
	if len(m.seen) != maxRemembered || m.dropped != 300 {
		t.Errorf("%d are remembered and %d dropped", len(m.seen), m.dropped)
	}
	v := m.View([]List{more}, later)
	if v.Sessions != 300 || v.Addresses != 300 || len(v.Left) != maxAddresses || v.Dropped != 300 {
		t.Errorf("%d sessions of %d addresses, %d listed, %d dropped", v.Sessions, v.Addresses, len(v.Left), v.Dropped)
	}
	data, err := m.Write()
	if _, readErr := Read(data); err != nil || readErr != nil || len(data) > 900<<10 {
		t.Errorf("%d bytes, %v, %v", len(data), err, readErr)
	}
	here := List{Server: 2, Place: OnHost, Sessions: many.Sessions}
	if v := m.View([]List{here}, later); v.Sessions != 300 || v.Moved != maxRemembered-300 {
		t.Errorf("of those that moved %d are forgotten and named, %d are not", v.Sessions, v.Moved)
	}
	m.Note(nil, t0().Add(forgottenAfter+time.Hour))
	if len(m.seen) != 0 {
		t.Errorf("%d are remembered for ever", len(m.seen))
	}
}

// TestWorthAWrite: an ensemble where nothing changes costs no writes.
func TestWorthAWrite(t *testing.T) {
	var m Memory
	at := t0()
	for i, c := range []struct {
		list  string
		after time.Duration
		moved bool
		news  bool
	}{
		{"1 host: 1/1", 0, false, true},
		{"1 host: 1/1", time.Minute, false, false},
		{"1 host: 1/1 1/2", time.Minute, false, true},
		{"1 pod: 1/1", time.Minute, true, false},
		{"1 pod: 1/1", time.Minute, false, false},
		{"1 pod: 1/1", time.Hour, false, true},
	} {
		at = at.Add(c.after)
		if moved, news := m.Note([]List{said(t, c.list)}, at); moved != c.moved || news != c.news {
			t.Errorf("look %d: moved %v, news %v", i, moved, news)
		}
	}
}

// TestReadRefuses: whoever may write ConfigMaps may have written it.
func TestReadRefuses(t *testing.T) {
	const times = `"since":"2026-03-01T12:00:00Z","last":"2026-03-01T12:00:00Z"`
	if m, err := Read([]byte(`{"sessions":[{"id":"0x1","address":"10.0.0.1",` + times + `}]}`)); err != nil || len(m.seen) != 1 {
		t.Fatalf("%v, %v", m, err)
	}
	for name, text := range map[string]string{
		"no JSON":         `{`,
		"another field":   `{"sessions":[],"x":1}`,
		"no id":           `{"sessions":[{"address":"10.0.0.1",` + times + `}]}`,
		"an id of words":  `{"sessions":[{"id":"one","address":"10.0.0.1",` + times + `}]}`,
		"session zero":    `{"sessions":[{"id":"0x0","address":"10.0.0.1",` + times + `}]}`,
		"a name":          `{"sessions":[{"id":"0x1","address":"a; rm -rf /",` + times + `}]}`,
		"no time":         `{"sessions":[{"id":"0x1","address":"10.0.0.1"}]}`,
		"less than none":  `{"dropped":-1,"sessions":[]}`,
		"too many to fit": `{"sessions":[` + strings.Repeat(`{"id":"0x1","address":"10.0.0.1",`+times+`},`, maxRemembered) + `{"id":"0x1","address":"10.0.0.1",` + times + `}]}`,
	} {
		if m, err := Read([]byte(text)); err == nil || m.seen != nil {
			t.Errorf("%s: %d are read, %v", name, len(m.seen), err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"sessions":[{"id":"0x1","address":"10.0.0.1","since":"2026-03-01T12:00:00Z","last":"2026-03-01T12:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(data)
		if err != nil {
			return
		}
		kept, err := m.Write()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read(kept); err != nil {
			t.Errorf("what is read cannot be read again: %v", err)
		}
	})
}

// TestConsent: what is accepted covers what is found, and nothing more.
func TestConsent(t *testing.T) {
	v := func(silent bool, sessions ...int) *View {
		out := &View{}
		for i, n := range sessions {
			out.Left = append(out.Left, Address{Address: fmt.Sprintf("10.9.0.%d", i+1), Sessions: n})
			out.Sessions += n
		}
		if silent {
			out.Untold = []Untold{{Server: 3, Place: OnHost, Why: "closed"}}
		}
		return out
	}
	for _, c := range []struct {
		consent string
		view    *View
		covers  bool
	}{
		{"", v(false), true},
		{"", v(false, 1), false},
		{"0", v(false, 1), false},
		{"3", v(false, 2, 1), true},
		{"2", v(false, 2, 1), false},
		{"10.9.0.1", v(false, 2), true},
		{"10.9.0.1", v(false, 2, 1), false},
		{"10.9.0.1, 10.9.0.2", v(false, 2, 1), true},
		{"10.9.0.1,1", v(false, 2, 1), true},
		{"::ffff:10.9.0.1", v(false, 2), true},
		{"unknown", v(false, 1), false},
		{"", v(true), false},
		{"5", v(true), false},
		{"unknown", v(true), true},
		{"unknown", v(true, 1), false},
		{"unknown,1", v(true, 1), true},
		{"", nil, false},
		{"unknown", nil, true},
	} {
		consent, err := ParseConsent(c.consent)
		if err != nil || consent.Covers(c.view) != c.covers {
			t.Errorf("%q of %+v: covers %v, %v", c.consent, c.view, !c.covers, err)
		}
		wanted, err := ParseConsent(Wanted(c.view))
		if err != nil || !wanted.Covers(c.view) {
			t.Errorf("what is said to be wanted of %+v, %q, does not do: %v", c.view, Wanted(c.view), err)
		}
	}
	for _, bad := range []string{"x", "-1", "1,2", "10.0.0", "1,", "fe80::1%eth0", "all"} {
		if c, err := ParseConsent(bad); err == nil {
			t.Errorf("%q is taken as %+v", bad, c)
		}
	}
}

// TestRecall: what is remembered says who was connected when somebody last looked.
func TestRecall(t *testing.T) {
	var m Memory
	if m.Recall() != nil {
		t.Error("nothing is remembered, and something is recalled")
	}
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	on := func(place Place, ids ...ID) List {
		l := List{Server: 1, Place: place}
		for _, id := range ids {
			l.Sessions = append(l.Sessions, Session{ID: id, Address: fmt.Sprintf("10.0.0.%d", id)})
		}
		return l
	}
	m.Note([]List{on(OnHost, 1, 2, 3)}, at)
	m.Note([]List{on(OnHost, 2, 3), on(InPod, 4)}, at.Add(time.Hour))
	m.Note([]List{on(InPod, 3)}, at.Add(time.Hour+time.Minute))
	v := m.Recall()
	if v.Sessions != 1 || v.Addresses != 1 || v.Left[0].Address != "10.0.0.2" || v.Moved != 2 {
		t.Errorf("%+v", v)
	}
	if len(v.Away) != 1 || v.Away[0].Address != "10.0.0.1" {
		t.Errorf("away: %+v", v.Away)
	}
}
