"""The training step against a textbook implementation of the same equations.

    python benchmarks/step.py [--size 64] [--rounds 30] [--device cuda --precision bfloat16]

Both start from the same weights and see the same pictures; ``textbook.py`` makes separate passes in float32 and uses
``nn.InstanceNorm2d`` and PyTorch's default Adam. ``tests/models/test_cyclegan.py`` shows that the two compute the same.
Ours is prepared as a training is: on CUDA channels last, TF32 and, where it is asked for, bfloat16.
"""

import copy
from dataclasses import dataclass
from typing import Literal

import torch
import tyro
from machine import describe, finished, interleave, table
from textbook import TextbookCycleGAN
from torch import nn

from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig
from cyclegan.system.devices import choose_device
from cyclegan.train.build import prepare
from cyclegan.train.config import TrainingConfig


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
    device: str = "cpu"
    """cpu, cuda or cuda:1."""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """Of ours; see the training's --precision."""


def with_pytorch_norms(network: nn.Module) -> nn.Module:
    """The same network and weights with PyTorch's instance norm in place of ours, which is a subclass."""
    for layer in network.modules():
        if isinstance(layer, nn.InstanceNorm2d):
            layer.__class__ = nn.InstanceNorm2d
    return network


def main() -> None:
    o = tyro.cli(Options)
    device = choose_device(o.device)
    torch.manual_seed(0)
    model = CycleGAN(CycleGANConfig(width=o.width, blocks=o.blocks, ema=0), size=o.size, device=device)
    networks = (with_pytorch_norms(copy.deepcopy(n)) for n in (model.G_AB, model.G_BA, model.D_A, model.D_B))
    never = (lambda: (False, 0),) * 2
    textbook = TextbookCycleGAN(*networks, never)
    prepare(model, TrainingConfig(precision=o.precision))
    batch = tuple((torch.rand(o.batch, 3, o.size, o.size) * 2 - 1).to(device) for _ in range(2))
    seconds = interleave(
        o.rounds,
        **{
            "textbook": lambda: len(textbook.step(*batch)) and finished(device),
            "cyclegan": lambda: len(model.step(*batch)) and finished(device),
        },
    )
    print(f"CycleGAN step, ResNet-{o.blocks}/{o.width}, {o.size} px, batch {o.batch}; {describe(device)}\n")
    print(table(seconds, "step"))


if __name__ == "__main__":
    main()
