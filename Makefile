# Everything a person runs. Each target does its own set-up and is quick the second time.
PORT ?= 8501
PYTEST = .venv/bin/python -m pytest

.PHONY: help run test test-quick test-browser lint format

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run:  ## serve the app on 127.0.0.1:8501 (make run PORT=8502 for another port)
	@scripts/environment
	@scripts/serve $(PORT)

test: dev chromium  ## every test, the slow ones and those in a browser included
	@$(PYTEST) -n 2 -m "not slow and not browser"
	@$(PYTEST) -m "slow or browser"

test-quick: dev  ## the tests of a few seconds each: not slow, not in a browser
	@$(PYTEST) -n 2 -m "not slow and not browser"

test-browser: dev chromium  ## the tests that drive a real Chromium
	@$(PYTEST) -m browser

lint: dev  ## style, format and types
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy

format: dev  ## let ruff rewrite what it can
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

.PHONY: dev chromium
dev:
	@scripts/environment requirements-dev.txt

chromium:
	@scripts/chromium
