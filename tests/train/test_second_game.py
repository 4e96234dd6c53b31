"""The shell knows no CycleGAN: a model of another kind trains, resumes bit for bit, samples, exports and is judged."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from resuming import assert_same_ending, checkpoint
from second_game import Dense, SecondGame

from cyclegan.models import MODELS
from cyclegan.networks.build import NOISE
from cyclegan.networks.weights import read_header
from cyclegan.sample.__main__ import main as sample
from cyclegan.sample.generator import Generator
from cyclegan.system.errors import UserError
from cyclegan.train.__main__ import main as train
from cyclegan.train.log import read_log
from cyclegan.translate.translator import Translator

FLAGS = ["--model", "second", "--workers", "0", "--device", "cpu", "--log-every", "3", "--sample-every", "3"]


@pytest.fixture
def second(monkeypatch):
    monkeypatch.setitem(MODELS, "second", "second_game:SecondGame")
    monkeypatch.setitem(NOISE, "dense", Dense)


@pytest.fixture
def photos(tmp_path, second, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    for i in range(9):
        folder = tmp_path / "photos" / ("day" if i % 3 else "night")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return "photos"


def test_it_trains_and_three_and_three_steps_are_six(photos, tmp_path):
    runs = tmp_path / "runs"
    assert train([photos, *FLAGS, "--steps", "6", "--name", "six"]) == 0
    assert train([photos, *FLAGS, "--steps", "3", "--name", "twice"]) == 0
    assert train([photos, *FLAGS, "--steps", "6", "--name", "twice"]) == 0
    assert_same_ending(runs / "six", runs / "twice")
    assert sorted(path.name for path in (runs / "six" / "samples").iterdir()) == ["step_000003.png", "step_000006.png"]
    assert (runs / "six" / "G.safetensors").exists() and (runs / "six" / "card.toml").exists()


def test_the_log_averages_each_loss_over_the_steps_that_have_it(photos, tmp_path):
    assert train([photos, *FLAGS, "--steps", "6"]) == 0
    records = {record["step"]: record["losses"] for record in read_log(tmp_path / "runs" / "second_photos")}
    assert set(records[1]) == {"D"}, "the generator moves in every second step"
    assert set(records[2]) == {"G"} | {"D"} and set(records[6]) == {"D", "G"}


def test_the_average_has_the_statistics_of_the_batch_norms(photos, tmp_path):
    assert train([photos, *FLAGS, "--steps", "8", "--name", "average"]) == 0
    state = checkpoint(tmp_path / "runs" / "average")["game"]["G"]
    moved, averaged = (state[kind]["G"]["model.1.running_var"] for kind in ("networks", "averages"))
    assert not torch.equal(averaged, torch.ones(16)), "it left its initial value"
    assert torch.linalg.vector_norm(averaged - moved) < torch.linalg.vector_norm(1 - moved), "towards the network's"
    counts = [state[kind]["G"]["model.1.num_batches_tracked"] for kind in ("networks", "averages")]
    assert counts[0] == counts[1]


def test_its_weights_say_what_they_are_and_sample_makes_pictures_of_them(photos, tmp_path, capsys):
    assert train([photos, *FLAGS, "--steps", "2", "--name", "g", "--class", "day"]) == 0
    header = read_header(tmp_path / "runs" / "g" / "G.safetensors")
    assert (header["kind"], header["inputs"], header["outputs"]) == ("generator", [4], [3, 8, 8])
    assert header["domains"] == ["day"]
    assert "python -m cyclegan.sample runs/g" in capsys.readouterr().out
    assert sample(["runs/g", "-n", "7", "-o", "sheet.png"]) == 0
    assert sample(["g", "--interpolate", "5", "-o", "walk.png"]) == 0
    assert Image.open("walk.png").size == (5 * 9 + 1, 10)
    generator = Generator.from_pretrained("g", "cpu")
    one, seven = generator(1, seed=3), generator(7, seed=3)
    assert np.array_equal(one[0], seven[0]) and seven[0].size == (8, 8)
    assert not np.array_equal(seven[0], generator(1, seed=4)[0])


def test_it_is_judged_without_pictures_of_a_second_domain(photos, tmp_path):
    pytest.importorskip("timm", reason="extra: eval")
    assert train([photos, *FLAGS, "--steps", "2", "--eval-every", "1", "--eval-pictures", "4"]) == 0
    folder = tmp_path / "runs" / "second_photos"
    assert [list(record["metrics"]) for record in read_log(folder)] == [["KID efficientnet-lite0 G"]] * 2
    assert (folder / "best" / "G.safetensors").exists()


def test_dry_run_counts_its_networks_on_the_meta_device(photos, capsys):
    assert train([photos, *FLAGS, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"generators: {4 * 16 + 16 + 2 * 16 + 17 * 192:,} parameters   discriminators: 193" in said
    assert json.loads(said[: said.rindex("}") + 1])["model"] == {"critic_steps": 2, "ema": 0.9}


def test_its_help_shows_its_own_flags_only(second, capsys):
    with pytest.raises(SystemExit):
        train(["--model", "second", "--help"])
    said = capsys.readouterr().out
    assert "--critic-steps" in said and "--class" in said and "--lambda-cycle" not in said and "--zoom" not in said


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--class", "dusk"], "no class 'dusk': it has day, night"),
        (["--size", "1"], "--size must be at least 2"),
    ],
)
def test_mistakes_get_one_sentence(photos, capsys, flags, sentence):
    assert train([photos, *FLAGS, *flags]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said and len(said.splitlines()) == 1


def test_translators_and_generators_are_told_apart(photos, tmp_path, pair, capsys):
    assert train([photos, *FLAGS, "--steps", "1", "--name", "g"]) == 0
    with pytest.raises(UserError, match=r"use python -m cyclegan\.sample"):
        Translator.from_pretrained("runs/g")
    with pytest.raises(UserError, match=r"use python -m cyclegan\.translate"):
        Generator.from_pretrained("runs/mine")
    assert sample(["runs/g", "-n", "0", "-o", "x.png"]) == 2
    assert "must be at least 1" in capsys.readouterr().err
    # a generator's file given by path
    with pytest.raises(UserError, match=r"use python -m cyclegan\.sample"):
        Translator.from_pretrained("runs/g/G.safetensors")


def test_another_model_does_not_go_on_with_the_run_of_this_one(photos, squares, tmp_path, capsys):
    assert train([photos, *FLAGS, "--steps", "1", "--name", "g"]) == 0
    assert train([str(squares), "--name", "g", "--size", "32", "--steps", "1"]) == 2
    assert "--model second (now cyclegan)" in capsys.readouterr().err


def test_the_generator_moves_in_every_second_step(second):
    game = SecondGame(size=8, channels=(3,))
    for _ in range(4):
        game.step(torch.rand(2, 3, 8, 8) * 2 - 1)
    assert (game.players["D"].moves, game.players["G"].moves) == (4, 2)
