#!/bin/bash
# Starts ZooKeeper as the release's own script of this name does: it finds its home by its
# own path, and its configuration in ZOOCFGDIR.
set -e
bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
home=$bin/..
case ${2:-} in
  "") config=${ZOOCFGDIR:-$home/conf}/zoo.cfg ;;
  *) config=$2 ;;
esac
[[ ${1:-} == start-foreground && -r $config ]] || {
  echo "usage: zkServer.sh start-foreground [zoo.cfg]" >&2
  exit 1
}
echo "Using config: $config" >&2
# Words in the flags are meant to be split.
# shellcheck disable=SC2086
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dzookeeper.log.dir="${ZOO_LOG_DIR:-$home/logs}" \
  -Dlog4j.configuration="file:${ZOOCFGDIR:-$home/conf}/log4j.properties" -XX:+ExitOnOutOfMemoryError \
  -cp "$home/lib/*:$home/*:${ZOOCFGDIR:-$home/conf}" "-Xmx${ZK_SERVER_HEAP:-1000}m" $SERVER_JVMFLAGS $JVMFLAGS \
  org.apache.zookeeper.server.quorum.QuorumPeerMain "$config"
