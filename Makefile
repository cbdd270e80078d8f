# make: the environment, then every figure of the default study. make smoke: every stage, tiny. make test, make lint.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: all env smoke test lint
all: env
	$(BIN)/snakemake

smoke: env
	$(BIN)/snakemake --configfile config/smoke.yaml

test: env
	$(BIN)/pytest

lint: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

env: .venv/complete

.venv/complete: envs/installer.lock envs/study.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/installer.lock
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes --compile-bytecode -r envs/study.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@
