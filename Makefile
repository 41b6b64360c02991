# The commands of a developer's day. `make` alone lists them.

# Nothing here needs more than two cores; a cold compile takes about two minutes.
.DEFAULT_GOAL := help
.PHONY: help demo build test test-short lint lint-light bench fuzz screenshots clean

FUZZTIME ?= 5m
VETFLAGS ?=

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## start a hub and two platforms on this machine (the first compile takes about two minutes)
	go run ./cmd/rempart demo

build: ## build bin/rempart, one static binary
	CGO_ENABLED=0 go build -trimpath -o bin/rempart ./cmd/rempart

# A race between two transactions shows in two runs out of three at best: the
# store's suite is repeated.
test: ## all tests with -race, on both databases and in a browser; installs what they need, skips nothing
	scripts/test-deps.sh
	CI=1 go test -race -timeout 40m ./...
	@go test -count=1 -run '^TestFaultMatrix$$' -v ./flow | grep -o 'fault matrix: .*'
	CI=1 go test -race -timeout 40m -count=4 ./store/...

test-short: ## the quick tests; skips what this machine lacks
	go test -short -timeout 5m ./...

lint: lint-light ## gofmt, go vet, go.mod tidy, staticcheck (the first run builds it: about 40 s)
	go mod tidy -diff
	go build -C tools -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck ./...

lint-light: ## gofmt, go vet, syntax of the scripts
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "not formatted, run gofmt -w:"; echo "$$unformatted"; exit 1; }
	go vet $(VETFLAGS) ./...
	for f in scripts/*.sh examples/*.sh .ci/run; do bash -n "$$f" || exit 1; done

bench: ## every benchmark of a part; rempart bench measures the whole beside others
	go test -run '^$$' -bench . -benchmem ./...

fuzz: ## every fuzz target for FUZZTIME (5m) each, two at a time; CI takes 30s
	scripts/fuzz.sh $(FUZZTIME)

screenshots: ## make docs/screenshots again, in a real browser
	scripts/screenshots.sh

clean: ## delete what was built
	rm -rf bin
