# One command does it all: `make test`. Everything is installed in .venv from the one tested set, constraints.txt.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
# Changes with what has to be installed, and with nothing else.
STAMP := $(VENV)/.installed-$(shell cat pyproject.toml constraints.txt | cksum | tr ' ' -)
# Made while installing: where it is left over, an installation was cut off and cannot be trusted.
UNFINISHED := $(VENV)/.unfinished

.PHONY: help venv lint format types test test-fast packages demo examples clean

help:  ## Say what can be made.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

venv: $(STAMP)  ## Install Edgewright and its tools in .venv.

$(STAMP):
	@if [ -e $(UNFINISHED) ] || ! $(PY) -m pip --version > /dev/null 2>&1; then rm -rf $(VENV); fi
	@if [ ! -d $(VENV) ]; then \
	  for python in python3.11 python3.12 python3.13 python3; do \
	    if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then break; fi; \
	    python=; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo "Python 3.11 or newer with its venv module is needed (Debian: apt-get install python3 python3-venv)." >&2; \
	    exit 2; \
	  fi; \
	  mkdir $(VENV) && touch $(UNFINISHED) && "$$python" -m venv $(VENV); \
	fi
	@touch $(UNFINISHED)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-input -e '.[dev]' -c constraints.txt
	@rm -f $(VENV)/.installed-* && touch $@ && rm $(UNFINISHED)

lint: venv  ## Check style and format.
	$(PY) -m ruff check
	$(PY) -m ruff format --check

format: venv  ## Apply the format, and what can be corrected without a thought.
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

types: venv  ## Check types.
	$(PY) -m mypy

# Two processes, a file in one of them: most of the time goes into exports and builds that use one core. In the order of
# tests/conftest.py: xdist would begin with the files of many tests, and end with one long file.
test: lint types packages  ## All checks and all tests.
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-fast: venv  ## The tests that take no more than a few seconds.
	$(PY) -m pytest -m 'not slow'

# The report is looked at in a real browser, OpenVINO runs in an emulator; without them those tests are skipped and say so.
packages:
	@bash .ci/packages

demo: venv  ## From a model to a package with its evidence, on real commands.
	$(PY) examples/intents/demo.py

examples: venv  ## Train, build and measure every example; each takes some minutes the first time.
	$(PY) examples/run_all.py

clean:  ## Remove what was made here, the installation included.
	rm -rf $(VENV) dist build demo .mypy_cache .ruff_cache .pytest_cache .coverage
