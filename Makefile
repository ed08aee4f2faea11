# Nothing is assumed but Python 3.11, pip, make and git.
PYTHON ?= python3.11
VENV ?= .venv
FUZZ_SECONDS ?= 600
BIN := $(abspath $(VENV))/bin

export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS := 120
export RAY_USAGE_STATS_ENABLED := 0
export MLFLOW_DISABLE_TELEMETRY := true
# Ray Train's state export needs the dashboard, which we do not run
export RAY_TRAIN_ENABLE_STATE_TRACKING := 0

.PHONY: repro tune scm test lint bench reliability fuzz serve screenshots clean help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# --no-compile: Python compiles a module when it is first imported, and most never are
INSTALL := $(BIN)/python -m pip install -q --no-compile

$(VENV)/.ok: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -U pip==26.3
	$(INSTALL) -c constraints.txt -e '.[tonic]'
	$(BIN)/python -m pip check
	touch $@

$(VENV)/.dev: $(VENV)/.ok
	$(INSTALL) -c constraints.txt -e '.[dev,tonic]'
	$(BIN)/python -m pip check
	touch $@

repro: $(VENV)/.ok ## set up, run the pipeline, register the model, say where the report is
	@$(MAKE) --no-print-directory scm
	$(BIN)/python -P -m dvc repro report
	$(BIN)/spikinghash registry add
	@echo "report: $(abspath reports/report.html)"

tune: $(VENV)/.ok ## search for better parameters within the bounds of params.yaml, judged by validation clips
	@$(MAKE) --no-print-directory scm
	$(BIN)/python -P -m dvc repro ingest
	cd tuning && $(BIN)/python -P -m dvc repro

scm: ## tell DVC where there is no git, as in a downloaded archive
	@git rev-parse --is-inside-work-tree >/dev/null 2>&1 || for project in . tuning experiments crossmodal; do \
		[ ! -d $$project/.dvc ] || (cd $$project && $(BIN)/python -P -m dvc config --local core.no_scm true); done

test: $(VENV)/.dev ## set up, run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=25

lint: $(VENV)/.dev ## style, types, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## speed against named peers, as ratios in one run
	$(BIN)/python bench/framing.py
	$(BIN)/python bench/decoding.py
	$(BIN)/python bench/training.py
	$(BIN)/python bench/streaming.py
	$(BIN)/python bench/evaluation.py
	$(BIN)/python bench/search.py
	$(BIN)/python bench/cold_search.py
	$(BIN)/python bench/bulk.py
	$(BIN)/python bench/long_recording.py
	$(BIN)/python bench/many_files.py

reliability: $(VENV)/.dev ## 300 kills, five kinds of processes at once, every fault, 1,000 recordings of which 60 are hostile, Ray workers killed, training killed, flows at once, MLflow away
	KILLS=300 FAULTS=all ARCHIVE=1000 FULL=1 $(BIN)/python -m pytest tests/reliability tests/e2e/test_ray_encode.py tests/e2e/test_ray_training.py tests/e2e/test_paper_presets.py tests/e2e/test_hybridhash.py tests/e2e/test_at_once.py tests/e2e/test_mlflow_away.py

fuzz: $(VENV)/.dev ## fuzz every reader for FUZZ_SECONDS (600)
	$(BIN)/python -m pip install -q atheris
	$(BIN)/python fuzz/readers.py -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=4096 -max_len=65536

serve: $(VENV)/.ok ## Prefect and MLflow on loopback, with the schedules registered
	$(BIN)/python -E -P spikinghash/start.py pipelines.serve

screenshots: $(VENV)/.ok ## pictures of report, review, registry and nights to docs/pictures, by a Chromium in PATH
	$(BIN)/python examples/screenshots/take.py

clean: ## remove what the pipeline made, keep the environment
	rm -rf data/raw/digits data/frames data/models/default data/codes data/index experiments/frames crossmodal/data .runs mlflow.db mlartifacts
	rm -rf reports/plots reports/*.json reports/report.html reports/review.html
