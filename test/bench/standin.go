package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"
	"github.com/zkmigrate/kubectl-zkmigrate/pkg/zkprobe"
	"github.com/zkmigrate/kubectl-zkmigrate/test/labkit"
)

const (
	// standInNet has the addresses of the clones' hosts.
	standInNet = "10.88.0.0/16"
	// standInMachine owns them all. It is the one machine of the lab without kube-proxy, whose
	// thousands of rules a connection would pass a second time there, on the processors that
	// are measured. In a real fleet the servers' machines do that work.
	standInMachine = "control-plane"
)

// standIn answers at the client ports of the clones' hosts, in place of their ZooKeepers. Every
// host has an address of its own; one listener has them all. It answers each word as the original
// server did in this run, with the clone's ClusterIPs, and closes the connection as a server does.
//
// What that leaves out is the time a server takes to answer. The rest of the road is real: one
// connection per question, from another machine, through a ClusterIP and kube-proxy.
type standIn struct {
	listener net.Listener
	// original is the ensemble that was asked, said what its servers answered, in its order.
	original migration.Record
	said     []answers

	mu sync.Mutex
	at map[netip.Addr]answers
}

// answers of one server, by word.
type answers map[zkprobe.Word]string

// standIn asks the servers of the wrapped ensemble and starts to listen.
func (b *bench) standIn(ctx context.Context) (*standIn, error) {
	s := &standIn{at: map[netip.Addr]answers{}}
	var err error
	if s.original, err = b.record(ctx); err != nil {
		return nil, err
	}
	prober := zkprobe.Prober{Dialer: dialer{&b.lab}}
	for _, server := range s.original.Servers {
		said := answers{}
		// What a look asks.
		for _, word := range []zkprobe.Word{zkprobe.Srvr, zkprobe.Conf, zkprobe.Mntr} {
			a := prober.Ask(ctx, server.AtService().Address(), word)
			if a.Err != nil {
				return nil, a.Err
			}
			said[word] = a.Text
		}
		s.said = append(s.said, said)
	}
	there := b.lab
	there.Machine = standInMachine
	address, err := labkit.Must(there.OnClient(ctx, "hostname", "-I"))
	if err != nil {
		return nil, err
	}
	if _, err := labkit.Must(there.OnClient(ctx, "ip", "route", "add", "local", standInNet, "dev", "lo")); err != nil {
		return nil, err
	}
	if err := b.onClient(ctx, "ip", "route", "add", standInNet, "via", strings.TrimSpace(address.Stdout)); err != nil {
		return nil, err
	}
	if s.listener, err = there.Listen(ctx, ":"+strconv.Itoa(s.original.Servers[0].ClientPort)); err != nil {
		return nil, err
	}
	go s.serve()
	return s, nil
}

// dialer opens connections from the clients' machine.
type dialer struct{ lab *labkit.Lab }

// DialContext implements zkprobe.Dialer.
func (d dialer) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	return d.lab.Dial(ctx, address)
}

// add makes the clone's servers answer.
func (s *standIn) add(clone migration.Record) error {
	rename := renamed(s.original, clone)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, server := range clone.Servers {
		at, err := netip.ParseAddr(server.HostIP)
		if err != nil {
			return fmt.Errorf("a clone's host: %w", err)
		}
		s.at[at] = answers{}
		for word, text := range s.said[i] {
			s.at[at][word] = rename.Replace(text)
		}
	}
	return nil
}

func (s *standIn) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		go s.answer(conn)
	}
}

func (s *standIn) answer(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	at, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return
	}
	var word [4]byte
	if _, err := io.ReadFull(conn, word[:]); err != nil {
		return
	}
	s.mu.Lock()
	text := s.at[at.Addr()][zkprobe.Word(word[:])]
	s.mu.Unlock()
	_, _ = io.WriteString(conn, text) // a client that is gone does not read it
}

func (s *standIn) close() { _ = s.listener.Close() }
