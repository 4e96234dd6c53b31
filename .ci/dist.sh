#!/usr/bin/env bash
# dist/: sdist and wheel of the last commit, the same bytes wherever and whenever they are built. Needs the extra test.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
umask 022
git archive HEAD | tar -x -C "$source" # what is committed and nothing that lies about
rm -rf dist
"$PYTHON" -m build --outdir dist "$@" "$source"
"$PYTHON" .ci/same_sdist.py dist/*.tar.gz
"$PYTHON" -m twine check --strict dist/*
