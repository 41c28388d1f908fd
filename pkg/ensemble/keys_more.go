package ensemble

func quorumKeys() []Key {
	return []Key{
		{Name: "syncEnabled", Since: "3.4.6", Kind: KindBool, Action: Carry},
		{Name: "leaderServes", Since: "3.4.0", Kind: KindText, Action: Carry,
			Note: "no: the leader answers no client, so its own four-letter words are all there is to see"},
		{Name: "leader.", Prefix: true, Since: "3.5.0", Kind: KindText, Action: Carry},
		{Name: "learner.", Prefix: true, Since: "3.6.3, 3.7.1", Kind: KindText, Action: Carry},
		{Name: "leader.nodelay", Since: "3.4.0", Kind: KindText, Action: Carry, JVMOnly: true},
		{Name: "follower.nodelay", Since: "3.4.0", Kind: KindText, Action: Carry, JVMOnly: true},
		{Name: "follower.", Prefix: true, Since: "3.7.0", Kind: KindText, Action: Carry},
		{Name: "forward_learner_requests_to_commit_processor_disabled", Since: "3.7.0", Kind: KindText, Action: Carry},
		{Name: "digest.enabled", Since: "3.6.0", Kind: KindBool, Action: Carry},
		{Name: "closeSessionTxn.enabled", Since: "3.6.0", Kind: KindBool, Action: Carry,
			Note: "changes the transactions written; must be alike everywhere"},
		{Name: "extendedTypesEnabled", Since: "3.5.4", Kind: KindBool, Action: Carry,
			Note: "with it server ids end at 254 and data holds node types others cannot read"},
		{Name: "emulate353TTLNodes", Since: "3.5.4", Kind: KindBool, Action: Carry},
		{Name: "znode.container.", Prefix: true, Since: "3.5.1", Kind: KindText, Action: Carry, JVMOnly: true},
		{Name: "localSessionsEnabled", Since: "3.5.0", Kind: KindBool, Action: Carry},
		{Name: "localSessionsUpgradingEnabled", Since: "3.5.0", Kind: KindBool, Action: Carry},
		{Name: "readonlymode.enabled", Since: "3.4.0", Kind: KindBool, Action: Carry, JVMOnly: true,
			Note: "a server cut off still answers reads; only a write proves a quorum"},
		{Name: "quorum.cnxn.threads.size", Since: "3.4.10, 3.5.4", Kind: KindInt, Action: Carry},
		{Name: "commitProcessor.", Prefix: true, Since: "3.5.0", Kind: KindText, Action: Carry},
		{Name: "messageTracker.", Prefix: true, Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "disableAutoWatchReset", Since: "3.4.0", Kind: KindText, Action: Carry},
	}
}

func securityKeys() []Key {
	return []Key{
		{Name: "quorum.auth.enableSasl", Since: "3.4.10, 3.5.4", Kind: KindBool, Action: Warn,
			Note: "carried; the pods need the JAAS file and keytab"},
		{Name: "quorum.auth.kerberos.servicePrincipal", Since: "3.4.10, 3.5.4", Kind: KindText, Action: Warn, PerHost: true,
			Note: "_HOST stands for the host in the server line, and peers are let in when the host of their principal stands in one: with literal addresses nobody is, use names and principals of those names"},
		{Name: "quorum.auth.", Prefix: true, Since: "3.4.10, 3.5.4", Kind: KindText, Action: Carry},
		{Name: "sslQuorum", Since: "3.5.5", Kind: KindBool, Action: Warn,
			Note: "carried; certificates must name the Services' addresses unless host name checks are off"},
		{Name: "sslQuorumReloadCertFiles", Since: "3.5.5", Kind: KindBool, Action: Carry},
		{Name: "portUnification", Since: "3.5.5", Kind: KindBool, Action: Carry},
		{Name: "ssl.keyStore.location", Since: "3.5.1", Kind: KindFile, Action: Warn, PerHost: true, Note: pathNote},
		{Name: "ssl.trustStore.location", Since: "3.5.1", Kind: KindFile, Action: Warn, PerHost: true, Note: pathNote},
		{Name: "ssl.quorum.keyStore.location", Since: "3.5.5", Kind: KindFile, Action: Warn, PerHost: true, Note: pathNote},
		{Name: "ssl.quorum.trustStore.location", Since: "3.5.5", Kind: KindFile, Action: Warn, PerHost: true, Note: pathNote},
		{Name: "ssl.keyStore.passwordPath", Since: "3.8.0", Kind: KindFile, Action: Warn, PerHost: true, Note: pathNote},
		{Name: "ssl.trustStore.passwordPath", Since: "3.8.0", Kind: KindFile, Action: Warn, PerHost: true, Note: pathNote},
		{Name: "ssl.quorum.keyStore.passwordPath", Since: "3.8.0", Kind: KindFile, Action: Warn, PerHost: true, Note: pathNote},
		{Name: "ssl.quorum.trustStore.passwordPath", Since: "3.8.0", Kind: KindFile, Action: Warn, PerHost: true, Note: pathNote},
		{Name: "ssl.allowReverseDnsLookup", Since: "3.8.6, 3.9.5", Kind: KindBool, Action: Carry},
		{Name: "ssl.quorum.allowReverseDnsLookup", Since: "3.8.6, 3.9.5", Kind: KindBool, Action: Warn,
			Note: "off by default: a pod is then known by its address alone, which no certificate has; with true its name counts as well (ZOOKEEPER-4986)"},
		{Name: "ssl.", Prefix: true, Since: "3.5.1", Kind: KindText, Action: Carry, PerHost: true,
			Note: "passwords may differ from host to host and are never printed"},
		{Name: "client.portUnification", Since: "3.5.7", Kind: KindBool, Action: Carry},
		{Name: "client.certReload", Since: "3.7.2, 3.8.5", Kind: KindBool, Action: Carry},
		{Name: "fips-mode", Since: "3.8.2", Kind: KindBool, Action: Carry},
		{Name: "authProvider.", Prefix: true, Since: "3.4.0", Kind: KindText, Action: Carry,
			Note: "the image must hold the provider's jar"},
		{Name: "DigestAuthenticationProvider.", Prefix: true, Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "SASLAuthenticationProvider.", Prefix: true, Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "X509AuthenticationProvider.", Prefix: true, Since: "3.5.1", Kind: KindText, Action: Carry},
		{Name: "IPAuthenticationProvider.", Prefix: true, Since: "3.9.3", Kind: KindText, Action: Carry},
		{Name: "superUser", Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "skipACL", Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "enforce.auth.", Prefix: true, Since: "3.7.0", Kind: KindText, Action: Carry,
			Note: "who opens a session has to authenticate by one of enforce.auth.schemes, this tool too: see check ZK035"},
		{Name: "sessionRequireClientSASLAuth", Since: "3.5.9, 3.6.0", Kind: KindBool, Action: Carry,
			Note: "who opens a session has to authenticate by SASL, this tool too: see check ZK035"},
		{Name: "requireClientAuthScheme", Since: "3.4.0", Kind: KindText, Action: Carry,
			Note: "no release reads it, so nobody is refused; see sessionRequireClientSASLAuth and enforce.auth.schemes"},
		{Name: "allowSaslFailedClients", Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "letAnySaslUserDoX", Since: "3.5.0", Kind: KindText, Action: Carry},
		{Name: "jaasLoginRenew", Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "requireKerberosConfig", Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "kerberos.", Prefix: true, Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "sasl.", Prefix: true, Since: "3.4.3", Kind: KindText, Action: Carry},
		{Name: "security.auth_to_local", Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "ensembleAuthName", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "enableEagerACLCheck", Since: "3.6.0", Kind: KindBool, Action: Carry},
		{Name: "audit.", Prefix: true, Since: "3.6.0", Kind: KindText, Action: Carry},
	}
}

// pathNote stands by every key that names a file of the host.
const pathNote = "the file comes from what --files-secret or --files-configmap names; without them it must be in the image at the same path"

func clientKeys() []Key {
	return []Key{
		{Name: "maxClientCnxns", Since: "3.4.0", Kind: KindInt, Action: Warn,
			Note: "counts by source address: where the network hides clients behind a node's address, they share one limit"},
		{Name: "maxCnxns", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "globalOutstandingLimit", Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "enforceQuota", Since: "3.7.0", Kind: KindBool, Action: Carry},
		{Name: "maxResponseCacheSize", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "maxGetChildrenResponseCacheSize", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "largeRequestMaxBytes", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "largeRequestThreshold", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "intBufferStartingSizeBytes", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "connection_throttle_", Prefix: true, Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "request_", Prefix: true, Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "request.timeout", Since: "3.5.5", Kind: KindText, Action: Carry},
		{Name: "throttled_op_wait_time", Since: "3.7.0", Kind: KindText, Action: Carry},
		{Name: "netty.", Prefix: true, Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "nio.", Prefix: true, Since: "3.5.0", Kind: KindText, Action: Carry},
		{Name: "watchManagerName", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "watcherClean", Prefix: true, Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "maxInProcessingDeadWatchers", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "bitHashCacheSize", Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "pathStats.", Prefix: true, Since: "3.6.0", Kind: KindText, Action: Carry},
	}
}

func operationKeys() []Key {
	return []Key{
		{Name: "4lw.commands.whitelist", Since: "3.4.10, 3.5.3", Kind: KindText, Action: Map, PerHost: true,
			Note: "the words this tool asks are added"},
		{Name: "jvm.pause.", Prefix: true, Since: "3.6.0", Kind: KindText, Action: Carry},
		{Name: "jmx.", Prefix: true, Since: "3.4.0", Kind: KindText, Action: Carry},
		{Name: "kinit", Since: "3.4.0", Kind: KindPath, Action: Carry},
	}
}
