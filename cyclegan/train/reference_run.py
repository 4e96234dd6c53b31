"""A run folder from a checkpoint folder of pytorch-CycleGAN-and-pix2pix or of CUT's program, to go on with here.

    latest_net_G_A.pth, G_B, D_A, D_B    CycleGAN: their G_A leads A → B, and their D_A judges what it makes
    latest_net_G.pth, D, F               pix2pix (no F) and CUT
    train_opt.txt                        the options, see ``reference_options``
    loss_log.txt                         how far it came

Their optimisers are not in it and begin anew, as with ``--continue_train`` there; so do image pools.
"""

import re
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

from torch import nn

from cyclegan.models import load_model
from cyclegan.models.game import Game
from cyclegan.networks.directions import A_TO_B, B_TO_A, Direction
from cyclegan.networks.foreign import read_network
from cyclegan.networks.weights import check_fit
from cyclegan.system.errors import UserError
from cyclegan.system.files import sha256_of
from cyclegan.system.randomness import seed_everything
from cyclegan.train.build import build_game, open_source
from cyclegan.train.init import Weights, fill
from cyclegan.train.init import settings_of as network_settings
from cyclegan.train.recipes import configure
from cyclegan.train.reference_options import Options, model_of, read_options, settings_of
from cyclegan.train.run import Run
from cyclegan.translate.translator import Translator

_FILE = re.compile(r"(\w+)_net_(\w+)\.pth")
_RUNNING = ("running_mean", "running_var", "num_batches_tracked")  # of instance norms, which have none any more
_AT = re.compile(r"\(epoch: (\d+), iters: (\d+)")


def make_run(folder: Path, output: Path, dataset: str | None = None, epoch: str = "latest") -> list[str]:
    """Writes the run folder ``output``; returns lines for the user.

    Args:
        folder: ``checkpoints/NAME``.
        dataset: name or folder of the pictures; by default where they lay for that program (``dataroot``).
        epoch: which of its weights: ``latest``, or the number before ``_net_``.

    Raises ``UserError`` where something is missing, has no counterpart here, or is in the way.
    """
    files = {m[2]: path for path in sorted(folder.iterdir()) if (m := _FILE.fullmatch(path.name)) and m[1] == epoch}
    if not files:
        there = sorted({m[1] for path in folder.iterdir() if (m := _FILE.fullmatch(path.name))})
        raise UserError(f"{folder} holds no weights of epoch {epoch}: --epoch takes {', '.join(there)}")
    if (output / "config.json").exists():
        raise UserError(f"{output} is a run already: give another folder with -o")
    options = read_options(folder)
    model = model_of(options, set(files))
    settings, notes = settings_of(options, model)
    generators = _generators(files, model, options)
    if not options:
        notes.append("no train_opt.txt: the defaults of that program are taken")
    given = dataset or options.get("dataroot")
    if not given:
        raise UserError("--dataset has to say where the pictures are: there is no train_opt.txt that names them")
    architecture = next(iter(generators.values())).translator.header["architecture"]
    settings = _fitting(network_settings(architecture), model) | settings | _dropout(options, architecture)
    config = configure(str(given), lambda _: {}, model=model, name=output.name, runs=output.parent, **settings)
    try:
        source = open_source(config)
    except UserError as error:
        raise error if dataset else UserError(f"{error}; --dataset says where the pictures are now") from error
    seed_everything(config.training.seed)
    game = build_game(config, source.channels, source.domains, augment_D=source.augment_D)
    for direction, weights in generators.items():
        weights.translator.header["domains"] = list(direction.of(source.domains))
        fill(game, direction.name, weights, game.exports()[direction.name][1]["architecture"], config)
    for name, path in _others(files, model, options).items():
        _load(_network(game, name), path)
    done = _epochs_done(folder, epoch, len(source.samples))
    step = max(1, round(done * len(source.samples) / config.training.pictures))
    for player in game.players.values():
        player.moves = step
    with closing(Run(output, config, source.record)) as run:
        theirs = {name: f"{path.name} of {folder.name}, sha256 {sha256_of(path)}" for name, path in files.items()}
        run.origin = {"seen": [], "init": theirs}
        run.save(game, step)
    go_on = f"python -m cyclegan.train --config {output}"
    at = f"{output}: {model}, {done:g} of {config.training.epochs} epochs done, step {step}"
    return [*(f"Not as there: {note}." for note in notes), f"{at}. Go on with: {go_on}"]


def _slots(model: str, options: Options) -> dict[str, Direction]:
    """Their generators → the directions here."""
    there, back = (B_TO_A, A_TO_B) if options.get("direction") == "BtoA" else (A_TO_B, B_TO_A)
    return {"G_A": there, "G_B": back} if model == "cyclegan" else {"G": there}


def _generators(files: dict[str, Path], model: str, options: Options) -> dict[Direction, Weights]:
    drops = not options.get("no_dropout", model != "pix2pix")
    found = {}
    for theirs, direction in _slots(model, options).items():
        path = _file(files, theirs)
        translator = Translator.from_reference(path, device="cpu", direction=direction.name, dropout=drops)
        found[direction] = Weights(str(path), direction, translator, "")
    return found


def _others(files: dict[str, Path], model: str, options: Options) -> dict[str, Path]:
    """The networks here beside the generators → their files. Theirs are named after the generator they judge."""
    if model == "cyclegan":
        slots = _slots(model, options)
        return {f"D_{slots[f'G_{end}'].letters[1]}": _file(files, f"D_{end}") for end in "AB"}
    return {"D": _file(files, "D")} if model == "pix2pix" else {"D_B": _file(files, "D"), "F": _file(files, "F")}


def _file(files: dict[str, Path], name: str) -> Path:
    if name not in files:
        there = next(iter(files.values())).parent
        said = "the folder of a training holds it, and published weights do not: those begin a training with --init"
        raise UserError(f"{there} has no network {name} beside {', '.join(files)}; {said}")
    return files[name]


def _fitting(settings: dict[str, Any], model: str) -> dict[str, Any]:
    """Those settings that the model has."""
    names = {field.name for field in fields(load_model(model).Config)}
    return {name: value for name, value in settings.items() if name in names and name != "palette"}


def _dropout(options: Options, architecture: dict) -> dict[str, Any]:
    """A CycleGAN's U-Net, whose tensors do not tell whether it has dropout."""
    plain = architecture["name"] == "unet" and architecture.get("norm") == "instance"
    return {"dropout": 0.5} if plain and not options.get("no_dropout", True) else {}


def _network(game: Game, name: str) -> nn.Module:
    return next(player.networks[name] for player in game.players.values() if name in player.networks)


def _load(network: nn.Module, path: Path) -> None:
    state = {re.sub(r"^mlp_(\d+)\.", r"heads.\1.", key): tensor for key, tensor in read_network(path).items()}
    expected = network.state_dict()
    old = {key for key in state if key not in expected and key.endswith(_RUNNING)}
    state = {key: tensor for key, tensor in state.items() if key not in old}
    check_fit(state, network, path)
    network.load_state_dict(state)


def _epochs_done(folder: Path, epoch: str, pictures: int) -> float:
    """How many epochs the weights have seen: by their name, else by the log."""
    if epoch.removeprefix("iter_").isdigit():
        number = int(epoch.removeprefix("iter_"))
        return number / pictures if epoch.startswith("iter_") else float(number)
    log = folder / "loss_log.txt"
    seen = _AT.findall(log.read_text(encoding="utf-8", errors="replace")) if log.is_file() else []
    if seen:
        number, iterations = map(int, seen[-1])
        return number - 1 + min(1.0, iterations / pictures)
    numbers = [int(m[1]) for path in folder.iterdir() if (m := _FILE.fullmatch(path.name)) and m[1].isdigit()]
    if not numbers:
        mend = "rename latest_net_… to EPOCH_net_… and give --epoch EPOCH"
        raise UserError(f"{folder} has no loss_log.txt to say how far it came: {mend}")
    return float(max(numbers))
