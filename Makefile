# make demo and make test install what is missing first (root, Debian or Ubuntu); see README.md.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

VERSION ?= 0.0.0-dev
MODULE  := github.com/setopsco/setops
TOOLS   := $(CURDIR)/.cache/tools

# A clone of another owner has no readable history for root, and no build here needs it.
export GOFLAGS := -buildvcs=false $(filter-out -buildvcs=%,$(GOFLAGS))

# libcontainer needs cgo, and only the shim has it; each program is one file that needs nothing of the system it runs on.
TAGS    := seccomp netgo osusergo
STATIC  := -s -w -linkmode external -extldflags -static
SHIMS   := internal/engine/embedded/shimbin
LATCHES := internal/engine/kubernetes/latch

# ARCH is the processor that the shim is built for. For another one than this machine's it takes a compiler and a libseccomp of it.
HOST       := $(shell go env GOARCH)
ARCH       := $(HOST)
TARGET      = $(patsubst arm64,aarch64,$(patsubst amd64,x86_64,$(ARCH)))-linux-gnu
SYSROOT     = $(CURDIR)/.cache/sysroot/$(ARCH)
CROSS       = $(if $(filter-out $(HOST),$(ARCH)),CC=$(TARGET)-gcc PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
	PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(TARGET)/pkgconfig CGO_LDFLAGS=-L$(SYSROOT)/usr/lib/$(TARGET))
# Go's cache of what was built does not look at what pkg-config says, but at CGO_LDFLAGS: another clone has another directory.

GORELEASER  := github.com/goreleaser/goreleaser/v2@v2.16.0
CYCLONEDX   := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help
help: ## Show what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: need-build setops setopsd ## Build setops and setopsd into bin/

.PHONY: setops
setops:
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X $(MODULE)/internal/cli/root.version=$(VERSION)' -o bin/setops ./cmd/setops

.PHONY: setopsd
setopsd: shim
	CGO_ENABLED=0 go build -tags 'shim $(TAGS)' -trimpath -ldflags '-s -w -X $(MODULE)/internal/daemon.Version=$(VERSION)' \
		-o bin/setopsd ./cmd/setopsd

# setopsd carries the shim, and the latch for tasks on a cluster. They are packed again only where they differ, so that setopsd is linked
# again only then.
.PHONY: shim
shim: latch
	@[ "$(ARCH)" = "$(HOST)" ] || .ci/sysroot $(ARCH) $(SYSROOT)
	CGO_ENABLED=1 GOARCH=$(ARCH) $(CROSS) go build -tags '$(TAGS)' -trimpath -ldflags '$(STATIC)' -o .cache/setops-shim_$(ARCH) ./cmd/setops-shim
	gzip -9nc .cache/setops-shim_$(ARCH) > .cache/setops-shim_$(ARCH).gz
	cmp -s .cache/setops-shim_$(ARCH).gz $(SHIMS)/setops-shim_$(ARCH).gz || cp .cache/setops-shim_$(ARCH).gz $(SHIMS)/

# Of all that a latch needs, the kernel has most: it is 2 KB.
.PHONY: latch
latch:
	mkdir -p .cache
	$(if $(CROSS),$(TARGET)-gcc,gcc) @cmd/setops-latch/flags -o .cache/setops-latch_$(ARCH) cmd/setops-latch/latch.c
	cmp -s .cache/setops-latch_$(ARCH) $(LATCHES)/setops-latch_$(ARCH) || cp .cache/setops-latch_$(ARCH) $(LATCHES)/

.PHONY: packaging
packaging:
	packaging/build

# What goreleaser does but publish. A clone of another owner is read for its last commit alone.
.PHONY: snapshot
snapshot: need-release $(TOOLS)/goreleaser $(TOOLS)/cyclonedx-gomod ## Build all that a release consists of, into dist/
	PATH=$(TOOLS):$$PATH GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$(CURDIR) VERSION=$(VERSION) \
		goreleaser release --snapshot --clean --parallelism 2
	packaging/formula $(VERSION) dist/checksums.txt > dist/setops.rb

.PHONY: demo
demo: need-demo build ## Play the guide to deployment on a server made for it
	go build -o .cache/demo ./internal/guide/demo
	@.cache/demo

# Where goroutines share things. The rest is one request at a time, or too slow under the race detector, as are commits that break at
# each of their writes in turn.
RACE := ./internal/apply ./internal/commit ./internal/engine/fake ./internal/engine/host ./internal/engine/logfile \
	./internal/graph ./internal/handover ./internal/idempotency ./internal/probe ./internal/registry ./internal/router \
	./internal/routing ./pkg/client

# Never from the cache: tests run programs that they build, of which the cache knows nothing.
.PHONY: test
test: need-test ## Run every test that needs no other machine
	CGO_ENABLED=1 go test -count=1 -tags '$(TAGS)' -timeout 20m ./...
	CGO_ENABLED=1 go test -count=1 -tags '$(TAGS)' -timeout 20m -race -skip 'AtAnyWrite|WriteThatFails' $(RACE)
	CGO_ENABLED=1 go test -count=1 -tags '$(TAGS)' -timeout 20m -race -run 'Users|Servers' ./internal/transact

# What make test runs a sample of.
CHAOS := WhereverTheServerBreaks|CommandLineIsKilled|ShimsAreKilled|FillsTheDisk

.PHONY: chaos
chaos: need-test ## Break the server at every step of commits, and see that no stage is between
	CGO_ENABLED=1 SETOPS_CHAOS=all go test -count=1 -tags '$(TAGS)' -timeout 30m -run '$(CHAOS)' ./internal/crash

# Each cluster ends with its command, with an interrupt, and with testcluster itself. What a kill leaves of it, down removes.
# Most of the time a test waits for its cluster. So two parts run beside each other, on a cluster each; with a third the nodes fall behind on two
# processors. Of a server in its own process nothing is raced here: make test does that on other engines.
CLUSTER := .cache/testcluster test -nodes 2 -gateway -- env CGO_ENABLED=1 SETOPS_TEST_ALL=1 go test -count=1 -parallel 4 -tags '$(TAGS)' -timeout 30m

# What of package crash is tried on a cluster too.
KILLED := Killed(In|While)|Reboot|WhereverTheServerBreaks

# All that is tested on a cluster, in parts that need nothing of each other.
CLUSTERED := kubernetes-suite kubernetes-servers kubernetes-kills kubernetes-simulated

.PHONY: testcluster
testcluster: need-kubernetes
	CGO_ENABLED=0 go build -o .cache/testcluster ./internal/engine/kubernetes/cluster/testcluster

.PHONY: kubernetes-test
kubernetes-test: kubernetes-harness build ## Bring up Kubernetes, run all that is tested on a cluster, and tear it down
	$(MAKE) -j2 --no-print-directory --output-sync=line $(CLUSTERED)

.PHONY: kubernetes-harness $(CLUSTERED)
kubernetes-harness: testcluster ## The same, of what brings clusters up and tears them down
	CGO_ENABLED=0 go test -count=1 -tags cluster -timeout 90m ./internal/engine/kubernetes/cluster

kubernetes-suite: testcluster ## The same, of the engine: what all engines promise, and what this one does
	$(CLUSTER) ./internal/engine/kubernetes ./internal/edge/space

kubernetes-servers: testcluster build ## The same, of servers in a cluster and beside it, faults, and routers
	$(CLUSTER) ./internal/install
	$(CLUSTER) -run /kubernetes -skip Disk ./internal/system

kubernetes-kills: testcluster build ## The same, of servers that are killed at every step, and of requests while apps are replaced
	$(CLUSTER) -run '($(KILLED))/kubernetes' ./internal/crash
	.cache/testcluster test -nodes 2 -- go run ./internal/bench -only failover-kubernetes -failovers 4

kubernetes-simulated: testcluster ## The same, on a hundred simulated nodes
	.cache/testcluster test -nodes 0 -simulated 100 -- env CGO_ENABLED=1 go test -count=1 -tags '$(TAGS)' -timeout 30m -run Simulated ./internal/system

.PHONY: lint
lint: need-build $(TOOLS)/gofumpt $(TOOLS)/staticcheck ## Check the sources: gofumpt, go vet, staticcheck
	@unformed=$$($(TOOLS)/gofumpt -l cmd docs internal pkg); [ -z "$$unformed" ] || { echo "not formatted with gofumpt: $$unformed"; exit 1; }
	CGO_ENABLED=1 go vet -tags '$(TAGS)' ./...
	go vet -tags chaos ./internal/daemon
	CGO_ENABLED=1 $(TOOLS)/staticcheck -tags '$(TAGS)' ./...

$(TOOLS)/gofumpt:
	GOBIN=$(TOOLS) go install $(GOFUMPT)

$(TOOLS)/staticcheck:
	GOBIN=$(TOOLS) go install $(STATICCHECK)

$(TOOLS)/goreleaser:
	GOBIN=$(TOOLS) go install $(GORELEASER)

$(TOOLS)/cyclonedx-gomod:
	GOBIN=$(TOOLS) go install $(CYCLONEDX)

.PHONY: docs
docs: need-build ## Write the pages that follow from the programs: docs/cli, docs/api, docs/man
	CGO_ENABLED=1 go run -tags '$(TAGS)' ./internal/manual/write

.PHONY: bench
bench: need-test need-kubernetes build ## Measure speed, as ratios within one run
	go run ./internal/bench

.PHONY: load
load: need-test build ## Replace two apps 100 times under load, on both engines, and count what is lost
	go run ./internal/bench -only failover,failover-docker -failovers 100

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin .cache dist $(SHIMS)/*.gz $(LATCHES)/setops-latch_*

.PHONY: need-build need-test need-demo need-release need-kubernetes
need-build need-test need-demo need-release need-kubernetes: need-%:
	@.ci/install $*
