"""What several test files need: small pictures, and the real data where it lies beside the project."""

import os
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # several at a time: one core each, their subprocesses too
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import torch
from mirror import Mirror
from painted import REAL_DATA, paint
from pairs import make


def pytest_terminal_summary(terminalreporter):
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "no chromium" in str(r.longrepr)]
    if skipped:
        how = "apt-get install chromium, or brew install --cask chromium on a Mac"
        terminalreporter.write_line(f"The page was not tested in a browser, {len(skipped)} tests in all: {how}")


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    np.random.seed(0)


@pytest.fixture
def horse2zebra() -> Path:
    """The complete real data set; skips where it is not there."""
    folder = REAL_DATA / "horse2zebra"
    if not folder.is_dir():
        pytest.skip(f"the real horse2zebra is not at {folder}")
    return folder


@pytest.fixture
def squares(tmp_path) -> Path:
    """Red squares in trainA and testA, blue squares in trainB and testB, 40 × 40 pixels."""
    root = tmp_path / "squares"
    paint(root / "trainA", 6, (220, 30, 30), seed=1)
    paint(root / "trainB", 5, (30, 30, 220), seed=2)
    paint(root / "testA", 2, (220, 30, 30), seed=3)
    paint(root / "testB", 3, (30, 30, 220), seed=4)
    return root


@pytest.fixture
def mirror(monkeypatch):
    """A web server on this machine for archives."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    mirror = Mirror()
    yield mirror
    mirror.close()


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """The folder for fetched data sets, which does not exist yet."""
    root = tmp_path / "datasets"
    monkeypatch.setenv("CYCLEGAN_DATASETS", str(root))
    return root


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty working directory and cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CYCLEGAN_MODELS", str(tmp_path / "cache"))


@pytest.fixture
def pair(tmp_path):
    there, back = make("G_AB"), make("G_BA", seed=1)
    for translator in (there, back):
        translator.save_pretrained(tmp_path / "runs" / "mine")
    return there, back
