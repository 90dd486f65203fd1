# make app    sets up, analyses the sample recordings, serves the app on http://localhost:8501
# make test   sets up and runs the tests
# make setup  only sets up: .venv/ with .venv/bin/callanalysis

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet --constraint constraints.txt
PORT ?= 8501

# openai-whisper asks for triton (1 GB), which only its CUDA word timing uses: everything else it asks for is kept.
define REQUIREMENTS
import importlib.metadata, sys, tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
wanted = project["dependencies"] + [r for e in sys.argv[1:] for r in project["optional-dependencies"][e]]
wanted += [r for r in importlib.metadata.requires("openai-whisper") if ";" not in r]
print("\n".join(r for r in wanted if not r.startswith(("openai-whisper", "callanalysis"))))
endef
export REQUIREMENTS

.PHONY: app test setup setup-dev lint clean

app: setup
	$(BIN)/callanalysis run sample_calls/recordings --calls sample_calls/calls.csv || test $$? -eq 1
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: setup-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: $(VENV)/.setup
setup-dev: $(VENV)/.setup-dev

$(VENV)/.setup: pyproject.toml constraints.txt
	@echo "Setting up $(VENV): about 2 GB, a few minutes the first time"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --no-deps openai-whisper
	$(BIN)/python -c "$$REQUIREMENTS" > $(VENV)/requirements.txt
	@echo "pip will say that openai-whisper wants triton: it is left out on purpose"
	$(PIP) --requirement $(VENV)/requirements.txt
	$(PIP) --no-deps --editable .
	touch $@

$(VENV)/.setup-dev: $(VENV)/.setup
	$(BIN)/python -c "$$REQUIREMENTS" voices dev > $(VENV)/requirements-dev.txt
	$(PIP) --requirement $(VENV)/requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
