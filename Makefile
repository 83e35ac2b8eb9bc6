# Everything a contributor runs. `make test` and `make check` set up all they need.
#
#   make test     every test: unit, parity, command line, race detector, real clients, arm64 by emulation
#   make check    formatting, vet, staticcheck, walls between packages, generated files
#   make fuzz     every fuzz target for FUZZTIME each
#   make soak     SOAK of overload at four times the capacity, for two servers
#   make stress   STRESS of garbage collection and signals for each arithmetic (10 minutes in all)
#   make test-stacks   the real stacks installed, compared and killed: STACKS, by the gigabyte
#   make bench    the Go benchmarks behind docs/benchmarks.md

PYTHON   ?= python3
FUZZTIME ?= 60s
SOAK     ?= 60s
STRESS   ?= 55s
STACKS   ?= fastapi,langchain,triton,vllm
VENV     := build/venv
PY       := $(CURDIR)/$(VENV)/bin/python
REQS     := $(wildcard test/*/requirements.txt)
MODEL    := all-MiniLM-L6-v2

.PHONY: test test-go test-statistics test-clients test-arm64 test-stacks check fuzz soak stress bench clean

test: test-go test-statistics test-clients test-arm64

# The real model's folder reaches the tests by PACELINE_TEST_MODEL, the Python
# that carries the reference libraries by PACELINE_PYTHON; what lacks them is
# skipped, and gotestsum lists every skipped test with its reason. So is the report
# in a browser where there is no Chromium and Debian's packages cannot be reached. The
# tokenizers are compared with their reference without the race detector, 100,000 texts each.
SETTING   = PACELINE_TEST_MODEL="$$(build/paceline models pull $(MODEL))" \
	PACELINE_PYTHON=$(PY) PACELINE_BIN=$(CURDIR)/build/paceline
BROWSER   = PACELINE_CHROMIUM="$$(test/browser/chromium.sh)"

test-go: build/paceline $(VENV)/stamp
	$(SETTING) $(BROWSER) go tool gotestsum --format pkgname -- -race -timeout 45m ./...
	$(SETTING) go tool gotestsum --format pkgname -- -run Differential -timeout 30m ./internal/token

# The expected values of the statistics' tests, computed again by the reference libraries.
test-statistics: $(VENV)/stamp
	$(PY) test/statistics/expected.py --check

test-clients: build/paceline $(VENV)/stamp
	$(SETTING) $(PY) -m pytest -q -rs test/clients

# Fetches the emulator where the machine has none and Debian's packages can be reached.
test-arm64:
	test/arm64/run.sh

stress:
	go test ./internal/engine/cpu -v -count=1 -run TestStressGC -stress $(STRESS) -timeout 2h

# With the real model: what a tiny one can do four times over is more than a client on the same cores can.
soak: build/paceline
	$(SETTING) go test ./test/soak -v -timeout 20m -soak $(SOAK)

build/paceline: FORCE
	CGO_ENABLED=0 go build -o $@ ./cmd/paceline

$(VENV)/stamp: $(REQS)
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check $(addprefix -r ,$(REQS))
	touch $@

test-stacks: build/paceline
	go test ./test/stacks -v -count=1 -run Real -timeout 2h -real $(STACKS) -model "$$(build/paceline models pull $(MODEL))"

check:
	@test -z "$$(gofmt -l .)" || { echo "not gofmt-clean:"; gofmt -l .; exit 1; }
	go vet ./...
	GOARCH=arm64 go vet ./...
	GOOS=darwin go vet ./...
	go vet -tags nvml ./internal/bench/sample
	GOOS=windows go build ./...
	go tool staticcheck ./...
	go test -run 'TestImportDirections|TestCrosses' .
	go mod tidy -diff
	for own in internal/*/gen bench/peers/hugot; do (cd $$own && go vet ./... && go mod tidy -diff) || exit 1; done
	go generate ./...
	git diff --exit-code -- internal

fuzz:
	test/fuzz/run.sh $(FUZZTIME)

bench:
	go test -run '^$$' -bench . -benchmem ./...

clean:
	rm -rf build

FORCE:
