"""Pictures per second from disk to a training batch, against decoding every sample with PIL.

    python benchmarks/data.py FOLDER [--count 300] [--device cuda]

FOLDER holds trainA and trainB. The baseline decodes, resizes to 286, crops to 256 and flips each sample with PIL, the
usual way in a single process; ours is what training uses: threads, the cache of decoded pictures, crop and flip in
uint8 before the copy to the device. Measured are later epochs; the first decodes everything, as PIL does each time.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro
from machine import describe, finished, interleave, table
from PIL import Image, ImageOps

from cyclegan.data.augment import Augment
from cyclegan.data.batches import batches
from cyclegan.data.config import PicturesConfig
from cyclegan.data.datasets import locate
from cyclegan.data.finding import find_images
from cyclegan.data.samples import Unpaired
from cyclegan.system.devices import choose_device


@dataclass(frozen=True)
class Options:
    """Compare the data path with plain PIL, in turns."""

    folder: tyro.conf.Positional[Path]
    """A data set: trainA and trainB."""
    count: int = 300
    """Pictures of each domain to use, so that an epoch is short."""
    rounds: int = 5
    """Epochs of each to time."""
    workers: int = 2
    """Reading threads of ours; 0 reads in between."""
    device: str = "cpu"
    """Where the batches are wanted: cpu, cuda or cuda:1."""


def with_pil(files: list[Path], size: int = 256, load: int = 286) -> torch.Tensor:
    """One picture as the textbook reads it: decode, resize, crop, flip, scale."""
    image = Image.open(random.choice(files)).convert("RGB").resize((load, load), Image.Resampling.BICUBIC)
    x, y = random.randrange(load - size + 1), random.randrange(load - size + 1)
    image = image.crop((x, y, x + size, y + size))
    if random.random() < 0.5:
        image = ImageOps.mirror(image)
    pixels = np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 127.5 - 1
    return torch.from_numpy(pixels)


def main() -> None:
    o = tyro.cli(Options)
    data = locate(o.folder)
    files = [find_images(folder)[: o.count] for folder in (data.train_A, data.train_B)]
    config = PicturesConfig()
    device = choose_device(o.device)
    augment = Augment(config, device)

    def pil_epoch() -> int:
        for _ in range(o.count):
            [with_pil(domain)[None].to(device) for domain in files]
        return 2 * o.count * finished(device)

    def our_epoch(dataset) -> int:
        for batch in batches(dataset, 0, o.count, 1, o.workers, pinned=device.type == "cuda"):
            augment(*batch)
        return 2 * o.count * finished(device)

    # interleave leaves the first round out: in it ours decodes everything, which is the first epoch of a training
    dataset = Unpaired(*files, config, cache=2e9)
    seconds = interleave(
        o.rounds, **{"PIL, every sample": pil_epoch, "cyclegan, from the second epoch": lambda: our_epoch(dataset)}
    )
    print(f"{2 * o.count} pictures, 256 px from 286, batch 1, {o.workers} reading threads; {describe(device)}\n")
    print(table(seconds, "picture"))


if __name__ == "__main__":
    main()
