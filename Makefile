# Two environments, each from its own hashed lock: .venv runs orderquake, .venv-dev tests it.
# Any Python from 3.11 on will do: make run PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
DEV := .venv-dev
SOURCES := sim model tests
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --progress-bar off
PYTEST := $(DEV)/bin/python -m pytest
WORKERS ?= 2
BENCHES := $(addprefix bench-,kernel history memory flatness judging flash_sale)

UV ?= uv
COMPILE := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: run test check slow engines seeds campaign points small-days campaign-smoke known-answers kill-table bakeoff stories \
	prove-nightly \
	bench $(BENCHES) format lock clean help python

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

engines: $(DEV)/.ready  ## the tests, with every world played on both engines and the histories compared
	$(PYTEST) -n $(WORKERS) -q -p tests.engines tests

DAYS := retail_day flash_sale lossy_payments
POLICIES := pay_first reserve_first authorise_reserve_capture
SEEDS := $(foreach day,$(DAYS),$(foreach policy,$(POLICIES),reports/seeds/$(day)-$(policy)))
RUNS ?= 1000

# A folder takes its place when all is in it: a thousand that was cut short is begun again, a finished one is kept.
seeds: $(SEEDS)  ## a thousand seeds of three bad days under every policy; goes on where it was stopped
	@! grep -l -E '"verdict": "(invalid|unknown)"' $(SEEDS:%=%/results.json) || { \
		echo "make: not everything is valid; see the pages beside the files above" >&2; exit 1; }
	@echo "all valid: $(words $(SEEDS)) times $(RUNS) seeds"

reports/seeds/%: | $(DEV)/.ready
	@mkdir -p $(@D)
	$(DEV)/bin/orderquake run $(word 1,$(subst -, ,$*)) --set policy.order=$(word 2,$(subst -, ,$*)) \
		--runs $(RUNS) --out $@ || test $$? -le 2

campaign: $(DEV)/.ready  ## drawn days inside the contract of hot_cold: make campaign N=10000 ARGS="--seed 7"
	$(DEV)/bin/python -m orderquake.sim.explore.campaign $(or $(N),1000) --processes $(WORKERS) $(ARGS)

points: $(DEV)/.ready  ## two thousand of them, and every sometimes-point must have been passed in one
	$(DEV)/bin/python -m orderquake.sim.explore.campaign 2000 --points --processes $(WORKERS) \
		--out reports/points.json --anew $(ARGS)

small-days: $(DEV)/.ready  ## small days by the hundred thousand, and no alarm in any: make small-days N=1000000
	$(DEV)/bin/python -m orderquake.sim.explore.small_days $(or $(N),20000) --processes $(WORKERS) $(ARGS)

campaign-smoke: $(DEV)/.ready  ## two hundred of them
	$(DEV)/bin/python -m orderquake.sim.explore.campaign 200 --processes $(WORKERS) --anew --out reports/campaign_smoke.json $(ARGS)

known-answers: $(DEV)/.ready  ## known answers against the product's own parts, kept in reports/; ARGS=--quick
	$(DEV)/bin/python -m tests.known.report --processes $(WORKERS) $(ARGS)

kill-table: $(DEV)/.ready  ## every planted bug, who catches it and how fast, kept in reports/; goes on where it was stopped
	$(DEV)/bin/orderquake mutants --seeds 30

bakeoff: $(DEV)/.ready  ## which strategy of the hunt finds which planted bug, kept in reports/
	$(DEV)/bin/python -m orderquake.sim.explore.hunt.bakeoff $(ARGS)

stories: $(DEV)/.ready  ## hunt every planted bug, and tell how long its story is and what it took, kept in reports/
	$(DEV)/bin/python -m orderquake.sim.explore.hunt.bakeoff --strategies portfolio --seeds 1 --budget 9 \
		--out reports/stories.md $(ARGS)

prove-nightly: $(DEV)/.ready  ## every interleaving of four orders with any one fault: ten minutes, 2 GB
	$(DEV)/bin/orderquake prove --orders 4 --units 2 --faults crash,lose_ask,lose_answer,duplicate,lapse --limit 10000000

bench: $(DEV)/.ready  ## speed and memory beside SimPy and plain Python, and what is asked of them; ARGS="--json --write"
	$(DEV)/bin/python -m tests.benchmarks $(ARGS)

# One of them alone. bench-flatness goes to 100,000 orders, with ARGS=--big to a million.
$(BENCHES): bench-%: $(DEV)/.ready
	$(DEV)/bin/python -m tests.benchmarks.$* $(ARGS)

format: $(DEV)/.ready  ## rewrite the sources the way `make check` wants them
	$(DEV)/bin/ruff check --fix $(SOURCES)
	$(DEV)/bin/ruff format $(SOURCES)

# The locks hold versions and hashes, no addresses. They are remade only on request.
lock:  ## resolve the newest versions into both locks (needs uv)
	$(COMPILE) --upgrade pyproject.toml --group build -o requirements.lock
	$(COMPILE) --upgrade pyproject.toml --extra notebooks --extra cluster --extra sensitivity --group dev -o requirements-dev.lock

clean:  ## remove environments, caches and builds; run folders under reports/ stay
	rm -rf $(VENV) $(DEV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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
