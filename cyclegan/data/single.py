"""One domain, for models that make pictures from noise: pictures by number, from memory or from files.

A folder is laid out as pictures (in subfolders or not), as one subfolder a class, or as train/ and test/ with either;
a data set of two domains is one with two classes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from cyclegan.data.config import ImagesConfig
from cyclegan.data.finding import find_images, is_debris, is_picture
from cyclegan.data.folders import find_domains, unwrap
from cyclegan.data.pixels import read_square, resize_square
from cyclegan.data.published import Labelled
from cyclegan.data.samples import Rounds
from cyclegan.data.values import Span
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
    """Pictures that are all in memory: uint8 (N, C, H, W), resized to ``size`` when they are asked for."""

    def __init__(self, pixels: Tensor, size: int | None = None):
        self.pixels, self.size = pixels, size or pixels.shape[-1]

    def __len__(self) -> int:
        return len(self.pixels)

    def picture(self, i: int) -> Tensor:
        """The i-th as uint8 (C, size, size)."""
        return resize_square(self.pixels[i], self.size)

    def keeps(self, i: int) -> bool:
        """True: all are."""
        return True


class FilePictures:
    """Files, decoded to squares and kept as uint8 while ``budget`` bytes last."""

    def __init__(
        self,
        files: list[Path],
        config: ImagesConfig,
        channels: int,
        budget: float,
        skip_bad: bool,
        span: Span | None = None,
    ):
        self.files, self.config, self.channels, self.skip_bad, self.span = files, config, channels, skip_bad, span
        self.room = int(budget / (channels * config.size**2))  # pictures that may be kept
        self._kept: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.files)

    def picture(self, i: int) -> Tensor:
        """The i-th as uint8 (C, size, size); the next one where it cannot be read and ``skip_bad`` says so."""
        if i in self._kept:
            return self._kept[i]
        try:
            pixels = read_square(self.files[i], self.config.size, self.channels, self.config.resize, self.span)
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


def files_of(folder: Path, category: str | None, train: bool = True) -> list[Path]:
    """The training or test pictures in ``folder``, or those of one class; [] where there is no part for testing.

    Raises ``UserError`` for a class that is not there, and where there are no training pictures.
    """
    folder = _unwrapped(folder)
    classes, part = _classes(folder, train)
    if category and category not in classes and train:
        raise unknown_class(folder, category, list(classes))
    if train and not (category or part):
        raise UserError(f"{folder} holds two kinds of pictures: choose --class {' or --class '.join(classes)}")
    part = classes.get(category) if category else part
    files = find_images(part) if part else []
    if train and not files:
        raise UserError(f"{part} holds no pictures: name a folder with JPEG or PNG files")
    return files


def _unwrapped(folder: Path) -> Path:
    """The only folder in ``folder`` where that is what an archive wrapped, and neither a class nor beside pictures."""
    inside = unwrap(folder)
    wraps = any(path.is_dir() for path in inside.iterdir())
    pictures = any(map(is_picture, folder.iterdir()))
    return inside if wraps and not pictures else folder


def _classes(folder: Path, train: bool) -> tuple[dict[str, Path], Path | None]:
    """The folder of each class, and the folder of all; for testing they may be missing."""
    if (folder / "trainA").is_dir():
        found = find_domains(folder)
        sides = (found.train_A, found.train_B) if train else (found.test_A, found.test_B)
        return {name: side for name, side in zip(found.names, sides, strict=True) if side}, None
    split = folder / ("train" if train else "test")
    if not split.is_dir() and not train:
        return {}, None
    inside = split if split.is_dir() else folder
    classes = {path.name: path for path in sorted(inside.iterdir()) if path.is_dir() and not is_debris(path.name)}
    return classes, inside


def of_class(found: Labelled, category: str | None, names: list[str]) -> Labelled:
    """The pictures of the class called ``category``, all for None; raises ``UserError`` where no class is called so."""
    if category is None:
        return found
    if category not in names:
        raise unknown_class("the data set", category, names)
    return found.of(names.index(category))


def unknown_class(where: object, category: str, names: list[str]) -> UserError:
    """What to say of a class that is not there."""
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return UserError(f"{where} has no class {category!r}: it has {shown or 'no subfolders, so no classes'}")
