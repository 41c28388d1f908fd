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
  present && named && jaas && placed=${all[*]}
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

# Refuses where a file that the configuration names is missing, and fills known with the entries
# and the hosts' paths that they are for, a tab between the two.
present() {
  local line name names IFS=$'\n'
  names=(${ZKMIGRATE_FILES-})
  IFS=$' \t\n' known=$'\n'
  for line in ${names[@]+"${names[@]}"}; do
    name=${line%%$'\t'*}
    [[ $name != */* || ${name%%/*} == "$id" ]] || continue
    name=${name#*/} known+=$name$'\t'${line#*$'\t'}$'\n'
    [[ -s $files/$name ]] || refuse "the configuration names the file $name, and neither $name nor $id.$name is in what --files-secret and --files-configmap name: add it there" || return
  done
}

# Sets name to the entry for a path of the host: the one that is known, one with the folder's name
# before it, or the base name. Fails where there is none.
entry() { # PATH
  local before=${known%%$'\t'"$1"$'\n'*} folder=${1%/*}
  folder=${folder##*/} name=${1##*/}
  if [[ $before != "$known" ]]; then
    name=${before##*$'\n'}
  elif [[ -f $files/$folder-$name ]]; then
    name=$folder-$name
  fi
  [[ -f $files/$name ]]
}

# The same, which refuses two files of one name.
only() { # WHO PATH
  entry "$2" || return 0
  [[ $known != *$'\n'"$name"$'\t'* || $known == *$'\n'"$name"$'\t'"$2"$'\n'* ]] ||
    refuse "$1 names $2, and the entry $name is for another file of that name: add it as FOLDER-$name, with the name of its folder" || return
  known+=$name$'\t'$2$'\n'
}

# Sets words to the flags of the file jvm-flags.
words() {
  local line
  words=()
  [[ -f $files/jvm-flags ]] || return 0
  while read -r line || [[ -n $line ]]; do
    [[ $line == \#* ]] || words+=(${line%$'\r'})
  done <"$files/jvm-flags"
}

# Takes a flag apart that has an absolute path: what stands before, and the path.
apart() { # FLAG
  [[ $1 =~ ^(-D[^=]+=(file:(//)?)?)(/.*[^/])$ ]] || return
  head=${BASH_REMATCH[1]} path=${BASH_REMATCH[4]}
}

# Refuses a file that jvm-flags names and nobody has.
named() {
  local flag head path name
  words
  for flag in ${words[@]+"${words[@]}"}; do
    apart "$flag" || continue
    only jvm-flags "$path" || return
    [[ -f $files/$name || -e $path || ! $head =~ ^-Djava\.security\.|[kK]ey[sS]tore|[tT]rust[sS]tore|onfiguration ]] ||
      refuse "jvm-flags names the file $path, and neither $name nor $id.$name is in what --files-secret names: add it there" || return
  done
}

# Writes the JAAS file with the paths of the files that are here.
jaas() {
  local name file line rest head word text= quoted='^([^"]*")(([^"\\]|\\.)*)"(.*)$'
  [[ " $(flags && printf %s "${SERVER_JVMFLAGS-}") " =~ \ -Djava\.security\.auth\.login\.config="$files"/([^ ]+)\  ]] || return 0
  file=${BASH_REMATCH[1]}
  while IFS= read -r rest || [[ -n $rest ]]; do
    line=
    # What is between quotes, one after the other, up to a comment.
    while [[ $rest =~ $quoted && ${BASH_REMATCH[1]} != *//* ]]; do
      head=${BASH_REMATCH[1]} word=${BASH_REMATCH[2]} rest=${BASH_REMATCH[4]}
      if [[ $word == /* ]]; then
        only "$file" "$word" || return
        if [[ -f $files/$name ]]; then
          word=$files/$name
        elif [[ ! -e $word && $head =~ keyTab[[:space:]]*=[[:space:]]*\"$ ]]; then
          refuse "$file names the key tab $word, and neither $name nor $id.$name is in what --files-secret names: add it there" || return
        fi
      fi
      line+=$head$word\"
    done
    text+=$line$rest$'\n'
  done <"$files/$file"
  rm -f -- "$files/$file" && (umask 077 && printf %s "$text" >"$files/$file") || refuse "cannot write $files/$file"
}

# Adds the flags of the file jvm-flags, with the paths of the files that are here.
flags() {
  local flag head path name more=
  words
  for flag in ${words[@]+"${words[@]}"}; do
    apart "$flag" && entry "$path" && flag=$head$files/$name
    more+=" $flag"
  done
  export SERVER_JVMFLAGS="${SERVER_JVMFLAGS-}$more"
}
`
