package cli

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/intake"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/quote"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// uses asks who may use the Services, beside the servers' own lists, which each look shows.
func (s *session) uses(ctx context.Context, rec migration.Record, files []ensemble.HostConfig) ([]migration.Use, error) {
	out := []migration.Use{s.clientsUse(ctx, rec)}
	for _, h := range files {
		id, known := h.ID.Get()
		if _, listed := rec.Server(id); !known || !listed {
			return nil, usagef("%s: whose zoo.cfg is it? Give it as ID=FILE, with an id of %v", quote.Line(h.Source), rec.Ensemble().IDs())
		}
		out = append(out, fileUse(rec, id, h))
	}
	out = append(out, nameUses(rec, lookup(ctx))...)
	return append(out, s.keptListUse(ctx, rec)), ctx.Err()
}

// clientsUse tells who is connected; through what they came, no server sees.
func (s *session) clientsUse(ctx context.Context, rec migration.Record) migration.Use {
	var mu sync.Mutex
	var wg sync.WaitGroup
	from, silent := map[string]bool{}, 0
	for _, srv := range rec.Servers {
		wg.Go(func() {
			a := s.prober.Ask(ctx, srv.AtHost(), zkprobe.Cons)
			clients, _ := zkprobe.ParseCons(a.Text)
			mu.Lock()
			defer mu.Unlock()
			if a.Reach != vantage.Answered {
				silent++
			}
			for _, c := range clients {
				if c.SessionID != 0 {
					from[c.Addr.Addr().Unmap().String()] = true
				}
			}
		})
	}
	wg.Wait()
	return migration.Use{Key: migration.UseClients, State: migration.UseUnseen, Text: clientsText(from, silent)}
}

// maxNamed is how many clients are named.
const maxNamed = 10

func clientsText(from map[string]bool, silent int) string {
	var names []string
	for name := range from {
		names = append(names, name)
	}
	slices.Sort(names)
	text := "no client is connected now; whether one has the Services in its connection string, no server sees"
	if n := len(names); n > 0 {
		more := ""
		if n > maxNamed {
			names, more = names[:maxNamed], fmt.Sprintf(" and %d more", n-maxNamed)
		}
		text = fmt.Sprintf("clients are connected from %s%s; whether they came through a Service, no server sees", strings.Join(names, ", "), more)
	}
	if silent > 0 {
		text += fmt.Sprintf(" (%d %s not answer cons)", silent, doNot(silent))
	}
	return text
}

func doNot(n int) string {
	if n == 1 {
		return "server does"
	}
	return "servers do"
}

// fileUse looks for the Services in a host's file: in its server lines by any name, anywhere else by
// an address or a full name.
func fileUse(rec migration.Record, id ensemble.ID, h ensemble.HostConfig) migration.Use {
	u := migration.Use{Key: migration.FileKey(id), State: migration.UseNone, Text: "the file of server " + id.String() + " names no Service"}
	text := string(h.Config.Props.Bytes())
	if h.Config.Dynamic != nil {
		text += "\n" + string(h.Config.Dynamic.Bytes())
	}
	found := rec.Mentions(text)
	for _, m := range h.Config.Servers {
		if svc, ok := rec.NamesService(m.Host); ok {
			found = append(found, svc)
		}
		for _, more := range m.More {
			if svc, ok := rec.NamesService(more.Host); ok {
				found = append(found, svc)
			}
		}
	}
	if len(found) > 0 {
		u.State = migration.UseSeen
		u.Text = fmt.Sprintf("%s, the file of server %s, names Service %s (%s): its server runs with that from its next start on", quote.Line(h.Source), id, found[0].Service, found[0].ClusterIP)
	}
	return u
}

// nameUses: a host's name that leads to a Service sends clients and servers there.
func nameUses(rec migration.Record, ask intake.Lookup) []migration.Use {
	var out []migration.Use
	for _, s := range rec.Servers {
		if _, err := netip.ParseAddr(s.Host); err == nil {
			continue
		}
		found, err := ask(s.Host)
		if err != nil {
			continue // a name that leads nowhere leads to no Service
		}
		for _, a := range found {
			if svc, ok := rec.NamesService(a.Unmap().String()); ok {
				out = append(out, migration.Use{Key: "name-" + s.ID.String(), State: migration.UseSeen,
					Text: fmt.Sprintf("the name %s of server %d leads to Service %s (%s) by now", quote.Line(s.Host), s.ID, svc.Service, svc.ClusterIP)})
			}
		}
	}
	return out
}

// keptListUse looks at the list that the ensemble keeps for its clients.
func (s *session) keptListUse(ctx context.Context, rec migration.Record) migration.Use {
	u := migration.Use{Key: migration.UseKeptList, State: migration.UseUnseen, Text: "nobody answered who could have told what " + zkprobe.ConfigZnode + " holds"}
	for _, srv := range rec.Servers {
		text, found, err := s.prober.at(srv.AtHost()).ListKept(ctx, srv.AtHost().Address())
		switch {
		case err != nil:
			u.Text = plain(err).text
			continue
		case !found:
			u.State, u.Text = migration.UseNone, "there is no "+zkprobe.ConfigZnode
			return u
		}
		u.State, u.Text = migration.UseNone, zkprobe.ConfigZnode+" names no Service"
		named := rec.Mentions(text)
		for _, m := range zkprobe.ParseConf(text).Members {
			if svc, ok := rec.NamesService(m.Host); ok {
				named = append(named, svc)
			}
		}
		if len(named) > 0 {
			u.State, u.Text = migration.UseSeen, fmt.Sprintf("%s, which clients follow, names Service %s (%s)", zkprobe.ConfigZnode, named[0].Service, named[0].ClusterIP)
		}
		return u
	}
	return u
}
