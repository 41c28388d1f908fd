#!/bin/bash
# Starts ZooKeeper as the upstream image's script of this name does: in the
# foreground, as this very process, with the log on standard output.
set -e
home=/opt/zookeeper

usage() {
  echo "usage: zkServer.sh start-foreground|print-cmd [zoo.cfg]" >&2
  exit 2
}

command=${1:-}
config=${2:-${ZOOCFGDIR:-${ZOO_CONF_DIR:-/conf}}/zoo.cfg}
flags="-Xmx${ZK_SERVER_HEAP:-1000}m $SERVER_JVMFLAGS $JVMFLAGS"
# The first compiler alone: these servers live for minutes, and share a few cores.
# Words in the flags are meant to be split.
# shellcheck disable=SC2086
set -- java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -Dzookeeper.log.dir="${ZOO_LOG_DIR:-/logs}" \
  -Dlog4j.configuration="file:${ZOO_LOG4J:-$home/conf/log4j.properties}" \
  -XX:+ExitOnOutOfMemoryError \
  -cp "$home/conf:$home/lib/*" $flags \
  org.apache.zookeeper.server.quorum.QuorumPeerMain "$config"

case $command in
  start-foreground)
    if [ ! -r "$config" ]; then
      echo "zkServer.sh: can't read $config" >&2
      exit 1
    fi
    echo "Using config: $config" >&2
    exec "$@"
    ;;
  print-cmd) echo "$*" ;;
  *) usage ;;
esac
