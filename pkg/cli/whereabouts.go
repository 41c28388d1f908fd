package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// clientsEvery is how often servers are asked who is connected: the answer has a line for
// each client.
const clientsEvery = 5 * time.Second

// clientsKept is how often new sessions are written; where clients come and go, there are some
// at every look.
const clientsKept = time.Minute

// whereabouts asks servers who is connected, and remembers it beside the journal. It
// implements engine.Clients. What cannot be read or kept is told once, and a command goes on
// with what it sees itself.
type whereabouts struct {
	session *session
	// keeps: what is seen is written.
	keeps  bool
	memory sessions.Memory
	// known: the memory was read.
	known bool
	told  map[string]bool
	last  *sessions.View
	// asked and places are when and where the last view was taken, kept when it was written.
	asked  time.Time
	kept   time.Time
	places string
}

func newWhereabouts(s *session, keeps bool) *whereabouts {
	return &whereabouts{session: s, keeps: keeps, told: map[string]bool{}}
}

// Look implements engine.Clients. While a server is away nobody is asked: a question may take
// its time.
func (w *whereabouts) Look(ctx context.Context, rec migration.Record) *sessions.View {
	var homes strings.Builder
	away := false
	for _, s := range rec.Servers {
		home := rec.Home(s)
		fmt.Fprintf(&homes, "%d:%s ", s.ID, home)
		away = away || home == sessions.OnItsWay
	}
	places := homes.String()
	if away || w.last != nil && places == w.places && time.Since(w.asked) < clientsEvery {
		return w.last
	}
	w.places, w.asked = places, time.Now()
	return w.add(ctx, w.ask(ctx, rec))
}

// add adds what servers have told to what is remembered.
func (w *whereabouts) add(ctx context.Context, lists []sessions.List) *sessions.View {
	now := time.Now()
	if !w.known {
		w.known = true
		w.read(ctx)
	}
	moved, news := w.memory.Note(lists, now)
	if w.keeps && (moved || news && now.Sub(w.kept) >= clientsKept) {
		w.kept = now
		w.keep(ctx)
	}
	w.last = w.memory.View(lists, now)
	return w.last
}

// ask asks all servers at once.
func (w *whereabouts) ask(ctx context.Context, rec migration.Record) []sessions.List {
	lists := make([]sessions.List, len(rec.Servers))
	var wg sync.WaitGroup
	for i, srv := range rec.Servers {
		wg.Go(func() {
			lists[i] = sessions.List{Server: srv.ID, Place: rec.Home(srv)}
			if lists[i].Place == sessions.OnItsWay {
				return
			}
			for _, t := range srv.ClientPorts() {
				lists[i] = listed(lists[i], w.session.prober.Ask(ctx, t, zkprobe.Cons))
			}
		})
	}
	wg.Wait()
	return lists
}

// listed adds what one port of a server told of its clients. Connections without a session
// are four-letter words, and no clients.
func listed(l sessions.List, a zkprobe.Answer) sessions.List {
	switch {
	case a.Reach == vantage.NotWhitelisted:
		l.Untold = "cons is not in its 4lw.commands.whitelist"
		return l
	case a.Reach != vantage.Answered:
		l.Untold = a.Err.Error()
		return l
	case a.Truncated:
		l.Untold = "it has more clients than are read"
	}
	clients, rest := zkprobe.ParseCons(a.Text)
	if len(rest) > 0 && !a.Truncated {
		l.Untold = "its answer to cons has lines that are not clients"
	}
	for _, c := range clients {
		if c.SessionID != 0 {
			l.Sessions = append(l.Sessions, sessions.Session{ID: sessions.ID(c.SessionID), Address: sessions.Canonical(c.Addr.Addr())})
		}
	}
	return l
}

// read reads what earlier commands have remembered.
func (w *whereabouts) read(ctx context.Context) {
	data, err := w.session.journal.Clients(ctx)
	if err == nil {
		w.memory, err = sessions.Read(data)
	}
	if err != nil {
		w.tell("where clients were seen before is not known", err)
	}
}

// keep writes what is remembered, with what others have written meanwhile.
func (w *whereabouts) keep(ctx context.Context) {
	err := w.session.journal.KeepClients(ctx, func(old []byte) ([]byte, error) {
		// What others have garbled is written over.
		if theirs, err := sessions.Read(old); err == nil {
			w.memory.Join(theirs)
		}
		return w.memory.Write()
	})
	if err != nil {
		w.tell("later commands will not know where clients were seen now", err)
	}
}

func (w *whereabouts) tell(what string, err error) {
	if !w.told[what] {
		w.told[what] = true
		fmt.Fprintf(w.session.kube.warn, "Warning: %s: %s\n", what, plain(err).text)
	}
}
