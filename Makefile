# Everything that a user or a developer does. `make` or `make help` lists it.

SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
LAUNCH := $(BIN)/python -m launcher

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev python demo land up down status doctor logs check test test-all test-changed test-fast test-clusters planted benchmark bench bench-gates bench-models check-lake job reconcile clean bundle copy-ledger secrets compose-up lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed and $(PYTHON) was not found: apt install python3.11 python3.11-venv, or name it with PYTHON=<path>." >&2; exit 1; }

setup: python ## the environment: Python packages, Java and the Delta jars, all inside this folder; S3=1: with the jars of a lake on S3
	@$(PYTHON) -m launcher.set_up $(if $(S3),--s3)

setup-dev: python ## the same, with what tests and checks need
	@$(PYTHON) -m launcher.set_up --dev $(if $(S3),--s3)

demo: setup ## run the sample lake: real flights from landing files to predictions
	@$(LAUNCH) demo

land: setup ## land more of the sample's real days: make land DAYS=2013-03-08, or DAYS=2013-03-01..2013-03-31
	@$(LAUNCH) land $(DAYS)

up: setup ## start Airflow, Spark and MLflow on 127.0.0.1, and wait until they are healthy
	@$(LAUNCH) up

down: setup ## end all of them
	@$(LAUNCH) down

status: setup ## what runs, whether it is healthy, and the addresses
	@$(LAUNCH) status

doctor: setup ## versions and reachability of every part that the environment is set up to use, and what to do where one is wrong
	@$(LAUNCH) doctor

logs: setup ## follow the logs of all programs
	@$(LAUNCH) logs

check-lake: setup ## check the contracts of the lake in LAKE_PROJECT (default: this one); FIX=1 writes what holds today where one leaves it open
	@$(LAUNCH) exec python -m expectations check $(if $(FIX),--fix)

planted: setup-dev ## plant bugs one by one and see that the tests that are named for them catch each: make planted BUGS="gate ledger"
	$(BIN)/python -m tests.planted $(if $(TURN),--turn $(TURN)) $(BUGS)

job: setup ## one Spark job on the running server: make job DO="build silver.flights --days 2013-01-01"
	@$(LAUNCH) job $(DO)

reconcile: setup ## hold every table and day against what landed, counted anew: OF="silver.flights --days 2013-01-01..2013-01-31" for a part, JSON=1 for a program; fails where a day does not add up
	@$(LAUNCH) job reconcile $(or $(OF),all) $(if $(JSON),--json)

clean: setup ## forget the lake: tables and state; the environment and the landed files stay
	@$(LAUNCH) clean

bundle: setup ## the lake's code in one archive, for drivers on a cluster
	@$(LAUNCH) bundle

copy-ledger: setup ## copy the ledger into the empty database that LAKE_LEDGER_URL names, to go on from there
	@$(LAUNCH) copy-ledger

secrets: python ## write the secrets that docker-compose needs into .env
	@$(PYTHON) -m launcher secrets

check: setup-dev ## ruff, mypy and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=plugins $(BIN)/lint-imports --no-cache

FOR_TESTS := docker-compose=docker-compose '/usr/lib/postgresql/*/bin/initdb=postgresql'
FOR_PARTS := chromium=chromium java=openjdk-17-jre-headless

test: check ## the checks, all fast tests and the journeys of real jobs through Spark: 20 minutes
	@.ci/install $(FOR_TESTS)
	$(LAUNCH) exec python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=30 --budgets=test

# nothing is skipped: what is not here fails in the test that needs it
test-all: export SKIP_NOTHING = true
test-all: setup-dev ## everything: `make test`, then the running lake in a browser, faults, the watched year, planted bugs and clusters, or PARTS="faults hdfs"; ends with a table
	@.ci/install $(FOR_TESTS) $(FOR_PARTS)
	$(BIN)/python -m tests.running.parts $(PARTS)

test-changed: setup-dev ## three minutes: the tests that the changed files reach, the nearest first, and the bugs planted in them; BASE=<commit>: since then
	$(LAUNCH) exec python -m tests.running.changed $(if $(BASE),--base $(BASE))

test-fast: setup-dev ## the tests that need no Spark and no server: five minutes
	$(LAUNCH) exec python -m pytest -m "not spark and not benchmark and not cluster and not long and not end_to_end"

test-clusters: S3 = 1
test-clusters: PARTS ?= $(patsubst tests/clusters/test_%.py,%,$(wildcard tests/clusters/test_*.py))
test-clusters: setup-dev ## the lake beyond one machine: S3, HDFS, YARN, Spark standalone, Hive, EMR, Kubernetes and containers, each started here as far as it can be, or PARTS="s3 yarn"; ends with a table of what passed, and what was skipped and why
	@.ci/install java=openjdk-17-jre-headless '/usr/lib/postgresql/*/bin/initdb=postgresql' \
		$(if $(filter compose,$(PARTS)),dockerd=docker.io docker-compose=docker-compose debootstrap=debootstrap iptables=iptables)
	$(LAUNCH) exec python -m pytest -m cluster $(if $(filter 1,$(words $(PARTS))),--budgets=$(PARTS)) $(PARTS:%=tests/clusters/test_%.py)

benchmark: setup-dev ## measure
	$(LAUNCH) exec python -m pytest -m benchmark

bench-gates: setup-dev ## measure what the gate costs, on a server of its own, and write tests/benchmarks/gates.json: ten minutes
	$(LAUNCH) exec python -m pytest -m benchmark tests/benchmarks/test_gates.py

bench-models: setup-dev ## measure training, inference and a watched year of the real flights, and write tests/benchmarks/models.json: half an hour
	$(LAUNCH) exec python -m pytest -m benchmark tests/benchmarks/test_models.py

bench: PARTS ?= size_S size_M size_L beside_spark a_year big_day skewed_day
bench: setup-dev ## measure days of 0.1 to 30 million rows and a year of them beside what a user would pick instead, and write tests/benchmarks/latest.json: two hours, or PARTS="size_M a_year"
	@.ci/install java=openjdk-17-jre-headless
	$(LAUNCH) exec python -m pytest -m benchmark --log-cli-level INFO --log-disable great_expectations._docs_decorators tests/benchmarks/test_a_day.py tests/benchmarks/test_a_year.py tests/benchmarks/test_hard_days.py -k "$$(echo $(PARTS) | sed 's/ / or /g')"

compose-up: ## the lake in containers: build the image, start all, wait until they are healthy; after `make secrets`
	@landing="$${LAKE_LANDING:-$$(sed -n 's/^LAKE_LANDING=//p' .env 2>/dev/null)}"; mkdir -p "$${landing:-landing}"
	@compose=docker-compose; command -v $$compose >/dev/null || compose="docker compose"; \
		$$compose build --quiet $(BUILD_ARGS) airflow-init && $$compose up -d

lock: setup-dev ## make the lock files again from pyproject.toml; versions stay where they can
	$(BIN)/uv pip compile pyproject.toml --generate-hashes --no-header --no-emit-index-url -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra dev -c requirements.lock --generate-hashes --no-header --no-emit-index-url -q -o requirements-dev.lock
	printf 'setuptools\nuv\n' | $(BIN)/uv pip compile - --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements-bootstrap.lock
