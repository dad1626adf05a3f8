# make demo | make demo ARGS=--once | make test | make check      (GNU make 3.81 and a POSIX shell suffice)
# `make` alone tells what there is. Everything is installed into .venv; nothing outside this folder is changed.

PYTHON ?= $(shell for n in 20 19 18 17 16 15 14 13 12 11; do p=$$(command -v python3.$$n) && "$$p" -c 'import venv, ensurepip' 2>/dev/null && echo "$$p" && break; done)
PY := .venv/bin/python
# Tests run in as many processes as there are cores, four at most; `make test JOBS=0` runs them in one.
JOBS ?= auto
PYTEST := OMP_NUM_THREADS=1 $(PY) -m pytest -n $(JOBS) --maxprocesses 4 --dist worksteal
PIP := $(PY) -m pip --disable-pip-version-check --quiet
TORCH := torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: help demo test fast check lint benchmarks faults clean
help:
	@echo "make demo               the platform on this machine with two demo studies; Ctrl-C stops it"
	@echo "make demo ARGS=--once   no server: fill the demo study with simulated annotators, print the report"
	@echo "make test               install what tests need and run them all (make fast: without the slow ones)"
	@echo "make check              tests, ruff, mypy and the migration check"
	@echo "make benchmarks         ratios side by side, printed as tables"
	@echo "make faults             kill processes and services on purpose, 20 times each, and count what is lost"

demo: .venv/installed
	@$(PY) manage.py demo $(ARGS)

test: .venv/installed-dev
	@$(PYTEST) $(ARGS)

fast: .venv/installed-dev
	@$(PYTEST) -m "not slow" $(ARGS)

lint: .venv/installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) manage.py makemigrations --check --dry-run

check: lint test

benchmarks: .venv/installed-dev
	@$(PY) -m benchmarks $(ARGS)

faults: .venv/installed-dev
	@$(PY) -m tests.faults $(or $(ARGS),--runs 20)

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian, Ubuntu: apt install python3 python3-venv)"; exit 1; }
	@echo "using $(PYTHON)"
	@$(PYTHON) -m venv .venv || { echo "the environment could not be made (Debian, Ubuntu: apt install python3-venv)"; exit 1; }

# torch first and alone: its CPU wheels lie on an index of their own, and an extra index that cannot be reached costs
# seconds per package.
.venv/installed: requirements.txt | .venv/bin/python
	@echo "installing (some minutes the first time)"
	@$(PIP) install --no-deps --retries 1 --extra-index-url $(TORCH_INDEX) $(TORCH)
	@$(PIP) install -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/installed
	@$(PIP) install -r requirements-dev.txt
	@touch $@

clean:
	rm -rf var .pytest_cache .mypy_cache .ruff_cache
