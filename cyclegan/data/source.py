"""What a model trains on: the samples of a data set, and what has to be known beside them.

A model names the kind of its samples (``Game.samples``), and ``SAMPLES`` says how a data set of that kind is opened.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from cyclegan.data.augment import Augment, DiscriminatorAugment, shift
from cyclegan.data.check import Heads, check_bodies, readable
from cyclegan.data.config import ImagesConfig, PicturesConfig, VoxelsConfig
from cyclegan.data.datasets import Dataset, channels_in, find_dataset, locate
from cyclegan.data.identity import fingerprints
from cyclegan.data.paired import Paired, by_stem
from cyclegan.data.pixels import to_signed
from cyclegan.data.published import read_published
from cyclegan.data.reading import Reading, masks_of, spans_of, test_masks_of
from cyclegan.data.samples import Samples, Unpaired, fixed_pictures
from cyclegan.data.single import (
    ArrayPictures,
    FilePictures,
    Images,
    Pictures,
    files_of,
    fixed_of,
    of_class,
)
from cyclegan.data.values import Span
from cyclegan.data.voxels import Voxels, open_solids
from cyclegan.system.errors import UserError


@dataclass(frozen=True)
class Source:
    """An opened data set.

    ``fixed(count, resize)`` gives up to ``count`` fixed test pictures of each domain as uint8 (N, C, size, size): to
    look at, and to measure with. ``fixed_masks`` gives their masks, uint8 (N, 1, size, size) with 255 where a picture
    is to change, and () where there are none. ``augment(device)`` gives the function from a batch of uint8 tensors to
    the model's input in [-1, 1] on the device.
    """

    name: str
    domains: tuple[str, ...]
    channels: tuple[int, ...]
    samples: Samples
    described: str  # "1067 pictures of horse, 1334 of zebra"
    fixed: Callable[[int, str], tuple[Tensor, ...]]
    augment: Callable[[torch.device], Callable[..., tuple[Tensor, ...]]]
    augment_D: Callable[[Tensor], Tensor] | None = None
    fixed_masks: Callable[[int, str], tuple[Tensor, ...]] = lambda count, resize: ()
    split: Literal["test", "training"] = "test"  # where the fixed pictures come from
    card: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)  # what a run folder keeps of it, see ``record_of``


def unpaired(dataset: str, data: Path | None, config: PicturesConfig, reading: Reading) -> Source:
    """Two folders of pictures without pairs, as ``CycleGAN`` takes them."""
    found = locate(dataset, data)
    return _two_domains(found, Unpaired, *_files_of(found, reading), config, reading)


def paired(dataset: str, data: Path | None, config: PicturesConfig, reading: Reading) -> Source:
    """Two folders whose pictures belong together by name, or files that show both sides of a pair.

    One draw of crop and augmentation serves both pictures of a pair.
    """
    found = locate(dataset, data, side_by_side=True)
    train, wide = _pairs(found, found.training(), reading)
    test = _pairs(found, found.test(), reading)[0] if all(found.test()) else train
    return _two_domains(found, Paired, train, test, wide, config, reading)


Sides = tuple[list[Path], ...]  # the files of A and of B


def _pairs(found: Dataset, sides: Sides, reading: Reading) -> tuple[Sides, Sides]:
    """The files of the pairs of which both can be read, and which of them have more than 8 bits."""
    sides = sides if found.side_by_side else by_stem(*sides)
    quiet = replace(reading, say=lambda line: None) if found.side_by_side else reading  # said of the file once
    heads = [_heads(*side) for side in zip(sides, found.channels, (reading, quiet), strict=True)]
    good = [set(side.files) for side in heads]
    pairs = [
        pair for pair in zip(*sides, strict=True) if all(path in side for path, side in zip(pair, good, strict=True))
    ]
    if not pairs:
        raise UserError(f"of no pair in {found.folder} both pictures can be read")
    return tuple(map(list, zip(*pairs, strict=True))), tuple(side.wide for side in heads)


def _files_of(found: Dataset, reading: Reading) -> tuple[Sides, Sides, Sides]:
    """The files for training, those for the test, and those for training that have more than 8 bits.

    Those for training stand in where there are none for the test.
    """
    train = [_heads(files, channels, reading) for files, channels in zip(found.training(), found.channels, strict=True)]
    test = [
        _heads(files, channels, reading) if files else heads
        for files, channels, heads in zip(found.test(), found.channels, train, strict=True)
    ]
    files, of_test = (tuple(heads.files for heads in side) for side in (train, test))
    return files, of_test, tuple(heads.wide for heads in train)


def _two_domains(
    found: Dataset,
    kind: type[Unpaired],
    train: Sides,
    test: Sides,
    wide: Sides,
    config: PicturesConfig,
    reading: Reading,
) -> Source:
    if config.color and set(found.channels) - {1, 3}:
        raise UserError(f"--color varies colours, and {found.name} has pictures of {found.channels} bands")
    spans = spans_of(found.name, found.domains, wide, found.channels, config.range, found.card, reading)
    masks, test_masks = masks_of(found, train, reading, kind is Paired), test_masks_of(found, test, reading)
    check_bodies(list(zip(train, found.channels, spans, strict=True)), reading.skip_bad, reading.say, masks)
    samples = kind(
        train[0], train[1], config, found.channels, reading.seed, reading.cache, reading.skip_bad, spans, masks
    )

    of_test = list(zip(test, found.channels, spans, strict=True))

    def fixed(count: int, resize: str) -> tuple[Tensor, ...]:
        return tuple(fixed_pictures(files, count, config.size, c, resize, span) for files, c, span in of_test)

    def fixed_masks(count: int, resize: str) -> tuple[Tensor, ...]:
        return tuple(
            fixed_pictures(files, count, config.size, channels, resize, span, own)[:, -1:]
            for (files, channels, span), own in zip(of_test, test_masks, strict=False)  # there may be none
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
        augment=lambda device: Augment(config, device, kind is Paired, bool(masks)),
        augment_D=DiscriminatorAugment() if config.diffaug else None,
        fixed_masks=fixed_masks,
        card=found.card,
        record=record_of(found.folder, train, spans) | ({"masks": [len(m) for m in masks]} if masks else {}),
    )


def record_of(folder: Path, sides: Sequence[list[Path]], spans: Sequence[Span | None]) -> dict[str, Any]:
    """What tells these training pictures from others: their folder, their number and fingerprints of each domain.

    And ``spans``, see ``spans_of``.
    """
    return {
        "spans": list(spans),
        "folder": str(folder.resolve()),
        "pictures": sum(map(len, sides)),
        "fingerprints": [fingerprints(files) for files in sides],
    }


def _heads(files: list[Path], channels: int, reading: Reading) -> Heads:
    return readable(files, reading.skip_bad, reading.say, channels)


def images(dataset: str, data: Path | None, config: ImagesConfig, reading: Reading) -> Source:
    """Pictures of one domain, of all classes or of one: a card's name, or any folder of pictures."""
    name, folder, card = find_dataset(dataset, data)
    category = config.category
    channels = card["channels"][0] if "channels" in card else channels_in(folder)
    domains = card.get("domains", [])
    domain = category or (domains[0] if len(domains) == 1 else name)
    full_name = f"{name}_{category}" if category else name
    parts: list[ArrayPictures | FilePictures] = []
    record: dict[str, Any] = {}
    spans: list[Span | None] = [None]
    for train in (True, False):
        published = read_published(card["reader"], folder, train) if "reader" in card else None
        if published:
            parts.append(ArrayPictures(of_class(published, category, card["classes"]).pixels, config.size))
            continue
        found = readable(files_of(folder, category, train), reading.skip_bad, reading.say, channels)
        if train:
            spans = spans_of(full_name, [domain], [found.wide], [channels], config.range, card, reading)
            check_bodies([(found.files, channels, spans[0])], reading.skip_bad, reading.say)
            record = record_of(folder, [found.files], spans)
        cache = reading.cache if train else 0
        parts.append(FilePictures(found.files, config, channels, cache, reading.skip_bad, spans[0]))
    return image_source(full_name, domain, channels, *parts, config=config, reading=reading, card=card, record=record)


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


def voxels(dataset: str, data: Path | None, config: VoxelsConfig, reading: Reading) -> Source:
    """Solids of one kind, each with pictures of it: a card's name, a folder or a file of solids."""
    name, card, train, test = open_solids(dataset, data, config)
    samples = Voxels(train.cells, config, reading.seed, reading.cache)
    domain = card.get("domains", [name])[0]
    return Source(
        name=name,
        domains=(domain,),
        channels=(1,),
        samples=samples,
        described=f"{len(train)} solids of {domain}",
        fixed=Voxels(test.cells, config, reading.seed).fixed if test else samples.fixed,
        augment=lambda device: lambda *batch: tuple(to_signed(part, device) for part in batch),
        card=card,
    )


Open = Callable[[str, Path | None, Any, Reading], Source]  # name or folder, --data, the model's Data settings, reading

SAMPLES: dict[str, Open] = {
    "unpaired": unpaired,
    "paired": paired,
    "images": images,
    "voxels": voxels,
}
