"""The training step against a textbook implementation of the same equations.

    python benchmarks/step.py [--size 64] [--rounds 30]

Both start from the same weights and see the same pictures; ``textbook.py`` makes separate passes and uses
``nn.InstanceNorm2d`` and PyTorch's default Adam. ``tests/test_model.py`` shows that the two compute the same.
"""

import copy
from dataclasses import dataclass

import torch
import tyro
from machine import describe, interleave, table
from textbook import TextbookCycleGAN
from torch import nn

from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig


@dataclass(frozen=True)
class Options:
    """Compare one CycleGAN step with the textbook's, in turns."""

    size: int = 64
    """Pixels a side."""
    width: int = 32
    """Channels of the generator's first layer."""
    blocks: int = 6
    """Residual blocks."""
    batch: int = 1
    """Pictures a domain."""
    rounds: int = 30
    """How many steps of each to time."""


def with_pytorch_norms(network: nn.Module) -> nn.Module:
    """The same network and weights with PyTorch's instance norm in place of ours, which is a subclass."""
    for layer in network.modules():
        if isinstance(layer, nn.InstanceNorm2d):
            layer.__class__ = nn.InstanceNorm2d
    return network


def main() -> None:
    o = tyro.cli(Options)
    torch.manual_seed(0)
    model = CycleGAN(CycleGANConfig(width=o.width, blocks=o.blocks, ema=0), size=o.size)
    networks = (with_pytorch_norms(copy.deepcopy(n)) for n in (model.G_AB, model.G_BA, model.D_A, model.D_B))
    never = (lambda: (False, 0),) * 2
    textbook = TextbookCycleGAN(*networks, never)
    batch = tuple(torch.rand(o.batch, 3, o.size, o.size) * 2 - 1 for _ in range(2))
    seconds = interleave(
        o.rounds,
        **{
            "textbook": lambda: len(textbook.step(*batch)) and 1,
            "cyclegan": lambda: len(model.step(*batch)) and 1,
        },
    )
    print(f"CycleGAN step, ResNet-{o.blocks}/{o.width}, {o.size} px, batch {o.batch}; {describe()}\n")
    print(table(seconds, "step"))


if __name__ == "__main__":
    main()
