# Every target works from a fresh clone: what it needs is installed first, once.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev serve test lint check format bench pin clean
VENV ?= .venv
export VENV PYTHON PINS TORCH_INDEX_URL
BIN := $(VENV)/bin
CONFIG ?= serve_config.yaml
# The arithmetic of the tests is small: more threads only fight over the cores.
ONE_THREAD := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## install what serving needs into .venv (resumes; the second time takes no time)
	@requirements/install.sh run

setup-dev:
	@requirements/install.sh dev

serve: setup  ## start everything, wait until it answers, stop with Ctrl-C (CONFIG=serve_config.yaml)
	@exec $(BIN)/livecart up --config $(CONFIG)

test: setup-dev  ## all tests, the real stack included (ARGS="-k name -x")
	@$(ONE_THREAD) $(BIN)/python -m pytest $(ARGS)

lint: setup-dev  ## formatting, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint  ## lint and the fast tests
	@$(ONE_THREAD) $(BIN)/python -m pytest -q -m "not integration and not postgres and not slow and not gpu"

format: setup-dev  ## rewrite the code in the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup-dev  ## measure this machine and write the numbers under benchmarks/results
	@$(BIN)/python -m benchmarks $(ARGS)

pin: setup-dev  ## write requirements/*.txt from what is installed
	@$(BIN)/python requirements/pin.py

clean:  ## remove caches and build output; .venv and .livecart (your data) stay
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
