"""Pictures in, figures out: what is measured of one set of outputs, a translator's or a control's alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from cyclegan.data.pixels import read_square
from cyclegan.data.values import Span
from cyclegan.evaluate.features import BATCH, FeatureNetwork
from cyclegan.evaluate.metrics import (
    fid,
    kid,
    kid_standard_error,
    mean_difference,
    nearest_distance,
    precision_recall,
    psnr,
    ssim,
)


class Example(NamedTuple):
    """One output and what it is held against; uint8 (3, H, W) each."""

    output: Tensor
    source: Tensor | None = None  # the untouched input
    back: Tensor | None = None  # the input after the round trip
    truth: Tensor | None = None  # what the output should be, where somebody knows


@dataclass(frozen=True)
class Framing:
    """How every picture, real or generated, is brought to one size before anything looks at it."""

    size: int
    resize: str = "stretch"  # or "fit": keep proportions, crop the longer side in the middle

    def read(
        self, path: Path, channels: int = 3, span: Span | None = None, masks: Sequence[Path] | None = None
    ) -> Tensor:
        """uint8 (channels, size, size) of a file, by Pillow's bicubic where it has another size.

        With ``masks``, which may be none in particular, one more channel is 255 inside of them.
        """
        return read_square(path, self.size, channels, self.resize, span, masks)


@dataclass
class Measured:
    """What is known of a set of pictures once every network has looked at each of them."""

    features: dict[str, np.ndarray] = field(default_factory=dict)  # network → (n, d)
    classes: dict[str, np.ndarray] = field(default_factory=dict)  # network → (n,), where it classifies
    differences: dict[str, list[float]] = field(default_factory=dict)  # measure → one value a picture that has it
    count: int = 0


def measure(examples: Iterable[Example], networks: list[FeatureNetwork]) -> Measured:
    """Looks at every example once, holding ``BATCH`` pictures at a time."""
    found = Measured()
    waiting: list[Tensor] = []
    parts: dict[str, list] = {network.name: [] for network in networks}

    def look() -> None:
        batch = torch.stack(waiting)
        for network in networks:
            parts[network.name].append(network(batch))
        waiting.clear()

    for example in examples:
        waiting.append(example.output)
        found.count += 1
        for name, value in _differences(example).items():
            found.differences.setdefault(name, []).append(value)
        if len(waiting) == BATCH:
            look()
    if waiting:
        look()
    for name, pairs in parts.items():
        if pairs:
            found.features[name] = np.concatenate([features for features, _ in pairs])
            if pairs[0][1] is not None:
                found.classes[name] = np.concatenate([classes for _, classes in pairs])
    return found


def joined(parts: Sequence[Measured]) -> Measured:
    """What is known of several sets of pictures together, in this order."""
    filled = [part for part in parts if part.count]
    whole = Measured(count=sum(part.count for part in filled))
    for part in filled:
        for name, values in part.differences.items():
            whole.differences.setdefault(name, []).extend(values)
    for name in filled[0].features if filled else ():
        whole.features[name] = np.concatenate([part.features[name] for part in filled])
    for name in filled[0].classes if filled else ():
        whole.classes[name] = np.concatenate([part.classes[name] for part in filled])
    return whole


def _differences(example: Example) -> dict[str, float]:
    output = example.output[None]
    source, back, truth = (None if picture is None else picture[None] for picture in example[1:])
    values = {}
    if source is not None:
        values["change"] = mean_difference(output, source)
        if back is not None:
            values["cycle_error"] = mean_difference(back, source)
    if truth is not None:
        values |= {"psnr": psnr(output, truth), "ssim": ssim(output, truth), "l1": mean_difference(output, truth)}
    return {name: value.item() for name, value in values.items()}


def compare(found: Measured, target: Measured, imagenet: dict[str, int], seed: int, variety: bool = False) -> dict:
    """The figures of a set of outputs against the real pictures of the target domain, as plain values for JSON.

    ``imagenet`` are classes whose share is wanted: name → number. ``seed`` draws the subsets of KID's standard error.
    ``variety`` adds precision and recall.
    """
    row: dict = {"n": found.count, "features": {}}
    for name, features in found.features.items():
        figures: dict[str, Any] = {
            "fid": fid(features, target.features[name]),
            "kid": kid(features, target.features[name]),
            "kid_standard_error": kid_standard_error(features, target.features[name], seed),
        }
        if variety:
            precision, recall = precision_recall(target.features[name], features)
            figures |= {"precision": precision, "recall": recall}
        if name in found.classes and imagenet:
            shares = {label: float((found.classes[name] == number).mean()) for label, number in imagenet.items()}
            figures["classified"] = shares
        row["features"][name] = figures
    return row | {name: float(np.mean(values)) for name, values in found.differences.items()}


def ranked(found: Measured, target: Measured, network: str) -> list[int]:
    """The outputs from best to worst, by their distance from the nearest real pictures."""
    return np.argsort(nearest_distance(found.features[network], target.features[network]), kind="stable").tolist()
