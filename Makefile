# `make` alone lists what there is.
PYTHON_IN_VENV = .venv/bin/python
PYTEST = PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 $(PYTHON_IN_VENV) -m pytest -p pytest_django.plugin -p menace_site.testing

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test check bench demo lock

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: ## Make .venv with what the site needs
	@scripts/bootstrap run

setup-dev: ## Make .venv with what the checks and tests need, too
	@scripts/bootstrap dev

run: setup ## Run everything: database, broker, web, worker, beat (ARGS="--port 9000")
	@$(PYTHON_IN_VENV) manage.py up $(ARGS)

demo: setup ## Bring the demo bots alpha and beta
	@$(PYTHON_IN_VENV) manage.py demo

test: setup-dev ## Run every test against real services and a real browser (ARGS="tests/web -x")
	@scripts/bootstrap browser
	@$(PYTEST) $(or $(ARGS),-p xdist -n 2 --dist loadfile --no-loadscope-reorder)

check: setup-dev ## Format, lint, types, layers, budgets, security, settings, migrations, locks
	@$(PYTHON_IN_VENV) scripts/check.py $(ARGS)

bench: setup-dev ## Measure start-up time, memory and the sandbox
	@$(PYTHON_IN_VENV) benchmarks/startup.py
	@$(PYTHON_IN_VENV) benchmarks/memory.py
	@$(PYTHON_IN_VENV) benchmarks/sandbox.py

lock: setup-dev ## Write requirements*.txt anew from pyproject.toml
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" pyproject.toml -o requirements.txt
	@.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --group dev -c requirements.txt -o requirements-dev.txt
