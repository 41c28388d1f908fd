package render

import "github.com/zkmigrate/kubectl-zkmigrate/pkg/migration"

// filesScript is the part of the gate's script that puts the files in their place that
// zoo.cfg and the JVM flags name, and says what is missing while nothing has been
// stopped for this pod. What it rests on:
//   - They are links into the volumes, so that a certificate that is renewed in the
//     Secret is renewed here (sslQuorumReloadCertFiles, client.certReload).
//   - A JAAS file names others, key tabs, by their paths on the host. It is copied, with
//     the paths of here: ZooKeeper reads it once.
//   - What is added to a Secret is seen here within the kubelet's period, without a new
//     pod.
const filesScript = `
files=${ZKMIGRATE_FILES_DIR:-` + migration.PodFilesDir + `}
private=${ZKMIGRATE_PRIVATE:-` + privatePath + `}
sources=(${ZKMIGRATE_SOURCES:-` + filesConfigPath + ` ` + filesSecretPath + `})
placed=

# Links all files that there are by their names, and then this server's own, ID.NAME, as NAME.
place() {
  local dir file name all=()
  [[ -d $files ]] || return 0
  set +f
  for dir in "${sources[@]}"; do
    all+=("$dir"/* "$dir"/.[!.]*)
  done
  set -f
  [[ ${all[*]} != "$placed" ]] || return 0
  placed=
  for name in all own; do
    for file in "${all[@]}"; do
      link "$name" "$file" || { refuse "cannot write to $files"; return; }
    done
  done
  present && jaas && placed=${all[*]}
}

link() { # all|own FILE
  local name=${2##*/}
  [[ -f $2 ]] || return 0
  if [[ $1 == own ]]; then
    [[ $name == "$id".?* ]] || return 0
    name=${name#"$id".}
  fi
  ln -sfn -- "$2" "$files/$name"
}

# Refuses where a file that the configuration names is missing.
present() {
  local name names IFS=$'\n'
  names=(${ZKMIGRATE_FILES-})
  IFS=$' \t\n'
  for name in ${names[@]+"${names[@]}"}; do
    [[ $name != */* || ${name%%/*} == "$id" ]] || continue
    name=${name#*/}
    [[ -s $files/$name ]] || refuse "the configuration names the file $name, and neither $name nor $id.$name is in what --files-secret and --files-configmap name: add it there" || return
  done
}

# Writes the JAAS file with the paths of the files that are here.
jaas() {
  local name line rest head word text= quoted='^([^"]*")(([^"\\]|\\.)*)"(.*)$'
  [[ " $(flags && printf %s "${SERVER_JVMFLAGS-}") " =~ \ -Djava\.security\.auth\.login\.config="$files"/([^ ]+)\  ]] || return 0
  name=${BASH_REMATCH[1]}
  while IFS= read -r rest || [[ -n $rest ]]; do
    line=
    # What is between quotes, one after the other, up to a comment.
    while [[ $rest =~ $quoted && ${BASH_REMATCH[1]} != *//* ]]; do
      head=${BASH_REMATCH[1]} word=${BASH_REMATCH[2]} rest=${BASH_REMATCH[4]}
      if [[ $word == /* && -f $files/${word##*/} ]]; then
        word=$files/${word##*/}
      elif [[ $word == /* && ! -e $word && $head =~ keyTab[[:space:]]*=[[:space:]]*\"$ ]]; then
        refuse "$name names the key tab $word, and neither ${word##*/} nor $id.${word##*/} is in what --files-secret names: add it there" || return
      fi
      line+=$head$word\"
    done
    text+=$line$rest$'\n'
  done <"$files/$name"
  rm -f -- "$files/$name" && (umask 077 && printf %s "$text" >"$files/$name") || refuse "cannot write $files/$name"
}

# Adds the flags of the file jvm-flags, with the paths of the files that are here.
flags() {
  local line flag more=
  [[ -f $files/jvm-flags ]] || return 0
  while read -r line || [[ -n $line ]]; do
    [[ $line == \#* ]] && continue
    for flag in ${line%$'\r'}; do
      [[ $flag =~ ^(-D[^=]+=(file:)?)/.*/([^/]+)$ && -e $files/${BASH_REMATCH[3]} ]] && flag=${BASH_REMATCH[1]}$files/${BASH_REMATCH[3]}
      more+=" $flag"
    done
  done <"$files/jvm-flags"
  export SERVER_JVMFLAGS="${SERVER_JVMFLAGS-}$more"
}
`
