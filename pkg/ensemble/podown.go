package ensemble

import (
	"fmt"
	"slices"
	"sort"
)

// OwnLines takes out of the pods' zoo.cfg what differs from host to host and may, and
// returns it by server, in the same format: a pod must not get the first host's
// certificate. It fails where nobody knows what a server's own value is.
func OwnLines(zooCfg []byte, hosts []HostConfig) (shared []byte, own map[ID]string, err error) {
	p, err := ParseProperties("zoo.cfg", zooCfg)
	if err != nil {
		return nil, nil, err
	}
	keys := ownKeys(hosts)
	if len(keys) == 0 {
		return zooCfg, nil, nil
	}
	own = map[ID]string{}
	for _, s := range hosts[0].Config.Servers {
		i := slices.IndexFunc(hosts, func(h HostConfig) bool { return h.ID.Is(s.ID) })
		if i < 0 {
			props := hosts[0].Config.Props
			return nil, nil, &InputError{
				File: props.Name(), Line: props.Line(keys[0]), Text: props.Text(keys[0]),
				Problem: fmt.Sprintf("hosts differ in %s, and no file is known to be server %s's", javaTrim(keys[0]), s.ID),
				Want:    fmt.Sprintf("the file of every host, as -f %s=FILE", s.ID),
			}
		}
		lines, err := ParseProperties("zoo.cfg", nil)
		if err != nil {
			return nil, nil, err
		}
		for _, key := range keys {
			if value, ok := hosts[i].Config.Props.Get(key); ok {
				lines.Set(key, value)
			}
		}
		own[s.ID] = string(lines.Bytes())
	}
	for _, key := range keys {
		p.Delete(key)
	}
	return p.Bytes(), own, nil
}

// ownKeys are the keys of the hosts' files that may differ from host to host, reach the
// pods as they are, and do differ. The client ports are not among them: one that
// differs stands in the server list.
func ownKeys(hosts []HostConfig) []string {
	values := map[string][]string{}
	for i, h := range hosts {
		for _, key := range h.Config.Props.Keys() {
			name := javaTrim(key)
			spec, known := FindKey(name)
			if !known || !spec.PerHost || spec.Action != Carry && spec.Action != Warn || name == "clientPort" || name == "secureClientPort" {
				continue
			}
			if values[key] == nil {
				values[key] = make([]string, len(hosts))
			}
			value, _ := h.Config.Props.Get(key)
			values[key][i] = "=" + javaTrim(value)
		}
	}
	var out []string
	for key, all := range values {
		if len(slices.Compact(all)) > 1 {
			out = append(out, key)
		}
	}
	sort.Strings(out)
	return out
}
