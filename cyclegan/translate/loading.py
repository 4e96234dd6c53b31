"""From a name or a file to a generator, and what has to be known beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from cyclegan.networks import library
from cyclegan.networks.linked import REFERENCE_SIZE
from cyclegan.networks.weights import load_weights
from cyclegan.system.errors import UserError


class Loaded(NamedTuple):
    """A generator as ``Translator`` takes it."""

    network: nn.Module
    header: dict[str, Any]  # see ``cyclegan.networks.weights``
    direction: str  # "G_AB" or "G_BA"


def load_pretrained(name: str | os.PathLike[str], reverse: bool, **hub: Any) -> Loaded:
    """What ``Translator.from_pretrained`` finds; ``hub`` are its options for Hugging Face.

    Raises ``UserError`` or ``WeightsError``.
    """
    found = library.find(name, reverse, **hub)
    if found.reference:
        return load_foreign(found.path, found.domains, found.direction)
    network, header = load_weights(found.path)
    if header["kind"] != "translator":
        said = "makes pictures from noise and translates none: use python -m cyclegan.sample"
        raise UserError(f"{found.path} {said}")
    return Loaded(network, header, found.direction)


def load_foreign(
    path: str | os.PathLike[str],
    domains: Sequence[str],
    direction: str,
    size: int = REFERENCE_SIZE,
    key: str | None = None,
    dropout: bool = True,
) -> Loaded:
    """What ``Translator.from_reference`` loads, with a header of ours. Raises ``WeightsError``."""
    from cyclegan.networks.reference import load_reference

    network, architecture = load_reference(path, key, dropout)
    channels = [architecture["in_channels"], architecture["out_channels"]]
    header = {
        "format": 1,
        "architecture": architecture,
        "domains": list(domains),
        "size": size,
        "preprocessing": {"range": [-1, 1], "channels": channels},
        "provenance": {"converted_from": Path(path).name},
    }
    return Loaded(network, header, direction)
