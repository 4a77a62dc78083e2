# Every target sets up what it needs first: .venv from requirements.lock, and Debian packages (sudo only when not root).
SHELL := /bin/sh
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Collections and roles come from this clone only; nothing is fetched while linting or testing.
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/collections

.PHONY: help setup setup-lab setup-tests setup-metal demo demo-down test test-all test-unit test-metal molecule lint \
    format bench audit lock docs build clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## .venv with bedplate and its development tools
	@tools/bootstrap
setup-lab:
	@tools/bootstrap lab
setup-tests:
	@tools/bootstrap lab tests

setup-metal:
	@tools/bootstrap lab tests metal

demo: setup-lab ## a lab fleet at the baseline, every run tracked; broken, caught and repaired
	@tools/demo

demo-down: setup ## remove what the demo left: hosts, network, keys
	@bedplate lab down

# Of its own: a copy of the collection that somebody installed in ~/.ansible would be looked into first.
lint: setup ## ruff, mypy, import-linter, yamllint, ansible-lint
	ruff check .
	ruff format --check .
	mypy
	cd molecule/shared && mypy --strict factory
	lint-imports
	python tools/role_readme.py --check
	yamllint --strict .
	ANSIBLE_HOME="$(CURDIR)/.ansible" ansible-lint --offline --profile production

test-unit: setup ## the tests that need nothing but Python
	pytest tests/unit tests/content -m 'not lab and not postgresql and not slow'

test: setup-tests ## the per-change tier: unit, content, integration on lab hosts and both databases, molecule
	tools/test

test-all: setup-metal ## everything
	tools/test --all

test-metal: setup-metal ## the roles that need a kernel of their own, on an emulated machine (half an hour)
	pytest tests/integration/test_lab_metal.py
	tools/molecule metal
	tools/metal-proof write

molecule: setup-tests ## every role's scenario on real hosts
	tools/molecule

bench: setup-tests ## speed and memory, as ratios measured side by side; writes tests/benchmarks/results.json
	tools/bootstrap-bench
	PATH="$(CURDIR)/.venv-bench/bin:$$PATH" python -m tests.benchmarks

audit: setup-metal ## independent judges of lab hosts at the whole baseline (30 minutes); writes docs/audit.md and tests/audit
	@tools/audit-lab

format: setup ## format the Python code
	ruff format .
	ruff check --fix .

docs: setup ## write the role READMEs and the JSON Schemas anew
	python tools/role_readme.py
	bedplate product schema > docs/schemas/product.schema.json

lock: setup ## pin all dependencies anew
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --no-emit-index-url \
	    --custom-compile-command 'make lock' --upgrade pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --extra bench \
	    --no-emit-index-url --custom-compile-command 'make lock' -c requirements.lock pyproject.toml -o requirements-bench.lock
	printf '%s\n' ssh-audit sslyze | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command 'make lock' --upgrade - -o requirements-audit.lock
	printf 'ansible-core==2.15.*\n' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command 'make lock' - -o requirements-oldest.lock

build: setup ## the wheel and the collection, into dist/
	python -m build --no-isolation --wheel --outdir dist .
	ansible-galaxy collection build --force --output-path dist .

clean: ## remove what the targets made in this folder
	rm -rf .venv .venv-bench .venv-audit .venv-oldest dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .ansible
