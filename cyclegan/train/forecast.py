"""Memory and time before they are spent: what a step will need, and how long the quick recipe would take here."""

import time
from dataclasses import replace

import torch

from cyclegan.data.source import Source
from cyclegan.models import load_model
from cyclegan.networks.layers import parameter_count
from cyclegan.system.errors import MissingPackage
from cyclegan.system.terminal import clock
from cyclegan.train.build import build_game, prepare
from cyclegan.train.config import Config, config_class
from cyclegan.train.recipes import defaults

DAY = 86400.0


def estimate(config: Config, channels: tuple[int, ...]) -> dict[str, int]:
    """Parameters of the generators and discriminators, and bytes for weights and for one step's activations.

    The step's larger turn, the generators', runs on PyTorch's meta device: shapes only. What autograd keeps for its
    backward pass is summed up, each storage once; workspaces of the libraries come on top.
    """
    size, batch = config.pictures.size, config.training.batch
    game = build_game(config, channels, device="meta")
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage
        return tensor

    pictures = [torch.empty(batch, *shape, device="meta") for shape in game.input_shapes(size, channels)]
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = game.generator_loss(*pictures)  # noqa: F841  (keeps the graph, and with it the storages, alive)
    counts = {name: parameter_count(*player.networks.values()) for name, player in game.players.items()}
    averaged = parameter_count(*(p.networks[name] for p in game.players.values() for name in p.averages))
    parameters = sum(counts.values())
    activations = sum(s.nbytes() for s in kept.values()) - 4 * parameters  # backward needs the weights as well
    # weight, gradient and Adam's two moments; one more copy of the networks that are averaged
    fixed = 4 * (4 * parameters + averaged)
    generators = counts["G"]
    return {
        "generators": generators,
        "discriminators": parameters - generators,
        "weights": fixed,
        "activations": max(0, activations),
    }


def advice(config: Config, source: Source, device: torch.device, seconds_to_go: float) -> list[str]:
    """A line that names ``--recipe quick`` and what it would take here, where this run would take over a day.

    Measures some steps of the other recipe, and leaves the random state as it was.
    """
    has_quick = "quick" in load_model(config.algorithm).recipes
    if not has_quick or config.recipe == "quick" or seconds_to_go < DAY:
        return []
    quick = config_class(config.algorithm)(config.dataset, recipe="quick")
    quick = defaults(quick, lambda _: source.card.get("train", {}))
    quick = replace(quick, training=replace(quick.training, precision=config.training.precision))
    try:
        seconds = (quick.training.steps or 0) * seconds_per_step(quick, source, device)
        took = f"about {clock(seconds)} here"
    except MissingPackage:
        took = 'much less; it needs pip install -e ".[quick]"'
    slow = f"This run would take about {clock(seconds_to_go)} on this machine."
    return [f"{slow} For machines like it there is --recipe quick: {took} ({quick.training.steps} steps)."]


def seconds_per_step(config: Config, source: Source, device: torch.device, steps: int = 3) -> float:
    """The mean time of a training step on random pictures, after one that is not counted."""
    size, start = config.pictures.size, 0.0
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        game = build_game(config, source.channels, source.domains, device, source.augment_D)
        prepare(game, config.training)
        shapes = game.input_shapes(size, source.channels)
        batch = [torch.rand(config.training.batch, *shape, device=device) * 2 - 1 for shape in shapes]
        for i in range(steps + 1):
            losses = game.step(*batch)
            sum(loss.item() for loss in losses.values())  # waits for the device
            if i == 0:
                start = time.monotonic()
    return (time.monotonic() - start) / steps
