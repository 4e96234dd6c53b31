# Two commands: `make demo` and `make test`. The README has the same steps for people without make.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python

.PHONY: demo test app lint bench clean

demo: $(VENV)/.demo  ## set up, train a small pair of translators for about three minutes, show the result
	$(PY) -m cyclegan.train sketch2emoji --recipe quick --size 64 --steps 600 --sample-every 100 --name demo
	$(PY) -m cyclegan.show runs/demo

test: $(VENV)/.test  ## the whole suite, on two cores
	$(PY) -m pytest -n 2 --dist loadfile

app: $(VENV)/.app  ## the page in the browser
	$(PY) app.py

lint: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

# One stamp for each extra: set up again only when the list of dependencies changes.
$(VENV)/.%: setup.cfg pyproject.toml
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --editable ".[$*]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
