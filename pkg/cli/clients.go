package cli

import (
	"context"
	"fmt"
	"io"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/preflight"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/printer"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/vantage"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
)

// ClientsReport is what clients prints; its JSON form is stable.
type ClientsReport struct {
	APIVersion        string `json:"apiVersion"`
	Kind              string `json:"kind"`
	Name              string `json:"name"`
	Namespace         string `json:"namespace"`
	ConnectionStrings `json:",inline"`
	// TLS are those for clients with TLS, nil where no server has a port for them.
	TLS     *ConnectionStrings `json:"tls,omitempty"`
	Clients []ConnectedClient  `json:"clients"`
	Unknown []ensemble.ID      `json:"unknown,omitempty"`
	Records []DNSRecordOfASrv  `json:"records"`
	// Warnings is what to see to before clients move.
	Warnings []preflight.ClientWarning `json:"warnings,omitempty"`
}

// ConnectionStrings are old and new; both work until the last host goes.
type ConnectionStrings struct {
	Old    string `json:"old"`
	New    string `json:"new"`
	NewDNS string `json:"newDNS"`
}

// connectionStrings lists the servers that have a port of that name; nil where none has.
func connectionStrings(rec migration.Record, name ensemble.PortName) *ConnectionStrings {
	var old, now, dns []string
	for _, srv := range rec.Servers {
		if port := srv.Port(name); port != 0 {
			old = append(old, ensemble.JoinHostPort(srv.Host, port))
			now = append(now, ensemble.JoinHostPort(srv.ClusterIP, port))
			dns = append(dns, ensemble.JoinHostPort(rec.ServiceName(srv), port))
		}
	}
	if len(old) == 0 {
		return nil
	}
	return &ConnectionStrings{strings.Join(old, ","), strings.Join(now, ","), strings.Join(dns, ",")}
}

// ConnectedClient is one source address.
type ConnectedClient struct {
	Address  string        `json:"address"`
	Servers  []ensemble.ID `json:"servers"`
	Sessions int           `json:"sessions"`
	// ShortestTimeout is the shortest session timeout in seconds.
	ShortestTimeout float64 `json:"shortestTimeoutSeconds"`
}

// DNSRecordOfASrv is a host's name and the address it should get.
type DNSRecordOfASrv struct {
	ID   ensemble.ID `json:"id"`
	Host string      `json:"host"`
	Old  string      `json:"old"`
	New  string      `json:"new"`
}

func newClientsCommand(d *deps) *cobra.Command {
	output := newOutputFlags()
	var limit time.Duration
	cmd := &cobra.Command{
		Use:                   "clients [NAME] [-o FORMAT]",
		DisableFlagsInUseLine: true,
		Short:                 "Print old and new connection strings and who is connected",
		Long: long(`
			Clients move to the Services' addresses: with new connection strings and a restart,
			or by pointing the hosts' names at the new addresses. Old and new strings both
			work until the last host is stopped. Lists who is connected now, by source
			address; whether a connection came through a Service cannot be seen by ZooKeeper.
			Warns of what clients stumble over when they move, with what was seen and what to do
			(docs/clients.md). Nothing is written.`),
		Example: examples(`
			# What do clients have to use?
			%[1]s clients zk1`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := output.toPrinter(cmd.Context())
			if err != nil {
				return err
			}
			return within(cmd.Context(), limit, func(ctx context.Context) error { return runClients(ctx, d, args, p) })
		},
	}
	output.add(cmd)
	d.says(cmd, "spec.credentials")
	lookFlag(cmd, &limit)
	return cmd
}

func runClients(ctx context.Context, d *deps, args []string, p printer.Printer) error {
	s, rec, err := d.open(ctx, args, ensemble.MaybeID{})
	if err != nil {
		return err
	}
	r := clientsReport(ctx, s, rec)
	if !p.ForPeople() {
		return p.Structured(d.streams.Out, r)
	}
	return printClients(d, r)
}

func clientsReport(ctx context.Context, s *session, rec migration.Record) ClientsReport {
	r := ClientsReport{APIVersion: migration.RecordVersion, Kind: "ClientsReport", Name: rec.Name, Namespace: rec.Namespace}
	if plain := connectionStrings(rec, ensemble.PortClient); plain != nil {
		r.ConnectionStrings = *plain
	}
	r.TLS = connectionStrings(rec, ensemble.PortSecureClient)
	byAddress := map[string]*ConnectedClient{}
	f := preflight.Facts{Record: rec, Servers: rec.Servers, Through: map[ensemble.ID]vantage.Sighting{}, Via: s.kube.via,
		Sources: map[ensemble.ID]preflight.ClientCount{}, Reports: dated(s.keptReports(ctx), time.Now())}
	for _, srv := range rec.Servers {
		if srv.Host != srv.HostIP {
			r.Records = append(r.Records, DNSRecordOfASrv{ID: srv.ID, Host: srv.Host, Old: srv.HostIP, New: srv.ClusterIP})
		}
		a := s.prober.Ask(ctx, srv.AtService(), zkprobe.Cons)
		conf := s.prober.Ask(ctx, srv.AtService(), zkprobe.Conf)
		f.Through[srv.ID] = vantage.Sighting{Reach: conf.Reach, Members: zkprobe.ParseConf(conf.Text).Members}
		if a.Reach != vantage.Answered {
			r.Unknown = append(r.Unknown, srv.ID)
			continue
		}
		clients, _ := zkprobe.ParseCons(a.Text)
		f.Sources[srv.ID] = clientCount(clients, conf)
		for _, c := range clients {
			if c.SessionID == 0 {
				continue
			}
			addConnection(byAddress, srv.ID, c)
		}
	}
	for _, c := range byAddress {
		r.Clients = append(r.Clients, *c)
	}
	sort.Slice(r.Clients, func(i, j int) bool { return r.Clients[i].Address < r.Clients[j].Address })
	r.Warnings = preflight.ClientWarnings(f)
	return r
}

func addConnection(by map[string]*ConnectedClient, id ensemble.ID, c zkprobe.Client) {
	address := c.Addr.Addr().String()
	e, ok := by[address]
	if !ok {
		e = &ConnectedClient{Address: address}
		by[address] = e
	}
	e.Sessions++
	if len(e.Servers) == 0 || e.Servers[len(e.Servers)-1] != id {
		e.Servers = append(e.Servers, id)
	}
	if t := c.Timeout.Seconds(); t > 0 && (e.ShortestTimeout == 0 || t < e.ShortestTimeout) {
		e.ShortestTimeout = t
	}
}

func printClientWarnings(out io.Writer, warnings []preflight.ClientWarning) {
	if len(warnings) > 0 {
		fmt.Fprintln(out, "\nBefore clients or names are moved (docs/clients.md):")
	}
	for _, w := range warnings {
		fmt.Fprintf(out, "  %s\n", w.Code)
		for _, e := range w.Evidence {
			fmt.Fprintf(out, "      %s\n", e)
		}
		fmt.Fprintf(out, "      hint: %s\n", w.Hint)
	}
}

func printClients(d *deps, r ClientsReport) error {
	out := d.streams.Out
	fmt.Fprintf(out, "old connection string:  %s\nnew connection string:  %s\nthe same by name:       %s\n", r.Old, r.New, r.NewDNS)
	if r.TLS != nil {
		fmt.Fprintf(out, "with TLS, old:          %s\nwith TLS, new:          %s\nthe same by name:       %s\n", r.TLS.Old, r.TLS.New, r.TLS.NewDNS)
	}
	if len(r.Records) > 0 {
		fmt.Fprintln(out, "\nOr move the hosts' names (clients that resolve at each connect follow by themselves):")
		for _, rec := range r.Records {
			fmt.Fprintf(out, "  %s  A  %s   (was %s)\n", rec.Host, rec.New, rec.Old)
		}
	}
	printClientWarnings(out, r.Warnings)
	fmt.Fprintln(out, "\nConnected now (with a session):")
	tw := tabwriter.NewWriter(out, 0, 4, 3, ' ', 0)
	fmt.Fprintln(tw, "  FROM\tSESSIONS\tSERVERS\tSHORTEST TIMEOUT")
	for _, c := range r.Clients {
		fmt.Fprintf(tw, "  %s\t%d\t%v\t%.0fs\n", c.Address, c.Sessions, c.Servers, c.ShortestTimeout)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, id := range r.Unknown {
		fmt.Fprintf(out, "server %d does not answer cons: its clients are not listed (4lw.commands.whitelist)\n", id)
	}
	fmt.Fprintf(out, "\nnext: %s\n", d.in(r.Namespace).Ours("reconfigure %s", r.Name))
	return nil
}
