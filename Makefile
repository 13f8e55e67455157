# Everything a developer types. `make demo` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
RAG = $(BIN)/rag --offline

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/installed: pyproject.toml .ci/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint .ci/constraints.txt --editable '.[dev]'
	@touch $@

.PHONY: install
install: $(VENV)/installed ## Install into .venv

.PHONY: demo
demo: install ## Index sample_docs and ask it a question
	$(RAG) index sample_docs
	$(RAG) query "At how much free disk space does the core leave reserve mode?"

.PHONY: test
test: install ## Run the tests
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: soak
soak: install ## Run the tests of faults and of spoilt files at length
	RAG_SOAK=1 $(BIN)/python -m pytest tests/faults tests/load/test_fuzz.py

.PHONY: lint
lint: install ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: format
format: install ## Put the code into its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: docs
docs: install ## Write the command reference in README anew
	$(BIN)/python -m tests.reference

.PHONY: bench
bench: install ## Measure quality on judged sets (SETS=DIR), a second run of rag index, and every command as it grows
	$(BIN)/python -m benchmarks.quality $(SETS)
	$(BIN)/python -m benchmarks.incremental --files 300
	$(BIN)/python -m benchmarks.scale --chunks 10000 --runs 3

.PHONY: bench-peers
bench-peers: install ## Measure ragcli beside its peers, which are installed for it (SET=DIR)
	$(BIN)/python -m benchmarks.peers $(if $(SET),--set $(SET)) --json benchmarks/results/peers.json
