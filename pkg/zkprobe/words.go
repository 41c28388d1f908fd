package zkprobe

import (
	"regexp"
	"strconv"
	"strings"
)

// ParseEnvi reads the answer to envi: Java's and the system's properties.
func ParseEnvi(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "="); ok {
			values[k] = v
		}
	}
	return values
}

// WchsReply counts watches; -1 is unknown.
type WchsReply struct {
	Connections, Paths, Watches int64
}

// ParseWchs reads the answer to wchs, which costs a server little.
func ParseWchs(text string) WchsReply {
	r := WchsReply{Connections: -1, Paths: -1, Watches: -1}
	numbers := regexp.MustCompile(`(\d+) connections watching (\d+) paths\s+Total watches:(\d+)`).FindStringSubmatch(text)
	if numbers == nil {
		return r
	}
	for i, to := range []*int64{&r.Connections, &r.Paths, &r.Watches} {
		if n, err := strconv.ParseInt(numbers[i+1], 10, 64); err == nil {
			*to = n
		}
	}
	return r
}

// ParseIsro reads the answer to isro: whether the server is read-only, and
// whether it said so at all ("null" comes from one that does not serve).
func ParseIsro(text string) (readOnly, known bool) {
	switch strings.TrimSpace(text) {
	case "ro":
		return true, true
	case "rw":
		return false, true
	}
	return false, false
}

// ParseRuok reports whether the server said imok. That tells of a process, not
// of service: it is said without a quorum, too.
func ParseRuok(text string) bool { return strings.TrimSpace(text) == "imok" }
