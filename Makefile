# Everything there is to type. Needs python3 (3.11 to 3.13), git, make and g++; brings in the rest by itself.

UV_VERSION := 0.13.8
PORT ?= 8000
UI_PORT ?= 5000
PRESET ?= real-photos

BIN := .venv/bin
# Tests of one file stay in one process, files in their order: tests/conftest.py puts first what takes longest.
IN_PARALLEL := --numprocesses auto --dist loadfile --no-loadscope-reorder
UV := $(or $(shell command -v uv),.uv/bin/uv)
UP_TO_DATE := Data and pipelines are up to date.

# Stages call `python`, DVC calls `git` and `python`, npm calls `node`: all but git come from the environment.
export PATH := $(CURDIR)/$(BIN):$(PATH)
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

.DEFAULT_GOAL := help
.PHONY: help env data repro test test-fast check format deps ui web real sync sample clean-env

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: .venv/synced node_modules/synced ## the Python and Node environments, as locked

.uv/bin/uv:
	python3 -m venv .uv || { echo 'python3 lacks venv: apt-get install python3-venv, or install uv' >&2; exit 1; }
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/synced: pyproject.toml uv.lock | $(UV)
	@command -v g++ >/dev/null || { echo 'no C++ compiler, and pdqhash must be compiled: apt-get install g++ python3-dev' >&2; exit 1; }
	$(UV) sync --frozen --compile-bytecode
	@touch $@

node_modules/synced: package.json package-lock.json .venv/synced
	$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

data: env ## the photographs that data.dvc points to
	@[[ -d data && .dvc/tmp/pulled -nt data.dvc ]] || { $(BIN)/dvc pull data.dvc && touch .dvc/tmp/pulled; }

repro: data ## run every stage whose inputs changed, and say what was built
	@$(BIN)/python -m fieldguide check
	@$(BIN)/python -m fieldguide check
	$(BIN)/dvc repro
	@$(BIN)/python -m fieldguide summary
	@git diff --quiet -- dvc.lock metrics || printf '%s\n' '' 'dvc.lock and metrics/ differ from the commit: other photographs, parameters or code, or another processor,' \
	    'which trains other weights. git checkout dvc.lock metrics takes that back; commit them if they are yours.'

test: data ## every test
	$(BIN)/python -m pytest $(IN_PARALLEL)

test-fast: env ## the tests that take seconds
	$(BIN)/python -m pytest $(IN_PARALLEL) -m 'not slow'

check: env ## format, lint, types, import rules, and that dvc.yaml tells the truth
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	node_modules/.bin/tsc --project web/jsconfig.json
	node_modules/.bin/biome lint --error-on-warnings web tests benchmarks
	$(BIN)/python -m pytest --quiet -m 'not slow' tests/pipeline
	$(BIN)/dvc repro --dry --allow-missing | tee /dev/stderr | grep --fixed-strings '$(UP_TO_DATE)' >/dev/null

format: env ## format the code and repair what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

deps: env ## bring the code deps in dvc.yaml up to date with the imports
	$(BIN)/python -m tests.pipeline.closure --write

ui: env ## MLflow's pages over all runs (UI_PORT=5000)
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db --port $(UI_PORT)

web: env ## the demo page with the model that was built (PORT=8000)
	@[[ -d models/tfjs ]] || { echo 'models/tfjs is missing; make repro builds it' >&2; exit 1; }
	@echo 'http://127.0.0.1:$(PORT)/'
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory models/tfjs

real: env ## the whole pipeline on real photographs: PHOTOS=dir WEIGHTS=dir [SCRATCH=dir] [PRESET=name]
	@[[ -n '$(PHOTOS)' && -n '$(WEIGHTS)' ]] || { echo 'usage: make real PHOTOS=dir WEIGHTS=dir' >&2; exit 1; }
	@$(BIN)/python -m fieldguide real --preset '$(PRESET)' --photos '$(PHOTOS)' --weights '$(WEIGHTS)' \
	    $(if $(SCRATCH),--scratch '$(SCRATCH)')

sync: env ## bring into MLflow what DVC took from its run cache
	$(BIN)/python -m fieldguide mlflow-sync

sample: env ## draw the embedded sample anew, into data/ and sample/store
	$(BIN)/python -m sample.make
	$(BIN)/dvc add data
	$(BIN)/python -m sample.publish

clean-env: ## remove what `make env` made
	rm -rf .venv .uv node_modules
