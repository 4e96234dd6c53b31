"""Large pictures in bounded memory, with the result that the whole picture would have had.

Instance normalisation ties every pixel to the whole picture: tiles that are translated one by one normalise by their
own statistics and come out in different colours. Here all parts share the picture's statistics, exactly.

The network is walked layer by layer, each time over the whole picture in strips. A first pass measures what the first
norm has to know; the next one repeats the first layers, with that norm fixed, and measures for the second; and so on.
The passes do not begin at the picture again and again: feature maps at reduced resolution, where nearly all of the work
is, are kept, in half precision. The result is the untiled one up to that rounding, and without seams, since there are
no tiles to blend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cyclegan.data.pixels import as_signed, levels_
from cyclegan.networks.dropout import NoiseDropout
from cyclegan.networks.generators import Mobile, Residual, ResNet
from cyclegan.networks.unet import UNet, UNetBlock
from cyclegan.translate.strips import FixedNorm, Work, keep, leaves, measure, outputs, settle
from cyclegan.translate.watching import Watch

Finish = Callable[[Tensor, Tensor], Tensor]  # rows of the picture, and what was made of them → rows of the result

EDGE = 640  # pixels each way that are worked on at a time by default
HALO = 4  # rows at a quarter of the resolution by which the first and last layers see beyond a strip; 3 would do
_CACHED = 1 << 21  # values of a strip of 8 MB
_BUDGET = 1 << 26  # pixels × channels of the first layer that go through a network at once: a megapixel at width 64


def budget(network: nn.Module) -> int:
    """Pixels that go through the network at once unless told otherwise; they take about 1 GB of feature maps."""
    inner = _inner(network)
    first = next(layer for layer in inner.modules() if isinstance(layer, nn.Conv2d))
    resolution = first.stride[0] ** 2  # a U-Net's first layer halves height and width
    return min(_BUDGET // first.out_channels * resolution, 1 << 22)


@torch.no_grad()
def translate(network: nn.Module, picture: Tensor, edge: int, watch: Watch | None = None) -> Tensor:
    """(1, C_in, H, W) in [-1, 1] → (1, C_out, H, W), working on about ``edge`` × ``edge`` pixels at a time.

    Levels, uint8 [0, 255], give levels. Height and width are multiples of ``network.multiple``. Besides those pixels'
    feature maps it takes 2 bytes for every value of two maps of the residual blocks (64 bytes a pixel for ``ResNet`` of
    width 64), or of the maps that a U-Net's levels hand across.

    ``watch`` is told the share of the work that is done, some times a second; what it raises ends the work.
    """
    inner = _inner(network)
    walk = _walk_unet if isinstance(inner, UNet) else _walk_frame
    work = Work(watch)
    if watch:  # a small picture tells how much work a pixel is
        side = max(int(inner.multiple), 8 * HALO)
        small = picture.new_zeros(1, picture.shape[1], side, side)
        walk(inner, small, small[0, 0].numel(), work, _as_it_is)
        work = Work(watch, work.done / small[0, 0].numel() * picture[0, 0].numel())
    finish = network.combine if isinstance(network, Residual) else _as_it_is
    return walk(inner, picture, edge * edge, work, finish)


def _inner(network: nn.Module) -> Any:
    return network.network if isinstance(network, Residual) else network


def _as_it_is(_: Tensor, made: Tensor) -> Tensor:
    return made


def _walk_frame(network: ResNet | Mobile, picture: Tensor, pixels: int, work: Work, finish: Finish) -> Tensor:
    """``ResNet`` and ``Mobile``: down to a quarter, residual blocks, and up again."""
    layers = list(network.model)
    first, last = _ends(layers)
    head, tail = [nn.Hardtanh(), *leaves(layers[:first])], leaves(layers[last:])  # Mobile clamps its input
    rows = max(8 * HALO, pixels // picture.shape[3] // 4 * 4)
    trunk = settle(head, (picture,), rows, 4 * HALO, work)
    block: Any
    for block in layers[first:last]:
        _add_block(leaves(block.conv_block), trunk, _rows_of(trunk, rows, network), work)
    measure(tail, (trunk,), rows // 4, HALO, work)
    return _collect(tail, (trunk,), rows // 4, HALO, picture, work, finish)


def _rows_of(trunk: Tensor, rows: int, network: ResNet | Mobile) -> int:
    """How many rows of the trunk are worked on at a time.

    It has a quarter of the width with about four times the channels: as many rows as above take as much memory. But the
    mobile network's blocks compute little for each value that they move, so on a CPU they take half the time where a
    strip stays in its cache.
    """
    if trunk.device.type != "cpu" or not isinstance(network, Mobile):
        return rows
    return max(8, min(rows, _CACHED // (trunk.shape[1] * trunk.shape[3])))


def _ends(layers: list) -> tuple[int, int]:
    """Where the residual blocks begin and end."""
    blocks = [i for i, layer in enumerate(layers) if hasattr(layer, "conv_block")]
    if blocks:
        return blocks[0], blocks[-1] + 1
    downs = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2)]
    return downs[-1] + 3, downs[-1] + 3  # behind that convolution's norm and ReLU


def _add_block(layers: list, trunk: Tensor, rows: int, work: Work) -> None:
    """``trunk`` += layers(trunk), with one more large map, in which the last convolutions' output is kept.

    What would need a third map, since its channels are others than those of the second, is computed again instead.
    """
    source, start = trunk, 0
    for i, layer in enumerate(layers):
        if not isinstance(layer, FixedNorm):
            continue
        kept: Tensor | None = None
        worth = _worth_keeping(layers[start:i])
        for top, strip in outputs(layers[start:i], (source,), rows, 1, work):
            layer.add(strip)
            if source is not trunk:
                kept, worth = source, worth and source.shape[1] == strip.shape[1]  # overwritten
            if worth:
                kept = keep(kept, strip, source, top)
            del strip
        if worth and kept is not None:
            source, start = kept, i
    again = any(isinstance(layer, nn.Conv2d) for layer in layers[start:])
    for top, strip in outputs(layers[start:], (source,), rows, int(again), work):
        trunk[:, :, top : top + strip.shape[2]] += strip
        del strip


def _worth_keeping(layers: list) -> bool:
    """A depthwise convolution is cheaper to repeat than to keep."""
    return any(isinstance(layer, nn.Conv2d) and layer.groups == 1 for layer in layers)


def _walk_unet(network: UNet, picture: Tensor, pixels: int, work: Work, finish: Finish) -> Tensor:
    """``UNet``: each level's map on the way down is kept for the way up."""
    downs, ups, noises = [], [], []
    block: Any = network.model
    while block is not None:
        parts = list(block.model)
        below = next((part for part in parts if isinstance(part, UNetBlock)), None)
        middle = parts.index(below) if below else 2  # innermost: LeakyReLU, convolution | ReLU, convolution, norm
        downs.append(leaves(parts[:middle]))
        ups.append(leaves(parts[middle + 1 if below else middle :]))
        noises.append(next((part for part in parts if isinstance(part, NoiseDropout)), None))
        block = below
    rows = max(16, 2 * pixels // picture.shape[3] // 2 * 2)  # halved width, doubled channels: the same at all levels
    maps: list[Tensor] = []
    for down in downs:
        maps.append(settle(down, (maps[-1] if maps else picture,), rows, 2, work))
    sources: tuple = (maps.pop(),)
    for up, noise in zip(reversed(ups[1:]), reversed(noises[1:]), strict=True):
        made = settle(up, sources, rows, 1, work)
        sources = (maps.pop(), made if noise is None else noise(made))
    return _collect(ups[0], sources, rows // 2, 1, picture, work, finish)


def _collect(layers: list, sources: tuple, rows: int, halo: int, picture: Tensor, work: Work, finish: Finish) -> Tensor:
    """The last layers' output, ``finish``ed beside the picture's rows, whole: in full precision, or in levels."""
    result: Tensor | None = None
    for top, strip in outputs(layers, sources, rows, halo, work):
        beside = picture[:, :, top : top + strip.shape[2]]
        if picture.dtype == torch.uint8:
            strip = levels_(finish(as_signed(beside), strip), 255).byte()
        else:
            strip = finish(beside, strip)
        if result is None:
            result = strip.new_empty(1, strip.shape[1], *picture.shape[2:])
        result[:, :, top : top + strip.shape[2]] = strip
    assert result is not None
    return result
