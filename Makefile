# Two commands do all the set-up: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= $(firstword $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p"; done))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.dev-ready
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The address of the consoles in tests/e2e/console.py, which is part of the built pages.
E2E_ADDRESS := PORT=34517 PUBLIC_URL=http://localhost:34517
CAMPAIGNS := tests/crash tests/chaos
SIZES := DECISIONS DECIDERS KILLS LOST_ANSWERS OUTAGE POINTS RESTARTS SEED SEQUENCES SIGTERMS ZOMBIES
QUICK_TESTS := tests/unit tests/services tests/architecture

export PIP_NO_PYTHON_VERSION_WARNING := 1
# The commands' own environment decides: no stray activation, and no start that compiles everything anew.
unexport VIRTUAL_ENV PYTHONPATH PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run setup dev test test-parts test-campaigns test-e2e check lint format types contracts e2e-pages screenshots ops bench chaos clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(READY) ## Start the console: dependencies, migrations, pages, worker, on one port
	@exec $(BIN)/agent-console serve

setup: $(READY) ## Install what the console needs into .venv

dev: $(DEV_READY) ## Install what the tests need as well

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "agent_console needs Python 3.11 or newer; none was found." >&2; exit 1; }
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { echo "Python lacks its venv module; on Debian: apt install python3-venv" >&2; exit 1; }

$(READY): requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing dependencies (about half a minute, once)"
	@$(PIP) install --quiet --requirement requirements.txt
	@$(PIP) install --quiet --no-deps --editable .
	@touch $@

$(DEV_READY): requirements-dev.txt $(READY)
	@echo "Installing test tools"
	@$(PIP) install --quiet --requirement requirements-dev.txt
	@touch $@

test: $(DEV_READY) ## Lint, types, contracts and every test, on SQLite, PostgreSQL and in a browser
	@.ci/browser $(BIN)/python
	@.ci/promtool $(BIN)
	@$(MAKE) --no-print-directory -j2 lint types contracts e2e-pages
	@$(MAKE) --no-print-directory --keep-going test-parts test-campaigns test-e2e

# One after the other, and each to its end: a failure in one part does not hide the next.
test-parts: $(DEV_READY)
	$(BIN)/python -m pytest -n 2 $(addprefix --ignore=,tests/e2e $(CAMPAIGNS)) $(PYTEST_ARGS)

test-campaigns: $(DEV_READY)
	$(BIN)/python -m pytest -n 2 --dist worksteal $(CAMPAIGNS) $(PYTEST_ARGS)

test-e2e: $(DEV_READY)
	$(BIN)/python -m pytest tests/e2e $(PYTEST_ARGS)

check: $(DEV_READY) ## The fast selection, on SQLite, in under a minute
	@$(MAKE) --no-print-directory -j2 lint types contracts
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not e2e and not crash" -k "not postgresql" $(wildcard $(QUICK_TESTS)) $(PYTEST_ARGS)

lint: $(DEV_READY) ## Style, dead dependencies, markers of unfinished work
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/deptry . --no-ansi
	@$(BIN)/agent-console markers check

format: $(DEV_READY) ## Put the sources into the house's form
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

types: $(DEV_READY) ## mypy --strict
	@$(BIN)/mypy

contracts: $(DEV_READY) ## Which room may know which
	@$(BIN)/lint-imports --no-logo

# Built while style and types are checked: a core is free then.
e2e-pages: $(READY)
	@folder=$$(mktemp -d) && trap 'rm -r "$$folder"' EXIT && \
		$(E2E_ADDRESS) AGENT_CONSOLE_DATA_DIR="$$folder" $(BIN)/python -m agent_console.cli.frontend

screenshots: $(DEV_READY) ## Take the pictures in docs/images again
	@.ci/browser $(BIN)/python
	$(BIN)/python -m tests.e2e.screenshots

ops: $(READY) ## Make dashboard, alert rules and scrape config of agent_console/ops again
	@$(BIN)/python -m agent_console.ops

bench: $(DEV_READY) ## Measure throughput and latency on both databases
	$(BIN)/python -m benchmarks

# Sizes of single campaigns may be given by name: make chaos ZOMBIES=50 SEED=7
chaos: $(DEV_READY) ## Kill, suspend, cut off and contradict: the campaigns of docs/reliability.md in full
	AGENT_CONSOLE_CAMPAIGN=full $(foreach s,$(SIZES),$(if $($(s)),AGENT_CONSOLE_$(s)=$($(s)))) \
		$(BIN)/python -m pytest -q -s $(CAMPAIGNS)

clean: ## Remove everything that can be made again (the data directory stays)
	rm -rf $(VENV) .web .states build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results
