# One word each. Every target sets up what it needs: a fresh machine needs Python >= 3.11 and make.
.PHONY: demo test quick fuzz lint docs bench bench-maps ui shots clean help
PY := .venv/bin/python
export OMP_NUM_THREADS ?= 2
export PYTHONDONTWRITEBYTECODE ?= 1

help:  ## what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: .venv/installed  ## the whole way on a small virtual ocean, ends in the explorer
	$(PY) -m aqqua demo $(ARGS)

test: .venv/installed-dev lint  ## lint, types, layers, docs and every test
	scripts/run-tests

quick: .venv/installed-dev  ## the fast tests only
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile -m "not slow" $(ARGS)

fuzz: .venv/installed-dev  ## attack every reader of untrusted files for MINUTES=5
	$(PY) -m tests.fuzz $(or $(MINUTES),5) $(ARGS)

lint: .venv/installed-dev  ## ruff, mypy --strict, import-linter
	.venv/bin/ruff check . && .venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

docs: .venv/installed-dev  ## the documentation, warnings as errors
	$(PY) -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: .venv/installed-dev  ## print again every number in docs/explanation/performance.md
	$(PY) -m benchmarks $(ARGS)

bench-maps: .venv/installed-dev  ## maps of real and of virtual plankton against their targets (10 minutes on 2 cores)
	OMP_NUM_THREADS=1 $(PY) -m benchmarks maps $(ARGS)

shots: .venv/installed-dev  ## take the screenshots of README and docs anew
	$(PY) -m scripts.screenshots

ui:  ## build the explorer's front end (needs node; the built file is committed)
	cd ui && npm ci --no-audit --no-fund && npm run build

.venv/installed: pyproject.toml constraints.txt
	scripts/make-venv train,app
	@touch $@

.venv/installed-dev: pyproject.toml constraints.txt
	scripts/make-venv dev
	@touch $@ .venv/installed

clean:  ## remove what the other targets made
	rm -rf .venv docs/_build aqqua-demo runs
