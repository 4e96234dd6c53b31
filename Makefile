# Two commands: `make demo` and `make test`. The README has the same steps for people without make.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python

.PHONY: demo test campaign app lint docs bench clean

demo: $(VENV)/.demo  ## set up, show what the shipped translators do, train a pair for a few minutes, show it
	$(PY) -m cyclegan.show
	$(PY) -m cyclegan.train emoji2night --recipe quick --name demo
	$(PY) -m cyclegan.show runs/demo

test: $(VENV)/.test  ## the whole suite, on two cores
	$(PY) -m pytest -n 2 --dist loadfile

campaign: $(VENV)/.test  ## kills, damaged pictures, hostile files: docs/reliability.md
	nice -n 19 $(PY) tests/campaign

app: $(VENV)/.app  ## the page in the browser
	$(PY) app.py

lint: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

docs: $(VENV)/.docs  ## the documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build

# One stamp for each extra: set up again only when the list of dependencies changes.
$(VENV)/.%: setup.cfg pyproject.toml
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --editable ".[$*]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
