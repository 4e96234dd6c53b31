"""One domain, for models that make pictures from noise: a folder of pictures, with or without classes as subfolders."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from cyclegan.data.config import ImagesConfig
from cyclegan.data.images import find_images
from cyclegan.data.pixels import read_square
from cyclegan.data.samples import Rounds, check_readable
from cyclegan.system.errors import ImageError, UserError


class Pictures(Protocol):
    """Pictures of one size by number."""

    def __len__(self) -> int:
        """How many there are."""

    def picture(self, i: int) -> Tensor:
        """The i-th as uint8 (C, size, size)."""

    def keeps(self, i: int) -> bool:
        """Whether the i-th is in memory."""


class ArrayPictures:
    """Pictures that are all in memory: uint8 (N, C, size, size)."""

    def __init__(self, pixels: Tensor):
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def picture(self, i: int) -> Tensor:
        """The i-th as uint8 (C, size, size)."""
        return self.pixels[i]

    def keeps(self, i: int) -> bool:
        """True: all are."""
        return True


class FilePictures:
    """Files, decoded to squares and kept as uint8 while ``budget`` bytes last."""

    def __init__(self, files: list[Path], config: ImagesConfig, channels: int, budget: float, skip_bad: bool):
        self.files, self.config, self.channels, self.skip_bad = files, config, channels, skip_bad
        self.room = int(budget / (channels * config.size**2))  # pictures that may be kept
        self._kept: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.files)

    def picture(self, i: int) -> Tensor:
        """The i-th as uint8 (C, size, size); the next one where it cannot be read and ``skip_bad`` says so."""
        if i in self._kept:
            return self._kept[i]
        try:
            pixels = read_square(self.files[i], self.config.size, self.channels, self.config.resize)
        except ImageError:
            if not self.skip_bad or len(self.files) == 1:
                raise
            return self.picture((i + 1) % len(self.files))
        if len(self._kept) < self.room:
            self._kept[i] = pixels
        return pixels

    def keeps(self, i: int) -> bool:
        """Whether the i-th is decoded."""
        return i in self._kept


class Images:
    """Sample k is the next picture of a shuffled round, mirrored half the time where ``flip`` says so."""

    def __init__(self, pictures: Pictures, flip: bool = False, seed: int = 0):
        self.pictures, self.flip, self.seed = pictures, flip, seed
        self._rounds = Rounds(len(pictures), seed)

    def __len__(self) -> int:
        return len(self.pictures)

    def sample(self, k: int) -> tuple[Tensor]:
        """The k-th sample since training began: uint8 (C, size, size)."""
        picture = self.pictures.picture(self._rounds.place(k))
        if self.flip and np.random.default_rng((self.seed, 1, k)).random() < 0.5:
            picture = picture.flip(-1)
        return (picture,)

    def in_memory(self, k: int) -> bool:
        """Whether the k-th sample needs no decoding any more."""
        return self.pictures.keeps(self._rounds.place(k))


def fixed_of(pictures: Pictures) -> Callable[[int, str], tuple[Tensor, ...]]:
    """``Source.fixed`` for pictures by number: up to ``count`` of them, evenly from first to last."""

    def fixed(count: int, resize: str) -> tuple[Tensor, ...]:
        count = min(count, len(pictures))
        return (torch.stack([pictures.picture(i * len(pictures) // count) for i in range(count)]),)

    return fixed


def files_of(folder: Path, category: str | None, skip_bad: bool, say: Callable[[str], None]) -> list[Path]:
    """The pictures below ``folder``, or below its subfolder for one class; train/ is entered where it is there."""
    folder = folder / "train" if (folder / "train").is_dir() else folder
    if category:
        classes = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
        if category not in classes:
            there = ", ".join(classes) or "no subfolders, so no classes"
            raise UserError(f"{folder} has no class {category!r}: it has {there}")
        folder = folder / category
    good, complaints = check_readable(find_images(folder), skip_bad)
    for complaint in complaints:
        say(complaint)
    if not good:
        raise UserError(f"{folder} holds no pictures: name a folder with JPEG or PNG files")
    return good
