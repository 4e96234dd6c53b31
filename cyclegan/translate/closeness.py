"""How close a picture is to those that a translator was trained on, by the features of a frozen EfficientNet-Lite0.

The summary of the training pictures is the direction in which their features point on average, 1280 numbers of 8 bits,
and the cosine that all but ``APART`` of such pictures reach. It is kept under ``closeness`` in the header of the
weights: about 1.8 kB. A picture's score is the cosine between its features and that direction.

from cyclegan.translate.closeness import add_closeness
add_closeness("runs/mine/G_AB.safetensors", "path/to/trainA")
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cyclegan.data.finding import find_images
from cyclegan.data.pixels import to_levels
from cyclegan.networks.backbones import efficientnet_lite
from cyclegan.networks.weights import read_header, save_weights
from cyclegan.system.errors import MissingPackage, UserError
from cyclegan.translate.kinds import take

KEY = "closeness"  # in the header of weights
NETWORK = "efficientnet-lite0"
SIDE = 224  # pixels at which the features see a picture, as in their training
FEATURES = 1280
PICTURES = 300  # of a domain that are looked at
FOLDS = 5
APART = 0.02  # the share of training pictures that may score below the threshold
FEWEST = 50  # pictures for a summary: the threshold stands on a few of them


class Closeness(NamedTuple):
    """A picture's ``score``, and the ``threshold`` that all but 2 % of the training pictures reach; both 0 to 1."""

    score: float
    threshold: float

    @property
    def far(self) -> bool:
        """Whether the picture is likely to be of another kind than the training pictures."""
        return self.score < self.threshold


class Summary(NamedTuple):
    """What a header keeps of the training pictures: a unit vector float32 (1280,), and the threshold, 0 to 1."""

    direction: np.ndarray
    threshold: float

    def of(self, features: np.ndarray) -> np.ndarray:
        """Cosines (N,), 0 to 1, of features (N, 1280) of length 1."""
        return np.clip(features @ self.direction, 0, 1)


def closeness(pixels: Tensor, header: dict) -> Closeness | None:
    """How close a picture as ``kinds.take`` gives it is to those that weights with this header were trained on.

    None where the header has no summary that can be used, or the packages with the features are missing.
    """
    summary = read_summary(header.get(KEY))
    if summary is None or pixels.shape[0] not in (1, 3):
        return None
    try:
        score = summary.of(look([pixels]))[0]
    except MissingPackage:
        return None
    return Closeness(float(score), summary.threshold)


def prepare() -> None:
    """Loads the network of the features, which takes a second or two, before the first picture comes."""
    try:
        _network()
    except MissingPackage:
        return


def look(pictures: Iterable[Tensor]) -> np.ndarray:
    """Pictures (C, H, W), uint8 or float in [-1, 1], of 1 or 3 channels → features, float32 (N, 1280) of length 1.

    Raises ``MissingPackage``.
    """
    network = _network()
    with torch.inference_mode():
        seen = [network.forward_features(_small(picture)).mean((2, 3))[0].numpy() for picture in pictures]
    features = np.stack(seen)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def summarise(features: np.ndarray) -> dict[str, Any]:
    """Features (N, 1280) of length 1 of training pictures, in random order → the header's entry.

    The threshold comes from pictures that their direction has not seen, a fifth at a time.
    """
    held_out = []
    for fold in range(FOLDS):
        chosen = np.arange(len(features)) % FOLDS == fold
        held_out.append(features[chosen] @ _unit(features[~chosen].mean(0)))
    threshold = float(np.clip(np.quantile(np.concatenate(held_out), APART), 0, 1))
    direction = _unit(features.mean(0))
    levels = np.round(127 * direction / np.abs(direction).max()).astype(np.int8)
    text = base64.b64encode(levels.tobytes()).decode()
    return {"network": NETWORK, "side": SIDE, "direction": text, "threshold": round(threshold, 4)}


def read_summary(entry: Any) -> Summary | None:
    """The summary in a header, or None where there is none of this kind: headers come from strangers."""
    if not isinstance(entry, dict) or entry.get("network") != NETWORK or entry.get("side") != SIDE:
        return None
    text, threshold = entry.get("direction"), entry.get("threshold")
    if type(threshold) is not float or not 0 <= threshold <= 1:
        return None
    if not isinstance(text, str) or len(text) > 2 * FEATURES:
        return None
    try:
        levels = np.frombuffer(base64.b64decode(text, validate=True), np.int8)
    except ValueError:
        return None
    usable = levels.shape == (FEATURES,) and levels.any()
    return Summary(_unit(levels.astype(np.float32)), threshold) if usable else None


def add_closeness(weights: str | os.PathLike[str], pictures: str | os.PathLike[str]) -> Path:
    """Puts a summary of the folder ``pictures`` into the header of a weights file; its tensors keep every bit.

    ``PICTURES`` of the folder are drawn, the same ones every time. Raises ``UserError`` where there are fewer than
    ``FEWEST``, ``ImageError`` for what cannot be read, ``WeightsError`` and ``MissingPackage``.
    """
    from safetensors.torch import load_file

    header = read_header(weights)
    channels = header["architecture"].get("in_channels", 3)
    files = drawn(find_images(Path(pictures)))
    if len(files) < FEWEST:
        raise UserError(f"{pictures} has {len(files)} pictures, and a summary of the training needs {FEWEST} at least")
    entry = summarise(look(take(file, channels)[0] for file in files))
    return save_weights(weights, load_file(weights), header | {KEY: entry})


def drawn(files: Sequence[Path], count: int = PICTURES) -> list[Path]:
    """At most ``count`` of the files, the same ones every time, in random order."""
    return Random(0).sample(list(files), min(count, len(files)))


@cache
def _network() -> Any:
    with torch.random.fork_rng(devices=[]):  # it draws initial weights before it gets its own
        return efficientnet_lite(NETWORK)


def _small(picture: Tensor) -> Tensor:
    """(C, H, W) → float (1, 3, side, side) in the range that the network was trained on, by Pillow's bicubic."""
    levels = (picture.cpu() if picture.dtype == torch.uint8 else to_levels(picture)).expand(3, -1, -1)
    image = Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy())
    image = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return (torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() - 127) / 128


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
