"""Sampling without aliasing (Zhang 2019, "Making Convolutional Networks Shift-Invariant Again"), as CUT has it.

A low-pass filter stands before pixels are dropped and after they are inserted. The filter is a buffer called ``filt``,
as in the published weights.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BlurDown(nn.Module):
    """Halves height and width behind the filter [1, 2, 1] ⊗ [1, 2, 1] / 16: (N, C, H, W) → (N, C, ⌈H/2⌉, ⌈W/2⌉)."""

    filt: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("filt", _kernel([1.0, 2.0, 1.0]).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(x, self.filt, stride=2, groups=x.shape[1])


class BlurUp(nn.Module):
    """Doubles height and width before the filter [1, 3, 3, 1] ⊗ [1, 3, 3, 1] / 16: (N, C, H, W) → (N, C, 2H, 2W)."""

    filt: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("filt", 4 * _kernel([1.0, 3.0, 3.0, 1.0]).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv_transpose2d(x, self.filt, stride=2, padding=2, groups=x.shape[1])[..., 1:-1, 1:-1]


def _kernel(taps: list[float]) -> Tensor:
    """(1, 1, n, n): the taps in both directions, of sum 1."""
    line = torch.tensor(taps)
    kernel = line[:, None] * line
    return (kernel / kernel.sum())[None, None]
