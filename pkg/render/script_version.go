package render

// versionScript is the part of the gate's script that finds out which ZooKeeper
// the image holds, while the pod is parked and nothing has been stopped for it.
// What it rests on:
//   - The class org.apache.zookeeper.Version has a main that prints what a server
//     answers to srvr, in all releases from 3.4 on. It starts no server, opens no
//     port and needs no file but the jar; a JVM lives for a fraction of a second.
//   - A jar's name or manifest may lack the version (Debian's have none, and call
//     it zookeeper.jar).
//   - The jar is looked for where the command's own files are (the official images:
//     /zookeeper-3.4.x and /apache-zookeeper-x-bin/lib), then in $ZOOKEEPER_HOME,
//     then where packages put it. Where a directory has several, nobody can say
//     which of them the class path begins with: unknown.
//   - An option that the image's environment has for every JVM (an agent, a port
//     for debugging) is none of this one's.
const versionScript = `
version= version_why= java= jars=

# The one jar of ZooKeeper's server in a directory: sets jar; fails when there
# are several.
find_jar() { # DIRECTORY
  local file real
  jar=
  set +f
  for file in "$1"/zookeeper.jar "$1"/zookeeper-[0-9]*.jar; do
    [[ -f $file ]] && real=$(readlink -f -- "$file") || continue
    [[ -z $jar || $jar == "$real" ]] || { set -f; return 1; }
    jar=$real
  done
  set -f
}

find_java() {
  java=${JAVA_HOME:+$JAVA_HOME/bin/java}
  [[ -n $java && -x $java ]] || java=$(type -P java)
}

# What the image's own Version class says: sets version, or version_why.
find_version() { # COMMAND [ARGS...]
  local word file home dir answer status
  local -a homes=() places=()
  for word in "$@"; do
    file=$(type -P -- "$word") && file=$(readlink -f -- "$file") || continue
    homes+=("${file%/*}" "${file%/*}/..")
  done
  [[ -z ${ZOOKEEPER_HOME-} ]] || homes+=("$ZOOKEEPER_HOME")
  set +f
  for home in ${homes[@]+"${homes[@]}"} /zookeeper-* /apache-zookeeper-* /opt/*zookeeper* /usr/share/java /usr/share/zookeeper; do
    places+=("$home" "$home/lib")
  done
  set -f
  for dir in ${ZKMIGRATE_JARS:+"$ZKMIGRATE_JARS"} "${places[@]}"; do
    find_jar "$dir" || { version_why="there are several zookeeper jars in $dir"; return; }
    [[ -n $jar ]] && break
  done
  [[ -n $jar ]] || { version_why="no zookeeper jar was found in the image"; return; }
  [[ -n $java ]] || { version_why="no java was found in the image"; return; }
  jars=$jar:${jar%/*}/*:${jar%/*}/lib/*
  exec {answer}< <(
    unset JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS
    exec timeout -k 1 60 "$java" -Xmx16m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
      -cp "$jars" org.apache.zookeeper.Version --full 2>/dev/null
  )
  read -r version <&"$answer"
  exec {answer}<&-
  wait $!
  status=$?
  [[ $version =~ ^([0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4})([^0-9].*)?$ ]] && version=${BASH_REMATCH[1]} && return
  version= version_why="java could not ask $jar for its version (exit code $status)"
  ((status != 137)) || version_why="java was killed when it asked $jar for its version: is there too little memory?"
}

# A pod that was made again from a changed template runs no other release than
# the one it is made for.
other_release() {
  [[ -n $version && -n ${ZKMIGRATE_VERSION-} && $version != "$ZKMIGRATE_VERSION" ]] || return 1
  refuse "the image holds ZooKeeper $version, and this pod is made for $ZKMIGRATE_VERSION: it is not started"
  return 0
}
`
