# Everything a contributor runs. On a fresh Debian machine with Go and root:
# `make demo` and `make test`.

SHELL := /bin/bash
export CGO_ENABLED ?= 0

ZK ?= 3.8.0
DEMO_ZK ?= $(ZK)
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2

.PHONY: all build demo test test-unit test-zk test-model test-same test-integration test-e2e test-steady test-containers test-nftables test-oldest test-newest test-ipv6 test-dual test-wave test-faults test-lab test-sight bench verify lint docs dist clean lab-down

all: build

build: bin/kubectl-zkmigrate bin/zklab bin/zkload

bin/kubectl-zkmigrate: FORCE
	@go build -o $@ ./cmd/kubectl-zkmigrate

bin/zkload: FORCE
	@go build -o $@ ./test/load

bin/zklab: FORCE
	@cd test/lab && go build -o ../../$@ ./cmd/zklab

FORCE:

## demo: a whole migration on the embedded lab, with a client writing throughout
demo: build
	@go run ./test/demo -zk $(DEMO_ZK) -bin $(CURDIR)/bin -report demo-report.json

## test: everything, as CI runs it
test: build
	@hack/test.sh

## test-unit: what needs neither root nor a network, minutes
test-unit:
	@go test -timeout 30m ./cmd/... ./pkg/... ./test/arch/... ./test/model/... ./test/load/... ./test/killproxy/... ./test/bench/... ./test/faults/... ./test/badinput/...
	@cd test/lab && go test ./...

## test-zk: against real ZooKeeper servers on loopback
test-zk:
	@go test -tags zk -timeout 20m ./pkg/zkprobe/... ./pkg/cli/... ./pkg/cluster/... ./pkg/render/... ./pkg/zkdata/... ./test/...

## bench: what a person waits for, in seconds and as ratios of one run; judges nothing
bench: build
	@go run ./test/bench -zk $(ZK) -bin $(CURDIR)/bin -report bench-report.json

## test-e2e: whole migrations in the lab
test-e2e: build
	@go test -tags e2e -timeout 120m -count=1 -v ./test/e2e/...

## test-steady: the day after finalize, a chart that takes over, drains and cordons on the way
test-steady: build
	@E2E_LAB=steady go test -tags e2e -timeout 60m -count=1 -v -run '^(TestSteady|TestAdopted|TestNodes)$$' ./test/e2e/...

## test-containers: a migration of servers that run in podman's and docker's containers on their hosts
test-containers: build
	@E2E_LAB=containers go test -tags containers -timeout 30m -count=1 -v -run '^TestContainers$$' ./test/e2e/...

## test-nftables: a whole migration with every kube-proxy in nftables mode
test-nftables: build
	@ZKLAB_PROXY_MODE=nftables E2E_LAB=nft go test -tags e2e -timeout 20m -count=1 -run '^TestMigration$$' ./test/e2e/...

## test-oldest, test-newest: the integration tests and whole migrations, on the oldest and newest Kubernetes that the lab can build
test-oldest: export ZKLAB_KUBERNETES = 1.27
test-newest: export ZKLAB_KUBERNETES = 1.37
test-oldest test-newest: build
	@go test -tags integration -timeout 30m -count=1 ./test/integration/...
	@E2E_LAB=$(@:test-%=%) go test -tags e2e -timeout 40m -count=1 -v -run '^TestMigration$$' ./test/e2e/...

## test-ipv6, test-dual: whole migrations in a cluster with IPv6 alone, and with both IP families
test-ipv6: build
	@ZKLAB_IP_FAMILY=ipv6 E2E_LAB=ipv6 go test -tags e2e -timeout 40m -count=1 -v -run '^TestFamilies$$' ./test/e2e/...
test-dual: build
	@ZKLAB_IP_FAMILY=dual E2E_LAB=dual go test -tags e2e -timeout 40m -count=1 -v -run '^TestFamilies$$' ./test/e2e/...

## test-wave: a fleet of six ensembles, killed at random, with everything that a wave goes through
test-wave: build
	@WAVE=1 E2E_LAB=wave go test -tags e2e -timeout 60m -count=1 -v -run '^TestWave$$' ./test/e2e/...

## test-faults: everything that can go wrong, in the lab; one: make test-faults RUN=host-silent
test-faults: build
	@go test -tags e2e -timeout 180m -count=1 -v -run 'TestFaults.*/.*/$(RUN)' ./test/faults/...

## test-lab: all that is played in the lab but the long matrix; before a release
test-lab: test-e2e test-faults

## test-sight: the long matrix of what cannot be seen, hours; one: make test-sight RUN=drop-leader-3s
test-sight: build
	@SIGHT=1 go test -tags e2e -timeout 600m -count=1 -v -run 'TestSight/.*/$(RUN)' ./test/faults/...

## verify: gofmt, vet, linter, imports, tidy, docs, manifests
verify:
	@hack/verify.sh

docs:
	@go run ./hack/docs

# A cache of its own: a shared one answers with the paths of another checkout.
lint:
	@GOLANGCI_LINT_CACHE=$(CURDIR)/bin/.lint go run $(GOLANGCI) run --allow-parallel-runners ./...

## test-model: the model checker's long run, an hour and more
test-model:
	@GOGC=400 go test -v -tags model -timeout 120m ./test/model

## test-same: the rules of a commit beside those of now, in every state of the model; FORMER=COMMIT
test-same:
	@go run ./hack/former $(FORMER)
	@GOGC=400 go test -v -tags model,former -timeout 240m -run TestSame ./test/model

## test-integration: a real control plane, which the lab builds once
test-integration: build
	@go test -tags integration -timeout 15m -count=1 ./test/integration/...

dist:
	@hack/package.sh

lab-down:
	@bin/zklab down --name demo; bin/zklab down --name e2e; bin/zklab down --name wave; bin/zklab down --name faults; bin/zklab down --name outages; bin/zklab down --name sight; bin/zklab down --name bench

clean:
	rm -rf bin dist demo-report.json bench-report.json
