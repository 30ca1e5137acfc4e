# One virtual environment in .venv, with the versions that we test with (constraints.txt).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
export EVO_DATA
export EVOTORCH_VERBOSE_LEVEL = 0

.PHONY: setup demo test check bench reproduce clean

setup: $(READY)

# torch first and by its exact version: left to itself, pip would choose a build with gigabytes of GPU libraries.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[test]"
	touch $(READY)

demo: setup
	$(BIN)/python runs/demo.py

test: setup
	$(BIN)/python -m pytest --quiet --numprocesses auto --dist worksteal

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python tests/benchmarks/forward.py
	$(BIN)/python tests/benchmarks/episodes.py

reproduce: setup
	$(BIN)/python runs/reproduce.py

clean:
	rm -rf $(VENV)
