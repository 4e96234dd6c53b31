"""Dropout that stays on after training: the noise of pix2pix (Isola et al. 2017, section 3.2)."""

import copy
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_PRIME = 2**31 - 1  # whole numbers below it multiply within 64 bits


class NoiseDropout(nn.Dropout):
    """Dropout whose mask is drawn anew in every training step, and follows from ``seed`` afterwards.

    A translator so gives the same picture for the same seed, on every device, in ONNX, in a batch or alone, whole or in
    parts: the mask is computed from the place (channel, row, column), ``seed`` and ``number``, which tells the layers
    of a network apart.
    """

    def __init__(self, p: float = 0.5, number: int = 0):
        super().__init__(p)
        self.number, self.seed = number, 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return F.dropout(x, self.p, True)
        return x * self.mask(x)

    def mask(self, x: Tensor) -> Tensor:
        """What the features of every picture in ``x`` (N, C, H, W) are multiplied by, 0 or 1 / (1 - p): (C, H, W)."""
        n = torch.full((1, 1, 1), (self.seed * 1_000_003 + self.number) % _PRIME, device=x.device)
        for axis in (1, 2, 3):
            places = torch.arange(x.shape[axis], device=x.device)
            n = _mixed(_mixed(n + places.view([-1 if i == axis else 1 for i in (1, 2, 3)])) + axis)
        return (n >= round(self.p * _PRIME)).to(x.dtype) / (1 - self.p)


def _mixed(n: Tensor) -> Tensor:
    """n⁵ modulo the prime: a permutation, since 5 does not divide the prime less one; neighbours land far apart."""
    square = n * n % _PRIME
    return square * square % _PRIME * n % _PRIME


def seed_of(network: nn.Module) -> int | None:
    """The seed that the network's noise follows from; None where it has no noise."""
    return next((layer.seed for layer in network.modules() if isinstance(layer, NoiseDropout) and layer.p > 0), None)


def with_seed(network: nn.Module, seed: int) -> nn.Module:
    """A copy of the network whose noise follows from ``seed``; it shares the weights."""
    shared = {id(tensor): tensor for tensor in chain(network.parameters(), network.buffers())}
    copied = copy.deepcopy(network, shared)
    for layer in copied.modules():
        if isinstance(layer, NoiseDropout):
            layer.seed = seed
    return copied
