"""The real pictures of one direction: what goes in, and what outputs are held against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from cyclegan.data.masks import Masks
from cyclegan.data.pixels import as_colour, to_unit
from cyclegan.data.values import Span
from cyclegan.evaluate.measure import Example, Framing
from cyclegan.networks.directions import Direction

CPU = torch.device("cpu")  # where pictures are read and compared


@dataclass(frozen=True)
class TestSet:
    """The real pictures of one direction."""

    direction: Direction
    domains: tuple[str, str]  # (source, target)
    channels: tuple[int, int]
    inputs: list[Path]
    targets: list[Path]
    training: list[Path]  # of the target domain
    truth: dict[Path, Path]  # input → what it should become, where that is known
    spans: tuple[Span | None, Span | None] = (None, None)  # of files of more than 8 bits, see ``data.values``
    masks: Masks = field(default_factory=dict)  # of the inputs; outside of them a translator's outputs keep the input

    def targets_of(self, paths: Sequence[Path], framing: Framing) -> Iterator[Example]:
        """Real pictures of the target domain."""
        return (Example(as_colour(framing.read(path, self.channels[1], self.spans[1]))) for path in paths)

    def untouched(self, framing: Framing, chosen: Sequence[int]) -> Iterator[Example]:
        """The inputs with the numbers ``chosen`` as they are, for outputs."""
        for path in (self.inputs[i] for i in chosen):
            picture = as_colour(framing.read(path, self.channels[0], self.spans[0]))
            yield Example(picture, picture, truth=self.true(path, framing))

    def read(self, paths: Sequence[Path], channels: int, framing: Framing) -> tuple[Tensor, Tensor | None]:
        """Inputs as uint8 (N, channels, size, size), and their masks as float (N, 1, size, size), 1 inside; None
        where no input has any."""
        own = [self.masks.get(path, []) if self.masks else None for path in paths]
        read = [framing.read(path, channels, self.spans[0], masks) for path, masks in zip(paths, own, strict=True)]
        pictures = torch.stack(read)
        return pictures[:, :channels], to_unit(pictures[:, channels:], CPU) if self.masks else None

    def true(self, path: Path, framing: Framing) -> Tensor | None:
        """The ground truth of an input."""
        if path not in self.truth:
            return None
        return as_colour(framing.read(self.truth[path], self.channels[1], self.spans[1]))
