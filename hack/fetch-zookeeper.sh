#!/usr/bin/env bash
# Fetches the jars of a real ZooKeeper server from Debian's packages, for tests.
#
#   hack/fetch-zookeeper.sh 3.4.13|3.8.0|3.9.3
#
# Prints the folder that holds them (run: java -cp "$folder/*" ...). The jars go
# to the user's cache folder, one folder per version; a second call is instant.
# Nothing is installed. Packages of other Debian releases come from the archive
# this machine's apt already uses and are checked against Debian's own keys.
set -euo pipefail

version=${1:-}
case $version in
3.4.13) suite=bullseye ;;
3.8.0) suite=bookworm ;;
3.9.3) suite=trixie ;;
*)
  echo "usage: $0 3.4.13|3.8.0|3.9.3" >&2
  exit 2
  ;;
esac

cache=${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-zkmigrate/zookeeper
out=$cache/$version
if [ -e "$out/.complete" ]; then
  echo "$out"
  exit 0
fi

for tool in apt-get apt-cache dpkg-deb; do
  command -v "$tool" >/dev/null || {
    echo "$0: $tool is missing: this script needs Debian or a relative of it" >&2
    exit 1
  }
done

mkdir -p "$cache"
# Two test packages may ask at once: the second waits and finds the work done.
exec 9>"$cache/.lock-$version"
flock 9
if [ -e "$out/.complete" ]; then
  echo "$out"
  exit 0
fi

work=$(mktemp -d "$cache/.fetch-$version.XXXXXX")
trap 'rm -rf "$work"' EXIT

archive() {
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 2>/dev/null |
    awk -F'|' '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
}
uri=$(archive)
if [ -z "$uri" ]; then
  echo "$0: apt has no package lists yet: updating them" >&2
  apt-get -qq update >&2
  uri=$(archive)
fi
if [ -z "$uri" ]; then
  echo "$0: this machine's apt knows no Debian archive: add one to its sources and run again" >&2
  exit 1
fi

# A private apt root, so that the machine's own lists and sources stay as they are.
mkdir -p "$work/state/lists/partial" "$work/archives/partial" "$work/debs" "$work/tree"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$work/sources.list"
apt=(-qq
  -o "Dir::State=$work/state" -o "Dir::State::status=/dev/null"
  -o "Dir::Cache=$work" -o "Dir::Cache::archives=archives"
  -o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::Etc::sourceparts=/dev/null"
  -o "Acquire::Languages=none" -o "APT::Sandbox::User=root")

if [ "$version" = 3.4.13 ]; then
  packages="libzookeeper-java libslf4j-java liblog4j1.2-java"
  jars="zookeeper slf4j-api slf4j-log4j12 log4j-1.2"
else
  packages="libzookeeper-java libslf4j-java libnetty-java libdropwizard-metrics-java
    libcommons-cli-java libcommons-io-java libsnappy-java libjetty9-java
    libservlet-api-java libjackson2-core-java libjackson2-databind-java
    libjackson2-annotations-java"
  jars="zookeeper zookeeper-jute slf4j-api slf4j-simple netty-* metrics-core* commons-cli
    commons-io snappy-java jetty9-* servlet-api jackson-core jackson-databind
    jackson-annotations"
fi

echo "fetching ZooKeeper $version from Debian $suite" >&2
apt-get "${apt[@]}" update >&2
# shellcheck disable=SC2086 # a list of words
(cd "$work/debs" && apt-get "${apt[@]}" download $packages >&2)
for deb in "$work"/debs/*.deb; do
  dpkg-deb -x "$deb" "$work/tree"
done

mkdir "$work/jars"
java=$work/tree/usr/share/java
for name in $jars; do
  # shellcheck disable=SC2231 # the name may be a pattern
  for jar in $java/$name.jar; do
    if [ ! -e "$jar" ]; then
      case $name in
      zookeeper | zookeeper-jute)
        echo "$0: $name.jar is not in Debian $suite's packages" >&2
        exit 1
        ;;
      esac
      continue
    fi
    # Packages ship foo.jar and foo-1.2.jar as links to one another: keep one name each.
    target=$(basename "$(readlink -f "$jar")")
    [ -e "$work/jars/$target" ] || cp -L "$jar" "$work/jars/$target"
  done
done

touch "$work/jars/.complete"
rm -rf "$out"
mv "$work/jars" "$out"
echo "$out"
