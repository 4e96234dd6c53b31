"""How good are generated photographs of 32 x 32 pixels? Measured with a small network that tells CIFAR-10's classes.

    python benchmarks/photographs.py dcgan_cifar10 runs/dcgan_cifar10 --data FOLDER [--reader cifar10.pt]

FOLDER holds train/CLASS/ and test/CLASS/. The network is trained on the training pictures once and kept in a file. Of
each generator, and of real pictures as controls, it says
  sure       share of pictures whose class it is at least 90 % sure of
  classes    how many of the ten classes occur (each in at least 2 % of the pictures)
  FID        in its 128 features, against the test pictures: only comparable for the same reader and numbers
  nearest    median Euclidean distance of 500 pictures to their nearest training picture, pixels in [0, 1]
FID of other networks, and KID: python -m cyclegan.evaluate.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from reader import Reader, made, nearest, trained_reader
from torch import Tensor
from tyro.conf import Positional, arg

from cyclegan.data.images import find_images, read_image
from cyclegan.data.published import Labelled
from cyclegan.evaluate.metrics import fid

SIZE, SURE, OCCURS = 32, 0.9, 0.02


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


def line(name: str, levels: Tensor, reader: Reader, reference: np.ndarray, train: Tensor) -> str:
    """One row of the table."""
    probabilities, features = reader.read(levels)
    shares = torch.bincount(probabilities.argmax(1), minlength=10) / len(levels)
    sure, classes = float((probabilities.amax(1) >= SURE).float().mean()), int((shares >= OCCURS).sum())
    distance = nearest(levels[torch.randperm(len(levels))[:500]], train)
    return f"| {name} | {sure:.1%} | {classes} | {fid(features, reference):.2f} | {distance:.2f} |"


def main() -> None:
    """Prints the table."""
    o = tyro.cli(Options)
    train, test = labelled(o.data / "train"), labelled(o.data / "test")
    torch.manual_seed(0)
    reader = trained_reader(o.reader, Reader(3, SIZE, 32), train, o.epochs, flip=True)
    probabilities, reference = reader.read(test.pixels)
    right = (probabilities.argmax(1) == test.labels).float().mean()
    print(f"reader: {right:.1%} of {len(test.labels)} test pictures right; {o.count} pictures each\n")
    print("| | sure | classes | FID | nearest |\n|---|---|---|---|---|")
    torch.manual_seed(o.seed)
    chosen = train.pixels[torch.randperm(len(train.pixels))[: o.count]]
    print(line("training pictures", chosen, reader, reference, train.pixels))
    noisy = (chosen + 32 * torch.randn(chosen.shape)).clamp(0, 255).byte()
    print(line("training pictures with noise of an eighth", noisy, reader, reference, train.pixels))
    print(line("training pictures upside down", chosen.flip(2), reader, reference, train.pixels))
    for name in o.generators:
        print(line(name, made(name, o.count, o.seed), reader, reference, train.pixels), flush=True)


if __name__ == "__main__":
    main()
