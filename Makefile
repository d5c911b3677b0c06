# Sales planning workbench. `make` or `make help` lists the targets.
# A fresh machine needs Python with venv and pip, git and make; everything else comes from the lock files.
# pip and uv read your own configuration (mirror, proxy, certificates); nothing here names a package index.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help quarter test lint lab bench soak lock clean FORCE

PYTHON ?= python3
PYTHON_FLOOR := 3.11
VENV ?= .venv
PY := $(VENV)/bin/python
COMPANY ?= sample
CYCLE ?= 2026Q3
PYTEST_FLAGS ?=
LOCK_FLAGS ?=
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
SOAK ?= 10
BENCH ?=

# Stamps: which lock file the environment holds. The first one says where it was made, since an
# environment that was moved, copied, half made, or whose Python is gone has to be made again.
USER_STAMP := $(VENV)/.made-for-users
DEV_STAMP := $(VENV)/.made-for-developers
BENCH_STAMP := $(VENV)/.made-for-benchmarks
SOUND := $(shell $(PY) -c 'import pip' 2>/dev/null && grep -qxF '$(CURDIR)' $(USER_STAMP) 2>/dev/null && echo yes)

# pip is told to speak of errors only. Locked packages are installed as they are, then this folder on top, editable.
define install
	@start=$$SECONDS; echo "Installing $$(grep -c == $(1)) packages from $(1) into $(VENV) $(2) ..."; \
	$(PY) -m pip install -qq -r $(1) && \
	$(PY) -m pip install -qq --no-build-isolation --no-deps -e . && \
	echo "... done in $$((SECONDS - start)) s"
endef

help: ## List the targets
	@echo "Sales planning workbench. Targets (settings in brackets, as in: make quarter CYCLE=2026Q4):"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 17

quarter: $(USER_STAMP) ## Run one quarter of the sample company and say where the report is [COMPANY, CYCLE, PYTHON]
ifeq ($(COMPANY),sample)
	@$(VENV)/bin/spms sample build
endif
	@$(VENV)/bin/spms run params/$(COMPANY)/$(CYCLE).yaml

test: lint ## Run everything the build runs: lint, types, tests [PYTEST_FLAGS]
	@$(PY) -m pytest $(PARALLEL) $(PYTEST_FLAGS)

lint: $(DEV_STAMP) ## Check style, format and types of modules and notebooks
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

lab: $(USER_STAMP) ## Open the notebooks in JupyterLab
	@$(PY) -m jupyter lab --LabApp.news_url=None notebooks

bench: $(BENCH_STAMP) ## Measure against a memory copy and against peers [BENCH=names]
	@$(PY) -m benchmarks $(BENCH)

soak: $(DEV_STAMP) ## Repeat the tests with new random seeds, stopping at the first failure [SOAK=rounds, PYTEST_FLAGS]
	@for round in $$(seq $(SOAK)); do seed=$$((RANDOM * 32768 + RANDOM)); \
	echo "Round $$round of $(SOAK): make soak SOAK=1 PYTEST_FLAGS=--hypothesis-seed=$$seed repeats it"; \
	SPMS_SOAK=1 $(PY) -m pytest $(PARALLEL) --hypothesis-seed=$$seed $(PYTEST_FLAGS) || exit 1; done

lock: $(DEV_STAMP) ## Pin what pyproject.toml asks for; newer versions with LOCK_FLAGS=--upgrade
	@$(call compile,requirements.lock,--group build)
	@$(call compile,requirements-dev.lock,--group build --group dev --constraint requirements.lock)

clean: ## Remove the environment, caches and the sample company's outputs; ledgers of other companies stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis build *.egg-info outputs/sample outputs/bench.json
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

compile = $(PY) -m uv pip compile pyproject.toml $(2) --output-file $(1) --quiet --universal \
	--python-version $(PYTHON_FLOOR) --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" $(LOCK_FLAGS)

$(USER_STAMP): requirements.lock pyproject.toml $(if $(SOUND),,FORCE)
	@$(PYTHON) -c 'import sys; need = tuple(map(int, "$(PYTHON_FLOOR)".split("."))); have = sys.version_info[:3]; \
	text = "Python $(PYTHON_FLOOR) or newer is needed, but $(PYTHON) is %d.%d.%d. Name a newer one: make PYTHON=python3.12"; \
	sys.exit(have < need and text % have or 0)' \
	|| { echo "No usable Python behind '$(PYTHON)'; see docs/install.md."; exit 1; }
	@rm -f $(USER_STAMP) $(DEV_STAMP) $(BENCH_STAMP)
	@$(if $(SOUND),true,$(PYTHON) -m venv --clear $(VENV))
	$(call install,requirements.lock,(once; one to three minutes))
	@echo '$(CURDIR)' > $@

$(DEV_STAMP): requirements-dev.lock $(USER_STAMP)
	$(call install,requirements-dev.lock,(most are there already))
	@touch $@

$(BENCH_STAMP): $(USER_STAMP)
	@echo "Installing the packages that the benchmarks compare with ..."
	@$(PY) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["bench"], sep="\n")' > $@.txt
	@$(PY) -m pip install -qq --constraint requirements.lock -r $@.txt
	@touch $@

FORCE:
