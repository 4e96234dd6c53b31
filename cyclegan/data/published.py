"""Data sets in the files they were published in: MNIST, Fashion-MNIST, CIFAR-10. torchvision fetches and checks them.

A card names its reader (``reader = "MNIST"``) and its classes in the order of the labels.
"""

import gzip
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cyclegan.system.errors import NO_ROOM, UserError
from cyclegan.system.files import place
from cyclegan.system.terminal import say

BATCHES = "cifar-10-batches-py"  # the folder in CIFAR-10's archive


@dataclass(frozen=True)
class Labelled:
    """Pictures in memory, each with the number of its class."""

    pixels: Tensor  # uint8 (N, C, H, W)
    labels: Tensor  # int64 (N,)

    def of(self, label: int) -> "Labelled":
        """Those of one class."""
        mask = self.labels == label
        return Labelled(self.pixels[mask], self.labels[mask])


def read_published(reader: str, folder: Path, train: bool = True) -> Labelled | None:
    """The training or test part in ``folder`` (or where archives put it below); None where its files are not there.

    Raises ``UserError`` for files that are damaged and for a reader that does not exist.
    """
    if reader not in READERS:
        raise UserError(f"no reader is called {reader!r}: there are {', '.join(READERS)}")
    return READERS[reader](folder, train)


def fetch_published(reader: str, target: Path) -> None:
    """Downloads a data set into the folder ``target``, checked against torchvision's checksums, whole or not at all."""
    from torchvision import datasets

    if reader not in READERS:
        raise UserError(f"no reader is called {reader!r}: there are {', '.join(READERS)}")

    def build(work: Path) -> Path:
        work.mkdir(parents=True)
        say(f"Downloading {reader} to {target}")
        try:
            with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
                getattr(datasets, reader)(str(work), download=True)
        except (RuntimeError, OSError) as error:  # torchvision raises both for mirrors that do not answer
            if getattr(error, "errno", None) in NO_ROOM:
                raise
            raise UserError(
                f"{reader} could not be downloaded ({str(error).splitlines()[0]}); give its files with --data FOLDER"
            ) from error
        for archive in (*work.rglob("*.gz"), *work.rglob("*.tar.gz")):
            archive.unlink(missing_ok=True)
        return work

    place(target, build)


def _idx_pictures(folder: Path, train: bool) -> Labelled | None:
    """The four files of MNIST and its kin: plain or gzipped, in the folder or in NAME/raw below it."""
    part = "train" if train else "t10k"
    for place_ in (folder, folder / "raw", folder / "MNIST" / "raw", folder / "FashionMNIST" / "raw"):
        pixels, labels = (_idx(place_ / f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1"))
        if pixels is not None and labels is not None:
            return Labelled(torch.from_numpy(pixels)[:, None], torch.from_numpy(labels).long())
    return None


def _idx(path: Path) -> np.ndarray | None:
    """A file in the idx format (http://yann.lecun.com/exdb/mnist): two zeros, 8 for bytes, the rank, sizes, values."""
    packed = path.with_name(f"{path.name}.gz")
    try:
        if path.is_file():
            raw = path.read_bytes()
        elif packed.is_file():
            raw = gzip.decompress(packed.read_bytes())
        else:
            return None
        if raw[:3] != b"\0\0\x08":
            raise ValueError("no idx file of bytes")
        sizes = np.frombuffer(raw, ">u4", raw[3], 4)
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(sizes.astype(int)).copy()
    except (OSError, EOFError, IndexError, ValueError) as error:
        raise UserError(f"{path} is cut off or no idx file: copy or download it again") from error


def _cifar10(folder: Path, train: bool) -> Labelled | None:
    """CIFAR-10's Python batches: pickles, which torchvision opens only where their checksums are right."""
    root = folder.parent if folder.name == BATCHES else folder
    if not (root / BATCHES).is_dir():
        return None
    from torchvision.datasets import CIFAR10

    try:
        found = CIFAR10(str(root), train)
    except RuntimeError as error:
        raise UserError(f"{root / BATCHES} is not complete, or not CIFAR-10: copy or download it again") from error
    return Labelled(torch.from_numpy(found.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(found.targets))


# A card's reader → folder, whether the training part → pictures. The names are torchvision's.
READERS: dict[str, Callable[[Path, bool], Labelled | None]] = {
    "MNIST": _idx_pictures,
    "FashionMNIST": _idx_pictures,
    "CIFAR10": _cifar10,
}
