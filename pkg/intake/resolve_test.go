package intake

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// book is a resolver of a few names.
func book(host string) ([]netip.Addr, error) {
	switch host {
	case "zk1", "zk1.example.com":
		return []netip.Addr{netip.MustParseAddr("10.1.0.1")}, nil
	case "zk1-v6.example.com":
		return []netip.Addr{netip.MustParseAddr("fd00::1"), netip.MustParseAddr("::ffff:10.1.0.1")}, nil
	case "zk2":
		return []netip.Addr{netip.MustParseAddr("10.1.0.2")}, nil
	case "here":
		return []netip.Addr{netip.MustParseAddr("127.0.1.1")}, nil
	case "empty":
		return nil, nil
	}
	return nil, errors.New("no such host")
}

func TestSettleNames(t *testing.T) {
	for name, c := range map[string]struct {
		names  bool
		values []string
		kept   bool
	}{
		"alike":              {true, []string{"zk1", "zk1.example.com", "10.1.0.1"}, false},
		"two machines":       {true, []string{"zk1", "zk2"}, true},
		"more addresses":     {true, []string{"zk1", "zk1-v6.example.com"}, true},
		"unknown":            {true, []string{"zk1", "nowhere"}, true},
		"no address":         {true, []string{"empty", "empty."}, true},
		"several addresses":  {true, []string{"zk1|zk2:2888:3888", "zk1"}, true},
		"no matter of names": {false, []string{"zk1", "zk1.example.com"}, true},
	} {
		d := ensemble.Difference{Names: c.names}
		for _, v := range c.values {
			d.Values = append(d.Values, ensemble.SourceValue{Value: v})
		}
		if kept := len(settleNames(book, []ensemble.Difference{d})) == 1; kept != c.kept {
			t.Errorf("%s: kept %v, want %v", name, kept, c.kept)
		}
	}
}

func TestHostIP(t *testing.T) {
	for host, want := range map[string]string{
		"zk1": "10.1.0.1", "10.1.0.7": "10.1.0.7", "fd00::7": "fd00::7", "zk1-v6.example.com": "10.1.0.1",
		"here": "here (127.0.1.1) is a loopback", "127.0.0.1": "127.0.0.1 is a loopback", "0.0.0.0": "no address of a host",
		"169.254.1.1": "link-local", "224.0.0.1": "multicast", "nowhere": "no such host", "empty": "no address",
	} {
		ip, err := hostIP(book, host)
		got := ip
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || (err == nil) != (got == want) {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
}
