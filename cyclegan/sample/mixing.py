"""Style mixing (Karras et al. 2019, section 3.1): the shape of one picture in the colours of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from cyclegan.data.contact_sheet import PAPER, grid
from cyclegan.networks.noise import FromNoise
from cyclegan.system.errors import UserError

if TYPE_CHECKING:
    from cyclegan.sample.generator import Generator

COARSE = 3  # the layers of 4 and 8 pixels, which the paper calls coarse


def mixed(network: FromNoise, coarse: Tensor, fine: Tensor, at: int = COARSE) -> Tensor:
    """Styles (N, layers, latent): those of ``coarse`` for layers 0 to ``at`` - 1, those of ``fine`` from ``at`` on.

    Each is (N, layers, latent), or (layers, latent), which serves for all. Raises ``UserError``.
    """
    if not network.layers:
        raise UserError("only a StyleGAN mixes styles: this generator's layers all follow one latent")
    if not 0 < at < network.layers:
        raise UserError(f"styles change at a layer from 1 to {network.layers - 1}, not {at}")
    coarse, fine = torch.broadcast_tensors(coarse, fine)
    return torch.cat([coarse[..., :at, :], fine[..., at:, :]], -2).reshape(-1, *fine.shape[-2:])


def mixing_grid(generator: Generator, coarse: Tensor, fine: Tensor, at: int = COARSE) -> Image.Image:
    """A row for each of ``coarse``, a column for each of ``fine``: their own pictures first, then every mixture.

    Both are (N, layers, latent), of ``generator.latents``. Raises ``UserError``.
    """
    corner = Image.new("RGB", tuple(generator.header["outputs"][:0:-1]), PAPER)
    pictures = [corner, *generator.images(fine)]
    for own, style in zip(generator.images(coarse), coarse, strict=True):
        pictures += [own, *generator.mix(style, fine, at)]
    return grid(pictures, len(fine) + 1)
