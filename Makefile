# make: the environment, then every figure of the default study. make smoke: every stage, tiny.
# make check: the fast tests. make test: all but what runs a cluster or a study for long. make lint: format, lint, and
# that imports run downwards.
PYTHON ?= python3
BIN := .venv/bin

# make paper: the study in a few pages of PDF (it needs LaTeX).
.PHONY: all env smoke paper check test test-studies test-others lint
all: env
	$(BIN)/snakemake

paper: env
	$(BIN)/fading paper results/reference/full

smoke: env
	$(BIN)/snakemake --configfile config/smoke.yaml

check: env
	$(BIN)/pytest -m "not slow and not deployment and not campaign"

# The tests that look at a study beside all others: about as much work.
TESTED := $(BIN)/pytest --durations 20 -m
test: env
	$(MAKE) -j 2 --output-sync=line test-studies test-others

test-studies:
	$(TESTED) "study and not deployment and not campaign"

test-others:
	OMP_NUM_THREADS=1 $(TESTED) "not study and not deployment and not campaign"

lint: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/lint-imports --no-logo

env: .venv/complete

.venv/complete: envs/installer.lock envs/study.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/installer.lock
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes --no-build-isolation --compile-bytecode -r envs/study.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@
