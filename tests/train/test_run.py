"""The run folder and the loop: going on, stopping, being killed, going wrong."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from PIL import Image

from cyclegan.train.__main__ import main
from cyclegan.train.log import read_log

SMALL = ["--generator", "mobile", "--width", "4", "--width-D", "4", "--blocks", "1", "--size", "32", "--load", "36"]
SMALL += ["--log-every", "1"]
OFTEN = ["--save-every", "2", "--sample-every", "3"]


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def train(folder, runs, *flags):
    return main([str(folder), "--runs", str(runs), *SMALL, *flags])


def weights(runs, name="squares"):
    return torch.load(runs / name / "checkpoint.pt", weights_only=True)


def assert_same(a, b, path="checkpoint"):
    """Equality to the last bit of two nested states."""
    assert type(a) is type(b), path
    if isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for key in a:
            assert_same(a[key], b[key], f"{path}.{key}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), path
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{path}[{i}]")
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b), path
    else:
        assert a == b, path


@pytest.mark.parametrize(
    ("flags", "masked"),
    [
        (["--pool", "2"], False),
        (["--color", "0.2", "--affine", "5", "--diffaug", "--batch", "2"], True),
        (["--palette", "both"], False),
    ],
)
def test_three_and_three_steps_equal_six_bit_for_bit(squares, tmp_path, capsys, flags, masked):
    """Everything counts: weights, averages, Adam, pools, random states, the order of the data, masks."""
    for path in (squares / "trainA").iterdir() if masked else ():
        (squares / "trainA_mask").mkdir(exist_ok=True)
        Image.new("L", (40, 40), 128).save(squares / "trainA_mask" / f"{path.stem}.png")
    assert train(squares, tmp_path / "six", "--steps", "6", *flags) == 0
    # Stopped after three of six steps, as Ctrl-C would: the schedule must be that of six.
    stopped_after(3, squares, tmp_path / "three", "--steps", "6", *flags)
    assert weights(tmp_path / "three")["step"] == 3
    torch.manual_seed(999)  # a fresh process would not have our random state either
    assert "Goes on after" not in capsys.readouterr().out
    assert train(squares, tmp_path / "three", "--steps", "6", *flags) == 0
    assert "Goes on after step 3" in capsys.readouterr().out
    assert_same(weights(tmp_path / "three"), weights(tmp_path / "six"))
    logs = [logged(tmp_path / runs / "squares") for runs in ("three", "six")]
    assert ("background_A" in logs[0][0]["losses"]) == masked
    assert logs[0] == logs[1] and [r["step"] for r in logs[0]] == [1, 2, 3, 4, 5, 6]
    seconds = [record["seconds"] for record in read_log(tmp_path / "three" / "squares")]
    assert seconds == sorted(seconds), "the second part counts on from the first"


def logged(run):
    """The lines of a log but for what depends on the clock."""
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{key: record[key] for key in ("step", "epoch", "losses")} for record in records]


def stopped_after(count, squares, runs, *flags):
    """Runs until ``count`` steps are logged, then sends itself SIGTERM as a cluster would."""
    from cyclegan.train.run import Run

    log = Run.log

    def log_and_stop(run, record):
        log(run, record)
        if record["step"] == count - 1:  # arrives while the next step is under way
            os.kill(os.getpid(), signal.SIGTERM)

    Run.log = log_and_stop
    try:
        assert train(squares, runs, *flags) == 130
    finally:
        Run.log = log


def test_a_run_folder_holds_what_people_look_for(squares, runs, capsys):
    assert train(squares, runs, "--steps", "4", "--sample-every", "2") == 0
    run = runs / "squares"
    names = {p.name for p in run.iterdir()}
    assert {"config.json", "log.jsonl", "curves.png", "checkpoint.pt", "tensorboard", "card.toml"} <= names
    assert {"G_AB.safetensors", "G_BA.safetensors"} <= names
    assert [p.name for p in sorted((run / "samples").iterdir())] == ["step_000002.png", "step_000004.png"]
    assert list((run / "tensorboard").iterdir())
    assert not list(run.rglob("*.part"))
    out = capsys.readouterr().out
    assert "step 1/4" in out and "ETA" in out and "images/s" in out and "cycle_A" in out
    train(squares, runs, "--steps", "4")
    assert "Done" in capsys.readouterr().out  # nothing left to do


def test_the_exported_weights_are_the_averaged_ones(squares, runs):
    from cyclegan.networks.weights import load_weights

    train(squares, runs, "--steps", "3")
    network, header = load_weights(runs / "squares" / "G_AB.safetensors")
    kept = weights(runs)["game"]["G"]["averages"]["G_AB"]
    assert all(torch.equal(value, kept[key]) for key, value in network.state_dict().items())
    assert header["size"] == 32 and header["provenance"]["steps"] == 3


def test_other_settings_in_the_same_folder_are_refused_by_name(squares, runs, capsys):
    train(squares, runs, "--steps", "1")
    before = (runs / "squares" / "config.json").read_text()
    assert train(squares, runs, "--steps", "2", "--lambda-cycle", "3") == 2
    assert "--lambda-cycle 10.0 (now 3.0)" in capsys.readouterr().err
    assert (runs / "squares" / "config.json").read_text() == before
    assert train(squares, runs, "--steps", "2", "--workers", "0") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there are no forks here")
def test_kill_dash_nine_costs_no_more_than_the_work_since_the_checkpoint(squares, runs):
    """At any moment: by another process, while this one trains on."""
    import forking

    log = runs / "squares" / "log.jsonl"
    for kill in range(2):
        child = forking.start(lambda: train(squares, runs, "--steps", "100000", *OFTEN))
        wanted = 5 + 6 * kill
        while os.waitpid(child, os.WNOHANG)[0] == 0 and not (
            log.exists() and len(log.read_text().splitlines()) >= wanted
        ):
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)  # fails where it ended by itself
        os.waitpid(child, 0)
        logged = len(log.read_text().splitlines())
        assert weights(runs)["step"] >= logged - 4
    assert train(squares, runs, "--steps", str(weights(runs)["step"] + 2), *OFTEN) == 0
    steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
    assert steps == list(range(1, len(steps) + 1))


def test_ctrl_c_saves_and_leaves(squares, runs):
    command = [sys.executable, "-m", "cyclegan.train", str(squares), "--runs", str(runs), *SMALL]
    command += ["--steps", "100000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if line.startswith("step 3/"):
            break
    process.send_signal(signal.SIGINT)
    rest = process.communicate()[0]
    assert process.returncode == 130 and "the same command goes on from there" in rest, rest
    assert f"after step {weights(runs)['step']} of" in rest and "Traceback" not in rest


def test_two_trainings_cannot_share_a_folder(squares, tmp_path, capsys):
    from filelock import FileLock

    runs = tmp_path / "runs"
    (runs / "squares").mkdir(parents=True)
    with FileLock(runs / "squares" / ".lock"):
        assert train(squares, runs, "--steps", "1") == 2
    assert "another process is training" in capsys.readouterr().err


def test_a_nan_stops_with_the_step_the_loss_and_the_way_back(squares, runs, capsys):
    """A learning rate that blows up for real, from a checkpoint that was still sound."""
    assert train(squares, runs, "--steps", "2", "--ema", "0") == 0
    config = json.loads((runs / "squares" / "config.json").read_text())
    config["model"]["lr"] = 1e30
    (runs / "squares" / "config.json").write_text(json.dumps(config))
    assert train(squares, runs, "--steps", "40", "--ema", "0", "--lr", "1e30", "--save-every", "1") == 1
    error = capsys.readouterr().err
    assert "became nan at step" in error and "checkpoint of step" in error
    assert all(p.isfinite().all() for p in saved_generator(runs))


def saved_generator(runs):
    return weights(runs)["game"]["G"]["networks"]["G_AB"].values()


def test_a_damaged_checkpoint_is_named(squares, runs, capsys):
    train(squares, runs, "--steps", "1")
    (runs / "squares" / "checkpoint.pt").write_bytes(b"no checkpoint")
    assert train(squares, runs, "--steps", "2") == 2
    assert "checkpoint.pt cannot be read" in capsys.readouterr().err


def test_dry_run_prints_settings_parameters_and_memory_and_writes_nothing(squares, tmp_path, capsys):
    assert main([str(squares), "--runs", str(tmp_path / "runs"), "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert '"lambda_cycle": 10.0' in out and "22,756,358 parameters" in out and "GB" in out
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such-set"], "there is no data set 'no-such-set'"),
        (["horse2zebr"], "horse2zebra"),
        (["nowhere.csv"], "there is no file nowhere.csv"),
        (["data/nowhere.zip"], "there is no file data/nowhere.zip"),  # not asked of Hugging Face, as OWNER/NAME
        (["nowhere/"], "there is no folder nowhere/"),
        (["sketch2emoji", "--size", "30", "--load", "30"], "--size must be"),
    ],
)
def test_wrong_input_gets_one_sentence_and_code_2(arguments, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1
