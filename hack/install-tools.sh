#!/usr/bin/env bash
# Installs what tests and demo need from Debian, where it is missing. Root only.
set -euo pipefail
need=()
have() { command -v "$1" >/dev/null 2>&1; }
have java || need+=(default-jre-headless)
have javac || need+=(default-jdk-headless)
have strace || need+=(strace)
have mkfs.ext4 || need+=(e2fsprogs)
have krb5kdc || need+=(krb5-kdc)
have kadmin.local || need+=(krb5-admin-server)
[[ -n $(compgen -G "/usr/lib/*/faketime/libfaketime.so.1") ]] || need+=(libfaketime)
have patch || need+=(patch)
have git || need+=(git)
have make || need+=(make)
if ((${#need[@]})); then
  if [[ $(id -u) != 0 ]]; then
    echo "missing: ${need[*]} (install them, or run as root)" >&2
    exit 1
  fi
  echo "installing ${need[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi
