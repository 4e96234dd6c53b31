"""Algorithms: what one training step is, one paper a file; and what they share (players, losses, pool)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclegan.models.game import Game

# --model → where it stands. Imported when asked for, so that other commands do not wait for torch.
MODELS = {
    "cyclegan": "cyclegan.models.cyclegan:CycleGAN",
    "cut": "cyclegan.models.cut:CUT",
    "pix2pix": "cyclegan.models.pix2pix:Pix2Pix",
    "tiny": "cyclegan.models.tiny:TinyGame",
    "stylegan": "cyclegan.models.stylegan:StyleGAN",
    "gan3d": "cyclegan.models.gan3d:Gan3D",
    "gan": "cyclegan.models.gan:GAN",
    "dcgan": "cyclegan.models.dcgan:DCGAN",
    "wgan": "cyclegan.models.wgan:WGAN",
}


def load_model(name: str) -> type[Game]:
    """The ``Game`` called ``name``, a key of ``MODELS``."""
    from importlib import import_module

    module, _, attribute = MODELS[name].partition(":")
    return getattr(import_module(module), attribute)
