package cli

import (
	"context"
	"errors"
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
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/rollout"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/sessions"
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
	// Sessions is who has only ever been seen at hosts, by what is remembered, too.
	Sessions *sessions.View    `json:"sessions"`
	Records  []DNSRecordOfASrv `json:"records"`
	// look is how a client's machine tells.
	look string
	// reconfigured: no server on a host is left that runs with the old list.
	reconfigured bool
	// ACLs is what --scan-acls has read.
	ACLs *vantage.ACLScan `json:"acls,omitempty"`
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
	var wait bool
	var scan aclScan
	cmd := &cobra.Command{
		Use:                   "clients [NAME] [--wait] [--scan-acls] [-o FORMAT]",
		DisableFlagsInUseLine: true,
		Short:                 "Print old and new connection strings and who is connected",
		Long: long(`
			Clients move to the Services' addresses: with new connection strings and a restart,
			or by pointing the hosts' names at the new addresses. Old and new strings both
			work until the last host is stopped. Lists who is connected now, by source
			address, and which sessions have only ever been seen at hosts: a server on its host
			cannot tell by which address a client came, but a pod is reached through its Service
			only, so who was seen there has moved. That is remembered beside the journal. Nothing
			else is written.

			With --wait, waits until no session is connected that has only ever been seen at
			hosts. One that has moved and was never at a pod is seen there once it connects again,
			if it happens to choose one.

			Warns of what clients stumble over when they move, with what was seen and what to do
			(docs/clients.md).

			With --scan-acls it also reads the ACLs of the znodes, from one server and one request
			at a time, and says whose rights go by an address.`),
		Example: examples(`
			# What do clients have to use?
			%[1]s clients zk1

			# Wait until nobody is left who would be lost with the last host
			%[1]s clients zk1 --wait --timeout=1h

			# Whose rights would be lost with another source address?
			%[1]s clients zk1 --scan-acls`),
		Args: atMostName,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := output.toPrinter(cmd.Context())
			if err != nil {
				return err
			}
			if err := scan.check(cmd); err != nil {
				return err
			}
			if wait && !cmd.Flags().Changed("timeout") {
				limit = defaultTimeout
			}
			return within(cmd.Context(), limit, func(ctx context.Context) error { return runClients(ctx, d, args, wait, scan, p) })
		},
	}
	output.add(cmd)
	d.says(cmd, "spec.credentials")
	lookFlag(cmd, &limit)
	cmd.Flags().BoolVar(&wait, "wait", false, "Wait until no client is connected that has only ever been seen at hosts (--timeout: 30m unless given)")
	scan.add(cmd)
	return cmd
}

func runClients(ctx context.Context, d *deps, args []string, wait bool, scan aclScan, p printer.Printer) error {
	s, rec, err := d.open(ctx, args, ensemble.MaybeID{})
	if err != nil {
		return err
	}
	seen := newWhereabouts(s, true)
	var r ClientsReport
	if wait {
		r, err = waitForClients(ctx, s, seen, scan)
	} else {
		r = clientsReport(ctx, s, rec, seen, scan)
	}
	if err != nil {
		return err
	}
	if !p.ForPeople() {
		return p.Structured(d.streams.Out, r)
	}
	return printClients(d, r)
}

// waitForClients looks again until nobody is connected that has only ever been seen at hosts.
func waitForClients(ctx context.Context, s *session, seen *whereabouts, scan aclScan) (r ClientsReport, err error) {
	said := ""
	err = until(ctx, clientsEvery, func(ctx context.Context) (bool, error) {
		rec, err := s.record(ctx)
		if err != nil {
			return false, err
		}
		r = clientsReport(ctx, s, rec, seen, scan)
		if words := "Waiting for clients to move: " + r.Sessions.Words(); !r.Sessions.Clear() && said != words {
			said = words
			fmt.Fprintln(s.deps.streams.ErrOut, words)
		}
		return r.Sessions.Clear(), nil
	})
	if errors.Is(err, context.DeadlineExceeded) && said != "" {
		e := &pausedError{code: migration.CodeClientLoss, reason: "timed out while waiting for clients to move: " + r.Sessions.Words(), next: s.kube.at().Ours("clients %s", s.name), timeout: true}
		for _, a := range r.Sessions.Left[:min(len(r.Sessions.Left), 10)] {
			e.evidence = append(e.evidence, a.Line())
		}
		return r, e
	}
	return r, err
}

func clientsReport(ctx context.Context, s *session, rec migration.Record, seen *whereabouts, scan aclScan) ClientsReport {
	r := ClientsReport{APIVersion: migration.RecordVersion, Kind: "ClientsReport", Name: rec.Name, Namespace: rec.Namespace}
	if plain := connectionStrings(rec, ensemble.PortClient); plain != nil {
		r.ConnectionStrings = *plain
	}
	r.look, r.reconfigured = migration.LookOnClient(rec), len(rollout.Left(rec)) == 0
	r.TLS = connectionStrings(rec, ensemble.PortSecureClient)
	byAddress := map[string]*ConnectedClient{}
	f := preflight.Facts{Record: rec, Servers: rec.Servers, Through: map[ensemble.ID]vantage.Sighting{}, Via: s.kube.via,
		Sources: map[ensemble.ID]preflight.ClientCount{}, Reports: dated(s.keptReports(ctx), time.Now())}
	lists := make([]sessions.List, 0, len(rec.Servers))
	for _, srv := range rec.Servers {
		if srv.Host != srv.HostIP {
			r.Records = append(r.Records, DNSRecordOfASrv{ID: srv.ID, Host: srv.Host, Old: srv.HostIP, New: srv.ClusterIP})
		}
		list := sessions.List{Server: srv.ID, Place: rec.Home(srv)}
		var clients []zkprobe.Client
		answered, alive := false, false
		for _, t := range srv.ClientPorts() {
			a := s.prober.Ask(ctx, t, zkprobe.Cons)
			list = listed(list, a)
			alive = alive || a.Reach.Alive()
			f.Through[srv.ID] = vantage.Sighting{Reach: a.Reach}
			if a.Reach == vantage.Answered {
				told, _ := zkprobe.ParseCons(a.Text)
				clients, answered = append(clients, told...), true
			}
		}
		lists = append(lists, list)
		var conf zkprobe.ConfReply
		if alive {
			told := s.prober.Ask(ctx, srv.AtService(), zkprobe.Conf)
			conf = zkprobe.ParseConf(told.Text)
			f.Through[srv.ID] = vantage.Sighting{Reach: told.Reach, Members: conf.Members}
		}
		if list.Untold != "" {
			r.Unknown = append(r.Unknown, srv.ID)
		}
		if answered {
			f.Sources[srv.ID] = clientCount(clients, conf)
		}
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
	r.Sessions = seen.add(ctx, lists)
	if scan.on {
		f.ACLs, f.ACLsError = scan.run(ctx, s, rec)
		r.ACLs = f.ACLs
	}
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
	if r.ACLs != nil {
		fmt.Fprintf(out, "\nACLs were read of %d znodes, from %s.\n", r.ACLs.Read, r.ACLs.From)
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
	for _, u := range r.Sessions.Untold {
		fmt.Fprintf(out, "server %d does not tell all its clients: %s\n", u.Server, u.Why)
	}
	fmt.Fprintf(out, "\nSessions: %s.\n", r.Sessions.Words())
	if len(r.Sessions.Pods) > 0 {
		for _, a := range r.Sessions.Left {
			fmt.Fprintf(out, "  %s\n", a.Line())
		}
	}
	if more := r.Sessions.Addresses - len(r.Sessions.Left); more > 0 {
		fmt.Fprintf(out, "  and %d more addresses\n", more)
	}
	if len(r.Sessions.Away) > 0 {
		fmt.Fprintln(out, "Seen at hosts only, and not connected now:")
	}
	for _, a := range r.Sessions.Away {
		fmt.Fprintf(out, "  %s\n", a.Line())
	}
	if len(r.Sessions.Pods) > 0 && r.Sessions.Sessions > 0 {
		fmt.Fprintf(out, "try: %s\n", r.look)
	}
	next := "reconfigure %s"
	if r.reconfigured {
		next = "plan %s"
	}
	fmt.Fprintf(out, "\nnext: %s\n", d.in(r.Namespace).Ours(next, r.Name))
	return nil
}
