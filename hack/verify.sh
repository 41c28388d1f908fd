#!/usr/bin/env bash
# The project's rules, executable. Every failing rule says how to mend it.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
rule() { # NAME FIX COMMAND...
  local name=$1 fix=$2 out
  shift 2
  if out=$("$@" 2>&1); then
    printf 'ok    %s\n' "$name"
  else
    printf 'FAIL  %s\n%s\n      fix: %s\n' "$name" "$out" "$fix"
    failed=1
  fi
}

gofmt_clean() { local l; l=$(git ls-files '*.go' | xargs gofmt -l); echo "$l"; [[ -z $l ]]; }
tidy_clean() { # MODULE: a copy is tidied, nothing here changes
  local d; d=$(mktemp -d); cp "$1/go.mod" "$1/go.sum" "$d/"
  (cd "$1" && go mod tidy -diff) ; local rc=$?; rm -rf "$d"; return $rc
}
k8s_versions() { # all k8s.io modules of the main module on one minor and patch
  local v; v=$(awk '$1 ~ /^k8s\.io\/(api|apimachinery|cli-runtime|client-go|kubectl|component-base)$/ {print $2}' go.mod | sort -u)
  echo "$v"; [[ $(wc -l <<<"$v") == 1 ]]
}
docs_clean() { go run ./hack/docs -check; }
scripts_parse() { local f rc=0; for f in hack/*.sh .ci/run; do bash -n "$f" || rc=1; done; return $rc; }
manifest() { go run ./hack/krewmanifest -check; }
no_leftovers() { ! git grep -nwE 'TODO|FIXME|XXX' -- '*.go' '*.sh' '*.md' ':!hack/verify.sh'; }

rule "gofmt" "gofmt -w" gofmt_clean
rule "vet" "see the messages" go vet ./...
rule "vet with every build tag" "see the messages" go vet -tags "zk e2e containers integration model bench" ./...
rule "vet test/lab" "see the messages" bash -c 'cd test/lab && go vet ./...'
rule "import direction, no globals, no init, small files" "go test ./test/arch/..." go test ./test/arch/...
rule "go.mod tidy" "go mod tidy" tidy_clean .
rule "test/lab/go.mod tidy" "cd test/lab && go mod tidy" tidy_clean test/lab
rule "k8s.io modules on one version" "go get k8s.io/...@the same version" k8s_versions
rule "scripts parse" "bash -n" scripts_parse
rule "generated docs" "go run ./hack/docs" docs_clean
rule "krew manifest" "go run ./hack/krewmanifest" manifest
rule "nothing left over" "finish it or file an issue" no_leftovers
if [[ ${SKIP_LINT:-} != 1 ]]; then
  rule "golangci-lint" "make lint" make -s lint
fi
exit $failed
