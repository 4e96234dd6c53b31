"""Heights and widths: what a network can divide, pictures scaled to what it should see, and pictures of equal size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

SMALLEST = 16  # pixels of both sides; below that the feature maps between the norms have too few values to normalise
THINNEST, LONG = 8, 1024  # pixels of one side where the other is long: half the work, and values enough


def pad_to_multiple(batch: Tensor, multiple: int) -> Tensor:
    """(N, C, H, W) with height and width rounded up to ``multiple``, and to at least so many pixels, by reflection.

    Reflection needs a side that is longer than what is added; shorter ones repeat their last row or column.
    """
    for dimension, padded in zip((2, 3), padded_size(batch.shape[2:], multiple), strict=True):
        side = batch.shape[dimension]
        if extra := padded - side:
            if extra < side:
                tail = batch.narrow(dimension, side - 1 - extra, extra).flip(dimension)
            else:
                tail = batch.narrow(dimension, side - 1, 1).repeat_interleave(extra, dimension)
            batch = torch.cat([batch, tail], dimension)  # F.pad reflects no levels
    return batch


def padded_size(size: Sequence[int], multiple: int) -> list[int]:
    """Height and width as the network sees them, see ``pad_to_multiple``."""
    least = THINNEST if max(size) >= LONG else SMALLEST
    return [-(-max(side, least) // multiple) * multiple for side in size]


def scaled(batch: Tensor, size: Sequence[int]) -> Tensor:
    """(N, C, H, W) in [-1, 1] at another height and width: bicubic, without aliasing."""
    return F.interpolate(batch, tuple(size), mode="bicubic", antialias=True).clamp_(-1, 1)


def grouped(shapes: list, budget: int) -> list[list[int]]:
    """Indices of pictures of equal shape, in groups of at most ``budget`` pixels (or of one)."""
    groups: list[list[int]] = []
    latest: dict = {}
    for i, shape in enumerate(shapes):
        group = latest.get(shape)
        if group is None or (len(group) + 1) * shape[1] * shape[2] > budget:
            latest[shape] = group = []
            groups.append(group)
        group.append(i)
    return groups
