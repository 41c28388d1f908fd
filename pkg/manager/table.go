package manager

import "regexp"

// Unnamed is the code for a comment that warns of a program and does not name it.
const Unnamed = "managed-by-another"

// All lists the managers; the unnamed one is the last. What each leaves behind was read in its
// own sources and documentation, and in the roles, modules and formulas for ZooKeeper.
func All() []Manager {
	return append(append([]Manager{
		{
			// The default of ansible_managed is "Ansible managed"; blockinfile marks its block.
			Code: "managed-by-ansible", Name: "Ansible", words: word(`\bansible\b`),
			Does: "the next run of its play writes the file from its template, its handler restarts the server at once, and state: started starts one that was stopped",
			Hold: []string{
				"# on the control node: take the play out of cron, CI and AWX; run it for other hosts only:",
				"ansible-playbook PLAY.yml --limit 'all:!HOST'",
				"# on the host, for ansible-pull:",
				"systemctl list-timers --all | grep -i ansible; grep -rl ansible-pull /etc/cron* /var/spool/cron",
			},
			Release: []string{"ansible-playbook PLAY.yml --check --diff --limit HOST   # must change nothing"},
			Lasting: "the role's variables in the inventory",
		},
		{
			Code: "managed-by-puppet", Name: "Puppet", words: word(`\bpuppet\b`),
			Does:    "its agent runs every 30 minutes by default, writes the file back, restarts the server that subscribes to it, and starts one that was stopped",
			Hold:    []string{"puppet agent --disable 'zkmigrate: zoo.cfg is patched by hand'"},
			Release: []string{"puppet agent --enable && puppet agent --test --noop   # must change nothing"},
			Lasting: "the class's parameters (Hiera)",
		},
		{
			Code: "managed-by-chef", Name: "Chef", words: word(`\b(chef|chef-client|cinc)\b`),
			Does: "chef-client runs every 30 minutes by default, writes the file back, restarts the server it notifies, and starts one that was stopped",
			Hold: []string{
				"systemctl disable --now chef-client.timer      # where it runs by a timer",
				"systemctl disable --now chef-client.service    # where it runs as a daemon",
				"grep -rl chef-client /etc/cron* /var/spool/cron   # where it runs by cron: take the line out",
			},
			Release: []string{"chef-client --why-run   # must change nothing", "systemctl enable --now chef-client.timer   # or chef-client.service, or the line of cron"},
			Lasting: "the node's or role's attributes",
		},
		{
			// state.disable of one SLS does not keep highstate from it (saltstack/salt 58314).
			Code: "managed-by-salt", Name: "Salt", words: word(`\bsaltstack\b|salt://|\b(by|with|via|from) salt\b|\bsalt[ -](managed|minion|master|state|formula|call)\b`),
			Does: "the next highstate, scheduled or called from the master, writes the file back, restarts the server that watches it, and starts one that was stopped",
			Hold: []string{
				"salt-call state.disable highstate && salt-call state.disable SLS   # SLS: the state that has ZooKeeper, as zookeeper.config",
				"salt-call schedule.disable",
			},
			Release: []string{
				"salt-call state.enable SLS && salt-call state.enable highstate && salt-call state.apply SLS test=True   # must change nothing",
				"salt-call schedule.enable",
			},
			Lasting: "the pillar",
		},
		{
			// The file's head is Apache's license, which others have, too. myid: zookeeper.py.
			Code: "managed-by-ambari", Name: "Ambari", words: word(`\bambari\b`),
			paths:    word(`/usr/(hdp|odp|iop)/|/etc/zookeeper/conf\.server|\bambari-agent\b`),
			settings: map[string]string{"dataDir": "/hadoop/zookeeper"},
			Does:     "each start and restart by Ambari writes zoo.cfg and myid from its template and its list of hosts, and its auto start starts a server that was stopped",
			Hold: []string{
				`curl -u ADMIN -H 'X-Requested-By: ambari' -X PUT -d '{"ServiceComponentInfo":{"recovery_enabled":"false"}}' 'http://AMBARI:8080/api/v1/clusters/CLUSTER/components?ServiceComponentInfo/component_name.in(ZOOKEEPER_SERVER)'`,
				`curl -u ADMIN -H 'X-Requested-By: ambari' -X PUT -d '{"HostRoles":{"maintenance_state":"ON"}}' http://AMBARI:8080/api/v1/clusters/CLUSTER/hosts/HOST/host_components/ZOOKEEPER_SERVER`,
				"# maintenance keeps bulk operations away, and nobody who restarts this one: restart with zkServer.sh instead (--supervisor=script)",
			},
			Release: []string{
				`curl -u ADMIN -H 'X-Requested-By: ambari' -X PUT -d '{"HostRoles":{"maintenance_state":"OFF"}}' http://AMBARI:8080/api/v1/clusters/CLUSTER/hosts/HOST/host_components/ZOOKEEPER_SERVER`,
			},
			Lasting: "the configuration zoo.cfg of the service (or of a configuration group) for quorumListenOnAllIPs and other keys; the server lines are in its template zoo.cfg.j2 alone",
		},
		{
			Code: "managed-by-cloudera", Name: "Cloudera Manager", words: word(`\bcloudera (manager|scm)\b`),
			paths: word(`\bcloudera-scm-(agent|supervisord)\b`),
			Does:  "each start of the role unpacks a new directory with a zoo.cfg of its own, so that a patch to this one is never read, and its supervisord starts a role again that exits",
			Hold: []string{
				`curl -u ADMIN -X PUT -H 'Content-Type: application/json' -d '{"items":[{"name":"process_auto_restart","value":"false"}]}' http://CM:7180/api/v11/clusters/CLUSTER/services/ZOOKEEPER/roles/ROLE/config`,
				`curl -u ADMIN -X POST -H 'Content-Type: application/json' -d '{"items":["ROLE"]}' http://CM:7180/api/v11/clusters/CLUSTER/services/ZOOKEEPER/roleCommands/stop   # in place of the printed stop`,
				"# stopped and started through Cloudera Manager alone: its supervisord starts what is stopped behind its back",
			},
			Release: []string{`# delete the role, or set process_auto_restart back to "true"`},
			Lasting: "the Server Advanced Configuration Snippet (Safety Valve) for zoo.cfg, in place of the patch; look at the zoo.cfg in the newest NNN-zookeeper-server after the start",
		},
		{
			Code: "managed-by-cloud-init", Name: "cloud-init", words: word(`\bcloud-(init|config)\b`), paths: word(`/var/lib/cloud/`),
			Does:    "write_files and runcmd run once for each instance id, which a rebuilt machine, another image or cloud-init clean changes, and bootcmd and per-boot scripts at every boot: each may write the file back or start the server",
			Hold:    []string{"touch /etc/cloud/cloud-init.disabled"},
			Release: []string{"rm /etc/cloud/cloud-init.disabled"},
			Lasting: "the instance's user data",
		},
	}, images()...), Manager{
		Code: Unnamed, Name: "a program that the file does not name",
		words:   word(`\b(managed|maintained|generated|written|controlled) (by|from|with|via)\b|\bauto-?generated\b|do not (edit|modify)\b|don't (edit|modify)\b|changes? .*will be (lost|overwritten|reverted)|\bcfengine\b|\bmanaged file\b`),
		Does:    "its next run may write the file back, restart the server, or start one that was stopped",
		Hold:    []string{"# find out who writes the file, and have it leave this host alone until the end"},
		Release: []string{"# let it run again once it writes the new lines itself"},
		Lasting: "its own source of the file",
	})
}

func word(expr string) *regexp.Regexp { return regexp.MustCompile(`(?i)` + expr) }

// images are those whose entrypoint makes the file from the container's environment.
func images() []Manager {
	return []Manager{
		{
			Code: "made-by-official-image", Name: "the official image's entrypoint", paths: word(`^/conf/zoo\.cfg$`),
			settings: map[string]string{"dataDir": "/data", "dataLogDir": "/datalog"},
			Does:     "it makes /conf/zoo.cfg from ZOO_SERVERS and other variables where there is none: a patch lasts as long as the container, and docker compose up, a new image or docker rm end that",
			Hold:     []string{"# nobody runs docker compose up, docker rm or an updater (watchtower) for this container"},
			Release:  []string{"# nothing, once the container's environment has the new lines"},
			Lasting:  `the container's environment: ZOO_SERVERS has the new server lines, ZOO_CFG_EXTRA the other keys ("quorumListenOnAllIPs=true ..."); or the patched file, mounted at /conf/zoo.cfg`,
		},
		{
			Code: "made-by-bitnami-image", Name: "Bitnami's entrypoint", paths: word(`^/opt/bitnami/zookeeper/`),
			settings: map[string]string{"dataDir": "/bitnami/zookeeper/data"},
			Does:     "it makes /opt/bitnami/zookeeper/conf/zoo.cfg from ZOO_SERVERS and other variables where there is none: a patch lasts as long as the container, and docker compose up, a new image or docker rm end that",
			Hold:     []string{"# nobody runs docker compose up, docker rm or an updater (watchtower) for this container"},
			Release:  []string{"# nothing, once the container's environment has the new lines"},
			Lasting:  "the container's environment: ZOO_SERVERS (with ::ID behind each), ZOO_LISTEN_ALLIPS_ENABLED=yes, ZOO_CFG_* for other keys; or the patched file, mounted in its place",
		},
		{
			// Its configure renders the template at every start.
			Code: "made-by-confluent-image", Name: "Confluent's entrypoint",
			settings: map[string]string{"dataDir": "/var/lib/zookeeper/data", "dataLogDir": "/var/lib/zookeeper/log"},
			Does:     "cp-zookeeper makes /etc/kafka/zookeeper.properties from ZOOKEEPER_SERVERS and other variables at every start: the restart that should bring the patch removes it",
			Hold:     []string{"# nothing holds it: change the container's environment in place of the patch, and have the container made again"},
			Release:  []string{"# nothing"},
			Lasting:  "the container's environment, in place of the patch: ZOOKEEPER_SERVERS (by ; in the order of ids), ZOOKEEPER_QUORUM_LISTEN_ON_ALL_IPS=true, ZOOKEEPER_TCP_KEEP_ALIVE=true and the like",
		},
	}
}
