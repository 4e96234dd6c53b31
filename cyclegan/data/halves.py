"""Files that show A and B side by side, as the archives of pix2pix hold them: two pictures, each with a path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from cyclegan.system.errors import ImageError


class Half(type(Path())):  # type: ignore[misc]  # the class of paths here; it depends on the operating system
    """The path of a file of which only one half is meant. ``data.images`` cuts it; all else takes it as any path."""

    right: ClassVar[bool]

    def of(self, image: Image.Image) -> Image.Image:
        """This half of the whole picture; raises ``ImageError``."""
        start = self._start(image.width)
        half = image.crop((start, 0, start + image.width // 2, image.height))
        half.format = image.format
        return half

    def of_values(self, values: np.ndarray) -> np.ndarray:
        """This half of (H, W, C); raises ``ImageError``."""
        start = self._start(values.shape[1])
        return np.ascontiguousarray(values[:, start : start + values.shape[1] // 2])

    def _start(self, width: int) -> int:
        if width % 2:
            raise ImageError(
                f"is {width} pixels wide, an odd number, so A and B cannot be its two halves: cut off what is too much"
            )
        return width // 2 if self.right else 0

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and super().__eq__(other)

    def __hash__(self) -> int:
        return hash((self.right, super().__hash__()))


class LeftHalf(Half):
    """The left half of a picture: A."""

    right = False


class RightHalf(Half):
    """The right half of a picture: B."""

    right = True


def halves(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The pictures of A and those of B in files that show both side by side."""
    return [LeftHalf(path) for path in files], [RightHalf(path) for path in files]
