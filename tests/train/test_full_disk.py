"""A full disk gives one clear sentence and leaves nothing behind; the disks here are real, and small."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mirror import archive

resource = pytest.importorskip("resource")  # POSIX

CHECKOUT = Path(__file__).parents[2]
PATHS = {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])}


def on_a_small_disk(options: str, code: str, *arguments: str) -> dict:
    """Run `code` with its data sets on a real file system of its own; its last line is JSON."""
    script = f'mount -t tmpfs -o {options} none "$DISK" && exec "$0" "$@"'
    for flags in ("-m", "-rm"):
        command = ["unshare", flags, "sh", "-c", script, sys.executable, "-c", code, *arguments]
        if not shutil.which("unshare"):
            break
        disk = Path(os.environ["CYCLEGAN_DATASETS"])
        disk.mkdir(exist_ok=True)
        environment = os.environ | PATHS | {"DISK": str(disk)}
        done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=600)
        if done.returncode == 0:
            return json.loads(done.stdout.splitlines()[-1])
        assert "Traceback" not in done.stderr, done.stderr
    pytest.skip("needs the right to mount a small file system (unshare -m, as root or in a user namespace)")


REPORT = """
import json, os, sys
from pathlib import Path
from cyclegan.system.errors import UserError
from cyclegan.data.datasets import locate
disk = Path(os.environ["DISK"])
def report(*arguments):
    try:
        said = str(locate(*arguments).folder)
    except UserError as error:
        said = str(error)
    print(json.dumps({"said": said, "left": [p.name for p in disk.rglob("*") if p.suffix != ".lock"]}))
"""


def test_too_small_a_disk_is_noticed_before_downloading(root):
    seen = on_a_small_disk("size=1m", REPORT + 'report("horse2zebra")')
    assert "1.0 MB are free" in seen["said"] and "233.7 MB are needed" in seen["said"]
    assert "CYCLEGAN_DATASETS" in seen["said"]
    assert seen["left"] == []


def test_a_disk_that_fills_up_while_downloading(root, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    code = """
from mirror import Mirror, archive, write_card
body, mirror = archive(padding=1_000_000), Mirror()
def fill():
    with open(disk / "somebody else's", "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
write_card(disk, body, [mirror.serve("/tiny.zip", body, halfway=fill)])
report("tiny")
"""
    seen = on_a_small_disk("size=4m", REPORT + code)
    assert "full" in seen["said"] and "CYCLEGAN_DATASETS" in seen["said"]
    assert sorted(seen["left"]) == ["somebody else's", "tiny.toml"]


def test_a_disk_that_fills_up_while_unpacking(root, tmp_path):
    pack = tmp_path / "pack.zip"
    pack.write_bytes(archive(each=10))
    code = REPORT + 'report("pack", sys.argv[1])'
    seen = on_a_small_disk("size=8m,nr_inodes=30", code, str(pack))  # full of files, not of bytes
    assert "full" in seen["said"]
    assert seen["left"] == []


def test_a_checkpoint_that_the_disk_refuses_leaves_the_former_one(squares, tmp_path, capsys):
    """PyTorch raises a RuntimeError then, which must not end in a traceback. A limit on files stands for the disk."""
    from cyclegan.train.__main__ import main

    small = ["--generator", "mobile", "--width", "4", "--width-D", "8", "--blocks", "1", "--size", "32", "--load", "36"]
    flags = [str(squares), "--runs", str(tmp_path / "runs"), *small]
    assert main([*flags, "--steps", "1"]) == 0
    run = tmp_path / "runs" / "squares"
    before = (run / "checkpoint.pt").read_bytes()
    capsys.readouterr()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))  # the checkpoint has some 1.4 MB
    try:
        assert main([*flags, "--steps", "2"]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = capsys.readouterr().err
    assert said == f"cyclegan.train: {run / 'checkpoint.pt'}: File too large; what was saved before is whole\n"
    assert (run / "checkpoint.pt").read_bytes() == before
    assert not list(run.rglob("*.part"))
    assert main([*flags, "--steps", "2"]) == 0


TRAINS = """
import contextlib, io, json, os, shutil, sys
from pathlib import Path
from cyclegan.train.__main__ import main
from painted import paint
disk = Path(os.environ["DISK"])
for side, colour in (("trainA", (220, 30, 30)), ("trainB", (30, 30, 220))):
    paint(disk / "dataset" / side, 2, colour)
flags = [str(disk / "dataset"), "--runs", str(disk), "--name", "run", "--generator", "mobile", "--width", "2"]
flags += ["--blocks", "1", "--discriminator", "pixel", "--size", "32", "--load", "36", "--pool", "0", "--device", "cpu"]
checkpoint = disk / "run" / "checkpoint.pt"
def train(steps):
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
        code = main([*flags, "--steps", str(steps)])
    return code, said.getvalue()
train(1)
before = checkpoint.read_bytes()
seen = []
for left in (0, 8, 60, 200):  # kilobytes: for the settings, for a line of the log, for samples, for the checkpoint
    free = shutil.disk_usage(disk).free - left * 1024
    (disk / "fill").write_bytes(bytes(free))
    code, said = train(3)
    (disk / "fill").unlink()
    seen.append([code, said, checkpoint.read_bytes() == before, len(list(disk.rglob("*.part")))])
code, _ = train(3)
steps = [json.loads(line)["step"] for line in (disk / "run" / "log.jsonl").read_text().splitlines()]
print(json.dumps({"seen": seen, "code": code, "steps": steps}))
"""


def test_a_disk_that_fills_up_while_training(root):
    """Whatever was being written: one sentence with its name, the former checkpoint, and on it goes with more room."""
    told = on_a_small_disk("size=6m", TRAINS)
    files = []
    for code, said, same, parts in told["seen"]:
        assert code == 1 and same and not parts
        assert said.count("\n") == 1 and "No space left on device; what was saved before is whole" in said, said
        files.append(Path(said.split(": ")[1]).name)
    assert "config.json" in files and "checkpoint.pt" in files
    assert told["code"] == 0 and told["steps"] == [1, 2, 3]
