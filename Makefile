# Two commands do everything: `make reproduce` and `make test`.
# Both create .venv themselves from the hash-locked requirements.lock.

PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python -m
READY  := $(VENV)/.ready

.PHONY: reproduce test lint format types slow fuzz mutants bench docs packages lock clean
.DEFAULT_GOAL := test

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, PYTHON is {sys.version}")'
	$(PYTHON) -m venv --clear $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

reproduce: $(READY)  ## the main figures and the claims table, at reduced scale
	$(RUN) experiments reproduce

test: $(READY) lint types  ## laws, conformance suites, doctests
	$(RUN) pytest

lint: $(READY)  ## style, format and import rules
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(VENV)/bin/lint-imports --no-cache

types: $(READY)
	$(RUN) pyright

format: $(READY)
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

slow: $(READY)  ## long statistics and whole experiments, compiled as for users
	JAX_DISABLE_MOST_OPTIMIZATIONS=0 $(RUN) pytest -m slow

fuzz: $(READY)  ## bad input of every part: all must be refused by name
	$(RUN) tests.fuzz

mutants: $(READY)  ## faults sown into the core: does a test see each? (hours)
	$(RUN) tests.mutants --resume

bench: $(READY)  ## speed as ratios against peers and floors
	$(RUN) benchmarks
	$(RUN) benchmarks.sweep  # wants every core, so a process of its own

docs: $(READY)  ## the site, into results/docs: open index.html
	$(RUN) sphinx --fail-on-warning --keep-going --quiet -b dirhtml docs results/docs

packages:  ## the wheel, on three Pythons with lowest and newest libraries (needs uv)
	uv build --quiet --wheel --out-dir dist
	$(PYTHON) -m tests.packages

lock:  ## resolve requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra experiments --extra test --extra bench --extra docs --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --quiet --upgrade -o requirements.lock

clean:
	rm -rf $(VENV)
