package sys

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Packets says which of a machine's packets are meant; an empty field matches
// everything.
type Packets struct {
	// From is the address they come from, To those they go to, Ports the TCP
	// ports they go to.
	From  string
	To    []string
	Ports []int
}

// match is iptables' words for it.
func (p Packets) match() []string {
	var words []string
	if p.From != "" {
		words = append(words, "-s", p.From)
	}
	if len(p.To) > 0 {
		words = append(words, "-d", strings.Join(p.To, ","))
	}
	if len(p.Ports) > 0 {
		var ports []string
		for _, port := range p.Ports {
			ports = append(ports, strconv.Itoa(port))
		}
		words = append(words, "-p", "tcp", "-m", "multiport", "--dports", strings.Join(ports, ","))
	}
	return words
}

// rule puts the match into a chain, before its other rules. Nothing that stays
// on the machine is meant.
func (p Packets) rule(chain, notBy string, target ...string) []string {
	words := append([]string{"-I", chain, "!", notBy, "lo"}, p.match()...)
	return append(append(words, "-j"), target...)
}

// dropRules: pods of a node pass PREROUTING, programs of the machine itself
// OUTPUT; both before any address is translated, and also for connections that
// exist.
func (p Packets) dropRules() [][]string {
	return [][]string{p.rule("PREROUTING", "-i", "DROP"), p.rule("OUTPUT", "-o", "DROP")}
}

// Drop loses packets in a machine's network until Heal.
func (n Network) Drop(ctx context.Context, machine string, p Packets) error {
	for _, rule := range p.dropRules() {
		if err := n.iptables(ctx, machine, "raw", rule...); err != nil {
			return err
		}
	}
	return nil
}

// divertRule is in a chain of our own: kube-proxy uses the same table.
func (p Packets) divertRule(port int) []string {
	words := p.match()
	if len(p.Ports) == 0 {
		words = append(words, "-p", "tcp")
	}
	return append(append([]string{"-I", divertChain}, words...), "-j", "REDIRECT", "--to-ports", strconv.Itoa(port))
}

const divertChain = "ZKLAB"

// Divert sends new TCP connections of a machine, or of its pods, to one of its
// own ports until Heal: whoever listens there stands in for everybody, and
// where nobody does, they are refused in everybody's name. A ClusterIP is
// matched like any other address: this comes before kube-proxy's translation.
func (n Network) Divert(ctx context.Context, machine string, p Packets, port int) error {
	if err := n.ownChain(ctx, machine); err != nil {
		return err
	}
	return n.iptables(ctx, machine, "nat", p.divertRule(port)...)
}

// DivertDNS sends what a machine asks of DNS to one of its own ports until Heal.
func (n Network) DivertDNS(ctx context.Context, machine string, port int) error {
	if err := n.ownChain(ctx, machine); err != nil {
		return err
	}
	return n.iptables(ctx, machine, "nat", "-I", divertChain, "-p", "udp", "--dport", "53", "-j", "REDIRECT", "--to-ports", strconv.Itoa(port))
}

// ownChain makes our chain of the nat table, which comes before kube-proxy's.
func (n Network) ownChain(ctx context.Context, machine string) error {
	if n.iptables(ctx, machine, "nat", "-S", divertChain) == nil {
		return nil
	}
	for _, rule := range [][]string{
		{"-N", divertChain},
		{"-I", "PREROUTING", "!", "-i", "lo", "-j", divertChain},
		{"-I", "OUTPUT", "!", "-o", "lo", "-j", divertChain},
	} {
		if err := n.iptables(ctx, machine, "nat", rule...); err != nil {
			return err
		}
	}
	return nil
}

// Heal ends every Drop and Divert of a machine.
func (n Network) Heal(ctx context.Context, machine string) error {
	if err := n.iptables(ctx, machine, "raw", "-F"); err != nil {
		return err
	}
	if n.iptables(ctx, machine, "nat", "-S", divertChain) != nil {
		return nil // nothing was ever diverted there
	}
	return n.iptables(ctx, machine, "nat", "-F", divertChain)
}

// iptables changes one table of a machine; kube-proxy leaves raw alone.
func (n Network) iptables(ctx context.Context, machine, table string, args ...string) error {
	words := append([]string{"netns", "exec", n.Name.Namespace(machine), "iptables", "-w", "5", "-t", table}, args...)
	if err := run(ctx, "ip", words...); err != nil {
		return fmt.Errorf("network of machine %s: %w", machine, err)
	}
	return nil
}
