"""docs/architecture.md tells the truth: its diffs apply to the code beside it, and it names every room."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DIFFS = re.findall(r"^### … (.+?)$.*?^```diff\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_there_are_six_answers():
    assert [name for name, _ in DIFFS] == [
        "a loss", "a generator", "a data set", "a model", "a setting of training", "a metric",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "diff"), DIFFS)
def test_the_diff_still_applies(name, diff):
    done = subprocess.run(
        ["git", "apply", "--check", "--unidiff-zero", "-"], input=diff, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, f"docs/architecture.md, {name}: {done.stderr}"


def test_the_smallest_model_is_as_long_as_the_page_says():
    said = int(re.search(r"smallest whole example has (\d+) lines", PAGE)[1])
    assert len((ROOT / "tests" / "train" / "second_game.py").read_text().splitlines()) == said


def test_every_room_of_the_contract_is_on_the_page():
    contract = (ROOT / "setup.cfg").read_text().split("[importlinter:contract:rooms]")[1].split("layers =")[1]
    rooms = re.findall(r"[a-z0-9]+", contract.split("#")[0])
    assert all(room in PAGE for room in rooms), rooms
