"""The networks of 3D-GAN (Wu et al. 2016, arXiv:1610.07584): solids from noise, their judge, and a picture's latent.

Solids are (N, 1, size, size, size) in [-1, 1]; what is above 0 is full. Pictures are (N, 1, view, view) in [-1, 1].
"""

from typing import Literal

import torch
from torch import Tensor, nn

from cyclegan.networks.noise import FromNoise


class SolidGenerator(FromNoise):
    """G of section 3.1: transposed convolutions of kernel 4 double a cube of 4 cells up to ``size``.

    Batch norm and ReLU between them. The published one ends in a sigmoid; this one in tanh, twice that less 1, so that
    solids have the range of all data here.

    Args:
        size: cells along each side, a power of two from 8.
        width: channels at 4 cells, halved with each doubling: the published 512-256-128-64 for 64 cells.
        latent: numbers that a solid starts from.
        prior: their distribution; N(0, 1), or U(0, 1), which is the paper's as far as we know.
    """

    def __init__(
        self, size: int = 64, width: int = 512, latent: int = 200, prior: Literal["normal", "uniform"] = "normal"
    ):
        super().__init__()
        self.latent, self.prior = latent, prior
        widths = [width >> level for level in range(_doublings(size))]
        layers: list[nn.Module] = [nn.ConvTranspose3d(latent, width, 4, bias=False)]
        for i, channels in enumerate(widths):
            last = i + 1 == len(widths)
            above = 1 if last else widths[i + 1]
            layers += [nn.BatchNorm3d(channels), nn.ReLU()]
            layers += [nn.ConvTranspose3d(channels, above, 4, 2, 1, bias=last)]
        self.model = nn.Sequential(*layers, nn.Tanh())

    def latents(self, count: int, draws: torch.Generator | None = None) -> Tensor:
        if self.prior == "uniform":
            return torch.rand(count, self.latent, generator=draws)
        return super().latents(count, draws)

    def forward(self, latents: Tensor) -> Tensor:
        """(N, latent) → (N, 1, size, size, size) in [-1, 1]."""
        return self.model(latents[:, :, None, None, None])


class SolidDiscriminator(nn.Module):
    """D, which mirrors G (section 3.1), with LeakyReLU of slope 0.2: (N, 1, size, size, size) → logits (N,)."""

    def __init__(self, size: int = 64, width: int = 512):
        super().__init__()
        widths = [width >> level for level in reversed(range(_doublings(size)))]
        layers: list[nn.Module] = []
        for below, channels in zip((1, *widths), widths, strict=False):
            layers += [nn.Conv3d(below, channels, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm3d(channels), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Conv3d(width, 1, 4))

    def forward(self, solids: Tensor) -> Tensor:
        return self.model(solids).flatten()


class ViewEncoder(nn.Module):
    """E of 3D-VAE-GAN (section 3.3): a picture → mean and log-variance of the latent of what it shows.

    Pictures of 256 pixels go through the published layers: kernels 11, 5, 5, 5, 8, strides 4, 2, 2, 2, 1, channels
    64-128-256-512. Smaller ones through kernels of 5 and stride 2 down to 4 pixels. Batch norm and ReLU between.

    Args:
        view: the picture's side in pixels, a power of two from 16.
        width: channels of the first layer, doubled with each further one.
        latent: numbers of the latent.
    """

    def __init__(self, view: int = 64, width: int = 24, latent: int = 200):
        super().__init__()
        self.latent = latent
        first = (11, 4, 4) if view >= 256 else (5, 2, 2)  # kernel, stride, padding
        side, smallest, below, channels = view, 8 if view >= 256 else 4, 1, width
        layers: list[nn.Module] = []
        while side > smallest:
            kernel, stride, padding = (5, 2, 2) if layers else first
            layers += [nn.Conv2d(below, channels, kernel, stride, padding, bias=False)]
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
            side, below, channels = side // stride, channels, 2 * channels
        self.model = nn.Sequential(*layers, nn.Conv2d(below, 2 * latent, smallest))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 1, view, view) in [-1, 1], a thing on white → mean (N, latent) and log-variance (N, latent)."""
        mean, log_variance = self.model(pictures).flatten(1).split(self.latent, 1)
        return mean, log_variance


def _doublings(size: int) -> int:
    """How often 4 cells double to ``size``."""
    return size.bit_length() - 3


# What turns pictures into latents: name → class.
ENCODERS: dict[str, type[nn.Module]] = {"view-encoder": ViewEncoder}
