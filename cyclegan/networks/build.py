"""Generators and discriminators, built from an architecture: a plain dict that a weights file can carry.

``{"name": "resnet", "in_channels": 3, "out_channels": 3, "width": 64, "blocks": 9}`` builds the paper's generator;
every key but ``name``, ``residual`` and ``palette`` is an argument of the class. ``residual`` wraps any generator in
``Residual``, and ``palette``, the number of a palette's colours, in ``Coloured``.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from cyclegan.networks.coloured import Coloured
from cyclegan.networks.convolutional import DCGANGenerator
from cyclegan.networks.dense import DenseGenerator
from cyclegan.networks.discriminators import DISCRIMINATORS
from cyclegan.networks.generators import GENERATORS, Residual, mobile_channels
from cyclegan.networks.noise import FromNoise
from cyclegan.networks.solid import ENCODERS, SolidGenerator
from cyclegan.networks.style import StyleGenerator
from cyclegan.networks.tiny import OneLayer
from cyclegan.system.errors import UserError


def build_generator(architecture: dict) -> nn.Module:
    """The generator or encoder of an architecture, with PyTorch's own initial weights; raises ``UserError``."""
    options = dict(architecture)
    if colours := options.pop("palette", None):
        return Coloured(build_generator(options), colours)
    residual = options.pop("residual", None)
    if not residual:
        return _build(GENERATORS | NOISE | ENCODERS, "generator", options)
    options["out_channels"] = 2 * options.get("out_channels", 3)  # a gain and an offset for each
    return Residual(_build(GENERATORS, "generator", options), residual)


def completed(architecture: dict) -> dict[str, Any]:
    """A translator's architecture with all that it leaves out, so that two of them can be compared.

    Widths of a mobile generator that follow from ``width`` stand there, and others in ``channels``. Raises
    ``UserError`` for an unknown name.
    """
    network = _known(GENERATORS, "generator", architecture.get("name"))
    options = {name: p.default for name, p in inspect.signature(network).parameters.items()}
    full = options | {"residual": None, "palette": None} | architecture
    if widths := full.get("channels"):
        regular = list(widths) == mobile_channels(widths[0])
        full |= {"width": widths[0], "channels": None} if regular else {"width": None}
    return full


def build_discriminator(architecture: dict) -> nn.Module:
    """The discriminator of an architecture, with PyTorch's own initial weights; raises ``UserError``."""
    return _build(DISCRIMINATORS, "discriminator", dict(architecture))


def _build(registry: Mapping[str, type[nn.Module]], kind: str, options: dict) -> nn.Module:
    name = options.pop("name", None)
    network = _known(registry, kind, name)
    try:
        return network(**options)
    except TypeError as error:  # an option that this network does not have
        raise UserError(f"{kind} {name}: {error}") from error


def _known(registry: Mapping[str, type[nn.Module]], kind: str, name: Any) -> type[nn.Module]:
    if name not in registry:
        raise UserError(f"unknown {kind} {name!r}: choose one of {', '.join(registry)}")
    return registry[name]


# Generators from noise: name → class, a ``FromNoise``.
NOISE: dict[str, type[FromNoise]] = {
    "dcgan": DCGANGenerator,
    "dense": DenseGenerator,
    "one-layer": OneLayer,
    "stylegan": StyleGenerator,
    "solid": SolidGenerator,
}
