"""How good are generated photographs of 32 x 32 pixels? Measured with a small network that tells CIFAR-10's classes.

    python benchmarks/photographs.py dcgan_cifar10 runs/dcgan_cifar10 --data FOLDER [--reader cifar10.pt]

FOLDER holds train/CLASS/ and test/CLASS/. The network is trained on the training pictures once and kept in a file. The
columns: reader.py. FID of other networks, and KID: python -m cyclegan.evaluate.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from reader import Reader, table, trained_reader
from tyro.conf import Positional, arg

from cyclegan.data.finding import find_images
from cyclegan.data.images import read_image
from cyclegan.data.published import Labelled

SIZE = 32


@dataclass(frozen=True)
class Options:
    """Measure generators of small photographs."""

    generators: Positional[list[str]]
    """Names of cards, run folders or weights files; none measures the controls only."""
    data: Path
    """A folder with train/CLASS/ and test/CLASS/."""
    reader: Annotated[Path, arg(metavar="FILE")] = Path("runs/cifar10-reader.pt")
    """Where the network is kept; trained first where it is not there."""
    count: int = 2_000
    """Pictures of each generator."""
    seed: int = 1
    """Of the latents."""
    epochs: int = 12
    """Of the network's training."""


def labelled(folder: Path) -> Labelled:
    """The pictures in the subfolders, whose names in order are the classes."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    pixels, labels = [], []
    for label, place in enumerate(classes):
        found = [read_image(path) for path in find_images(place)]
        pixels += found
        labels += [label] * len(found)
    return Labelled(torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous(), torch.tensor(labels))


def main() -> None:
    """Prints the table."""
    o = tyro.cli(Options)
    train, test = labelled(o.data / "train"), labelled(o.data / "test")
    torch.manual_seed(0)
    reader = trained_reader(o.reader, Reader(3, SIZE, 32), train, o.epochs, flip=True)
    table(reader, train, test, o.generators, o.count, o.seed, noise=32, occurs=0.02)


if __name__ == "__main__":
    main()
