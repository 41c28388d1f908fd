package ensemble

import "strings"

// LintPeers finds peers that are let in without a proof of who they are: true of most ensembles, and
// what matters where servers listen for peers on all addresses, as they do after reconfigure.
// CVE-2023-44981: a SASL id without an instance part, as eve@REALM, is not held against the
// server list (SaslQuorumServerCallbackHandler.handleAuthorizeCallback before 3.7.2, 3.8.3, 3.9.1).
func LintPeers(c *Config, v Version) []Finding {
	l := &linter{c: c, v: v}
	on := func(key, value string) bool {
		v, _ := l.c.Props.Get(key)
		return strings.EqualFold(javaTrim(v), value)
	}
	if on("sslQuorum", "true") && !on("portUnification", "true") && !on("ssl.quorum.clientAuth", "none") && !on("ssl.quorum.clientAuth", "want") {
		return nil
	}
	const port = "a firewall that lets only peers and pods reach the peer and election ports"
	switch {
	case !on("quorum.auth.enableSasl", "true") || !on("quorum.auth.serverRequireSasl", "true"):
		l.add(SeverityWarning, "peers-not-authenticated", l.c.Props, "quorumListenOnAllIPs", port,
			"servers listen for peers on all addresses of their hosts with quorumListenOnAllIPs=true, which reconfigure sets, and zoo.cfg does not have them prove who they are: whoever reaches a peer or election port can join and write")
	case !l.v.quorumSaslFixed():
		l.add(SeverityWarning, "quorum-sasl-bypass", l.c.Props, "quorum.auth.enableSasl", port,
			"servers listen for peers on all addresses of their hosts with quorumListenOnAllIPs=true, which reconfigure sets, and SASL lets in any principal of the realm that has no host part (CVE-2023-44981, fixed in 3.7.2, 3.8.3 and 3.9.1)")
	}
	return l.out
}

// quorumSaslFixed reports whether CVE-2023-44981 is fixed; not where the version is unknown.
func (v Version) quorumSaslFixed() bool {
	switch {
	case v.AtLeast(3, 9, 0):
		return v.AtLeast(3, 9, 1)
	case v.AtLeast(3, 8, 0):
		return v.AtLeast(3, 8, 3)
	}
	return v.AtLeast(3, 7, 2)
}
