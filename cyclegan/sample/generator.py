"""A trained generator: pictures from nothing but a seed.

from cyclegan import Generator
digits = Generator.from_pretrained("gan_mnist")
digits(16, seed=0)[0].save("digit.png")
"""

from __future__ import annotations

import os
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from cyclegan.data.pixels import to_levels
from cyclegan.networks.library import find_generator
from cyclegan.networks.noise import FromNoise
from cyclegan.networks.weights import load_weights
from cyclegan.sample.mixing import mixed
from cyclegan.sample.solid import look
from cyclegan.system.devices import choose_device
from cyclegan.system.errors import UserError

TOGETHER = 64  # pictures made in one call of the network


class Generator:
    """Makes pictures of the domain ``domain``.

    Args:
        network: latents (N, latent) → (N, C, H, W) in [-1, 1].
        header: what a weights file says of it, see ``networks.weights``.
        device: where it runs; by default on the first CUDA device, and on the CPU where there is none.
    """

    def __init__(self, network: FromNoise, header: dict, device: str | torch.device | None = None):
        self.device = choose_device(None if device is None else str(device))
        self.network = network.eval().requires_grad_(False).to(self.device)
        self.header = header

    @property
    def domain(self) -> str:
        """What the pictures show, for example "digit"."""
        return self.header["domains"][0]

    @property
    def makes_solids(self) -> bool:
        """Whether it makes solids, (N, 1, X, Y, Z), and not pictures."""
        return len(self.header["outputs"]) == 4

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.header["outputs"]))
        return f"Generator({self.domain}, {self.header['architecture']['name']}, {shape}, on {self.device})"

    def __call__(self, count: int = 1, seed: int = 0, truncation: float = 1.0) -> list[Image.Image]:
        """``count`` pictures, as 8-bit Pillow images; the same for the same seed.

        Raises ``UserError`` for a count below 1.
        """
        return self.images(self.latents(count, seed, truncation))

    def latents(self, count: int, seed: int = 0, truncation: float = 1.0) -> Tensor:
        """What ``count`` pictures are made of: (count, latent), or (count, layers, latent) for StyleGAN, on the CPU.

        ``truncation`` below 1 draws them closer to their mean: pictures are more alike, and better on average. The
        first latents of a seed do not depend on how many follow.
        """
        if count < 1:
            raise UserError(f"the number of pictures must be at least 1, not {count}")
        if not 0 <= truncation <= 1:
            raise UserError(f"the truncation is between 0 (the mean picture) and 1 (full variety), not {truncation:g}")
        draws = torch.Generator().manual_seed(seed)
        noise = torch.cat([self.network.latents(1, draws) for _ in range(count)])
        with torch.inference_mode():
            return self.network.start(noise.to(self.device), truncation).cpu()

    @torch.inference_mode()
    def run(self, latents: Tensor) -> Tensor:
        """Latents (N, latent) → float (N, C, H, W), or (N, C, D, H, W) for solids, in [-1, 1] on the CPU."""
        return torch.cat([self.network(part.to(self.device)).cpu() for part in latents.split(TOGETHER)])

    def levels(self, latents: Tensor) -> Tensor:
        """Latents (N, latent) → uint8 (N, C, H, W) on the CPU, as the pictures are saved."""
        return to_levels(self.run(latents))

    def images(self, latents: Tensor) -> list[Image.Image]:
        """The pictures of these latents, as 8-bit Pillow images, grey or RGB; of solids how they look."""
        if self.makes_solids:
            return [look(solid) for solid in self.run(latents)]
        levels = self.levels(latents)
        return [Image.fromarray(p[0].numpy() if len(p) == 1 else p.permute(1, 2, 0).numpy()) for p in levels]

    def interpolate(self, start: Tensor, end: Tensor, count: int) -> list[Image.Image]:
        """``count`` pictures on the way from one of ``latents()`` to another, ends included.

        The way is the network's own: over the sphere for noise, a straight line for StyleGAN's styles.
        """
        if count < 2:
            raise UserError(f"a walk has at least 2 pictures, its ends, not {count}")
        return self.images(torch.stack([self.network.between(start, end, i / (count - 1)) for i in range(count)]))

    def mix(self, coarse: Tensor, fine: Tensor, at: int) -> list[Image.Image]:
        """Pictures that follow ``coarse`` up to layer ``at`` and ``fine`` from there on; of StyleGAN only.

        Both are of ``latents()``: (N, layers, latent), or one of them (layers, latent) for all. Raises ``UserError``.
        """
        return self.images(mixed(self.network, coarse, fine, at))

    @classmethod
    def from_pretrained(cls, name: str | os.PathLike, device: str | torch.device | None = None) -> Generator:
        """Loads a generator by a card's name, a run folder or its name, or a weights file. Raises ``UserError``."""
        network: Any
        network, header = load_weights(find_generator(name))
        if header["kind"] == "encoder":
            raise UserError(f"{name} is the encoder of a generator: name the generator, or the folder of both")
        if header["kind"] != "generator":
            raise UserError(f"{name} translates pictures and makes none: use python -m cyclegan.translate")
        return cls(network, header, device)
