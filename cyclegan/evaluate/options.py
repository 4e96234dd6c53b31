"""What an evaluation is asked to do, and what to say beside its figures. No torch: ``--help`` answers at once."""

import platform
import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from cyclegan import __version__
from cyclegan.data.datasets import Dataset
from cyclegan.train.config import ConfigError

PACKAGES = ("torch", "numpy", "pillow", "timm", "torch-fidelity", "torchmetrics")  # whose versions may matter
SAME = 1.0  # levels of 255: a translator that changes the animal and nothing else moves the mean by about 2


@dataclass(frozen=True)
class Evaluation:
    """Measure translators on test pictures: a table, a JSON file, contact sheets and an HTML page.

    Every table holds two controls: the untouched inputs, and real training pictures of the target domain.
    """

    name: Positional[str | None] = None
    """What to evaluate: a pretrained name, a run folder, a weights file or folder, OWNER/NAME on Hugging Face, or a
    folder of pictures that some program has translated."""
    compare: tuple[str, ...] = ()
    """More of the same kind, one row each: --compare runs/a runs/b other/results."""
    data: Annotated[str | None, arg(aliases=["--dataset"])] = None
    """The data set with the test pictures: a name or a folder. Default: the one that NAME was trained on."""
    direction: Literal["both", "AB", "BA"] = "both"
    """Measure A to B, B to A or both. A folder of pictures counts as A to B unless this is BA."""
    features: tuple[str, ...] = ()
    """Networks to compare pictures with, one or more of inception, efficientnet-lite0, -lite1, -lite2. Default:
    inception where its weights (96 MB) are here or can be fetched, else efficientnet-lite0."""
    size: int | None = None
    """Translate and compare pictures of SIZE x SIZE pixels. Default: the size that NAME was trained at."""
    resize: Literal["stretch", "fit"] = "stretch"
    """How other pictures become square: stretch them (the reference's way), or fit: keep proportions and crop."""
    imagenet: tuple[str, ...] = ()
    """Count outputs that EfficientNet-Lite takes for an ImageNet class: --imagenet horse=339 zebra=340. Default: the
    classes on the data set's card."""
    output: Annotated[Path | None, arg(aliases=["-o"])] = None
    """The folder for the results. Default: RUN/evaluation, or evaluation/NAME in this folder."""
    seed: int = 0
    """Draws the training pictures of the second control, and the halves for KID's standard error."""
    device: str | None = None
    """cuda, cuda:1, mps or cpu. Default: CUDA if there is one, else the CPU."""

    def check(self) -> None:
        """Raises ``ConfigError`` for what can be seen to be wrong before anything is loaded."""
        if not self.name and not self.compare:
            raise ConfigError("name what to evaluate, for example a run folder: python -m cyclegan.evaluate RUN")
        if self.size is not None and self.size < 32:
            raise ConfigError(f"--size must be at least 32, not {self.size}")
        for entry in self.imagenet:
            label, _, number = entry.partition("=")
            if not label or not number.isdecimal() or int(number) > 999:
                raise ConfigError(f"--imagenet takes NAME=NUMBER with a class from 0 to 999, not {entry!r}")


def describe(options: Evaluation, data: Dataset, size: int, networks: list, imagenet: dict[str, int]) -> dict:
    """The protocol of a report: all that must be the same for the same figures, as plain values."""
    versions = {"cyclegan-toolkit": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    described = {n.name: {"dimensions": n.dimensions, "protocol": n.protocol, "sha256": n.sha256} for n in networks}
    return {
        "dataset": data.name,
        "split": "test" if data.test_A and data.test_B else "training",
        "size": size,
        "resize": options.resize,
        "filter": "Pillow bicubic",
        "networks": described,
        "imagenet": imagenet,
        "seed": options.seed,
        "versions": versions,
        "date": time.strftime("%Y-%m-%d"),
        "remarks": [],
    }


def remarks(report: dict) -> list[str]:
    """Reservations about these figures in particular."""
    found, size = [], report["protocol"]["size"]
    if report["protocol"]["split"] == "training":
        name = report["protocol"]["dataset"]
        found.append(f"{name} has no test pictures: measured on the training pictures, which flatters")
    for direction in report["directions"]:
        for row in direction["rows"]:
            trained_at = row.get("facts", {}).get("trained_at")
            if trained_at and trained_at != size:
                found.append(f"{row['name']} was trained at {trained_at} pixels and is measured at {size}")
            if row["kind"] == "translator" and row["change"] < SAME:
                found.append(f"{row['name']} returns its input nearly unchanged ({direction['from']} to "
                             f"{direction['to']}: {row['change']:.1f} levels of 255 on average)")  # fmt: skip
    return list(dict.fromkeys(found))
