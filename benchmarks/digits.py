"""How good are generated digits? Measured with a small network that reads them.

    python benchmarks/digits.py gan_mnist runs/gan_mnist [--data FOLDER] [--reader digits.pt]

The reader, a small convolutional network, is trained on MNIST's 60,000 training pictures once and kept in a file. Of
each generator, and of real pictures as controls, it says
  sure       share of pictures whose digit it is at least 90 % sure of
  digits     how many of the ten digits occur (each in at least 0.5 % of the pictures)
  KL         of the digits' shares from the uniform distribution, in nats
  FID        in its 128 features, against the 10,000 test pictures: only comparable for the same reader and number
  nearest    median Euclidean distance of 1,000 pictures to their nearest training picture, pixels in [0, 1]: far below
             that of test pictures would mean copying
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from reader import Reader, made, nearest, trained_reader
from torch import Tensor
from tyro.conf import Positional, arg

from cyclegan.data.datasets import find_dataset
from cyclegan.data.published import read_published
from cyclegan.evaluate.metrics import fid

SURE, OCCURS = 0.9, 0.005


@dataclass(frozen=True)
class Options:
    """Measure generators of digits."""

    generators: Positional[list[str]]
    """Names of cards, run folders or weights files; none measures the controls only."""
    data: Path | None = None
    """The folder of MNIST's files, instead of downloading them."""
    reader: Annotated[Path, arg(metavar="FILE")] = Path("runs/digit-reader.pt")
    """Where the reader is kept; trained first where it is not there."""
    count: int = 10_000
    """Pictures of each generator."""
    seed: int = 1
    """Of the latents."""
    epochs: int = 3
    """Of the reader's training."""


def line(name: str, levels: Tensor, reader: Reader, reference: np.ndarray, train: Tensor) -> str:
    """One row of the table."""
    probabilities, features = reader.read(levels)
    shares = torch.bincount(probabilities.argmax(1), minlength=10) / len(levels)
    kl = float((shares * (shares * 10).clamp(min=1e-12).log()).sum())
    sure, digits = float((probabilities.amax(1) >= SURE).float().mean()), int((shares >= OCCURS).sum())
    distance = nearest(levels[torch.randperm(len(levels))[:1000]], train)
    return f"| {name} | {sure:.1%} | {digits} | {kl:.4f} | {fid(features, reference):.2f} | {distance:.2f} |"


def main() -> None:
    """Prints the table."""
    o = tyro.cli(Options)
    _, folder, card = find_dataset("mnist", o.data)
    train, test = (read_published(card["reader"], folder, part) for part in (True, False))
    begin = time.monotonic()
    torch.manual_seed(0)
    reader = trained_reader(o.reader, Reader(), train, o.epochs)
    probabilities, reference = reader.read(test.pixels)
    right = (probabilities.argmax(1) == test.labels).float().mean()
    seconds = time.monotonic() - begin
    print(f"reader: {right:.2%} of the test pictures right, {seconds:.0f} s; {o.count} pictures each\n")
    print("| | sure | digits | KL | FID | nearest |\n|---|---|---|---|---|---|")
    torch.manual_seed(o.seed)
    chosen = train.pixels[torch.randperm(len(train.pixels))[: o.count]]
    print(line("real test pictures", test.pixels, reader, reader.read(chosen)[1], train.pixels))
    noisy = (chosen + 64 * torch.randn(chosen.shape)).clamp(0, 255).byte()
    print(line("training pictures with noise of a quarter", noisy, reader, reference, train.pixels))
    print(line("training pictures upside down", chosen.flip(2), reader, reference, train.pixels))
    for name in o.generators:
        print(line(name, made(name, o.count, o.seed), reader, reference, train.pixels), flush=True)


if __name__ == "__main__":
    main()
