"""A training killed with -9 again and again: all that is on disk loads, the pair is of one step, nothing is lost."""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
from forks import start
from painted import paint

from cyclegan.networks.library import find
from cyclegan.networks.weights import load_weights
from cyclegan.train.__main__ import main
from cyclegan.train.checkpoint import read_checkpoint

STEPS = 60
FLAGS = [
    "--generator",
    "mobile",
    "--width",
    "2",
    "--blocks",
    "1",
    "--discriminator",
    "pixel",
    "--size",
    "32",
    "--pool",
    "2",
]
FLAGS += ["--load", "36", "--log-every", "1", "--save-every", "2", "--sample-every", "29", "--device", "cpu"]
FLAGS += ["--steps", str(STEPS)]


def kills(count: int, seed: int) -> tuple[str, int]:
    """What ``count`` kills did, in words, and how much went wrong."""
    for side, colour in (("trainA", (220, 30, 30)), ("trainB", (30, 30, 220))):
        paint(Path("data") / side, 3, colour)
    undisturbed = _train("undisturbed")
    begun = time.monotonic()
    os.waitpid(undisturbed, 0)
    whole = time.monotonic() - begun
    begun = time.monotonic()
    os.waitpid(_train("undisturbed"), 0)
    start_takes = time.monotonic() - begun
    draw, done, run = random.Random(seed), 0, 0
    found = {"while a file was being written": 0, "runs that went on to the end": 0}
    wrong = {"checkpoints unreadable": 0, "weights unloadable": 0, "pairs of two steps": 0, "ends that differ": 0}
    while done < count:
        name = f"run{run}"
        child = _train(name)
        time.sleep(draw.uniform(0, start_takes + whole / 4))
        if os.waitpid(child, os.WNOHANG)[0]:
            run += 1
            found["runs that went on to the end"] += 1
            wrong["ends that differ"] += not _equal(Path("runs", name))
            continue
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        done += 1
        _look(Path("runs", name), found, wrong)
        if done % 10 == 0:
            print(f"  {done}: {found | wrong}", file=sys.stderr, flush=True)
    os.waitpid(_train(f"run{run}"), 0)
    found["runs that went on to the end"] += 1
    wrong["ends that differ"] += not _equal(Path("runs", f"run{run}"))
    said = ", ".join(f"{number} {what}" for what, number in (found | wrong).items())
    return f"{count} kills, {said}", sum(wrong.values())


def _train(name: str) -> int:
    return start(lambda: main(["data", *FLAGS, "--name", name]))


def _look(run: Path, found: dict[str, int], wrong: dict[str, int]) -> None:
    found["while a file was being written"] += any(run.rglob(".*.part")) or (run / ".new").exists()
    try:
        if (run / "checkpoint.pt").exists():
            read_checkpoint(run / "checkpoint.pt")
    except Exception:
        wrong["checkpoints unreadable"] += 1
    try:
        if (run / "card.toml").exists():
            steps = [load_weights(find(run, reverse).path)[1]["provenance"]["steps"] for reverse in (False, True)]
            wrong["pairs of two steps"] += len(set(steps)) > 1
    except Exception:
        wrong["weights unloadable"] += 1


def _equal(run: Path) -> bool:
    """Whether a run ended as the undisturbed one: the same bits, the same losses, each step once, nothing left over."""
    one, other = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (run, Path("runs/undisturbed")))
    nets = [
        (p["networks"] | p["averages"], q["networks"] | q["averages"]) for p, q in _pairs(one["game"], other["game"])
    ]
    same = all(torch.equal(a[n][k], b[n][k]) for a, b in nets for n in b for k in b[n])
    logs = [[json.loads(line) for line in (folder / "log.jsonl").open()] for folder in (run, Path("runs/undisturbed"))]
    losses = [[(record["step"], record["losses"]) for record in log] for log in logs]
    exported = {load_weights(find(run, reverse).path)[1]["provenance"]["steps"] for reverse in (False, True)}
    return same and losses[0] == losses[1] and exported == {STEPS} and not list(run.rglob(".*.part"))


def _pairs(one: dict, other: dict) -> list[tuple[dict, dict]]:
    return [(one[name], other[name]) for name in other]
