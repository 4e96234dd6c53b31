"""Generators that make pictures or solids from noise: what they share. The networks stand in files of their own.

Latents (N, …) → (N, C, H, W) or (N, C, D, H, W) in [-1, 1]. An entry in ``NOISE`` at the foot of ``build`` makes a
network known to weights files.
"""

import torch
from torch import Tensor, nn


class FromNoise(nn.Module):
    """The base of generators from noise: they know the shape and the distribution of what they start from."""

    latent: int = 100  # numbers that a picture starts from

    def latents(self, count: int, draws: torch.Generator | None = None) -> Tensor:
        """``count`` latents from N(0, 1): float (count, latent) on the CPU, so that a seed means the same everywhere.

        ``draws`` is the generator of random numbers; PyTorch's global one by default.
        """
        return torch.randn(count, self.latent, generator=draws)
