package ensemble

import (
	"fmt"
	"strings"
)

// Expose gives every server the ports that are named, of Exposable, as its own file has
// them. All pods share one file: hosts that differ are refused, by file and line.
func Expose(e Ensemble, files []HostConfig, names []PortName) (Ensemble, error) {
	servers := append([]Server(nil), e.Servers...)
	for _, name := range names {
		shared := 0
		for i := range servers {
			c := ownConfig(servers[i], files)
			port, key, err := c.exposable(name)
			switch {
			case err != nil:
				return e, err
			case i == 0:
				shared = port
			case port != shared:
				return e, c.wrong(key, fmt.Sprintf("server %s has its %s port at %d, and others at %d", servers[i].ID, name, port, shared),
					"one port on all hosts: all pods share one zoo.cfg")
			}
			servers[i].expose(Port{name, port})
		}
	}
	e.Servers = servers
	return e, nil
}

// Has reports whether a release has what listens on a port of that name.
func (v Version) Has(name PortName) bool {
	switch name {
	case PortAdmin, PortSecureClient:
		return v.AtLeast(3, 5, 0)
	case PortMetrics, PortObserverMaster:
		return v.AtLeast(3, 6, 0)
	default:
		return true
	}
}

// exposable is the port that this file has of that name, and its key. The defaults are
// JettyAdminServer's (3.5+) and PrometheusMetricsProvider's (3.6+).
func (c *Config) exposable(name PortName) (port int, key string, err error) {
	value := func(key string) string {
		v, _ := c.Props.Get(key)
		return javaTrim(v)
	}
	switch name {
	case PortAdmin:
		key, port = "admin.serverPort", 8080
		if value("admin.enableServer") == "false" {
			return 0, key, c.wrong("admin.enableServer", "the AdminServer is off, and has no port to expose", "admin.enableServer=true on all hosts")
		}
	case PortMetrics:
		key, port = "metricsProvider.httpPort", 7000
		if !strings.HasSuffix(value("metricsProvider.className"), ".PrometheusMetricsProvider") {
			return 0, key, c.wrong("metricsProvider.className", "no metrics provider that listens on a port",
				"metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider on all hosts")
		}
	default:
		return 0, "", fmt.Errorf("port %q is none that is exposed by a flag", name)
	}
	if v := value(key); v != "" {
		if port, err = parsePort(string(name), v); err != nil {
			return 0, key, c.wrong(key, err.Error(), key+"=PORT")
		}
	}
	return port, key, nil
}

// wrong is a problem at the line of a key, if the file has one.
func (c *Config) wrong(key, problem, want string) *InputError {
	return &InputError{File: c.Props.Name(), Line: c.Props.Line(key), Text: c.Props.Text(key), Problem: problem, Want: want}
}
