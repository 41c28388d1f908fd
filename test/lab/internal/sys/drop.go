package sys

import (
	"context"
	"fmt"
	"strconv"
)

// Drop says which packets a machine loses; empty fields match everything.
type Drop struct {
	// From is the address they come from, Port the TCP port they go to.
	From string
	Port int
}

// rules are iptables' words for it. Pods of a node pass PREROUTING, programs of
// the machine itself OUTPUT; both before any address is translated, and also
// for connections that exist.
func (d Drop) rules() [][]string {
	var match []string
	if d.From != "" {
		match = append(match, "-s", d.From)
	}
	if d.Port != 0 {
		match = append(match, "-p", "tcp", "--dport", strconv.Itoa(d.Port))
	}
	return [][]string{
		append(append([]string{"-I", "PREROUTING", "!", "-i", "lo"}, match...), "-j", "DROP"),
		append(append([]string{"-I", "OUTPUT", "!", "-o", "lo"}, match...), "-j", "DROP"),
	}
}

// Drop loses packets in a machine's network until Heal.
func (n Network) Drop(ctx context.Context, machine string, d Drop) error {
	for _, rule := range d.rules() {
		if err := n.raw(ctx, machine, rule...); err != nil {
			return err
		}
	}
	return nil
}

// Heal ends every Drop of a machine.
func (n Network) Heal(ctx context.Context, machine string) error { return n.raw(ctx, machine, "-F") }

// raw changes the table that kube-proxy leaves alone.
func (n Network) raw(ctx context.Context, machine string, args ...string) error {
	words := append([]string{"netns", "exec", n.Name.Namespace(machine), "iptables", "-w", "5", "-t", "raw"}, args...)
	if err := run(ctx, "ip", words...); err != nil {
		return fmt.Errorf("network of machine %s: %w", machine, err)
	}
	return nil
}
