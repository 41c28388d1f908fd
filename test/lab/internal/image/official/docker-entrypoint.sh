#!/bin/bash
# What a container of the image starts with, unless it is told a command: makes a
# configuration and an id of its own where there are none, as the official image does.
set -e
if [[ ! -f $ZOO_CONF_DIR/zoo.cfg ]]; then
  printf '%s\n' "dataDir=$ZOO_DATA_DIR" "dataLogDir=$ZOO_DATA_LOG_DIR" tickTime=2000 initLimit=5 syncLimit=2 \
    'server.1=localhost:2888:3888;2181' >"$ZOO_CONF_DIR/zoo.cfg"
fi
[[ -f $ZOO_DATA_DIR/myid ]] || echo "${ZOO_MY_ID:-1}" >"$ZOO_DATA_DIR/myid"
exec "$@"
