# Everything a person or CI runs. `make run` and `make test` set up what they need.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run dev test lint proof bench clean setup

run: $(STAMP)
	$(BIN)/esg-assets demo

dev: $(STAMP)
	$(BIN)/esg-assets dev

# In the order of conftest.py, longest files first; xdist would put those with the most tests first.
test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not proof"

# Two at once, each with its output in one piece; all are told of, and one that fails fails the target.
lint: $(STAMP)
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target --keep-going $(LINTS)

# The longest first.
LINTS := lint-types lint-imports lint-template lint-packages lint-style

.PHONY: $(LINTS)
$(LINTS): $(STAMP)
lint-types:
	$(BIN)/mypy
lint-imports:
	$(BIN)/lint-imports
lint-template:
	$(BIN)/cfn-lint deploy/aws/esg_assets.yaml
lint-packages:
	$(BIN)/python -m esg_assets_tests.supply_chain.lock --check
	$(BIN)/python -m esg_assets_tests.supply_chain.audit $(if $(filter required,$(AUDIT)),--required)
	$(BIN)/python -m esg_assets_tests.supply_chain.sbom build/sbom.cdx.json
lint-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

proof: $(STAMP)
	$(BIN)/python -m pytest -m proof

bench: $(STAMP)
	$(BIN)/python -m esg_assets_tests.bench
	$(BIN)/python -m esg_assets_tests.bench.sealing

setup: $(STAMP)

# Every package from the lock file, by its hash; wheels only, so that none runs code while it is installed.
$(STAMP): setup.py requirements.lock
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

clean:
	rm -rf $(VENV) .demo .dagster .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist mutants *.egg-info .tmp_dagster_home_*
