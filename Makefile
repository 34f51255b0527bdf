# Everything a person does here. `make help` lists it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
HOST   ?= 127.0.0.1
PORT   ?= 8000
# The journeys that the last 1.x client makes too: all in which a client of OpenAI's asks for something that it knows.
OLD_CLIENT := access_and_errors edits files pictures pictures_in_chat responses responses_in_the_background retries \
              side_calls video_markup videos_from_pictures videos_in_chat
COUNT  ?= 100
# A lock is complete, so pip has nothing to resolve. Without --no-deps, pip before 24.2 looks for newer releases of what
# another package names with an extra, and stops.
LOCKED := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
# A test process for each core. Bytecode is written even where the environment says not to: the tests start the program
# more than a hundred times.
TEST   := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n logical

.DEFAULT_GOAL := help
.PHONY: help run demo test e2e upgrade container lint bench torture dist lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp ## install what is missing, then serve on the built-in sandbox
	@$(BIN)/python -m adapter serve --config config/sandbox.toml --host $(HOST) --port $(PORT)

demo: $(VENV)/test.stamp ## drive a running (or its own) server with the OpenAI client; writes out/
	@ADAPTER_URL=$${ADAPTER_URL:-http://$(HOST):$(PORT)} $(BIN)/python -m tests.demo

test: $(VENV)/test.stamp $(VENV)/node.stamp ## install what is missing, then run every test
	@$(TEST)
	@PYTHONPATH=$(VENV)/openai-1 $(TEST) $(OLD_CLIENT:%=tests/journeys/test_%.py)

e2e: $(VENV)/test.stamp $(VENV)/e2e/node.stamp $(VENV)/e2e/open-webui.stamp ## real chat programs in Chromium (3.4 GB to install); writes docs/screenshots
	@$(BIN)/python -m pytest -m e2e tests/e2e

upgrade: $(VENV)/test.stamp ## replace processes of the previous release, or of FROM=REVISION, by this tree's, while videos are made
	@$(if $(FROM),UPGRADE_FROM=$(FROM)) $(BIN)/python -m pytest -s tests/journeys/test_upgrade.py

container: $(VENV)/test.stamp ## build the Containerfile on Debian's packages and run it (root, buildah, debootstrap)
	@$(BIN)/python -m pytest -s tests/container

lint: $(VENV)/test.stamp ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/test.stamp ## measure; CHECK=docs/measurements.md compares the ratios and fails beyond 15 %; PEERS=1 adds nginx and LiteLLM
	@$(BIN)/python -m tests.bench $(if $(PEERS),--peers) $(if $(CHECK),--check $(CHECK))

torture: $(VENV)/test.stamp ## kills, cuts, rude clients, and COUNT made-up requests to each route
	@$(BIN)/python -m tests.torture --count $(COUNT)
	@$(BIN)/python -m tests.torture.rude_clients
	@FUZZ_EXAMPLES=$(COUNT) $(BIN)/python -m pytest tests/journeys/test_fuzz.py
	@CUT_STATEMENTS=$(COUNT) $(BIN)/python -m pytest tests/journeys/test_cuts_of_postgresql.py
	@S3_FAULTS=every $(BIN)/python -m pytest tests/media/test_s3_faults.py tests/journeys/test_faults_of_s3.py

dist: $(VENV)/test.stamp ## build the wheel and the sdist into dist/
	@$(BIN)/python -m build --no-isolation

lock: ## resolve the requirements again (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements.lock
	uv pip compile pyproject.toml --extra vertex --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements-vertex.lock
	uv pip compile pyproject.toml --extra traces --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements-traces.lock
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q -o requirements-dev.lock

clean: ## remove the environment, the sandbox's memory, and what the demo and the build made
	rm -rf $(VENV) var/sandbox out dist .mypy_cache .pytest_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/run.stamp: requirements.lock | $(VENV)/bin/python
	$(LOCKED) -r requirements.lock
	touch $@

# The journeys run a second time against the last 1.x client, which cannot live beside 3.x in one environment. It knows
# no videos.
$(VENV)/test.stamp: requirements-dev.lock requirements-openai-1.lock | $(VENV)/bin/python
	$(LOCKED) -r requirements-dev.lock
	$(LOCKED) --upgrade --target $(VENV)/openai-1 -r requirements-openai-1.lock
	touch $@ $(VENV)/run.stamp

# Chat programs have environments of their own. PyTorch is named, because any newer one brings gigabytes for graphics cards.
$(VENV)/e2e/open-webui.stamp: tests/e2e/open-webui.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(VENV)/e2e/open-webui
	$(VENV)/e2e/open-webui/bin/python -m pip install --quiet --disable-pip-version-check -r tests/e2e/open-webui.txt
	touch $@

$(VENV)/e2e/node.stamp: tests/e2e/node/package.json tests/e2e/node/package-lock.json | $(VENV)/bin/python
	mkdir -p $(VENV)/e2e/node && cp $^ $(VENV)/e2e/node
	cd $(VENV)/e2e/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# Without node there is nothing to install, and no stamp: it may be there next time.
$(VENV)/node.stamp: tests/journeys/node/package.json tests/journeys/node/package-lock.json | $(VENV)/bin/python
	@if command -v node > /dev/null && command -v npm > /dev/null; then \
	  mkdir -p $(VENV)/node && cp $^ $(VENV)/node \
	  && (cd $(VENV)/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) && touch $@; \
	else echo "There is no node with npm here: the journeys of the Node clients and the visits to the studio will be skipped."; fi
