# SPDX-License-Identifier: MIT
# Two commands after a clone: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Any Python from 3.11 on; `make PYTHON=/path/to/python3` chooses another.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv/bin
ARGS ?=
PYTEST_ARGS ?=
# Twice the cores that CI has: most tests wait for processes, not for the processor.
WORKERS ?= 4
RELEASE_KEY ?= release.key
# An image in the cache serves `make picow` where the environment names none.
PICO_W_UF2 ?= $(firstword $(wildcard $(HOME)/.cache/groundwatch/RPI_PICO_W-*.uf2))

.PHONY: help demo test test-long test-installs guide check attacks faults fuzz mutants picow score score-nightly score-second train lock sbom wheel ready ready-for-tests clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 20

demo: ready ## gateway, operator console and simulated nodes; ARGS='--seconds 60 --json' passes on
	@$(VENV)/groundwatch demo $(ARGS)

test: check ## every check and test but the long ones; PYTEST_ARGS='-k intake' passes on
	@$(VENV)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

test-long: ready-for-tests ## tests of whole processes under kills, cuts and bad lines; minutes
	@$(VENV)/python -m pytest -m long -n $(WORKERS) --dist load $(PYTEST_ARGS)

guide: ready-for-tests ## the installer's guide as printed, from an empty folder to an alarm
	@$(VENV)/python -m pytest -m "long or not long" tests/guide -s $(PYTEST_ARGS)

test-installs: ready-for-tests ## wheels of this and earlier commits installed by pip; needs an index and the git history
	@$(VENV)/python -m pytest -m installs tests/tools $(PYTEST_ARGS)

check: ready-for-tests ## style, words, types, node compilation for every board, wire drift; no tests
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/python -m tools.words
	@$(VENV)/mypy
	@$(VENV)/lint-imports
	@$(VENV)/python -m tools.firmware_check
	@$(VENV)/groundwatch wire --check

faults: ready-for-tests ## gateway and nodes under kills, power cuts, broken disks, clocks, brokers, links; half an hour
	@$(VENV)/python -m pytest -m faults tests/faults tests/node/test_corrupted_state.py -s $(PYTEST_ARGS)
	@$(VENV)/python -m pytest -m faults tests/node_faults -n $(WORKERS) --dist load -rP $(PYTEST_ARGS)

fuzz: ready-for-tests ## a million mutated inputs against decoder and links; ARGS='--seconds 600' guided
	@$(VENV)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-fuzz.lock
	@$(VENV)/python -m tests.fuzz.run $(ARGS)

mutants: ready-for-tests ## small faults put into intake, alarms, ledger and seal: how many the tests see; hours
	@$(VENV)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-mutation.lock
	@$(VENV)/python -m tests.mutation.run $(ARGS)

attacks: ready-for-tests ## the attack suite: attempts, accepted messages, raised alarms
	@$(VENV)/python -m pytest -q tests/attacks $(PYTEST_ARGS) \
		tests/usb/test_provision.py::test_provision_rotation_leaves_no_trace_of_the_old_key_in_flash

picow: ready-for-tests ## the official firmware on an emulated Pico W; PICO_W_UF2 names the image
	@REQUIRE_PICO_W=1 PICO_W_UF2="$(PICO_W_UF2)" $(VENV)/python -m pytest -m picow tests/picow -s $(PYTEST_ARGS)

score: ready ## detectors and alarms on held-out worlds; writes docs/scores.md; minutes
	@mkdir -p build
	@$(VENV)/groundwatch score --suite --markdown docs/scores.md --html build/scores.html $(ARGS)

score-nightly: ready ## days of ground without a person: the false rates; hours
	@mkdir -p build
	@$(VENV)/groundwatch score --suite tools/score/nightly.toml --markdown docs/scores-nightly.md $(ARGS)

score-second: ready ## the same on the second family of ground, which nothing is tuned on; minutes
	@mkdir -p build
	@for seed in 1 2 3; do $(VENV)/python -m sim_hardware.second --all --seed $$seed --out build/second-$$seed; done
	@$(VENV)/groundwatch score build/second-*/* --markdown docs/scores-second.md $(ARGS)

train: ready-for-tests ## the model that nodes decide by, and its card, from seeds alone; an hour
	@$(VENV)/groundwatch model train --out firmware/ugs/model.bin --card docs/model.md $(ARGS)

# Indexes and hosts stay out of the lock files: each machine brings its own pip configuration.
PIP_COMPILE := $(VENV)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links
# What the targets for users run: everything but the libraries of training, emulation and e-mail.
RUN_EXTRAS := $(addprefix --extra ,flash keyring postgresql recordings score sim)

lock: ready ## write the lock files again from pyproject.toml
	@$(VENV)/python -m pip install -q pip-tools
	@$(PIP_COMPILE) --extra build $(RUN_EXTRAS) -o requirements.lock pyproject.toml
	@$(PIP_COMPILE) --extra build --extra email --extra test --extra check --extra picow --extra train $(RUN_EXTRAS) \
		-c requirements.lock -o requirements-dev.lock pyproject.toml
	@$(PIP_COMPILE) -o requirements-stubs.lock requirements-stubs.in
	@$(PIP_COMPILE) -o requirements-fuzz.lock requirements-fuzz.in
	@$(PIP_COMPILE) -o requirements-mutation.lock requirements-mutation.in

sbom: ready-for-tests ## build/sbom.json: every locked package with version and hashes, as CycloneDX
	@mkdir -p build
	@$(VENV)/python -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
		--output-reproducible -o build/sbom.json

wheel: ready-for-tests ## dist/: a wheel with signed node images; RELEASE_KEY names the key
	@$(VENV)/python -m tools.signed_wheel --key $(RELEASE_KEY) --out dist $(ARGS)

ready:
	@$(PYTHON) -m tools.bootstrap

ready-for-tests:
	@$(PYTHON) -m tools.bootstrap --tests

clean: ## remove what the targets made here (the MicroPython cache in ~/.cache stays)
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
