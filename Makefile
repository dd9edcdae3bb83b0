# `make demo` and `make test` are all a newcomer needs; `make check` is what CI runs first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup setup-dev demo test check fmt lint types imports schemas docs coverage lock bench clean services-up services-down test-services test-outside fuzz

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

$(VENV)/.setup: requirements.lock pyproject.toml
	@$(PYTHON) scripts/require_python.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.setup-dev: $(VENV)/.setup requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.setup ## create .venv with the command registro

setup-dev: $(VENV)/.setup-dev ## add what tests and gates need

demo: setup ## run the main job on the real figures of 2023
	$(BIN)/registro demo

test: setup-dev ## run the tests
	$(BIN)/python -m pytest -n 2

services-up: ## start PostgreSQL and Kafka on loopback; writes .services.env
	scripts/services install
	scripts/services up

services-down: ## stop it
	scripts/services down

test-services: setup-dev ## the tests that need PostgreSQL; starts and stops it
	scripts/test_services

test-outside: setup-dev ## evidence judged by Go and openssl; fetches them when missing
	scripts/outside

fuzz: setup-dev ## fuzz the readers of foreign bytes for FUZZ_SECONDS (120)
	$(BIN)/python -m tests.fuzz.harness $${FUZZ_SECONDS:-120}

check: setup-dev lint types imports schemas docs ## every gate but the tests

fmt: setup-dev ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup-dev
	$(BIN)/mypy

imports: setup-dev
	$(BIN)/lint-imports

schemas: setup-dev ## fingerprints, lint, compatibility, generated classes
	$(BIN)/python -m schemas check

docs: setup-dev ## generated pages are up to date
	$(BIN)/python scripts/generate_docs.py --check

coverage: setup-dev ## tests with branch coverage
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n 2 --cov --cov-report=
	$(BIN)/coverage report

bench: setup-dev ## benchmarks; see docs/performance.md
	$(BIN)/python -m benchmarks

lock: setup-dev ## write the lock files anew (needs uv)
	uv pip compile pyproject.toml --group build --universal --generate-hashes --python-version 3.11 --quiet --no-header -o requirements.lock
	uv pip compile pyproject.toml --group build --group dev --universal --generate-hashes --python-version 3.11 --quiet --no-header -o requirements-dev.lock

clean: ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
