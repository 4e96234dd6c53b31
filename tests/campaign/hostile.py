"""Headers, cards and run folders from strangers, with values that nobody would write."""

import json
import random
import shutil
import time
from functools import partial
from pathlib import Path

import tomli_w
import torch
from forks import counted, outcome, so_far
from kills import FLAGS
from painted import paint
from safetensors.torch import save_file

from cyclegan.networks.build import build_generator
from cyclegan.networks.library import find
from cyclegan.networks.weights import load_weights
from cyclegan.page import choices, run_reader
from cyclegan.system.errors import UserError
from cyclegan.train.__main__ import main

ARCHITECTURE = {"name": "mobile", "width": 2, "blocks": 1, "in_channels": 3, "out_channels": 3, "norm": "instance"}
HEADER = {"format": 1, "kind": "translator", "architecture": ARCHITECTURE, "domains": ["a", "b"], "size": 32}
HEADER |= {"preprocessing": {"range": [-1, 1], "channels": [3, 3]}, "provenance": {"steps": 3, "seen": [], "ema": 0.5}}
CARD = {"name": "x", "title": "x", "domains": ["a", "b"], "G_AB": {"file": "G_AB.safetensors"}}
CARD |= {"training": {"steps": 2, "dataset": "x"}, "metrics": {}}
VALUES = [
    None,
    True,
    -1,
    0,
    1,
    7,
    10**6,
    10**30,
    10**300,
    0.5,
    -1e308,
    float("nan"),
    float("inf"),
    "",
    "text",
    "../../etc",
]
VALUES += ["x" * 10**5, "\0", [], [1] * 1000, [[[[]]]], ["a", 5], {}, {"a": {"b": {}}}, {"": None}, "é\ud7ff"]


def hostile_files(count: int, seed: int) -> tuple[str, int]:
    """What came of ``count`` files, in words, and how many went wrong."""
    for side, colour in (("trainA", (220, 30, 30)), ("trainB", (30, 30, 220))):
        paint(Path("data") / side, 3, colour)
    assert outcome(lambda: str(_train(2))) == "0"
    Path("runs/run").rename("good")
    weights = build_generator(ARCHITECTURE).state_dict()
    outcomes, slowest = [], 0.0
    for i in range(count):
        draw = random.Random(f"{seed} {i}")
        attack = (_header, _card, _run, _run)[i % 4]
        shutil.rmtree("runs", ignore_errors=True)
        shutil.copytree("good", "runs/run")
        begun = time.monotonic()
        outcomes.append(outcome(partial(attack, draw, weights)))
        slowest = max(slowest, time.monotonic() - begun)
        so_far(outcomes)
        if outcomes[-1] in ("crash", "hang"):
            print(f"  file {i}, {attack.__name__[1:]}: {outcomes[-1]}", flush=True)
    return f"{counted(outcomes)}; the slowest took {slowest:.1f} s", outcomes.count("crash") + outcomes.count("hang")


def _header(draw: random.Random, weights: dict) -> str:
    text = json.dumps(_spoilt(HEADER, draw))
    text = text if draw.random() < 0.8 else text[: draw.randrange(len(text))]
    save_file(weights, "runs/run/G_AB.safetensors", {"cyclegan": text})
    choices.choices()
    return _told(lambda: load_weights("runs/run/G_AB.safetensors"))


def _card(draw: random.Random, weights: dict) -> str:
    try:
        text = tomli_w.dumps(_spoilt(CARD, draw))
    except (TypeError, ValueError, AttributeError):  # TOML has no null
        text = "x = " + "[" * draw.choice((3, 10**5))
    Path("runs/run/card.toml").write_text(text, encoding="utf-8", errors="replace")
    choices.choices()
    return _told(lambda: find("runs/run/card.toml"))


def _run(draw: random.Random, weights: dict) -> str:
    run = Path("runs/run")
    name = draw.choice(("config.json", "data.json", "log.jsonl", "checkpoint.pt", "checkpoint.pt"))
    if name == "checkpoint.pt" and draw.random() < 0.7:
        torch.save(_spoilt(torch.load(run / name, weights_only=True), draw), run / name)
    elif name == "log.jsonl":
        lines = [json.loads(line) for line in (run / name).read_text().splitlines()]
        (run / name).write_text("\n".join(json.dumps(_spoilt(line, draw)) for line in lines))
    elif name.endswith("json") and draw.random() < 0.7:
        (run / name).write_text(json.dumps(_spoilt(json.loads((run / name).read_text()), draw)))
    else:
        data = bytearray((run / name).read_bytes())
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        (run / name).write_bytes(data)
    choices.choices()
    for folder in choices.run_folders():
        run_reader.state(folder)
        run_reader.curves(folder)
    code = _train(3)
    assert code in (0, 2), code
    return "used" if code == 0 else "refused in a sentence"


def _train(steps: int) -> int:
    return main(["data", *FLAGS, "--steps", str(steps), "--name", "run"])


def _spoilt(value, draw: random.Random):
    """``value`` with one of its entries, at any depth, replaced, removed or renamed."""
    if isinstance(value, (dict, list)) and value and draw.random() < 0.9:
        key = draw.choice(list(value) if isinstance(value, dict) else range(len(value)))
        changed = value.copy()
        kind = draw.random()
        if kind < 0.1:
            changed.pop(key)
        elif kind < 0.15 and isinstance(value, dict):
            changed["other"] = changed.pop(key)
        else:
            changed[key] = _spoilt(value[key], draw)
        return changed
    return draw.choice(VALUES)


def _told(work) -> str:
    try:
        work()
        return "used"
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000, error
        return "refused in a sentence"
