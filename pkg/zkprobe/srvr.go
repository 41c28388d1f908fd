package zkprobe

import (
	"strconv"
	"strings"

	"github.com/zkmigrate/kubectl-zkmigrate/pkg/ensemble"
)

// Latency holds the request latencies srvr shows, in milliseconds since the
// last reset; 3.4 shows whole numbers only.
type Latency struct {
	Min float64 `json:"min"`
	Avg float64 `json:"avg"`
	Max float64 `json:"max"`
}

// SrvrReply is what srvr and the head of stat say. Numbers are -1 and others
// empty where the server did not say.
type SrvrReply struct {
	Version ensemble.Version
	Mode    ensemble.Mode
	// Zxid is meaningful only where ZxidKnown is set: 0x0 is a real value.
	Zxid        ensemble.Zxid
	ZxidKnown   bool
	Latency     *Latency
	Received    int64
	Sent        int64
	Connections int64
	Outstanding int64
	Nodes       int64
	// Rest keeps the lines nobody knew.
	Rest []string
}

// ParseSrvr reads the answer to srvr. A line it does not know is kept in Rest,
// a value it cannot read stays unknown; it never fails. The date format after
// "built on" differs between releases, so only the version is looked at.
func ParseSrvr(text string) SrvrReply {
	r := SrvrReply{Received: -1, Sent: -1, Connections: -1, Outstanding: -1, Nodes: -1}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		key, value, found := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if !found || !r.take(key, value) {
			if strings.TrimSpace(line) != "" {
				r.Rest = append(r.Rest, line)
			}
		}
	}
	return r
}

func (r *SrvrReply) take(key, value string) bool {
	switch key {
	case "Zookeeper version":
		v, err := ensemble.ParseVersion(value)
		if err != nil {
			return false
		}
		r.Version = v
	case "Mode":
		mode := parseMode(value)
		if mode == "" {
			return false
		}
		r.Mode = mode
	case "Zxid":
		z, err := ensemble.ParseZxid(value)
		if err != nil {
			return false
		}
		r.Zxid, r.ZxidKnown = z, true
	case "Latency min/avg/max":
		r.Latency = parseLatency(value)
		return r.Latency != nil
	case "Received":
		return takeInt(&r.Received, value)
	case "Sent":
		return takeInt(&r.Sent, value)
	case "Connections":
		return takeInt(&r.Connections, value)
	case "Outstanding":
		return takeInt(&r.Outstanding, value)
	case "Node count":
		return takeInt(&r.Nodes, value)
	default:
		return false
	}
	return true
}

// parseMode returns "" for a mode no release is known to print.
func parseMode(s string) ensemble.Mode {
	switch m := ensemble.Mode(s); m {
	case ensemble.Leader, ensemble.Follower, ensemble.Observing, ensemble.Standalone, ensemble.ReadOnly:
		return m
	default:
		return ""
	}
}

func parseLatency(s string) *Latency {
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return nil
	}
	var n [3]float64
	for i, part := range parts {
		f, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return nil
		}
		n[i] = f
	}
	return &Latency{Min: n[0], Avg: n[1], Max: n[2]}
}

func takeInt(to *int64, s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return false
	}
	*to = n
	return true
}
