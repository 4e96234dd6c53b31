"""Fine-tuning: a training that begins with the weights of a translator instead of random ones (``--init``).

The generators begin as those that ``--init`` names, and the networks that judged them in a run folder go on as they
are. Discriminators that begin anew would teach good generators nonsense, so they first move alone for a while.
"""

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cyclegan.evaluate.entries import load_translators
from cyclegan.models import load_model
from cyclegan.models.game import Game
from cyclegan.networks import library
from cyclegan.networks.build import completed
from cyclegan.networks.directions import DIRECTIONS, Direction
from cyclegan.networks.generators import GENERATORS
from cyclegan.networks.weights import check_fit
from cyclegan.system.errors import UserError
from cyclegan.system.records import run_settings
from cyclegan.train.checkpoint import read_checkpoint
from cyclegan.train.config import Config
from cyclegan.translate.translator import Translator

ARCHITECTURE = {"residual", "palette", *(name for g in GENERATORS.values() for name in inspect.signature(g).parameters)}
SETTINGS = {"generator", *ARCHITECTURE}  # of a model: what the weights decide, where it has such a setting


@dataclass(frozen=True)
class Weights:
    """One generator to begin with."""

    given: str  # by which name, folder or file
    own: Direction  # in its own pair
    translator: Translator
    sha256: str

    @property
    def said(self) -> str:
        """What it is, for people; paths stay on this machine."""
        path = Path(self.given).expanduser()
        return f"{' → '.join(self.translator.domains)} of {path.resolve().name if path.exists() else self.given}"

    def judge_beside(self) -> Path | None:
        """The checkpoint of the run folder that it lies in, which holds its discriminator."""
        folder = library.find(self.given, self.own.reverse).path.parent
        checkpoint = folder.parent / "best.pt" if folder.name == "best" else folder / "checkpoint.pt"
        return checkpoint if checkpoint.is_file() else None


def network_settings(config: Config) -> dict[str, Any]:
    """The model's settings that follow from the weights ``config`` begins with, by name.

    A run that has begun keeps those it has, whatever became of the weights since. Raises ``UserError``.
    """
    if load_model(config.algorithm).kind != "translator":
        raise UserError(f"--init begins a translator, and --model {config.algorithm} makes pictures from noise")
    has = {field.name for field in fields(config.model)} & SETTINGS
    begun = _begun(config)
    if begun:
        return {name: value for name, value in begun["model"].items() if name in has}
    weights = found(config.training.beginnings)
    settings = settings_of(weights[0].translator.header["architecture"])
    painted = [w.own.letters[1] for w in weights if w.translator.palettes is not None]
    settings["palette"] = "both" if len(painted) == 2 else painted[0] if painted else None
    return {name: settings[name] for name in has if name in settings and (name != "palette" or painted)}


def settings_of(architecture: dict) -> dict[str, Any]:
    """A generator's architecture as settings of the models, whether or not they have them all."""
    full = completed(architecture)
    return full | {"generator": full["name"], "dropout": full.get("dropout") or 0.0}


def _begun(config: Config) -> dict[str, Any]:
    """The settings of the run that ``config`` goes on with; {} where it begins, or began with other weights."""
    path = Path(config.dataset).expanduser()
    folder = config.runs / config.run_name(path.stem if path.is_file() else path.resolve().name)
    settings = run_settings(folder) if (folder / "checkpoint.pt").exists() else {}
    before = settings.get("training", {})
    now = config.training
    return settings if (before.get("init"), before.get("init_back")) == (now.init, now.init_back) else {}


def found(given: Iterable[str]) -> list[Weights]:
    """All generators that names, run folders or files hold, in order. Raises ``UserError``."""
    weights = []
    for name in given:
        loaded = load_translators(name, DIRECTIONS, torch.device("cpu"))
        if not loaded:
            raise UserError(f"--init {name} is a folder of pictures and holds no weights")
        weights += [Weights(name, d, t, facts["sha256"]) for d, (t, facts) in loaded.items()]
    return weights


def begin(game: Game, config: Config, steps: int) -> tuple[dict[str, Any], list[str]]:
    """Puts the weights that ``config`` names into a new game of ``steps`` steps, and their averages and judges too.

    Returns what the run keeps of it (``seen``: the feature networks that judged those weights, ``init``: what each
    network began as), and lines for the user. Raises ``UserError`` where the weights do not fit the game.
    """
    headers = {name: header for name, (_, header) in game.exports().items()}
    slots = {d: tuple(headers[d.name]["domains"]) for d in DIRECTIONS if d.name in headers}
    placed, by_name = assign(found(config.training.beginnings), slots, config.algorithm)
    judges: dict[str, str] = {}
    for slot, weights in placed.items():
        fill(game, slot.name, weights, headers[slot.name]["architecture"], config)
        judges |= _take_judges(game, slot, weights, config)
    origin = {slot.name: f"{w.said}, sha256 {w.sha256}" for slot, w in placed.items()} | judges
    said = [f"{slot.name} ({' → '.join(slots[slot])}) begins as {w.said}" for slot, w in placed.items()]
    note = "; ".join(said) + ("." if by_name else ", by its place, as its domains have other names.")
    notes = [note] + [f"{name} goes on as {of}." for name, of in judges.items()]
    new = [name for name in game.players["D"].networks if name not in judges]
    waits = min(config.training.catch_up, steps // 2) if new else 0
    game.players["G"].waits = waits
    if waits:
        notes.append(f"{' and '.join(new)} begin{'s' * (len(new) == 1)} anew: for {waits} steps nothing else moves.")
        origin["catch_up"] = str(waits)
    seen = {name for w in placed.values() for name in w.translator.header["provenance"].get("seen", [])}
    return {"seen": sorted(seen), "init": origin}, notes


def assign(
    weights: Sequence[Weights], slots: dict[Direction, tuple[str, ...]], model: str
) -> tuple[dict[Direction, Weights], bool]:
    """Which generator of the game begins as which weights, and whether names of domains said so.

    ``slots`` are the directions of the game with their (source, target). Where the names say nothing, weights keep the
    direction of their own pair, and of two single ones the second takes the way back. Raises ``UserError``.
    """
    placed: dict[Direction, Weights] = {}
    by_name = True
    for one in weights:
        scores = {d: sum(map(_alike, one.translator.domains, names)) for d, names in _both_ways(slots).items()}
        named = scores[one.own] != scores[one.own.back]
        slot = max(scores, key=lambda d: scores[d]) if named else one.own
        if slot in placed and not named:
            slot = slot.back
        if slot in placed:
            raise UserError(f"--init was given {placed[slot].said} and {one.said} for one and the same direction")
        by_name &= named
        placed[slot] = one
    placed = {slot: one for slot, one in placed.items() if slot in slots}
    if not placed:
        said, wanted = " and ".join(one.said for one in weights), " → ".join(next(iter(slots.values())))
        raise UserError(f"--model {model} trains {wanted} only, and --init has only the way back: {said}")
    return placed, by_name


def _both_ways(slots: dict[Direction, tuple[str, ...]]) -> dict[Direction, tuple[str, ...]]:
    return {d: slots.get(d) or slots[d.back][::-1] for d in DIRECTIONS}


def _alike(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def fill(game: Game, name: str, weights: Weights, architecture: dict, config: Config) -> None:
    """Copies weights into the generator ``name`` and its average; raises ``UserError`` where they do not fit."""
    theirs = weights.translator
    _require_same_build(weights, name, completed(theirs.header["architecture"]), completed(architecture), config)
    player = next(player for player in game.players.values() if name in player.networks)
    network = player.networks[name]
    state = theirs.network.state_dict()
    if architecture.get("palette") and theirs.palettes is None:  # what a palette needs is new and begins at zero
        own = {key: value for key, value in network.state_dict().items() if key.endswith(".film")}
        state = own | {f"network.{key}": value for key, value in state.items()}
    check_fit(state, network, weights.said)
    for module in (network, player.averages[name].module) if name in player.averages else (network,):
        module.load_state_dict(state)


def _require_same_build(weights: Weights, name: str, theirs: dict, ours: dict, config: Config) -> None:
    ends = [(a["in_channels"], a["out_channels"]) for a in (theirs, ours)]
    if ends[0] != ends[1]:
        counts = " and ".join(f"{a} channels to {b}" for a, b in ends)
        raise UserError(f"{weights.said} cannot become {name}: they translate pictures of {counts}")
    if theirs["palette"] and not ours["palette"]:
        painted = {"G_AB": "B", "G_BA": "A"}[name]
        has = any(field.name == "palette" for field in fields(config.model))
        mend = f"give --palette {painted}" if has else f"--model {config.algorithm} has no --palette"
        raise UserError(f"{weights.said} is told which colours to use: {mend}")
    if ours["name"] != "resnet":  # nothing but the training hangs on it there
        theirs, ours = ({key: value for key, value in a.items() if key != "dropout"} for a in (theirs, ours))
    else:
        theirs, ours = ({**a, "dropout": bool(a["dropout"])} for a in (theirs, ours))
    other = [key for key in theirs if key != "palette" and theirs[key] != ours.get(key)]
    if not other:
        return
    if "name" in other:
        other = ["name"]
    flags = {"name" if field.name == "generator" else field.name for field in fields(config.model)}
    if "levels" in other:
        mend = f"--size {2 ** theirs['levels']} fits it"
    elif set(other) <= flags:
        mend = "leave out the flags that say otherwise"
    else:
        mend = f"--model {config.algorithm} trains no such network"
    differing = ", ".join(f"{key.replace('name', 'generator')} {theirs[key]} (here {ours.get(key)})" for key in other)
    raise UserError(f"{weights.said} is another network than {name} here: {differing}; {mend}")


def _take_judges(game: Game, slot: Direction, weights: Weights, config: Config) -> dict[str, str]:
    """Copies what trained beside ``weights`` in their run, where this game has the like of it; name → what it was.

    That is the discriminator of the target domain, or pix2pix's of pairs, and the heads of CUT.
    """
    path = weights.judge_beside()
    if path is None:
        return {}
    begun = run_settings(path.parent).get("model", {})
    if begun.get("adversarial") != getattr(config.model, "adversarial", None):
        return {}  # scores that mean something else
    players = read_checkpoint(path, "copy the weights to another folder to begin without it")["game"].values()
    there = [player["networks"] for player in players if isinstance(player, dict) and "networks" in player]
    taken = {}
    for ours, theirs in ((f"D_{slot.letters[1]}", f"D_{weights.own.letters[1]}"), ("D", "D"), ("F", "F")):
        kept = next((networks[theirs] for networks in there if theirs in networks), None)
        network = next((p.networks[ours] for p in game.players.values() if ours in p.networks), None)
        if network is not None and kept is not None and _fits(kept, network):
            network.load_state_dict(kept)
            taken[ours] = f"{theirs} of {weights.said.split(' of ')[-1]}"
    return taken


def _fits(state: dict[str, Any], network: nn.Module) -> bool:
    shapes = {key: tensor.shape for key, tensor in network.state_dict().items()}
    return shapes == {key: tensor.shape for key, tensor in state.items() if isinstance(tensor, Tensor)}
