"""A batch of pictures through a generator: at the size that was asked for, whole or in strips.

Batches are float (N, C, H, W) in [-1, 1], or uint8 levels [0, 255], which are scaled where the network takes them: so a
large picture never takes more memory than its file says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from cyclegan.data.pixels import as_signed, levels_
from cyclegan.networks.generators import Residual
from cyclegan.system.errors import ImageError
from cyclegan.translate import large
from cyclegan.translate.kinds import LARGEST
from cyclegan.translate.sizes import grouped, pad_to_multiple, padded_size, scaled
from cyclegan.translate.watching import Watch, part_of, watched

ROWS = 64  # of a picture that is changed at a time: they stay in the processor's cache


def each(
    network: Any,
    device: torch.device,
    pictures: Sequence[Tensor],
    size: int | None,
    tile: int | None,
    watch: Watch | None,
) -> Iterator[tuple[int, Tensor]]:
    """Pictures (C_in, H, W) of any sizes, those of one size together: their numbers with (C_out, H, W), in any order.

    The rest is as for ``translated``.
    """
    # On a CPU a batch is slower than its pictures one by one, whose feature maps fit into the cache.
    budget = large.budget(network) if device.type != "cpu" else 0
    done = 0
    for group in grouped([picture.shape for picture in pictures], budget):
        batch = torch.stack([pictures[i] for i in group]) if len(group) > 1 else pictures[group[0]][None]
        of_all = part_of(watch, done, len(group), len(pictures))
        yield from zip(group, translated(network, device, batch, size, tile, of_all), strict=True)
        done += len(group)


def translated(
    network: Any, device: torch.device, batch: Tensor, size: int | None, tile: int | None, watch: Watch | None
) -> Tensor:
    """(N, C_in, H, W) → (N, C_out, H, W) on the device that ``batch`` is on; ``size`` … are those of ``Translator``.

    Levels may come out of levels, and float in [-1, 1] may. Raises ``ImageError``.
    """
    own = batch.shape[-2:]
    if size is not None and size < 1:
        raise ImageError(f"size is a number of pixels, not {size}")
    if size is None or size >= min(own):
        return _bounded(network, device, batch, tile, watch)
    seen = scaled(as_signed(batch), [max(1, round(side * size / min(own))) for side in own])
    if isinstance(network, Residual):
        return _changed(network, batch, _bounded(network.network, device, seen, tile, watch))
    return scaled(_bounded(network, device, seen, tile, watch), own)


def _changed(network: Residual, batch: Tensor, change: Tensor) -> Tensor:
    """(N, C_in, H, W) → (N, C_out, H, W) by the gain and offset of smaller pictures, ``change``: levels give levels.

    Gain and offset are scaled up instead of the result, so the picture's own detail stays: Gharbi et al. 2017, "Deep
    Bilateral Learning for Real-Time Image Enhancement", section 3, do so with the coefficients of an affine map.
    """
    channels = change.shape[1] // 2
    levels = batch.dtype == torch.uint8
    shape = (len(batch), channels, *batch.shape[2:])
    result = torch.empty(shape, dtype=batch.dtype if levels else torch.float32, device=batch.device)
    for i in range(channels):  # one by one, since of a large picture they take much memory
        x = batch[:, i : i + 1] if channels == batch.shape[1] else batch
        grown = scaled(change[:, [i, channels + i]], batch.shape[2:])
        parts = (whole.split(ROWS, 2) for whole in (x, grown, result[:, i : i + 1]))
        for rows, how, into in zip(*parts, strict=True):
            made = network.combine(as_signed(rows), how)
            into.copy_(levels_(made, 255) if levels else made)
    return result


def at_once(network: Any, device: torch.device, batch: Tensor) -> Tensor:
    """(N, C_in, H, W) → float (N, C_out, H, W) on the device that ``batch`` is on; padded and cropped as needed."""
    height, width = batch.shape[-2:]
    with torch.no_grad():
        padded = pad_to_multiple(as_signed(batch, device), network.multiple)
        return network(padded)[..., :height, :width].contiguous().to(batch.device)


def _bounded(network: Any, device: torch.device, batch: Tensor, tile: int | None, watch: Watch | None) -> Tensor:
    """The whole picture at once, or in strips where it is too large for that or ``tile`` says so."""
    height, width = batch.shape[-2:]
    seen = max(height * width, prod(padded_size((height, width), network.multiple)) // 2)
    if seen > LARGEST:
        fits = int(min(height, width) * (LARGEST / seen) ** 0.5)
        said = f"{width} × {height} pixels are more than the {LARGEST // 10**6} million that are worked on at once"
        raise ImageError(f"{said}: size={max(1, fits)} (--size {max(1, fits)}) lets the network see fewer")
    if tile == 0 or (tile is None and height * width <= large.budget(network)):
        with watched(network, watch):
            return at_once(network, device, batch)
    edge = tile or large.EDGE
    results = [
        large.translate(
            network, pad_to_multiple(one.to(device), network.multiple), edge, part_of(watch, i, 1, len(batch))
        )
        for i, one in enumerate(batch.split(1))
    ]
    return (torch.cat(results) if len(results) > 1 else results[0])[..., :height, :width].to(batch.device)
