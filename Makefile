# Needs Python 3.11 or newer, make and git. PYTHON names the interpreter that the environment is made with.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; \
	done)
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
READY := .venv/.ready
# a file's tests stay together, since they share what was built for them; files go in order, so that the last are short
SPREAD := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: all setup test test-all test-long lint bench tutorial clean

all: setup
	dvc repro

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it: make PYTHON=/path/to/python3.12"; exit 2; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

lint: setup
	ruff check .
	ruff format --check .
	mypy

# types beside the tests: mypy keeps one core busy for a minute
test: setup
	ruff check .
	ruff format --check .
	$(MAKE) --jobs=2 types fast

.PHONY: types fast
types:
	mypy
fast:
	pytest $(SPREAD)

# the fast tests once more, too, with programs optimised as a study's are: tests/conftest.py says what `make test` does
test-all: setup
	XLA_FLAGS= pytest -m 'not long' -rs $(SPREAD)

# simulations of many thousand studies
test-long: setup
	pytest -m long -rs $(SPREAD)

# peers have an environment of their own; `make bench BENCH=--quick` only tries whether all of it runs
bench: setup
	test -x benchmarks/.venv/bin/python || $(PYTHON) -m venv benchmarks/.venv
	benchmarks/.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.run $(BENCH)

# the pictures of docs/how-training-works.md, drawn again
tutorial: setup
	$(BIN)/python -m docs.tutorial

clean:
	rm -rf .venv benchmarks/.venv artifacts .thalweg
