package ensemble

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseVersion(t *testing.T) {
	tests := map[string]struct {
		want Version
		text string
		bad  bool
	}{
		"3.4.13-6--1, built on 05/10/2019 05:02 GMT":     {want: Version{3, 4, 13, "3.4.13-6--1, built on 05/10/2019 05:02 GMT"}, text: "3.4.13"},
		"3.8.0-${mvngit.commit.id}, built on 2024-12-29": {want: Version{3, 8, 0, "3.8.0-${mvngit.commit.id}, built on 2024-12-29"}, text: "3.8.0"},
		" 3.9.2 ":                  {want: Version{3, 9, 2, "3.9.2"}, text: "3.9.2"},
		"3.4.5-cdh5.16.2--1":       {want: Version{3, 4, 5, "3.4.5-cdh5.16.2--1"}, text: "3.4.5"},
		"3.4.6.2.6.5.0-292":        {want: Version{3, 4, 6, "3.4.6.2.6.5.0-292"}, text: "3.4.6"},
		"":                         {bad: true},
		"3.4":                      {bad: true},
		"3..4":                     {bad: true},
		"v3.4.13":                  {bad: true},
		"99999999999999999999.1.1": {bad: true},
	}
	for text, tc := range tests {
		got, err := ParseVersion(text)
		if tc.bad {
			if err == nil {
				t.Errorf("%q was read as %v", text, got)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(tc.want, got); diff != "" || got.String() != tc.text || got.IsZero() {
			t.Errorf("%q: %s %s", text, got, diff)
		}
	}
	if got := (Version{}).String(); got != "unknown" {
		t.Errorf("zero version prints %q", got)
	}
}

func TestVersionOrder(t *testing.T) {
	sorted := []Version{{Major: 3, Minor: 4, Patch: 9}, {Major: 3, Minor: 4, Patch: 10}, {Major: 3, Minor: 5}, {Major: 3, Minor: 5, Patch: 9}, {Major: 3, Minor: 10}, {Major: 4}}
	for i, a := range sorted {
		for k, b := range sorted {
			if got := a.Compare(b); (got < 0) != (i < k) || (got == 0) != (i == k) {
				t.Errorf("%s against %s: %d", a, b, got)
			}
			if a.AtLeast(b.Major, b.Minor, b.Patch) != (i >= k) {
				t.Errorf("%s at least %s: wrong", a, b)
			}
		}
	}
	for text, want := range map[string]bool{"3.4.14": false, "3.5.10": false, "3.6.0": true, "3.9.4": true} {
		if v := podInput(text).Version; v.HasAutocreateGuard() != want {
			t.Errorf("%s: autocreate guard = %v", text, !want)
		}
	}
}

func TestSince(t *testing.T) {
	tests := []struct {
		since, version string
		want           bool
	}{
		{"3.4.10, 3.5.3", "3.4.9", false}, {"3.4.10, 3.5.3", "3.4.10", true}, {"3.4.10, 3.5.3", "3.5.0", false},
		{"3.4.10, 3.5.3", "3.5.3", true}, {"3.4.10, 3.5.3", "3.6.0", true}, {"3.5.6", "3.4.14", false}, {"3.5.6", "3.9.0", true},
	}
	for _, tc := range tests {
		if got := sinceHas(tc.since, podInput(tc.version).Version); got != tc.want {
			t.Errorf("since %s in %s: %v", tc.since, tc.version, got)
		}
	}
}

func TestParseID(t *testing.T) {
	for text, want := range map[string]ID{"0": 0, "1": 1, "255": 255, "007": 7, "1023": 1023, "4294967295": MaxID} {
		if got, err := ParseID(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "4294967296", "-1", "1 ", "one", "1.0", "99999999999999999999"} {
		if got, err := ParseID(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func TestZxid(t *testing.T) {
	z, err := ParseZxid(" 0x1700000a3f\n")
	if err != nil {
		t.Fatal(err)
	}
	if z.Epoch() != 0x17 || z.Counter() != 0xa3f || z.String() != "0x1700000a3f" {
		t.Errorf("epoch %x, counter %x, %s", z.Epoch(), z.Counter(), z)
	}
	for _, text := range []string{"", "0x", "zz", "0x10000000000000000"} {
		if got, err := ParseZxid(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func TestModeServing(t *testing.T) {
	for mode, want := range map[Mode]bool{Leader: true, Follower: true, Observing: true, Standalone: false, ReadOnly: false, NotServing: false, "": false} {
		if mode.Serving() != want {
			t.Errorf("%q serving = %v", mode, !want)
		}
	}
}

func TestQuorum(t *testing.T) {
	voter := func(id ID, weight, group int) Server {
		return Server{ID: id, Role: Participant, Weight: weight, Group: group}
	}
	plain := []Server{voter(1, 1, 0), voter(2, 1, 0), voter(3, 1, 0), {ID: 4, Role: Observer, Weight: 1}}
	five := append(plain[:3:3], voter(4, 1, 0), voter(5, 1, 0))
	groups := []Server{
		voter(1, 1, 1), voter(2, 1, 1), voter(3, 1, 1), voter(4, 1, 2), voter(5, 1, 2), voter(6, 1, 2),
		voter(7, 1, 3), voter(8, 1, 3), voter(9, 1, 3),
	}
	heavy := []Server{voter(1, 3, 1), voter(2, 1, 1), voter(3, 1, 1)}
	idle := []Server{voter(1, 1, 1), voter(2, 1, 1), voter(3, 1, 1), voter(4, 0, 2), voter(5, 0, 2)}
	tests := map[string]struct {
		servers []Server
		ids     []ID
		want    bool
	}{
		"two of three":                       {plain, []ID{1, 3}, true},
		"one of three":                       {plain, []ID{1}, false},
		"one twice":                          {plain, []ID{1, 1}, false},
		"one and an observer":                {plain, []ID{1, 4}, false},
		"one and a stranger":                 {plain, []ID{1, 9}, false},
		"three of five":                      {five, []ID{1, 2, 5}, true},
		"two of five":                        {five, []ID{1, 2}, false},
		"two of four":                        {five[:4], []ID{1, 2}, false},
		"none of none":                       {nil, nil, false},
		"two groups of three":                {groups, []ID{1, 2, 4, 5}, true},
		"five servers, one full group":       {groups, []ID{1, 2, 3, 4, 7}, false},
		"the heavy one alone":                {heavy, []ID{1}, true},
		"the light ones":                     {heavy, []ID{2, 3}, false},
		"a group without weight counts not":  {idle, []ID{1, 2}, true},
		"servers without weight help nobody": {idle, []ID{1, 4, 5}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := NewQuorum(tc.servers).Has(tc.ids); got != tc.want {
				t.Errorf("quorum = %v", got)
			}
		})
	}
}

func TestEnsemble(t *testing.T) {
	e := Ensemble{Servers: []Server{
		{ID: 9, Role: Participant, Weight: 1}, {ID: 2, Role: Observer, Weight: 1}, {ID: 5, Role: Participant, Weight: 0}, {ID: 1, Role: Participant, Weight: 1},
	}}
	if diff := cmp.Diff([]ID{1, 2, 5, 9}, e.IDs()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]ID{1, 9}, e.Voters()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]ID{1, 9}, Without([]ID{1, 5, 9}, 5)); diff != "" {
		t.Error(diff)
	}
	if _, ok := e.Server(3); ok {
		t.Error("found a server that is not there")
	}
	if s, ok := e.Server(5); !ok || s.ID != 5 {
		t.Errorf("got %v, %v", s, ok)
	}
	SortServers(e.Servers)
	if e.Servers[0].ID != 1 || e.Servers[3].ID != 9 {
		t.Errorf("sorted: %v", e.Servers)
	}
}
