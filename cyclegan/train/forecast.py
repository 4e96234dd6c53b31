"""How long the quick recipe would take on this machine: said where a run of the paper's takes longer than a day."""

import time

import torch

from cyclegan.data.augment import DiscriminatorAugment
from cyclegan.models.cyclegan import CycleGAN
from cyclegan.networks.backbones import BackboneError
from cyclegan.train.config import Config
from cyclegan.train.console import clock
from cyclegan.train.recipes import RECIPES, of_card, with_defaults

DAY = 86400.0


def advice(config: Config, card: dict, device: torch.device, seconds_to_go: float) -> list[str]:
    """A line that names ``--recipe quick`` and what it would take here, where this run would take over a day.

    ``card`` is the data set's. Measures some steps of the other recipe, and leaves the random state as it was.
    """
    if config.recipe != "paper" or seconds_to_go < DAY:
        return []
    quick = with_defaults(Config(config.dataset), RECIPES["quick"] | of_card(card.get("train", {}), "quick"))
    try:
        seconds = quick.training.steps * seconds_per_step(quick, card.get("channels", (3, 3)), device)
        took = f"about {clock(seconds)} here"
    except BackboneError:
        took = 'much less; it needs pip install -e ".[quick]"'
    slow = f"This run would take about {clock(seconds_to_go)} on this machine."
    return [f"{slow} For machines like it there is --recipe quick: {took} ({quick.training.steps} steps)."]


def seconds_per_step(config: Config, channels: tuple[int, int], device: torch.device, steps: int = 3) -> float:
    """The mean time of a training step on random pictures, after one that is not counted."""
    training, size = config.training, config.pictures.size
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        augment_D = DiscriminatorAugment() if config.pictures.diffaug else None
        game = CycleGAN(config.model, size, tuple(channels), device=device, augment_D=augment_D)
        batch = [torch.rand(training.batch, c, size, size, device=device) * 2 - 1 for c in channels]
        for i in range(steps + 1):
            losses = game.step(*batch)
            sum(losses.values()).item()  # waits for the device
            if i == 0:
                start = time.monotonic()
    return (time.monotonic() - start) / steps
