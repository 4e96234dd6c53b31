"""From folders of pictures to batches of uint8 tensors, in an order that depends on nothing but the seed.

A set is a function ``sample(k)`` of the number of the sample since training began, so a resumed run continues where
it stopped without keeping any state, and any number of reading threads gives the same data.
"""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from cyclegan.data.config import PicturesConfig
from cyclegan.data.images import read_image
from cyclegan.data.masks import Masks, with_mask
from cyclegan.data.pixels import read_square, resized, to_tensor
from cyclegan.data.values import Span
from cyclegan.system.errors import ImageError

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version on import
import albumentations as A


class Samples(Protocol):
    """Samples by number: a function of nothing but the number and the seed, so that a run resumes without state."""

    def __len__(self) -> int:
        """How many samples make an epoch."""

    def sample(self, k: int) -> tuple[Tensor, ...]:
        """The k-th sample since training began: one uint8 tensor (C, H, W) or (C, D, H, W) for each part."""

    def in_memory(self, k: int) -> bool:
        """Whether the k-th sample needs no decoding any more."""


class Decoder:
    """Pictures of one domain, decoded, resized to the load size and kept as uint8 (H, W, C) while memory lasts.

    Args:
        config: ``load_size`` and whether to stretch to a square or to fit the shorter side.
        channels: 1 (luminance), 3 (RGB), or as many as the files have.
        span: the values that are black and white in pictures of more than 8 bits.
        masks: the masks of each picture, which become one more channel; None for none.
        budget: bytes that may be kept; further pictures are decoded each time.
    """

    def __init__(
        self,
        config: PicturesConfig,
        channels: int,
        budget: float,
        span: Span | None = None,
        masks: Masks | None = None,
    ):
        self.side, self.fit, self.channels = config.load_size, config.resize == "fit", channels
        self.budget, self.span, self.masks = budget, span, masks
        self._kept: dict[Path, np.ndarray] = {}
        self._lock = threading.Lock()

    def __call__(self, path: Path) -> np.ndarray:
        """(H, W, C) with the shorter side of ``load_size``, both where it stretches; raises ``ImageError``."""
        kept = self._kept.get(path)
        if kept is not None:
            return kept
        picture = read_image(path, self.channels, self.span)
        if self.masks is not None:
            picture = with_mask(picture, self.masks.get(path, []))
        picture = self._resized(picture)
        with self._lock:
            if picture.nbytes <= self.budget and path not in self._kept:
                self._kept[path] = picture
                self.budget -= picture.nbytes
        return picture

    def keeps(self, path: Path) -> bool:
        """Whether the picture is in memory."""
        return path in self._kept

    def _resized(self, picture: np.ndarray) -> np.ndarray:
        height, width = picture.shape[:2]
        scale = self.side / min(height, width)
        size = (round(width * scale), round(height * scale)) if self.fit else (self.side, self.side)
        return resized(picture, *size)


class Rounds:
    """Which of ``count`` things is the k-th since training began: round after round, each in an order of its own."""

    def __init__(self, count: int, seed: int):
        self.count, self.seed = count, seed
        self._orders: dict[int, np.ndarray] = {}

    def place(self, k: int) -> int:
        """The number of the k-th, from 0 to ``count`` - 1."""
        epoch, place = divmod(k, self.count)
        if epoch not in self._orders:  # two epochs at most are under way at once, when reading ahead
            self._orders = {e: o for e, o in self._orders.items() if e == epoch - 1}
            self._orders[epoch] = np.random.default_rng((self.seed, 0, epoch)).permutation(self.count)
        return int(self._orders[epoch][place])


class Unpaired:
    """Two folders without pairs: sample k is the next picture of A's shuffled round and a random one of B.

    Args:
        A, B: the files of each domain.
        config, channels: how to decode them.
        seed: of the order and of the crops.
        cache: bytes for decoded pictures, shared out by the number of files.
        skip_bad: take the next picture instead of one that turns out to be damaged.
        spans: of each domain, for pictures of more than 8 bits, see ``data.values``.
        masks: of each domain's pictures, or [] where there are none.

    An epoch is ``len(self)`` = max(|A|, |B|) samples, as in the reference.
    """

    def __init__(
        self,
        A: list[Path],
        B: list[Path],
        config: PicturesConfig,
        channels: tuple[int, int] = (3, 3),
        seed: int = 0,
        cache: float = 0,
        skip_bad: bool = False,
        spans: Sequence[Span | None] = (None, None),
        masks: Sequence[Masks] = (),
    ):
        self.files, self.seed, self.skip_bad = (A, B), seed, skip_bad
        share = cache / (len(A) + len(B))
        self.masked = bool(masks)
        self.decoders = tuple(
            Decoder(config, c, share * len(f), span, of_domain)
            for f, c, span, of_domain in zip(self.files, channels, spans, masks or (None, None), strict=True)
        )
        self._crop = _RandomSquare(config)
        self._rounds = Rounds(len(self), seed)

    def __len__(self) -> int:
        return max(map(len, self.files))

    def sample(self, k: int) -> tuple[Tensor, ...]:
        """The k-th sample since training began: uint8 (C, size, size) of A, of B, and (1, size, size) of masks."""
        places, seeds = self._draw(k)
        parts = [self._picture(domain, places[domain], seeds[domain]) for domain in (0, 1)]
        return (*(part[:-1] for part in parts), *(part[-1:] for part in parts)) if self.masked else tuple(parts)

    def in_memory(self, k: int) -> bool:
        """Whether the k-th sample needs no decoding any more."""
        places, _ = self._draw(k)
        return all(
            decoder.keeps(files[place % len(files)])
            for decoder, files, place in zip(self.decoders, self.files, places, strict=True)
        )

    def _draw(self, k: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The places of sample k in A and B, and the seeds of its crops."""
        draw = np.random.default_rng((self.seed, 1, k))
        places = self._rounds.place(k), int(draw.integers(len(self.files[1])))
        return places, tuple(draw.integers(2**31, size=2).tolist())

    def _picture(self, domain: int, place: int, seed: int) -> Tensor:
        files = self.files[domain]
        for shift in range(len(files)):
            try:
                picture = self.decoders[domain](files[(place + shift) % len(files)])
                return to_tensor(self._crop(picture, seed))
            except ImageError:
                if not self.skip_bad:
                    raise
        raise ImageError(f"none of the {len(files)} pictures beside {files[0]} can be read; put others there")


class _RandomSquare:
    """A random square of ``size`` pixels, mirrored half the time: cut out, or with ``zoom`` shrunk from a larger one.

    On the CPU and in uint8, where both cost 0.05 ms a picture; kornia's crop and flip of a picture take 1 ms.
    """

    def __init__(self, config: PicturesConfig):
        size, load = config.size, config.load_size
        crop = A.RandomCrop(size, size)
        if config.zoom > 1:
            shares = [(side / load) ** 2 for side in (size, min(config.zoom * size, load))]
            crop = A.RandomResizedCrop((size, size), scale=shares, ratio=(1.0, 1.0), interpolation=cv2.INTER_AREA)
        self.transform = A.Compose([crop, A.HorizontalFlip(p=0.5 if config.flip else 0.0)])
        self.lock = threading.Lock()  # the transform keeps its random state, and several threads read

    def __call__(self, picture: np.ndarray, seed: int) -> np.ndarray:
        with self.lock:
            self.transform.set_random_seed(seed)
            return self.transform(image=picture)["image"]


def spread(files: list[Path], count: int) -> list[Path]:
    """``count`` of the files, or all if there are fewer, evenly from first to last: the same ones every time."""
    count = min(count, len(files))
    return [files[i * len(files) // count] for i in range(count)]


def fixed_pictures(
    files: list[Path],
    count: int,
    size: int,
    channels: int,
    resize: str = "stretch",
    span: Span | None = None,
    masks: Masks | None = None,
) -> Tensor:
    """Up to ``count`` pictures spread evenly over ``files``, as uint8 (N, channels, size, size).

    ``resize`` is ``stretch`` (to a square) or ``fit`` (keep proportions, crop the longer side in the middle). Where
    there are ``masks`` of the pictures, theirs is one more channel.
    """
    chosen = spread(files, count)
    own = [None if masks is None else masks.get(path, []) for path in chosen]
    read = [read_square(path, size, channels, resize, span, its) for path, its in zip(chosen, own, strict=True)]
    return torch.stack(read)
