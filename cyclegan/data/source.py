"""What a model trains on: the samples of a data set, and what has to be known beside them.

A model names the kind of its samples (``Game.samples``), and ``SAMPLES`` says how a data set of that kind is opened.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from cyclegan.data.augment import Augment, DiscriminatorAugment, shift
from cyclegan.data.config import ImagesConfig, PicturesConfig
from cyclegan.data.datasets import Dataset, find_dataset, locate
from cyclegan.data.identity import fingerprints
from cyclegan.data.images import find_images
from cyclegan.data.paired import Paired, by_stem
from cyclegan.data.pixels import to_signed
from cyclegan.data.published import read_published
from cyclegan.data.samples import Samples, Unpaired, fixed_pictures
from cyclegan.data.single import (
    ArrayPictures,
    FilePictures,
    Images,
    Pictures,
    files_of,
    fixed_of,
    of_class,
    readable,
)
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
    split: Literal["test", "training"] = "test"  # where the fixed pictures come from
    card: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)  # what a run folder keeps of it, see ``record_of``


def unpaired(dataset: str, data: Path | None, config: PicturesConfig, reading: Reading) -> Source:
    """Two folders of pictures without pairs, as ``CycleGAN`` takes them."""
    found = locate(dataset, data)
    return _two_domains(found, Unpaired, _files_of(found, reading), config, reading)


def paired(dataset: str, data: Path | None, config: PicturesConfig, reading: Reading) -> Source:
    """Two folders whose pictures belong together by name; one draw of crop and augmentation serves both."""
    found = locate(dataset, data)
    train, test = _files_of(found, reading)
    return _two_domains(found, Paired, (by_stem(*train), by_stem(*test)), config, reading)


Sides = tuple[list[Path], list[Path]]  # the files of A and of B


def _files_of(found: Dataset, reading: Reading) -> tuple[Sides, Sides]:
    """The files for training and for the test; those for training stand in where there are none for the test."""
    train = _readable(found.train_A, reading), _readable(found.train_B, reading)
    test_A = _readable(found.test_A, reading) if found.test_A else train[0]
    test_B = _readable(found.test_B, reading) if found.test_B else train[1]
    return train, (test_A, test_B)


def _two_domains(
    found: Dataset, kind: type[Unpaired], files: tuple[Sides, Sides], config: PicturesConfig, reading: Reading
) -> Source:
    train, test = files
    samples = kind(*train, config, found.channels, reading.seed, reading.cache, reading.skip_bad)

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
        augment=lambda device: Augment(config, device, shared=kind is Paired),
        augment_D=DiscriminatorAugment() if config.diffaug else None,
        card=found.card,
        record=record_of(found.folder, train),
    )


def record_of(folder: Path, sides: Sequence[list[Path]]) -> dict[str, Any]:
    """What tells these training pictures from others: their folder, their number and fingerprints of each domain."""
    return {
        "folder": str(folder.resolve()),
        "pictures": sum(map(len, sides)),
        "fingerprints": [fingerprints(files) for files in sides],
    }


def _readable(folder: Path, reading: Reading) -> list[Path]:
    return readable(find_images(folder), reading.skip_bad, reading.say)


def images(dataset: str, data: Path | None, config: ImagesConfig, reading: Reading) -> Source:
    """Pictures of one domain, of all classes or of one: a card's name, or any folder of pictures."""
    name, folder, card = find_dataset(dataset, data)
    category = config.category
    channels = card.get("channels", [3])[0]
    parts, record = [], {}
    for train in (True, False):
        published = read_published(card["reader"], folder, train) if "reader" in card else None
        if published:
            parts.append(ArrayPictures(of_class(published, category, card["classes"]).pixels, config.size))
            continue
        files = readable(files_of(folder, category, train), reading.skip_bad, reading.say)
        parts.append(FilePictures(files, config, channels, reading.cache if train else 0, reading.skip_bad))
        record = record or record_of(folder, [files])
    domains = card.get("domains", [])
    domain = category or (domains[0] if len(domains) == 1 else name)
    name = f"{name}_{category}" if category else name
    return image_source(name, domain, channels, *parts, config=config, reading=reading, card=card, record=record)


def image_source(
    name: str,
    domain: str,
    channels: int,
    pictures: Pictures,
    test: Pictures | None = None,
    *,
    config: ImagesConfig,
    reading: Reading,
    card: dict[str, Any] | None = None,
    record: dict[str, Any] | None = None,
) -> Source:
    """A ``Source`` of one domain, of pictures by number; ``test`` gives the fixed ones, where it has any."""
    if not len(pictures):
        raise UserError(f"{name} has no pictures of {domain} to train on")
    return Source(
        name=name,
        domains=(domain,),
        channels=(channels,),
        samples=Images(pictures, config.flip, reading.seed),
        described=f"{len(pictures)} pictures of {domain}",
        fixed=fixed_of(test if test else pictures),
        augment=lambda device: lambda batch: (to_signed(batch, device),),
        augment_D=DiscriminatorAugment() if config.diffaug else shift if config.shift else None,
        split="test" if test else "training",
        card=card or {},
        record=record or {},
    )


Open = Callable[[str, Path | None, Any, Reading], Source]  # name or folder, --data, the model's Data settings, reading

SAMPLES: dict[str, Open] = {
    "unpaired": unpaired,
    "paired": paired,
    "images": images,
}
