# Needs Python 3.11 or newer, make and git. PYTHON is the interpreter to create the environment with.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; \
	done)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# GPU=cuda13, cuda12 or tpu: what JAX computes on, instead of the processor
GPU ?=
ACCELERATORS := cuda13 cuda12 tpu
LOCK := requirements$(GPU:%=-%).lock
READY := .venv/.ready$(GPU:%=-%)
DEVELOP := .venv/.develop
# tests of one file share fixtures, so one process runs them; files keep their order, so that short ones come last;
# a process that crashes ends the run: one that takes its place can wait for ever for the file that was lost
SPREAD := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

.PHONY: all setup test test-all test-long lint bench tutorial locks clean

COMPILE := .venv-locks/bin/uv pip compile --quiet --universal --generate-hashes --no-header pyproject.toml

ifneq ($(filter-out $(ACCELERATORS),$(GPU)),)
$(error GPU=$(GPU): choose one of $(ACCELERATORS))
endif

# check also sets aside a dvc.lock that a kill has cut: DVC would not start with it. What it compiles to measure the
# time is kept for the study
all: setup
	thalweg check --time
	dvc repro

setup: $(READY)

$(READY): $(LOCK) pyproject.toml
	@case "$$PWD" in *[:\#\$$\"\`\\]*) printf '%s\n' "$$PWD: make and pip cannot bear : # $$ \" \` \\ in a path; move the folder"; exit 2;; esac
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set its path: make PYTHON=/path/to/python3.12"; exit 2; }
	@test -n "$(GPU)" || ! nvidia-smi -L 2>/dev/null || \
		echo "a driver reports a GPU; make GPU=cuda13 (from driver 580 on) or GPU=cuda12 installs JAX for it"
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@echo "pip installs the packages of $(LOCK) into .venv, and ignores those of other systems; this takes minutes"
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/thalweg schema
	touch $(READY)

# what tests and checks need beside it
$(DEVELOP): $(READY) requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	touch $(DEVELOP)

lint: $(DEVELOP)
	ruff check .
	ruff format --check .
	mypy

# mypy runs beside the tests: it keeps one core busy for a minute
test: $(DEVELOP)
	ruff check .
	ruff format --check .
	$(MAKE) --jobs=2 types fast

.PHONY: types fast
types:
	mypy
fast:
	pytest $(SPREAD)

# all but the long tests, with programs optimised as in a study; `make test` does not optimise them (tests/conftest.py)
test-all: $(DEVELOP)
	XLA_FLAGS= pytest -m 'not long' -rs $(SPREAD)

# simulations of thousands of studies, and all cases of docs/reliability.md
test-long: $(DEVELOP)
	pytest -m long -rs -o faulthandler_timeout=0 $(SPREAD)

# other tools have their own environment; `make bench BENCH=--quick` only checks that everything runs
bench: setup
	test -x benchmarks/.venv/bin/python || $(PYTHON) -m venv benchmarks/.venv
	benchmarks/.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.run $(BENCH)

# draws the pictures of docs/how-training-works.md
tutorial: $(DEVELOP)
	$(BIN)/python -m docs.tutorial

# all lock files, from pyproject.toml; uv resolves them for all systems and versions of Python
locks:
	test -x .venv-locks/bin/uv || { $(PYTHON) -m venv .venv-locks && .venv-locks/bin/python -m pip install --quiet uv; }
	$(COMPILE) --extra train -o requirements.lock
	$(COMPILE) --extra dev -c requirements.lock -o requirements-dev.lock
	for kind in $(ACCELERATORS); do $(COMPILE) --extra $$kind -c requirements.lock -o requirements-$$kind.lock || exit; done

clean:
	rm -rf .venv .venv-locks benchmarks/.venv artifacts .thalweg
