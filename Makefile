# SPDX-License-Identifier: BSD-3-Clause
#
# `make run` and `make test` first set up what is missing. tools/native.mk compiles the C.

.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/bash
PYTHON ?= python3

include tools/spdk.mk

VENV := .venv
PY := $(VENV)/bin/python
STEP := @tools/step

# Each step of the set-up leaves a stamp. A step runs again if something that it depends on is newer than its stamp.
MACHINE := build/.machine
MACHINE_TEST := build/.machine-test
MACHINE_QEMU := build/.machine-qemu
GUEST := build/qemu/initrd
INSTALLED := $(VENV)/.installed
BUILT := $(VENV)/.built
TEST_PACKAGES := $(VENV)/.test-packages
JUDGE_PACKAGES := $(VENV)/.test,lint-packages
LAB_PACKAGES := $(VENV)/.lab-packages
LINT_PACKAGES := $(VENV)/.lint-packages
DOCS_PACKAGES := $(VENV)/.docs-packages
WHEEL_PACKAGES := $(VENV)/.wheel-packages

SOURCES := setup.py nvme.pyx nvme.pyi cspdk.pxd driver.h $(wildcard binding/*.p[yx][xi] tools/*.py) tools/native.mk \
	   tools/module.map tools/spdk.mk $(shell find core spdk spec vssd -name '*.[ch]')
C_FILES := $(wildcard driver.h tools/bench/*.c) $(shell find core spdk spec vssd tests -name '*.[ch]')

.PHONY: help run campaign test test-slow test-random test-parallel test-qemu test-distros fuzz soak mutate score bench bench-lab build spec docs wheel lint format clean distclean

help:
	@echo "make run        set up what is missing, then run the demo of verified IO on a virtual SSD, some 20 s"
	@echo "make campaign   run the tests of a plan on many drives, and make a page of them (PLAN=examples/campaign.toml)"
	@echo "make test       set up what is missing, then run all tests but the slow ones, and the linters"
	@echo "                ENGINE=spdk runs the tests of the interface on SPDK's driver, where it is linked"
	@echo "make test-slow  the slow tests"
	@echo "make test-random    run the tests in random order"
	@echo "make test-parallel  run the tests in two processes, each with its own drive"
	@echo "make test-qemu  test drives behind the kernel's PCIe in guests of QEMU, under 15 minutes (ONLY=… selects one)"
	@echo "make test-distros   build and test in minimal roots of Debian 11 to testing, as root (ONLY=… selects one release)"
	@echo "make fuzz       send hostile input to the virtual SSD, in the long form, and measure the coverage"
	@echo "make soak       reset and power cycle under load, 250 times each (CYCLES=…), from threads (SECONDS=…), and with"
	@echo "                each fault of the virtual SSD and random ones (RULES=…), and cut the power often (CUTS=…)"
	@echo "make mutate     plant mistakes in pynvme's code and check that the tests catch each of them"
	@echo "make score      plant each bug of pynvme.bugs, and write docs/score.md (BUG=… one of them, SEEDS=… healthy drives)"
	@echo "make bench      measure the speed on this machine, some 10 minutes (ARGS=--quick takes 3)"
	@echo "make bench-lab  measure a campaign on 1,000 simulated drives, some 5 minutes"
	@echo "make build      build the module nvme and the virtual SSD for $(VENV)"
	@echo "make spec       regenerate the headers and pynvme/spec after a change of spec/*.py"
	@echo "make docs       make a site of the documentation, with a reference, in build/site/html"
	@echo "make wheel      make a wheel in dist/ that runs on a machine without DPDK"
	@echo "make lint       run all linters"
	@echo "make format     let the linters correct what they can"
	@echo "make clean      remove what was built"
	@echo "make distclean  remove what was built and $(VENV)"

# ENGINE=spdk chooses the engine (docs/engines.md).
with_engine = $(if $(ENGINE),PYNVME_ENGINE=$(ENGINE))

run: build
	@$(with_engine) $(PY) -m pynvme run $(ARGS)

test: build $(MACHINE_TEST) $(JUDGE_PACKAGES)
	@$(with_engine) $(PY) tools/test.py $(ARGS)

test-slow: build $(TEST_PACKAGES) $(DOCS_PACKAGES)
	@$(PY) -m pytest -m slow $(ARGS)

test-random: build $(TEST_PACKAGES)
	@$(PY) -m pytest -p randomly $(ARGS)

test-parallel: build $(TEST_PACKAGES)
	@$(PY) -m pytest -n 2 $(ARGS)

# The guests see this folder at the same path. With NVME and ARGS, one guest with these drives runs pytest with ARGS.
test-qemu: build $(TEST_PACKAGES) $(GUEST)
	@$(with_engine) $(if $(NVME),NVME="$(NVME)") $(PY) tools/test_qemu.py $(if $(ONLY),--only "$(ONLY)",$(ARGS))

test-distros:
	@$(PYTHON) tools/distros.py $(if $(ONLY),--only $(ONLY)) $(ARGS)

fuzz: build $(TEST_PACKAGES)
	@$(PY) tools/fuzz.py

soak: build $(TEST_PACKAGES)
	@PYNVME_SOAK_CYCLES=$(or $(CYCLES),250) PYNVME_SOAK_SECONDS=$(or $(SECONDS),30) \
		PYNVME_SOAK_RULES=$(or $(RULES),200) PYNVME_SOAK_CUTS=$(or $(CUTS),10000) $(PY) -m pytest -m 'slow or not slow' tests/api/test_soak.py tests/api/test_soak_threads.py \
		tests/api/test_faults_of_all_kinds.py tests/suite/test_suite_cuts.py --durations=5 $(ARGS)

mutate: build $(MACHINE_TEST) $(TEST_PACKAGES)
	@$(PY) tools/mutate.py $(ARGS)

# PLAN=mine.toml; docs/how-to/lab.md describes plans. The status 1 means findings, which are no failure of make.
campaign: build $(LAB_PACKAGES)
	@$(PY) -m pynvme campaign $(or $(PLAN),examples/campaign.toml) $(ARGS) || test $$? = 1

# BUG=name,…  SEEDS=n  TIME=10m; tools/score.py describes them.
score: build $(TEST_PACKAGES)
	@$(PY) tools/score.py $(if $(BUG),--bug $(BUG)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(TIME),--time $(TIME)) $(ARGS)

bench: build
	@$(MAKE) -f tools/native.mk bare
	@$(PY) -m tools.bench $(ARGS)

bench-lab: build $(TEST_PACKAGES)
	@$(PY) -m tools.bench.lab $(ARGS)

build: $(INSTALLED) $(BUILT)

spec: | $(VENV)/bin/python
	@$(PY) -m tools.specgen

docs: build $(DOCS_PACKAGES)
	@$(PY) -m tools.site $(ARGS)

wheel: build $(WHEEL_PACKAGES)
	$(STEP) wheel "wheel for $$($(PY) -V)" tools/wheel $(PY)
	@ls -l dist/*.whl

# ---- set-up ----

$(MACHINE): tools/machine
	@mkdir -p build
	@tools/machine build
	@touch $@

$(MACHINE_TEST): tools/machine
	@mkdir -p build
	@tools/machine test
	@touch $@

$(MACHINE_QEMU): tools/machine
	@mkdir -p build
	@tools/machine qemu
	@touch $@

$(GUEST): $(wildcard tools/qemu/*) | $(MACHINE_QEMU)
	$(STEP) qemu "kernel and initramfs of the guest" tools/qemu/build build/qemu

# pyproject.toml lists what setup.py needs.
BUILD_REQUIRES = $(shell sed -n 's/^requires = \[\(.*\)\]/\1/p' pyproject.toml | sed 's/", "/" "/g')

$(VENV)/bin/python: | $(MACHINE)
	$(STEP) venv "virtual environment $(VENV)" $(PYTHON) -m venv --clear $(VENV)

$(VENV)/.build-packages: pyproject.toml | $(VENV)/bin/python
	$(STEP) build-packages "pip, setuptools and Cython" $(PY) -m pip install 'pip>=22' $(BUILD_REQUIRES)
	@touch $@

$(BUILT): $(SOURCES) $(SPDK_STAMP) $(VENV)/.build-packages
	$(STEP) build "the module nvme and the virtual SSD" $(PY) setup.py build_ext --inplace
	@touch $@

$(INSTALLED): pyproject.toml setup.py | $(BUILT)
	$(STEP) install "pynvme and what it needs, in $(VENV)" $(PY) -m pip install --no-build-isolation --editable .
	@touch $@

$(VENV)/.%-packages: pyproject.toml | $(INSTALLED)
	$(STEP) $*-packages "packages for $*" $(PY) -m pip install --no-build-isolation --editable '.[$*]'
	@touch $@

# ---- quality ----

lint: build $(JUDGE_PACKAGES)
	@$(PY) tools/lint.py $(C_FILES)

format: $(LINT_PACKAGES)
	$(VENV)/bin/clang-format -i $(C_FILES)
	$(VENV)/bin/ruff check --fix-only .
	$(VENV)/bin/ruff format .

clean:
	rm -rf build dist *.egg-info nvme-stubs pynvme/bin nvme.*.so $(BUILT)
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
