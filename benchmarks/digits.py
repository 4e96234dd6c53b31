"""How good are generated digits? Measured with a small network that reads them.

    python benchmarks/digits.py gan_mnist runs/gan_mnist [--data FOLDER] [--reader digits.pt]

    python benchmarks/digits.py runs/quick_? runs/tutorial_?/steps/009000   # seeds of two recipes, at equal minutes

The reader is trained on MNIST's 60,000 training pictures once and kept in a file. The columns: reader.py.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from reader import Reader, table, trained_reader
from tyro.conf import Positional, arg

from cyclegan.data.datasets import find_dataset
from cyclegan.data.published import read_published


@dataclass(frozen=True)
class Options:
    """Measure generators of digits."""

    generators: Positional[list[str]]
    """Names of cards, run folders, their folders of kept weights or weights files; none measures the controls only."""
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


def main() -> None:
    """Prints the table."""
    o = tyro.cli(Options)
    _, folder, card = find_dataset("mnist", o.data)
    train, test = (read_published(card["reader"], folder, part) for part in (True, False))
    torch.manual_seed(0)
    reader = trained_reader(o.reader, Reader(), train, o.epochs)
    table(reader, train, test, o.generators, o.count, o.seed, noise=64, occurs=0.005)


if __name__ == "__main__":
    main()
