"""Layers applied to a feature map strip by strip, with instance norms that all strips share.

``large`` is built of this: a map of any size is only ever read and written some rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cyclegan.data.pixels import as_signed
from cyclegan.networks.antialias import BlurDown, BlurUp
from cyclegan.networks.layers import BatchStatisticsNorm
from cyclegan.translate.watching import CONVOLUTIONS, Watch

KEPT = torch.float16  # what whole feature maps are kept in: half the memory of what they are computed in


class Work:
    """How much of a walk over a picture is done, in multiplications of its convolutions.

    ``total`` is what the whole walk takes, and ``watch`` is told the share after every convolution of a strip.
    """

    def __init__(self, watch: Watch | None = None, total: float = 0.0):
        self.watch, self.total, self.done = watch, total, 0.0

    def add(self, layer: nn.Module, output: Tensor, share: float) -> None:
        """A layer has been applied; ``share`` of its rows are wanted, and the rest is what a strip sees beyond."""
        if isinstance(layer, CONVOLUTIONS):
            weight: Any = layer.weight
            self.done += weight.numel() * output.shape[2] * output.shape[3] * share
            if self.watch and self.total:
                self.watch(min(1.0, self.done / self.total))


class FixedNorm(nn.Module):
    """An instance norm whose statistics are measured first, strip by strip, and then hold for every strip.

    Where a network has no norm (``nn.Identity``), it only marks the place between two convolutions.
    """

    def __init__(self, norm: nn.Module):
        super().__init__()
        self.norm: Any = norm
        self.count = 0
        self.mean = self.var = torch.zeros((), dtype=torch.float64)

    def add(self, x: Tensor) -> None:
        """Takes in (1, C, h, w); merges means and variances as Chan et al. 1979 do, which does not cancel."""
        if isinstance(self.norm, nn.Identity):
            return
        count = x[0, 0].numel()
        var, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        var, mean = var.double(), mean.double()
        share = count / (self.count + count)
        shift = mean - self.mean
        self.mean = self.mean + shift * share
        self.var = self.var * (1 - share) + var * share + shift.square() * share * (1 - share)
        self.count += count

    def forward(self, x: Tensor) -> Tensor:
        if isinstance(self.norm, nn.Identity):
            return x
        mean, var = self.mean.to(x.dtype), self.var.to(x.dtype)
        if hasattr(self.norm, "statistics"):  # those of a clip, see ``steady``
            mean, var = (s.to(x.dtype) for s in self.norm.statistics(mean, var))
        return F.batch_norm(x, mean, var, self.norm.weight, self.norm.bias, False, 0.0, self.norm.eps)


def leaves(layers: Iterable[nn.Module]) -> list[nn.Module]:
    """The leaves of ``layers`` in order, with every norm replaced by one that can be fixed, without dropout."""
    found: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, (nn.InstanceNorm2d, BatchStatisticsNorm, nn.Identity)):
            found.append(FixedNorm(layer))
        elif isinstance(layer, nn.Dropout):
            continue
        elif any(True for _ in layer.children()):
            found += leaves(layer.children())
        else:
            found.append(layer)
    return found


def outputs(layers: list, sources: Sequence[Tensor], rows: int, halo: int, work: Work) -> Iterator[tuple[int, Tensor]]:
    """(first row, output rows) of the layers applied to ``sources``, joined along the channels, strip by strip.

    Sources are float, or uint8 levels. ``rows`` and ``halo`` count rows of the sources, and are multiples of what the
    layers divide by. Each strip is computed with ``halo`` rows more on both sides, which are cropped off again: what
    the layers' own padding makes of a cut that is no border of the picture lies in there. The caller may overwrite a
    strip's rows in a source.
    """
    height = sources[0].shape[2]
    above: Tensor | None = None
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        x = torch.cat([source[:, :, top : min(bottom + halo, height)] for source in sources], 1)
        skipped = 0 if above is None else above.shape[2]
        if above is not None:
            x = torch.cat([above, x], 2)
        if halo:
            above = torch.cat([source[:, :, max(bottom - halo, 0) : bottom] for source in sources], 1)
        x, total = (x if x.dtype == torch.float64 else as_signed(x)), x.shape[2]
        for layer in layers:
            x = layer(x)
            work.add(layer, x, (bottom - top) / total)
        first, count = skipped * x.shape[2] // total, (bottom - top) * x.shape[2] // total
        yield top * x.shape[2] // total, x[:, :, first : first + count]
        del x  # and the caller's: before the next one is made


def measure(layers: list, sources: Sequence[Tensor], rows: int, halo: int, work: Work) -> None:
    """Fixes every norm in ``layers``, in turn: each needs the ones before it."""
    for i, layer in enumerate(layers):
        if isinstance(layer, FixedNorm):
            for _, strip in outputs(layers[:i], sources, rows, halo, work):
                layer.add(strip)
                del strip


def settle(layers: list, sources: Sequence[Tensor], rows: int, halo: int, work: Work) -> Tensor:
    """Fixes every norm in ``layers``; returns their output, whole, in half precision.

    Where pixel by pixel layers follow the last norm, that norm is measured and applied in the map that is kept, which
    saves a pass over the source.
    """
    last = max((i for i, layer in enumerate(layers) if isinstance(layer, FixedNorm)), default=len(layers))
    if any(isinstance(layer, (BlurDown, BlurUp)) for layer in layers[last:]):
        measure(layers, sources, rows, halo, work)
        last = len(layers)
    else:
        measure(layers[:last], sources, rows, halo, work)
    kept: Tensor | None = None
    for top, strip in outputs(layers[:last], sources, rows, halo, work):
        if last < len(layers):
            layers[last].add(strip)
        kept = keep(kept, strip, sources[0], top)
        del strip
    assert kept is not None
    if last < len(layers):
        same = max(1, rows * kept.shape[2] // sources[0].shape[2])  # of the map, which has other rows than the source
        for top, strip in outputs(layers[last:], (kept,), same, 0, work):
            keep(kept, strip, kept, top)
            del strip
    return kept


def keep(kept: Tensor | None, strip: Tensor, source: Tensor, top: int) -> Tensor:
    """Writes a strip into the map ``kept``, which is made at the first; returns that map."""
    if kept is None:
        height = source.shape[2] * strip.shape[3] // source.shape[3]
        kept = torch.empty(1, strip.shape[1], height, strip.shape[3], dtype=KEPT, device=strip.device)
    kept[:, :, top : top + strip.shape[2]] = strip
    return kept
