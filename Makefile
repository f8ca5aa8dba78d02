# Tổng đài 1022. `make` alone lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3.11
UV_VERSION := 0.13.9
export RASA_TELEMETRY_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1
PY := .venv/bin/python

.PHONY: help setup setup-dev run test test-fast test-slow test-st train lint bench bench-answers bench-conversations bench-live bench-import bench-webhooks soak simulate \
	screenshots lock licences clean

help: ## What each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: .venv/.runtime .venv-rasa/.ready ## Both environments, from the hashed lock files

setup-dev: .venv/.dev .venv-rasa/.ready .venv/.browser ## The same, with what tests and benchmarks need (installs chromium)

.tools/bin/uv:
	@command -v $(PYTHON) >/dev/null || { echo "Cần Python 3.11 (Debian 12: apt-get install python3.11 python3.11-venv)"; exit 1; }
	$(PYTHON) -m venv .tools || { echo "Cần gói venv (Debian 12: apt-get install python3.11-venv)"; exit 1; }
	.tools/bin/python -m pip install -q "uv==$(UV_VERSION)"

.venv/.created: | .tools/bin/uv
	.tools/bin/uv venv -q --allow-existing --python $(PYTHON) .venv
	@touch $@

.venv/.runtime: locks/gateway.lock pyproject.toml | .venv/.created
	@echo "Cài môi trường ứng dụng…"
	.tools/bin/uv pip install --python $(PY) --compile-bytecode --require-hashes -r locks/gateway.lock
	.tools/bin/uv pip install -q --python $(PY) --no-deps -e .
	@touch $@

.venv/.dev: locks/dev.lock .venv/.runtime
	@echo "Cài công cụ phát triển…"
	.tools/bin/uv pip install --python $(PY) --compile-bytecode --require-hashes -r locks/dev.lock
	@touch $@

.venv-rasa/.ready: locks/rasa.lock | .tools/bin/uv
	@echo "Cài môi trường Rasa (khoảng 2,5 GB, vài chục giây)…"
	.tools/bin/uv venv -q --allow-existing --python $(PYTHON) .venv-rasa
	.tools/bin/uv pip install --python .venv-rasa/bin/python --no-deps --compile-bytecode --require-hashes -r locks/rasa.lock
	@touch $@

# Its lock leaves torch out: the CPU build of torch 2.13.0 comes with pip from wherever this machine keeps it, else PyPI's.
.venv-st/.ready: locks/st.lock locks/dev.lock | .tools/bin/uv
	.tools/bin/uv venv -q --allow-existing --python $(PYTHON) .venv-st
	.tools/bin/python -m pip --python .venv-st/bin/python install -q torch==2.13.0
	.tools/bin/uv pip install -q --python .venv-st/bin/python --no-deps --compile-bytecode --require-hashes -r locks/st.lock
	.tools/bin/uv pip install -q --python .venv-st/bin/python --no-deps --require-hashes -r locks/dev.lock
	@touch $@

.venv/.browser: .venv/.dev
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium fonts-noto-core; }
	@command -v soffice >/dev/null || { apt-get update -qq && apt-get install -y -qq libreoffice-calc-nogui; }
	@touch $@

run: setup ## Set up and run everything on http://localhost:8000
	exec .venv/bin/tongdai serve

lint: .venv/.dev ## ruff, mypy --strict, import-linter
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy bot connectors faq kb_import handoff actions console tests bench
	.venv/bin/lint-imports

licences: .venv/.dev .venv-rasa/.ready ## Licences of all that is installed; fails on one that does not fit
	$(PY) -m deploy.licences .venv .venv-rasa

test: setup-dev ## Everything CI runs: lint, licences, fast tests, then the slow stage, with one closing line
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory licences
	$(PY) -m pytest

test-fast: setup-dev ## Only the fast tests
	$(PY) -m pytest -m "not slow"

test-slow: setup-dev ## Only the slow stage: real Rasa, Chromium, kill -9
	$(PY) -m pytest -m slow

test-st: .venv-st/.ready ## The embedders' contract tests and the teaching of the sentence model (need torch)
	.venv-st/bin/python -m pytest tests/contracts/test_embedders.py tests/faq/training/test_tune.py

train: .venv-st/.ready setup-dev ## Everything learned anew: sentence vectors (half an hour), ranker, scenes of danger
	.venv-st/bin/python -m faq.training.tune
	$(PY) -m faq.training.fit
	$(PY) -m bot.conversation.scene_training

bench: setup-dev ## Speed, memory and the peer, in one table
	$(PY) -m bench.house

bench-answers: setup-dev ## Quality of answers on the development data
	$(PY) -m bench.answers

bench-conversations: setup-dev ## Citizens' conversations played through the whole house: turns right and wrong
	$(PY) -m bench.conversations --play

bench-live: setup-dev ## How soon every process answers from what was published
	$(PY) -m bench.live

bench-import: setup-dev ## Rows per second and memory of the import, beside pandas
	$(PY) -m bench.imports

bench-webhooks: setup-dev ## Signed webhooks accepted per second
	$(PY) -m bench.webhooks

soak: setup-dev ## Ten minutes with misbehaving platforms and kills; prints what was lost (nothing)
	$(PY) -m bench.soak

simulate: setup-dev ## Simulators of Zalo and Messenger with a page where you play the citizen
	$(PY) -m tests.simulators

screenshots: setup-dev ## Pictures of chat and console into docs/images/
	$(PY) -m bench.screenshots

lock: .tools/bin/uv ## Resolve the lock files anew
	.tools/bin/uv pip compile -q pyproject.toml --extra dev --python-version 3.11 --generate-hashes --no-header --no-annotate -o locks/dev.lock
	.tools/bin/uv pip compile -q pyproject.toml -c locks/dev.lock --python-version 3.11 --generate-hashes --no-header --no-annotate -o locks/gateway.lock
	.tools/bin/uv pip compile -q locks/rasa.in --no-deps --python-version 3.11 --generate-hashes --no-header --no-annotate -o locks/rasa.lock

clean: ## Remove environments and built models; data/ stays
	rm -rf .venv .venv-rasa .tools models/rasa-*.tar.gz
