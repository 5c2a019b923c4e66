# `make help` lists the targets. Everything lives in .venv; a stamp file there says what is
# installed, so a second call installs nothing and needs no network.

VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# Extras of the full environment; no build isolation, so that a repeated install works offline.
EDIT   := $(PIP) --no-build-isolation --editable
PYTEST := $(PY) -m pytest -n 2 --dist worksteal
ARGS   ?=

# The first Python that is new enough and really runs (a pyenv shim may exist and not run).
CANDIDATES := python3 python3.13 python3.12 python3.11
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	$$p -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: help demo test test-quick lint verify lessons clean
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

help:            ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

demo: $(VENV)/.base  ## train a ResNet on handwritten digits (a minute; no torch needed)
	$(PY) -m minilearn train resnet --data digits $(ARGS)

test: $(VENV)/.full  ## run the whole suite; ARGS="-k conv" is handed to pytest
	$(PYTEST) $(ARGS)

test-quick: $(VENV)/.full  ## run the fast tests with few examples each
	$(PYTEST) -m "not slow" --hypothesis-profile=quick $(ARGS)

lint: $(VENV)/.full  ## check style (ruff) and types (mypy)
	$(PY) -m ruff check .
	$(PY) -m mypy

verify: $(VENV)/.full  ## check the course: solutions, starters, mistakes, messages, times
	$(PY) -m minilearn teach verify --jobs 2

lessons: $(VENV)/.lessons  ## run the lessons, build the course site; ARGS="--only 03" or ARGS=--full
	$(PY) docs/site/build.py $(ARGS)

clean:           ## remove the environment and the caches; runs/ stays
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- the environment

# pip comes last when an environment is made: where it is missing, the making was cut short.
$(VENV)/bin/pip:
	@python="$(PYTHON)"; \
	if ! "$$python" -c '$(NEW_ENOUGH)' 2>/dev/null; then \
	  echo "minilearn needs Python 3.11 or later; looked for: $${python:-$(CANDIDATES)}."; \
	  echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; fi; \
	"$$python" -m venv $(VENV) || { \
	  echo "$$python could not make an environment. On Debian: apt install python3-venv"; exit 1; }

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(PIP) setuptools
	$(EDIT) .
	@touch $@

$(VENV)/.full: $(VENV)/.base
	$(EDIT) '.[learn,dev]'
	@touch $@

$(VENV)/.lessons: $(VENV)/.full
	$(EDIT) '.[learn,dev,lessons]'
	@touch $@
