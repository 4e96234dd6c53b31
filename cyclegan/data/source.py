"""What a model trains on: the samples of a data set, and what has to be known beside them.

A model names the kind of its samples (``Game.samples``), and ``SAMPLES`` says how a data set of that kind is opened.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cyclegan.data.augment import Augment, DiscriminatorAugment
from cyclegan.data.config import ImagesConfig, PicturesConfig
from cyclegan.data.datasets import Dataset, locate
from cyclegan.data.images import find_images
from cyclegan.data.pixels import to_signed
from cyclegan.data.samples import Samples, Unpaired, check_readable, fixed_pictures
from cyclegan.data.single import FilePictures, Images, Pictures, files_of, fixed_of
from cyclegan.system.errors import UserError

Say = Callable[[str], None]


@dataclass(frozen=True)
class Reading:
    """How samples are read."""

    seed: int = 0
    cache: float = 0.0  # bytes for decoded pictures
    skip_bad: bool = False  # leave out pictures that cannot be read
    say: Say = print  # takes lines for the user


@dataclass(frozen=True)
class Source:
    """An opened data set.

    ``fixed(count, resize)`` gives up to ``count`` fixed test pictures of each domain as uint8 (N, C, size, size): to
    look at, and to measure with. ``augment(device)`` gives the function from a batch of uint8 tensors to the model's
    input in [-1, 1] on the device.
    """

    name: str
    domains: tuple[str, ...]
    channels: tuple[int, ...]
    samples: Samples
    described: str  # "1067 pictures of horse, 1334 of zebra"
    fixed: Callable[[int, str], tuple[Tensor, ...]]
    augment: Callable[[torch.device], Callable[..., tuple[Tensor, ...]]]
    augment_D: Callable[[Tensor], Tensor] | None = None
    card: dict[str, Any] = field(default_factory=dict)


def unpaired(dataset: str, data: Path | None, config: PicturesConfig, reading: Reading) -> Source:
    """Two folders of pictures without pairs, as ``CycleGAN`` takes them."""
    found: Dataset = locate(dataset, data)
    train = [_readable(folder, reading) for folder in (found.train_A, found.train_B)]
    test = [
        _readable(folder, reading) if folder else files
        for folder, files in zip((found.test_A, found.test_B), train, strict=True)
    ]
    samples = Unpaired(*train, config, found.channels, reading.seed, reading.cache, reading.skip_bad)

    def fixed(count: int, resize: str) -> tuple[Tensor, ...]:
        return tuple(
            fixed_pictures(files, count, config.size, channels, resize)
            for files, channels in zip(test, found.channels, strict=True)
        )

    described = ", ".join(
        f"{len(files)} {'' if i else 'pictures '}of {domain}"
        for i, (files, domain) in enumerate(zip(train, found.domains, strict=True))
    )
    return Source(
        name=found.name,
        domains=found.domains,
        channels=found.channels,
        samples=samples,
        described=described,
        fixed=fixed,
        augment=lambda device: Augment(config, device),
        augment_D=DiscriminatorAugment() if config.diffaug else None,
        card=found.card,
    )


def _readable(folder: Path, reading: Reading) -> list[Path]:
    good, complaints = check_readable(find_images(folder), reading.skip_bad)
    for complaint in complaints:
        reading.say(complaint)
    return good


def images(dataset: str, data: Path | None, config: ImagesConfig, reading: Reading) -> Source:
    """One folder of pictures, with or without classes as subfolders, as the models from noise take it."""
    folder = Path(data or dataset).expanduser()
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}: name a folder of pictures")
    files = files_of(folder, config.category, reading.skip_bad, reading.say)
    pictures = FilePictures(files, config, 3, reading.cache, reading.skip_bad)
    name = config.category or folder.resolve().name
    return image_source(folder.resolve().name, name, 3, pictures, config, reading)


def image_source(
    name: str, domain: str, channels: int, pictures: Pictures, config: ImagesConfig, reading: Reading
) -> Source:
    """A ``Source`` of one domain, of pictures by number."""
    return Source(
        name=name,
        domains=(domain,),
        channels=(channels,),
        samples=Images(pictures, config.flip, reading.seed),
        described=f"{len(pictures)} pictures of {domain}",
        fixed=fixed_of(pictures),
        augment=lambda device: lambda batch: (to_signed(batch, device),),
        augment_D=DiscriminatorAugment() if config.diffaug else None,
    )


SAMPLES: dict[str, Callable[[str, Path | None, Any, Reading], Source]] = {"unpaired": unpaired, "images": images}
