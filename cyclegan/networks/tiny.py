"""The smallest generator and discriminator there are: one layer each, as the 2 × 2 lesson has them."""

import torch
from torch import Tensor, nn

from cyclegan.networks.noise import FromNoise


class OneLayer(FromNoise):
    """σ(w·z + b) for each pixel: one number z from [0, 1) → (N, C, size, size).

    The lesson's pixels lie in [0, 1], where σ puts them; what leaves the network is 2σ - 1, in [-1, 1] as everywhere.
    """

    latent = 1

    def __init__(self, size: int = 2, out_channels: int = 1):
        super().__init__()
        self.shape = (out_channels, size, size)
        self.layer = nn.Linear(1, out_channels * size * size)

    def latents(self, count: int, draws: torch.Generator | None = None) -> Tensor:
        """``count`` numbers from U[0, 1): (count, 1) on the CPU."""
        return torch.rand(count, 1, generator=draws)

    def forward(self, z: Tensor) -> Tensor:
        return (2 * self.layer(z).sigmoid() - 1).view(-1, *self.shape)


class OneLayerJudge(nn.Module):
    """x·w + b, the logit of "real", of a picture x: (N, C, size, size) in [-1, 1] → (N, 1). It sees x in [0, 1]."""

    def __init__(self, size: int = 2, in_channels: int = 1):
        super().__init__()
        self.layer = nn.Linear(in_channels * size * size, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layer((pictures.flatten(1) + 1) / 2)
