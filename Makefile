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

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not proof"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

proof: $(STAMP)
	$(BIN)/python -m pytest -m proof

bench: $(STAMP)
	$(BIN)/python -m esg_assets_tests.bench

setup: $(STAMP)

$(STAMP): setup.py
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) .demo .dagster .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info .tmp_dagster_home_*
