# Two environments, each from its own hashed lock: .venv runs orderquake, .venv-dev tests it.
# Any Python from 3.11 on will do: make run PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
DEV := .venv-dev
SOURCES := sim model tests
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --progress-bar off
PYTEST := $(DEV)/bin/python -m pytest
WORKERS ?= 2

UV ?= uv
COMPILE := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: run test check slow bench format lock clean help python

run: $(VENV)/.ready  ## install what is needed and run the main job: a real retailer's four busiest weeks, with one bad hour
	$(VENV)/bin/orderquake run retail_peak

test: $(DEV)/.ready  ## install what is needed and run the tests
	$(PYTEST) -n $(WORKERS) -q --nbmake tests notebooks

check: $(DEV)/.ready  ## format, lint, types, import contracts, tests with doctests
	$(DEV)/bin/ruff format --check $(SOURCES)
	$(DEV)/bin/ruff check $(SOURCES)
	$(DEV)/bin/mypy -p orderquake.sim -p orderquake.model
	$(DEV)/bin/lint-imports
	$(PYTEST) -n $(WORKERS) -q --nbmake tests notebooks

slow: $(DEV)/.ready  ## the tests that `make test` leaves out
	$(PYTEST) -n $(WORKERS) -q -m slow

bench: $(DEV)/.ready  ## orders a second, beside an idiomatic SimPy script of the same path
	$(DEV)/bin/python -m tests.benchmarks.flash_sale

format: $(DEV)/.ready  ## rewrite the sources the way `make check` wants them
	$(DEV)/bin/ruff check --fix $(SOURCES)
	$(DEV)/bin/ruff format $(SOURCES)

# The locks hold versions and hashes, no addresses. They are remade only on request.
lock:  ## resolve the newest versions into both locks (needs uv)
	$(COMPILE) --upgrade pyproject.toml --group build -o requirements.lock
	$(COMPILE) --upgrade pyproject.toml --extra notebooks --group dev -o requirements-dev.lock

clean:  ## remove environments, caches and builds; run folders under reports/ stay
	rm -rf $(VENV) $(DEV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A stamp is written last, so an interrupted installation is begun again.
$(VENV)/.ready: requirements.lock pyproject.toml | python
	$(call install,$(VENV),requirements.lock)

$(DEV)/.ready: requirements-dev.lock pyproject.toml | python
	$(call install,$(DEV),requirements-dev.lock)

define install
	@echo "Installing $(2) into $(1) ..."
	@$(PYTHON) -m venv $(1)
	@$(1)/bin/python $(PIP_INSTALL) --require-hashes -r $(2)
	@$(1)/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@
endef

python:
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "make: no '$(PYTHON)' on the path; orderquake needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1); orderquake needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 2; }
