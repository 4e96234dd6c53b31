"""Solids and pictures of them, for models that make solids: sample k is a solid with one of its pictures."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cyclegan.data.config import VoxelsConfig
from cyclegan.data.dataset_cards import card_named
from cyclegan.data.datasets import find_dataset
from cyclegan.data.folders import unwrap
from cyclegan.data.render import render
from cyclegan.data.samples import Rounds
from cyclegan.data.solids import ENDINGS, Solids, fitted, read_solids
from cyclegan.system.errors import UserError

ELEVATIONS = (5.0, 40.0)  # degrees above the ground between which the cameras stand


class Voxels:
    """Sample k is the next solid of a shuffled round and a picture of it, both mirrored half the time with ``flip``.

    Args:
        cells: bool (N, size, size, size).
        config: the pictures.
        seed: of the order, the cameras and the mirrors.
        cache: bytes for pictures, so that each is drawn once.
    """

    def __init__(self, cells: np.ndarray, config: VoxelsConfig, seed: int = 0, cache: float = 0.0):
        self.cells, self.config, self.seed = cells, config, seed
        self.room = int(cache / config.view**2)  # pictures that may be kept
        self._rounds = Rounds(len(cells), seed)
        self._kept: dict[tuple[int, int], np.ndarray] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.cells)

    def sample(self, k: int) -> tuple[Tensor, Tensor]:
        """The k-th sample since training began: uint8 0 or 255 (1, size, size, size) and uint8 (1, view, view)."""
        place, view, mirrored = self._draw(k)
        solid, picture = self.cells[place], self.picture(place, view)
        if mirrored:
            solid, picture = solid[:, ::-1], picture[:, ::-1]
        levels = np.where(solid, np.uint8(255), np.uint8(0))[None]
        return torch.from_numpy(levels), torch.from_numpy(picture[None].copy())

    def in_memory(self, k: int) -> bool:
        """Whether the picture of the k-th sample is drawn already."""
        return self._draw(k)[:2] in self._kept

    def picture(self, place: int, view: int) -> np.ndarray:
        """The picture of a solid from one of its cameras: uint8 (view, view)."""
        kept = self._kept.get((place, view))
        if kept is None:
            kept = render(self.cells[place], self.config.view, *self.camera(place, view))
            with self._lock:
                if len(self._kept) < self.room:
                    self._kept[place, view] = kept
        return kept

    def camera(self, place: int, view: int) -> tuple[float, float]:
        """Azimuth and elevation in degrees of one of a solid's cameras."""
        draw = np.random.default_rng((self.seed, 2, place, view))
        turn = self.config.turn
        return float(draw.uniform(-turn, turn)), float(draw.uniform(*ELEVATIONS))

    def _draw(self, k: int) -> tuple[int, int, bool]:
        draw = np.random.default_rng((self.seed, 1, k))
        mirrored = self.config.flip and bool(draw.random() < 0.5)
        return self._rounds.place(k), int(draw.integers(self.config.views)), mirrored

    def fixed(self, count: int, resize: str = "stretch") -> tuple[Tensor, Tensor]:
        """Up to ``count`` solids, evenly from first to last, each with the picture of its first camera; not mirrored.

        ``resize`` is that of ``Source.fixed``; solids have one size.
        """
        count = min(count, len(self))
        places = [i * len(self) // count for i in range(count)]
        solids = torch.from_numpy(self.cells[places][:, None]).to(torch.uint8) * 255
        return solids, torch.from_numpy(np.stack([self.picture(place, 0) for place in places])[:, None])


def open_solids(
    dataset: str, data: Path | None, config: VoxelsConfig
) -> tuple[str, dict[str, Any], Solids, Solids | None]:
    """Name, card, training and test solids of a data set, in the size and pose of ``config``.

    ``dataset`` is a card's name, a folder or a file of solids; ``data`` stands for the card's. Raises ``UserError``.
    """
    given = Path(data or dataset).expanduser()
    if given.suffix.lower() in ENDINGS:
        if not given.is_file():
            raise UserError(f"there is no file {given}")
        place, name = given, dataset if data else given.stem
        card = card_named(name) if data else {}
    else:
        name, place, card = find_dataset(dataset, data)
        place = place if (place / "train").is_dir() else unwrap(place)
    found = [read_solids(place, train) for train in (True, False)]
    posed = [part and part.posed(config.pose) for part in found]
    train, test = (part and Solids(fitted(part.cells, config.size), part.names) for part in posed)
    if train is None:
        raise UserError(f"{place} holds no solids for training")
    return name, card, train, test
