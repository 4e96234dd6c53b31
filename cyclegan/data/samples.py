"""From folders of pictures to batches of uint8 tensors, in an order that depends on nothing but the seed.

A set is a function ``sample(k)`` of the number of the sample since training began, so a resumed run continues where
it stopped without keeping any state, and any number of reading threads gives the same data. ``batches`` reads ahead
in threads: Pillow and NumPy release the interpreter lock while they decode and resize, all threads share one cache,
and nothing has to be pickled, which is what breaks worker processes on Windows and in notebooks.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cyclegan.data.images import ImageError, read_image
from cyclegan.train.config import PicturesConfig

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would ask the network for a newer version on import
import albumentations as A


class Decoder:
    """Pictures of one domain, decoded, resized to the load size and kept as uint8 (H, W, C) while memory lasts.

    Args:
        config: ``load_size`` and whether to stretch to a square or to fit the shorter side.
        channels: 1 (luminance) or 3 (RGB).
        budget: bytes that may be kept; further pictures are decoded each time.
    """

    def __init__(self, config: PicturesConfig, channels: int, budget: float):
        self.side, self.fit, self.channels = config.load_size, config.resize == "fit", channels
        self.budget = budget
        self._kept: dict[Path, np.ndarray] = {}
        self._lock = threading.Lock()

    def __call__(self, path: Path) -> np.ndarray:
        """(H, W, C) with the shorter side of ``load_size``, both where it stretches; raises ``ImageError``."""
        kept = self._kept.get(path)
        if kept is not None:
            return kept
        picture = self._resized(read_image(path, self.channels))
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
        if size == (width, height):
            return picture
        # Pillow's bicubic is the reference's: it averages when shrinking, OpenCV's leaves moiré.
        image = Image.fromarray(picture[..., 0] if self.channels == 1 else picture)
        return np.asarray(image.resize(size, Image.Resampling.BICUBIC)).reshape(size[1], size[0], self.channels)


class Unpaired:
    """Two folders without pairs: sample k is the next picture of A's shuffled round and a random one of B.

    Args:
        A, B: the files of each domain.
        config, channels: how to decode them.
        seed: of the order and of the crops.
        cache: bytes for decoded pictures, shared out by the number of files.
        skip_bad: take the next picture instead of one that turns out to be damaged.

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
    ):
        self.files, self.seed, self.skip_bad = (A, B), seed, skip_bad
        share = cache / (len(A) + len(B))
        self.decoders = tuple(
            Decoder(config, c, share * len(f)) for f, c in zip(self.files, channels, strict=True)
        )
        self._crop = _RandomSquare(config)
        self._orders: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return max(map(len, self.files))

    def sample(self, k: int) -> tuple[Tensor, Tensor]:
        """The k-th sample since training began: uint8 (C, size, size) of A and of B."""
        places, seeds = self._draw(k)
        return tuple(self._picture(domain, places[domain], seeds[domain]) for domain in (0, 1))

    def in_memory(self, k: int) -> bool:
        """Whether the k-th sample needs no decoding any more."""
        places, _ = self._draw(k)
        return all(
            decoder.keeps(files[place % len(files)])
            for decoder, files, place in zip(self.decoders, self.files, places, strict=True)
        )

    def _draw(self, k: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The places of sample k in A and B, and the seeds of its crops."""
        epoch, place = divmod(k, len(self))
        draw = np.random.default_rng((self.seed, 1, k))
        places = int(self._order(epoch)[place]), int(draw.integers(len(self.files[1])))
        return places, tuple(draw.integers(2**31, size=2).tolist())

    def _picture(self, domain: int, place: int, seed: int) -> Tensor:
        files = self.files[domain]
        for shift in range(len(files)):
            try:
                picture = self.decoders[domain](files[(place + shift) % len(files)])
                return _tensor(self._crop(picture, seed))
            except ImageError:
                if not self.skip_bad:
                    raise
        raise ImageError(f"none of the {len(files)} pictures beside {files[0]} can be read; put others there")

    def _order(self, epoch: int) -> np.ndarray:
        if epoch not in self._orders:  # two epochs at most are under way at once, when reading ahead
            self._orders = {e: o for e, o in self._orders.items() if e == epoch - 1}
            self._orders[epoch] = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self))
        return self._orders[epoch]


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


def _tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1).copy())


def still_pictures(files: list[Path], count: int, size: int, channels: int) -> Tensor:
    """``count`` pictures spread evenly over ``files``, as uint8 (N, C, size, size): the fixed ones to look at."""
    decode = Decoder(PicturesConfig(size=size, load=size), channels, 0)
    chosen = [files[i * len(files) // count] for i in range(min(count, len(files)))]
    return torch.stack([_tensor(decode(path)) for path in chosen])


def check_readable(files: list[Path], skip_bad: bool) -> tuple[list[Path], list[str]]:
    """Files whose first bytes are a picture's, and a sentence about each that is not.

    Looks at headers only, which takes well under a millisecond a file. Raises ``ImageError`` at the first bad one
    unless ``skip_bad``.
    """
    good, complaints = [], []
    for path in files:
        try:
            with Image.open(path) as image:
                image.size  # noqa: B018  (Pillow parses the header on opening)
            good.append(path)
        except Exception as error:
            if not skip_bad:
                read_image(path)  # says in its own words what is wrong
                raise ImageError(f"{path} cannot be read ({error})") from error
            complaints.append(f"{path} cannot be read and is left out")
    return good, complaints


def batches(
    dataset, first: int, count: int, batch: int, workers: int = 0, rank: int = 0, world: int = 1
) -> Iterator[tuple[Tensor, ...]]:
    """``count`` batches from step ``first`` on: one uint8 tensor (batch, C, H, W) for each part of a sample.

    Step s holds the samples s·batch·world … (s+1)·batch·world - 1, dealt out to the ranks in turn, so that two
    processes see together what one with the doubled batch sees.
    """

    def collate(step: int) -> tuple[Tensor, ...]:
        start = step * batch * world
        samples = [dataset.sample(start + rank + i * world) for i in range(batch)]
        # Stacked by NumPy: in each thread that stacks, PyTorch would start a pool of threads of its own.
        parts = zip(*samples, strict=True)
        return tuple(torch.from_numpy(np.stack([sample.numpy() for sample in part])) for part in parts)

    def finished(entry) -> tuple[Tensor, ...]:
        return collate(entry) if isinstance(entry, int) else entry.result()

    steps = range(first, first + count)
    if workers == 0:
        yield from map(collate, steps)
        return
    executor = ThreadPoolExecutor(workers, thread_name_prefix="reader")
    try:
        ahead: deque = deque()
        for step in steps:
            # What is in memory is quicker fetched than handed over between threads.
            start, stop = step * batch * world, (step + 1) * batch * world
            ready = all(map(dataset.in_memory, range(start + rank, stop, world)))
            ahead.append(step if ready else executor.submit(collate, step))
            if len(ahead) > 2 * workers:
                yield finished(ahead.popleft())
        while ahead:
            yield finished(ahead.popleft())
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
