"""Generators that make pictures or solids from noise: what they share. The networks stand in files of their own.

Latents (N, …) → (N, C, H, W) or (N, C, D, H, W) in [-1, 1]. An entry in ``NOISE`` at the foot of ``build`` makes a
network known to weights files.
"""

import torch
from torch import Tensor, nn


class FromNoise(nn.Module):
    """The base of generators from noise: they know the shape and the distribution of what they start from."""

    latent: int = 100  # numbers that a picture starts from
    layers: int = 0  # layers that can each follow a picture of their own, as StyleGAN's can; 0 where they cannot

    def latents(self, count: int, draws: torch.Generator | None = None) -> Tensor:
        """``count`` latents from N(0, 1): float (count, latent) on the CPU, so that a seed means the same everywhere.

        ``draws`` is the generator of random numbers; PyTorch's global one by default.
        """
        return torch.randn(count, self.latent, generator=draws)

    def start(self, latents: Tensor, truncation: float = 1.0) -> Tensor:
        """What ``forward`` makes pictures of, from latents: ``truncation`` below 1 draws them closer to their mean."""
        return latents * truncation

    def between(self, start: Tensor, end: Tensor, share: float) -> Tensor:
        """The point at ``share`` (0 to 1) of the way from ``start`` to ``end``, of any equal shape (…, latent).

        The way goes over the sphere, its radius linear: in many dimensions normal noise lies near one radius, and a
        straight line would leave it (White 2016, "Sampling Generative Networks").
        """
        a, b = (x / x.norm(dim=-1, keepdim=True) for x in (start, end))
        angle = torch.acos((a * b).sum(-1, keepdim=True).clamp(-1, 1))
        sine = angle.sin()
        if float(sine.min()) < 1e-6:  # the same direction, or opposite ones, between which no way is the shortest
            return torch.lerp(start, end, share)
        length = torch.lerp(start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True), share)
        return length * (((1 - share) * angle).sin() * a + (share * angle).sin() * b) / sine
