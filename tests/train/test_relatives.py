"""What holds for every model from noise, by the real command: kill -9 costs nothing, and processes train together."""

import json
import os
import signal
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from resuming import assert_same_ending, checkpoint

from cyclegan.train.__main__ import main
from cyclegan.train.run import Run

if sys.platform == "win32":
    pytest.skip("there are no forks here", allow_module_level=True)
import forking

CONVOLUTIONS = ["photos", "--width", "4", "--latent", "5", "--size", "16", "--batch", "4", "--ema", "0.9"]
STYLES = ["--latent", "8", "--mapping", "2", "--channel-base", "64", "--channel-max", "8"]
SOLIDS = ["--size", "16", "--view", "32", "--width", "8", "--latent", "6", "--encoder-width", "2"]
RELATIVES = {
    "gan": ["photos", "--width", "8", "--size", "16", "--batch", "4", "--ema", "0.9", "--spread"],
    "dcgan": [*CONVOLUTIONS, "--norm-D", "none", "--r1", "1", "--r1-every", "2", "--shift", "--flip"],
    "wgan": [*CONVOLUTIONS, "--critic-steps", "2", "--penalty"],  # without it the generator waits for 100 steps
    "stylegan": ["photos", *STYLES, "--size", "16", "--batch", "4"],
    "gan3d": ["boxes.npz", *SOLIDS, "--batch", "4", "--ema", "0.9"],
    "tiny": ["slanted"],
}
OFTEN = ["--workers", "0", "--device", "cpu", "--log-every", "1", "--save-every", "2", "--sample-every", "3"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A working directory with pictures and solids; one thread, as forks have."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for i in range(9):
        Image.fromarray(draw.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(tmp_path / "photos" / f"{i}.png")
    cells = np.zeros((9, 16, 16, 16), bool)
    for i in range(9):
        cells[i, 4:12, 3:13, 2 : 5 + i] = True
    np.savez("boxes.npz", solids=cells)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


def train(model, name, steps):
    assert main(["--model", model, *RELATIVES[model], *OFTEN, "--steps", str(steps), "--name", name]) == 0


@pytest.mark.parametrize("model", RELATIVES)
def test_after_kill_dash_nine_the_same_command_ends_bit_for_bit_as_a_run_undisturbed(model, here):
    """Killed when the third step was logged and the second saved."""

    def until_the_third():
        log = Run.log

        def logged(run, record):
            log(run, record)
            if record["step"] == 3:
                os.kill(os.getpid(), signal.SIGKILL)

        Run.log = logged
        train(model, "killed", 6)

    train(model, "undisturbed", 6)
    assert forking.killed(until_the_third)
    runs = [here / "runs" / name for name in ("undisturbed", "killed")]
    assert checkpoint(runs[1])["step"] == 2
    train(model, "killed", 6)
    assert_same_ending(*runs)
    records = [[json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in runs]
    assert [r["step"] for r in records[1]] == [1, 2, 3, 4, 5, 6]
    assert [r["losses"] for r in records[0]] == [r["losses"] for r in records[1]]

    kept = checkpoint(runs[0])["game"]["G"]
    statistics = [key for key in kept["averages"].get("G", {}) if "running" in key]
    assert bool(statistics) == (model not in ("stylegan", "tiny"))
    for key in statistics:  # the average has those of its weights
        start, now, average = float("mean" not in key), kept["networks"]["G"][key], kept["averages"]["G"][key]
        assert 0 < (average - start).norm() < 1.2 * (now - start).norm()


@pytest.mark.parametrize("model", RELATIVES)
def test_two_processes_move_the_same_weights_by_the_pictures_of_both(model, here, capfd):
    def work(rank):
        save = Run.save

        def noted(run, game, step):
            save(run, game, step)
            torch.save({name: [*net.parameters()] for p in game.players.values() for name, net in p.networks.items()},
                       f"{step}_{rank}.pt")  # fmt: skip

        Run.save = noted
        train(model, "two", 4)

    assert forking.together(2, work) == [0, 0], capfd.readouterr().err
    second, fourth, other = (torch.load(here / file) for file in ("2_0.pt", "4_0.pt", "4_1.pt"))
    for name, weights in fourth.items():
        assert all(torch.equal(a, b) for a, b in zip(weights, other[name], strict=True))
        assert any(not torch.equal(a, b) for a, b in zip(weights, second[name], strict=True))
    run = here / "runs" / "two"
    assert len(checkpoint(run)["locals"]) == 2
    assert [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()] == [1, 2, 3, 4]
    said = capfd.readouterr().out
    assert said.count("Done.") == 1
    assert ("batch norms" in said) == (model not in ("stylegan", "tiny"))
