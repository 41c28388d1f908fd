#!/bin/bash
# ZooKeeper's own command line.
home=/opt/zookeeper
# shellcheck disable=SC2086
exec java -Dzookeeper.root.logger=WARN,CONSOLE -cp "$home/conf:$home/lib/*" $CLIENT_JVMFLAGS $JVMFLAGS \
  org.apache.zookeeper.ZooKeeperMain "$@"
