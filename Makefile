# The environment lives in .venv and is made by whatever needs it.
PORT   ?= 8000
HOST   ?= 127.0.0.1
MODELS ?= models
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN    := .venv/bin
MINUTES ?= 10
IMAGE  ?= qlayer-service:latest
BENCH  := exported limit training gradient first_call saving moons memory scaling_wires scaling_depth scaling_batch

.PHONY: serve test fuzz fuzz-inspection fuzz-archive soak test-kserve test-perf-analyzer lint format bench bench-full bench-serving docs-operations lock lock-bench image clean

serve: $(MODELS)/moons/1/saved_model.pb   ## train the moons example if there is none yet, and serve it
	$(BIN)/python -m service serve --models $(MODELS) --host $(HOST) --port $(PORT)

test: .venv/installed                     ## everything that needs no special machine
	$(BIN)/pytest --numprocesses auto --dist worksteal

fuzz: .venv/installed                     ## a minute of random SavedModels and archives at once, for what uploads go through
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement locks/fuzz.txt
	$(MAKE) --jobs 2 fuzz-inspection fuzz-archive

fuzz-inspection:
	mkdir -p build/fuzz
	PYTHONPATH=. TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/python tests/fuzz/fuzz_inspection.py build/fuzz tests/fuzz/corpus/inspection \
		-max_total_time=60 -artifact_prefix=build/fuzz/

fuzz-archive:
	mkdir -p build/fuzz-archive
	PYTHONPATH=. $(BIN)/python tests/fuzz/fuzz_archive.py build/fuzz-archive tests/fuzz/corpus/archive \
		-max_total_time=60 -artifact_prefix=build/fuzz-archive/

soak: .venv/installed                     ## a server under mixed traffic, uploads and kills; every answer is checked
	PYTHONPATH=.:tests $(BIN)/python tests/soak.py --minutes $(MINUTES)

test-kserve: .venv/installed              ## the service by KServe's client, in an environment of its own: its pins are not ours
	$(PYTHON) -m venv build/kserve
	build/kserve/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --requirement tests/environments/kserve.txt
	KSERVE_PYTHON=build/kserve/bin/python $(BIN)/pytest tests/service/front/routes/test_kserve.py

test-perf-analyzer: .venv/installed       ## the service by Triton's load generator; needs Debian's libb64-0d
	$(PYTHON) -m venv build/perf-analyzer
	build/perf-analyzer/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --no-deps \
		--requirement tests/environments/perf-analyzer.txt
	LD_LIBRARY_PATH=$$(echo build/perf-analyzer/lib/python3*/site-packages/nvidia/cuda_runtime/lib) \
		PERF_ANALYZER=build/perf-analyzer/bin/perf_analyzer $(BIN)/pytest tests/service/front/routes/test_perf_analyzer.py

lint: .venv/installed                     ## style, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/installed                   ## what lint asks for, where a tool can do it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/installed                    ## the benchmark against the rivals: some points, at most 45 minutes on 2 cores
	for question in $(BENCH); do $(BIN)/python -m benchmarks.$$question || exit 1; done
	$(BIN)/python -m benchmarks.report

bench-full: .venv/installed               ## all its points: many hours
	for question in $(BENCH); do $(BIN)/python -m benchmarks.$$question --full || exit 1; done
	$(BIN)/python -m benchmarks.report

bench-serving: .venv/installed            ## our server against its rivals: at most 30 minutes on 2 cores; needs wrk
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.report serving

docs-operations: .venv/installed          ## docs/operations.md, from the table of operations that the tests run
	PYTHONPATH=.:tests $(BIN)/python -m operations_page

lock: .venv/installed                     ## resolve the dependencies anew: versions, hashes, markers, no index
	for extra in train serve image dev fuzz; do \
		$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
			--no-emit-find-links --quiet --extra $$extra pyproject.toml --output-file locks/$$extra.txt || exit 1; \
	done

lock-bench: .venv/installed               ## the same for rivals and clients in environments of their own, whose versions are pinned by hand
	for rival in benchmarks/environments/*.in tests/environments/*.in; do \
		$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
			--no-emit-find-links --quiet $$rival --output-file $${rival%.in}.txt || exit 1; \
	done

image:                                    ## the container of the service
	docker build --tag $(IMAGE) .

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(MODELS)/moons/1/saved_model.pb: | .venv/installed
	$(BIN)/python examples/moons.py $(MODELS)/moons/1

.venv/installed: locks/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "qlayer needs Python 3.11 or 3.12 with venv; none was found. Install one, or say make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Installing TensorFlow, PennyLane and the rest into .venv (1 GB to download; a few minutes)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --requirement locks/dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@
