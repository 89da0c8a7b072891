# `make demo` and `make test` set everything up on a machine with Python 3.11+, make and git.
PYTHON ?= python3
VENV := .venv
LIGHT := .venv-light
OLD_DUCKDB := .duckdb-1.5.5
ATTACHED := .duckdb-attached
TOOLS := .venv-tools
SPARK := .spark-4.3.0
SAIL := .sail-0.7.2
WEIGHTS := $(VENV)/home/weights
# Twice the cores, as many tests wait for servers and processes of their own; each takes a gigabyte.
WORKERS := $(shell n=$$((2 * $$(getconf _NPROCESSORS_ONLN))); echo $$((n < 8 ? n : 8)))
PYTEST := -m pytest -n $(WORKERS) --durations 10
# What is compiled is kept, whatever the machine's setting: the programs that tests start begin sooner.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo quick test test-slow check faults figures lint test-old-duckdb test-light test-spark wheel sample readme bench constraints clean

demo: $(VENV)/.installed
	$(VENV)/bin/sqlfuncs demo

# While one writes: what computes without an engine, a server, a process of its own or a network.
QUICK := sqlfuncs tests/learning/annotators tests/learning/detection tests/learning/labels \
	tests/learning/rows tests/learning/similarity tests/statistics tests/review/test_decisions.py \
	tests/review/test_evidence.py tests/review/test_progress.py tests/review/test_queue.py \
	tests/queries/test_header.py tests/queries/test_piecewise.py tests/queries/test_render.py \
	tests/llm/test_limits.py tests/llm/test_prompt.py tests/llm/test_reading.py \
	tests/llm/test_task.py tests/cli/test_show.py tests/test_imports.py tests/test_work.py
quick: lint
	$(VENV)/bin/python $(PYTEST) -m "not slow" $(QUICK)

test: $(VENV)/.installed $(WEIGHTS) $(TOOLS)/.installed $(OLD_DUCKDB) $(ATTACHED)/.installed
	$(VENV)/bin/python $(PYTEST) -m "not slow"
	@echo 'Tests that take more than ten seconds each: make test-slow'

test-slow: $(VENV)/.installed $(WEIGHTS) $(TOOLS)/.installed $(OLD_DUCKDB) $(ATTACHED)/.installed
	$(VENV)/bin/python $(PYTEST) -m slow

# Every gate, as .ci/run calls it.
check: lint sample wheel test test-slow test-old-duckdb test-light test-spark

lint: $(VENV)/.installed
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

# The tests of what DuckDB does again on the oldest that is supported, whose extensions are on PyPI;
# of what is done in Python those of one function of each kind are enough.
ON_DUCKDB := tests/engines tests/functions tests/queries tests/test_sql_cases.py \
	tests/report/test_report.py
IN_PYTHON := functions/test_drop_model functions/test_fine_tune functions/test_fine_tune_file \
	functions/test_label_issues_copies functions/test_llm_class_probs \
	functions/test_llm_classify_result functions/test_llm_estimate functions/test_llm_paid \
	functions/test_llm_usage queries/test_header queries/test_piecewise queries/test_render
test-old-duckdb: $(VENV)/.installed $(WEIGHTS) $(OLD_DUCKDB)
	@echo 'On DuckDB 1.5.5, without the slow tests, which ran on DuckDB 2'
	PYTHONPATH=$(CURDIR)/$(OLD_DUCKDB) $(VENV)/bin/python $(PYTEST) -m "not slow" \
		$(IN_PYTHON:%=--ignore tests/%.py) $(ON_DUCKDB)

# The tests of what reads texts again without the extra `local`: no torch, which networks cannot be
# imported without. Of the functions all but those that read no text.
READING := tests/functions tests/learning/encoders tests/learning/features tests/learning/models \
	tests/learning/rows tests/test_sql_cases.py tests/test_imports.py sqlfuncs
GIVEN := apply_corrections auto_corrections class_report compare_models confusion_matrix \
	corrections_diff evaluate evaluate_noisy fine_tune_file label_issues_inputs label_quality \
	llm_estimate llm_paid model_strength review_curve suggest_label
test-light: $(LIGHT)/.installed
	@echo 'Without the extra `local`, and without the slow tests, which ran with it'
	$(LIGHT)/bin/python $(PYTEST) -m "not slow" --ignore sqlfuncs/learning/models/networks \
		$(GIVEN:%=--ignore tests/functions/test_%.py) $(READING)

# On a real Spark, which needs Java 17: the cases of every engine, and what is Spark's alone; once
# more on a server of Spark Connect. A process has one session: a JVM, and workers of its own.
ON_SPARK := SQLFUNCS_TEST_SAIL=$(CURDIR)/$(SAIL) PYTHONPATH=$(CURDIR)/$(SPARK) \
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile --durations 10
test-spark: $(VENV)/.installed $(SPARK) $(SAIL)
	@echo 'On Spark: classic, and through Spark Connect'
	$(ON_SPARK) tests/spark tests/test_sql_cases.py -k "spark"
	SQLFUNCS_TEST_SPARK=connect $(ON_SPARK) -n 0 -m "not slow" tests/spark/test_label_issues.py \
		tests/spark/test_evaluate.py tests/spark/test_sql.py    # -n 0: a server has one port

# The bundled sample is what its generator makes.
sample: $(VENV)/.installed
	$(VENV)/bin/python data/make_sample.py --check

# The wheel holds the query files and the sample.
wheel: $(VENV)/.installed
	$(VENV)/bin/python -m build --wheel --outdir dist .
	$(VENV)/bin/python tests/check_wheel.py dist/*.whl

# Run the README's examples again and write down what they print.
readme: $(VENV)/.installed $(OLD_DUCKDB) $(ATTACHED)/.installed
	$(VENV)/bin/python -m tests.examples --write
	$(VENV)/bin/python -m tests.integrations.attached --write

# Quality and speed beside the reference, on the data in SQLFUNCS_DATA, and on published
# probabilities and votes if SQLFUNCS_BENCH is a folder of fetched repositories.
ON_FETCHED := cuts readers worth votes habits mixed_fields ambiguity
bench: export SQLFUNCS_HOME := $(CURDIR)/$(VENV)/home
bench: $(VENV)/.installed $(WEIGHTS)
	$(VENV)/bin/sqlfuncs models fetch mpnet    # what `best` adds, without which nothing is printed
	$(VENV)/bin/python -m benchmarks.detection
	$(VENV)/bin/python -m benchmarks.seeds
	$(VENV)/bin/python -m benchmarks.alternatives
	$(VENV)/bin/python -m benchmarks.draws
	$(VENV)/bin/python -m benchmarks.decisions
	$(VENV)/bin/python -m benchmarks.learned_scores
	$(VENV)/bin/python -m benchmarks.inputs
	$(VENV)/bin/python -m benchmarks.copies
	$(VENV)/bin/python -m benchmarks.health
	$(VENV)/bin/python -m benchmarks.sampled_health
	$(VENV)/bin/python -m benchmarks.review
	$(VENV)/bin/python -m benchmarks.review_page
	$(VENV)/bin/python -m benchmarks.noisy_evaluation
	$(VENV)/bin/python -m benchmarks.million_rows
	$(VENV)/bin/python -m benchmarks.annotators
	$(VENV)/bin/python -m benchmarks.llm
	$(VENV)/bin/python -m benchmarks.killed
	$(VENV)/bin/python -m benchmarks.damaged_stores
	$(VENV)/bin/python -m benchmarks.llm_audit
	$(VENV)/bin/python -m benchmarks.fast
	$(VENV)/bin/python -m benchmarks.training
	$(VENV)/bin/python -m benchmarks.quality_training
	$(VENV)/bin/python -m benchmarks.experiment
	$(VENV)/bin/python -m benchmarks.killed_training
	$(VENV)/bin/python -m benchmarks.straight_lines
	test -z "$$SQLFUNCS_BENCH" || for table in $(ON_FETCHED); do \
		$(VENV)/bin/python -m benchmarks.$$table || exit 1; done

# What must never happen, counted: each line of the tables says 0.
faults: $(VENV)/.installed
	$(VENV)/bin/python -m benchmarks.faults

# How the code hangs together, and which faults of one line the tests see.
figures: $(VENV)/.installed
	$(VENV)/bin/python -m benchmarks.structure
	$(VENV)/bin/python -m benchmarks.connecting
	$(VENV)/bin/python -m benchmarks.mutants

constraints: $(VENV)/.installed
	{ grep '^#' constraints.txt; $(VENV)/bin/pip freeze --exclude-editable | sed 's/+cpu//'; } > .constraints.new
	mv .constraints.new constraints.txt

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sqlfuncs needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[local,server,dev]'
	touch $@

# The small language model of `best`. Without it, its tests are skipped and say so.
$(WEIGHTS): $(VENV)/.installed
	-SQLFUNCS_HOME=$(VENV)/home $(VENV)/bin/sqlfuncs models fetch smollm2

$(LIGHT)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(LIGHT)
	$(LIGHT)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# Programs that sqlfuncs plugs into, whose requirements do not go with those of its own tests.
$(TOOLS)/.installed: pyproject.toml tests/integrations/constraints.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --constraint tests/integrations/constraints.txt \
		--editable '.[dbt,harlequin,notebook]' ipykernel marimo nbclient
	touch $@

$(OLD_DUCKDB): $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --no-deps --target $@ duckdb==1.5.5 duckdb-cli==1.5.5 \
		duckdb-extension-quack==1.5.5 duckdb-extension-httpfs==1.5.5

# Spark with its JVM parts, 490 MB, and what its client of Spark Connect needs.
$(SPARK): $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --no-deps --target $@ pyspark==4.3.0 py4j==0.10.9.9 \
		grpcio==1.85.3 grpcio-status==1.85.3 googleapis-common-protos==1.76.0 protobuf==7.36.2 \
		zstandard==0.25.0

# Sail, a Spark Connect server without a JVM, which has Delta tables; it takes no newer pyspark.
$(SAIL): $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --no-deps --target $@ pysail==0.7.2 pyspark-client==4.2.0 \
		grpcio==1.85.3 grpcio-status==1.85.3 googleapis-common-protos==1.76.0 protobuf==7.36.2 \
		zstandard==0.25.0

# What docs/attached.md is run with. The servers are the machine's own: without one, its tests are
# skipped and say so.
$(ATTACHED)/.installed: $(VENV)/.installed tests/integrations/attached.txt
	$(VENV)/bin/pip install --quiet --no-deps --upgrade --target $(ATTACHED) \
		--requirement tests/integrations/attached.txt
	touch $@

clean:
	rm -rf $(VENV) $(LIGHT) $(TOOLS) $(OLD_DUCKDB) $(ATTACHED) $(SPARK) $(SAIL) dist
