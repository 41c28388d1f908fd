#!/usr/bin/env bash
# What CI runs, in the order of what breaks most cheaply. Prints the time
# of each part, and the test runner's own summary over all parts at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
hack/install-tools.sh || exit 1
export CGO_ENABLED=0
gotestsum=gotest.tools/gotestsum@v1.13.0
log=$(mktemp -d)
failed=()
part() { # NAME COMMAND...
  local name=$1 t0=$SECONDS
  shift
  printf '\n=== %s\n' "$name"
  if "$@"; then
    printf '=== %s: ok in %ds\n' "$name" $((SECONDS - t0))
  else
    printf '=== %s: FAILED after %ds\n' "$name" $((SECONDS - t0))
    failed+=("$name")
  fi
}
tests() { # NAME GO-TEST-ARGUMENTS...
  local name=$1
  shift
  go run "$gotestsum" --format pkgname --format-hide-empty-pkg --jsonfile "$log/$name.json" -- "$@"
}
part verify hack/verify.sh
part unit tests unit -timeout 30m ./cmd/... ./pkg/... ./test/arch/... ./test/model/... ./test/load/... ./test/killproxy/... ./test/bench/... ./test/faults/... ./test/badinput/...
part lab-unit bash -c "cd test/lab && go run $gotestsum --format pkgname --format-hide-empty-pkg --jsonfile $log/lab.json -- ./..."
part zookeeper tests zookeeper -tags zk -timeout 20m ./pkg/zkprobe/... ./pkg/cli/... ./pkg/cluster/... ./pkg/render/... ./pkg/zkdata/... ./test/load/... ./test/zkreal/... ./test/quorumpeerconfig/...
part krew bash -c "cd test/krew && go run $gotestsum --format pkgname --jsonfile $log/krew.json -- ./..."
# One lab after the other, for two of them want more than two processors: what waits
# for a processor takes many times as long. CI plays one migration of each release
# and one fault of each kind; make test-lab plays everything.
lab() { # NAME GO-TEST-ARGUMENTS...
  local name=$1
  shift
  E2E_LAB=$name part "$name" tests "$name" -tags e2e -timeout 60m -count=1 "$@"
}
lab e2e -parallel 2 -run '^(TestMigration|TestManual|TestGroups|TestLaptop|TestLaptopKilled|TestHostWithoutKubeProxy|TestStreamsThatAreCut|TestDryRunClient|TestSecuredHosts|TestRefusedInput|TestTakenBack|TestRetire)$' ./test/e2e/...
lab secured -short -parallel 2 -run '^(TestSecuredMigration|TestFinalize|TestFinalizeUndone|TestFleet)$' ./test/e2e/...
lab faults -short -parallel 2 -run '^(TestFaults|TestFaultsOfSight|TestList)$' ./test/faults/...
# After those, which have the binary built.
part integration tests integration -tags integration -timeout 15m -count=1 ./test/integration/...

printf '\n=== all parts\n'
for f in "${failed[@]+"${failed[@]}"}"; do echo "part failed: $f"; done
go run "$gotestsum" --format dots --raw-command -- bash -c "cat $log/*.json" >"$log/summary" 2>&1 || failed+=(summary)
sed -n '/^=== /,$p;/^DONE/p' "$log/summary" | awk '!seen[$0]++'
((${#failed[@]} == 0))
