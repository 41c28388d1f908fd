#!/usr/bin/env bash
# Builds the release archives into dist/ and renders plugins.yaml from them.
# Reproducible: same commit, same bytes. TAG names the release; TARGETS and DIST
# limit it to some platforms and put archives and manifest elsewhere (tests).
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${TAG:-v0.1.0}
dist=${DIST:-dist}
manifest=plugins.yaml
[[ -n ${DIST:-} ]] && manifest=$dist/zkmigrate.yaml
[[ -n ${DIST:-} ]] || rm -rf dist
mkdir -p "$dist"
stamp=$(git log -1 --format=%ct)
for target in ${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}; do
  os=${target%/*} arch=${target#*/} exe=
  [[ $os == windows ]] && exe=.exe
  dir=$(mktemp -d)
  GOOS=$os GOARCH=$arch CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$dir/kubectl-zkmigrate$exe" ./cmd/kubectl-zkmigrate
  cp LICENSE "$dir/"
  tar -C "$dir" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" -cf - . | gzip -n >"$dist/kubectl-zkmigrate_${tag}_${os}_${arch}.tar.gz"
  rm -rf "$dir"
  echo "$dist/kubectl-zkmigrate_${tag}_${os}_${arch}.tar.gz"
done
partial=
[[ -n ${TARGETS:-} ]] && partial=-partial
go run ./hack/krewmanifest -tag "$tag" -dist "$dist" -out "$manifest" $partial
