package render

// relayScript is the other container of a pod: it repeats in its own log what the
// gate reports in a file, and nothing else. ZooKeeper's log is no place for a
// report: a client's path appears there as it was sent, line ends included.
//
//   - The file comes through a volume that is read-only here. Its lines name the
//     pod and their own time, so that one that is old says so, whichever of the two
//     containers was frozen or restarted since.
//   - What does not change is repeated once a minute, for a kubelet that rotates a
//     log shows only its newest file.
const relayScript = `#!/usr/bin/env bash
# relay.sh. Repeats the gate's reports. Written by kubectl-zkmigrate.
set -uf
LC_ALL=C

report=${ZKMIGRATE_REPORT:-/zkmigrate/report}/gate
said= said_at=0
exec {idle}<> <(:)
trap 'exit 0' TERM INT

while :; do
  line=
  [[ -f $report ]] && { IFS= read -rn 4096 line <"$report"; } 2>/dev/null
  line=${line//[^[:print:]]/?}
  if [[ -n $line ]] && { [[ $line != "$said" ]] || ((SECONDS - said_at >= 60 || SECONDS < said_at)); }; then
    said=$line said_at=$SECONDS
    printf '%s\n' "$line"
  fi
  read -rt 0.2 -u "$idle" _
done
`
