# GNU make 3.81 or newer and Python 3.11 to 3.13; everything else is installed into .venv from requirements.lock.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 2

BIN := .venv/bin
PY := $(BIN)/python
PIP := -m pip install --quiet --disable-pip-version-check
WHEEL_PY := build/wheel-env/bin/python

# A stamp is touched when its step has ended well, so an interrupted step is repeated.
ENV := .venv/.ready
ASSETS := .venv/.assets
BOOK := _build/.ready
WHEEL := build/dist/.ready
WHEEL_DEPS := build/wheel-env/.dependencies
WHEEL_ENV := build/wheel-env/.ready

# Folders are listed too: their date changes when a file is added or removed. The slash keeps them apart from the
# commands of the same name.
PAGES := _config.yml _toc.yml pyproject.toml \
  $(shell find book/ notebooks/ -not -path '*/generated*' -not -path '*/vendor*' -not -path '*/.*' -not -path '*/__pycache__*') \
  $(shell find lmcourse tools benchmarks -type f -not -name '*.pyc')
PACKAGE := pyproject.toml README.md LICENSE $(shell find lmcourse -type f -not -name '*.pyc')

.PHONY: book serve lab notebooks homework bench test wheel clean help
.DEFAULT_GOAL := book

book: $(BOOK) ## the environment, the assets and the book (the default)
	@echo "The book is at file://$(CURDIR)/_build/html/index.html ('make serve' shows it at an address)."

serve: $(BOOK) ## show the book at http://localhost:8000 (PORT=... for another port)
	@echo "The book is at http://localhost:$(PORT) until you press Ctrl-C."
	@$(PY) -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

lab: $(ASSETS) ## open the labs in JupyterLab
	$(BIN)/jupyter-lab notebooks

notebooks: $(ASSETS) ## run all labs again, in place
	$(PY) -m tools.notebooks

homework: $(ASSETS) ## write student notebooks, pages, solutions and rubrics from the masters
	$(PY) -m tools.homework

bench: $(ASSETS) ## run the benchmarks and record their results
	$(PY) -m benchmarks

# One thread for each worker: threads that wait for each other on a busy core slow everything down many times. No GPU:
# the recorded numbers are those of a processor.
test: $(BOOK) $(WHEEL_ENV) ## prove everything: lint, types, package, labs, wheel, book
	$(PY) -m tools.notebooks --copy
	OMP_NUM_THREADS=1 CUDA_VISIBLE_DEVICES= ACCELERATE_USE_CPU=true JUPYTER_PATH=$(CURDIR)/build/jupyter $(PY) -m pytest tests build/labs -n $(WORKERS) --dist loadfile \
	  -p tests.notebooks.plugin --nbval --nbval-kernel-name lmcourse-wheel \
	  --nbval-sanitize-with tests/notebooks/sanitize.cfg --nbval-cell-timeout 120

wheel: $(WHEEL) ## build the wheel into build/dist

clean: ## remove all that was built: environment, wheel, book
	rm -rf .venv build dist _build book/generated book/site/vendor *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find lmcourse tests tools benchmarks book -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

$(ENV): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else \
	  "$(PYTHON) is Python %d.%d; the course needs 3.11, 3.12 or 3.13: make PYTHON=python3.12" % v)'
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) $(PIP) --requirement requirements.lock
	$(PY) $(PIP) --no-deps --editable .
	@touch $@

$(ASSETS): $(ENV) lmcourse/assets.py
	$(PY) -m lmcourse assets
	@touch $@

# Without --all a second run over a page with a warning ends well; without rm a deleted page stays.
$(BOOK): $(ASSETS) $(PAGES)
	rm -rf _build
	$(PY) -m tools.mathjax
	$(PY) -m tools.pages
	$(BIN)/jupyter-book build . --all -W -n --keep-going
	@touch $@

# setuptools copies what it finds in an old build/lib into the wheel.
$(WHEEL): $(ENV) $(PACKAGE)
	rm -rf build/dist build/lib build/bdist.*
	@mkdir -p build
	$(PY) -m build --wheel --outdir build/dist . > build/wheel.log 2>&1 || { cat build/wheel.log; exit 1; }
	@touch $@

$(WHEEL_DEPS): requirements.lock pyproject.toml | $(WHEEL)
	rm -rf build/wheel-env
	$(PY) -m venv build/wheel-env
	$(WHEEL_PY) $(PIP) --constraint requirements.lock "$$(echo build/dist/*.whl)[lab]"
	@touch $@

# -P: without it Python would find the package in this folder instead of the installed one.
$(WHEEL_ENV): $(WHEEL_DEPS) $(WHEEL)
	$(WHEEL_PY) $(PIP) --no-deps --force-reinstall build/dist/*.whl
	$(WHEEL_PY) -P -m lmcourse assets
	@touch $@
