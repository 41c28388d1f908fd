package zkprobe

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Client is one connection a server has, as cons or stat shows it.
type Client struct {
	// Addr is the client's side of the connection as the server sees it:
	// behind a masquerading proxy it is the proxy's.
	Addr netip.AddrPort `json:"addr"`
	// SessionID is 0 for connections without a session: four-letter words, and
	// handshakes under way.
	SessionID int64 `json:"sessionId,omitempty"`
	// Timeout is the negotiated session timeout, 0 when unknown.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Established is when this TCP connection came up, not the session; zero
	// when unknown.
	Established time.Time `json:"established,omitzero"`
	// Values holds every name=value of the line.
	Values map[string]string `json:"-"`
}

// ParseCons reads the answer to cons (or the client lines of stat). Lines that
// are no client are returned as rest; it never fails.
func ParseCons(text string) (clients []Client, rest []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		c, ok := parseClientLine(line)
		if !ok {
			rest = append(rest, line)
			continue
		}
		clients = append(clients, c)
	}
	return clients, rest
}

// parseClientLine reads "/10.0.0.7:51234[1](queued=0,recved=9,sid=0x1..,to=6000,...)".
func parseClientLine(line string) (Client, bool) {
	line, ok := strings.CutPrefix(line, "/")
	if !ok {
		return Client{}, false
	}
	// IPv6 comes as /0:0:0:0:0:0:0:1:51234[1](...), so the port is what stands
	// between the last colon before "[" of the interest bits and that "[".
	open := strings.LastIndexByte(line[:max(0, strings.IndexByte(line, '('))], '[')
	if open < 0 {
		return Client{}, false
	}
	colon := strings.LastIndexByte(line[:open], ':')
	if colon < 0 {
		return Client{}, false
	}
	host, err := netip.ParseAddr(strings.Trim(line[:colon], "[]"))
	if err != nil {
		return Client{}, false
	}
	port, err := strconv.ParseUint(line[colon+1:open], 10, 16)
	if err != nil {
		return Client{}, false
	}
	c := Client{Addr: netip.AddrPortFrom(host, uint16(port)), Values: map[string]string{}}
	_, inner, _ := strings.Cut(line[open:], "(")
	inner = strings.TrimSuffix(strings.TrimSpace(inner), ")")
	for pair := range strings.SplitSeq(inner, ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			c.Values[k] = v
		}
	}
	if id, err := strconv.ParseUint(strings.TrimPrefix(c.Values["sid"], "0x"), 16, 64); err == nil {
		c.SessionID = int64(id)
	}
	if ms, err := strconv.ParseInt(c.Values["to"], 10, 32); err == nil && ms > 0 {
		c.Timeout = time.Duration(ms) * time.Millisecond
	}
	if ms, err := strconv.ParseInt(c.Values["est"], 10, 64); err == nil && ms > 0 {
		c.Established = time.UnixMilli(ms).UTC()
	}
	return c, true
}

// lastResponse returns lresp: the uptime at which the server last answered.
func (c Client) lastResponse() (time.Duration, bool) {
	ms, err := strconv.ParseInt(c.Values["lresp"], 10, 64)
	if err != nil || ms <= 0 || ms >= 1<<clockBits {
		return 0, false
	}
	return time.Duration(ms) * time.Millisecond, true
}

// SeenAs is the address under which the server sees the connection that has asked for this
// answer to cons: the one with one request and no answer yet. It is empty where several might
// be ours.
func SeenAs(cons string) string {
	clients, _ := ParseCons(cons)
	out := ""
	for _, c := range clients {
		if c.SessionID != 0 || c.Values["queued"] != "0" || c.Values["recved"] != "1" || c.Values["sent"] != "0" {
			continue
		}
		if out != "" {
			return ""
		}
		out = c.Addr.Addr().Unmap().String()
	}
	return out
}
