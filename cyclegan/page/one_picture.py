"""One picture at a time: bounded reading, warm translators, the round trip. No gradio here, and torch on first use."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cyclegan.data.images import open_image
from cyclegan.networks import library
from cyclegan.page.choices import Choice, Way
from cyclegan.system.errors import ImageError

MEGABYTES = 40  # of a picture's file
MEGAPIXELS = 64  # of a picture: what phones take, and far below what exhausts the memory
WARM = 6  # translators kept in memory
DISPLAY = 1600  # pixels on the longer side of what the page shows; the download has the full size

FITTED, DOUBLE, OWN = "As in training", "Twice as fine", "The picture's own size"
DETAILS = (FITTED, DOUBLE, OWN)
LARGEST = {FITTED: 4e6, DOUBLE: 4e6, OWN: 12.6e6}  # pixels that the network is given: one visitor may not stall all


@dataclass(frozen=True)
class Trip:
    """A picture, its translation and what came back, all of the size that the network worked at."""

    given: Image.Image
    result: Image.Image
    back: Image.Image | None
    size: tuple[int, int]  # of the picture that was given
    seconds: float
    outside: Image.Image | None = None  # the picture that was given, where a mask keeps parts of it
    mask: Image.Image | None = None  # in mode L, of its size
    far: bool = False  # whether it looks like nothing that the translator was trained on

    @property
    def full(self) -> Image.Image:
        """The translation at the size of the picture that was given."""
        if self.result.size == self.size:
            return self.result
        full = self.result.resize(self.size, Image.Resampling.BICUBIC)
        return full if self.outside is None else Image.composite(full, self.outside, self.mask)

    @property
    def cycle_error(self) -> float | None:
        """Mean absolute difference of the picture and what came back, as a share of the whole range: 0…1."""
        return None if self.back is None else difference(self.given, self.back)

    @property
    def change(self) -> float:
        """The same between the picture and its translation."""
        return difference(self.given, self.result)


def read_picture(path: str | os.PathLike) -> Image.Image:
    """The picture of an uploaded file: upright, 8 bits, RGB on white. Raises ``ImageError`` with one sentence.

    Only the head of the file is read until its size is known, so a decompression bomb costs nothing.
    """
    name = Path(path).name
    if os.path.getsize(path) > MEGABYTES * 10**6:
        raise ImageError(f"{name} has more than {MEGABYTES} MB. Please save it smaller, or as a JPEG, and try again.")
    try:
        with Image.open(path) as image:
            width, height = image.size
    except Image.DecompressionBombError:
        width = height = 10**6
    except Exception as error:  # on damaged files Pillow raises nearly anything
        kind = "HEIC pictures cannot be read here" if name.lower().endswith((".heic", ".heif")) else ""
        kind = kind or f"{name} is not a picture that can be read here"
        raise ImageError(f"{kind}. Please try a JPEG, PNG or WebP file.") from error
    if width * height > MEGAPIXELS * 10**6:
        raise ImageError(f"{name} has more than {MEGAPIXELS} megapixels. Please scale it down and try again.")
    try:
        return on_white(open_image(path))
    except ImageError as error:
        raise ImageError(str(error).replace(str(path), name)) from error


def on_white(picture: Image.Image) -> Image.Image:
    """Without transparency, in RGB."""
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def working_size(size: tuple[int, int], trained: int | None, detail: str) -> tuple[int, int]:
    """The size at which the network sees a picture: never larger than it is, and never beyond ``LARGEST``."""
    shorter = {FITTED: trained or 256, DOUBLE: 2 * (trained or 256)}.get(detail, min(size))
    scale = min(1.0, shorter / min(size), (LARGEST[detail] / (size[0] * size[1])) ** 0.5)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def travel(
    picture: Image.Image,
    choice: Choice,
    way: Way,
    detail: str = FITTED,
    palette: Any = None,
    watch: Callable[[float], Any] | None = None,
    mask: Image.Image | None = None,
) -> Trip:
    """Translates an RGB ``picture`` and, where the choice has the way back, translates the result back.

    ``palette`` and ``watch`` are those of ``Translator(...)``. On the way back the palette is that of the picture
    itself, as in training, and ``watch`` is told the share of the whole round trip. ``mask``, in mode L and of any
    size, is white where the picture is to change, there and back.
    """
    there = warm.translator(way)
    returning = choice.back(way)
    back = warm.translator(returning) if returning else None
    small = fitted(picture, there.size, detail)
    inside = mask and mask.resize(small.size, Image.Resampling.BILINEAR)
    start = time.perf_counter()
    tell = watch or (lambda share: None)
    legs = 2 if back else 1
    result = there(small, palette=palette, watch=lambda share: tell(share / legs), mask=inside)
    seconds = time.perf_counter() - start
    home = None
    if back:
        own = small if back.palettes is not None else None
        home = on_white(back(result, palette=own, watch=lambda share: tell((1 + share) / legs), mask=inside))
    kept = (picture, mask.resize(picture.size, Image.Resampling.BILINEAR)) if mask else (None, None)
    return Trip(small, on_white(result), home, picture.size, seconds, *kept)


def is_far(picture: Image.Image, way: Way) -> bool:
    """Whether an RGB ``picture`` is of another kind than the translator was trained on; False where nobody knows."""
    closeness = warm.translator(way).closeness(picture)
    return closeness is not None and closeness.far


def suggestions(picture: Image.Image, way: Way, numbers: Sequence[int]) -> list[Image.Image]:
    """The translations of an RGB ``picture`` in stored palettes, by their numbers, at the size of the training."""
    there = warm.translator(way)
    small = fitted(picture, there.size, FITTED)
    return [on_white(there(small, palette=number)) for number in numbers]


def fitted(picture: Image.Image, trained: int | None, detail: str) -> Image.Image:
    """``picture`` as the network sees it, see ``working_size``."""
    size = working_size(picture.size, trained, detail)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two RGB pictures of one size, 0…1."""
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean() / 255)


def shown(picture: Image.Image) -> Image.Image:
    """``picture``, no larger than the page shows it."""
    longer = max(picture.size)
    if longer <= DISPLAY:
        return picture
    return picture.resize([max(1, round(s * DISPLAY / longer)) for s in picture.size], Image.Resampling.LANCZOS)


class Warm:
    """Translators that stay loaded: the last ``WARM`` ones, each replaced when its file changes (a run in training)."""

    def __init__(self):
        self._loaded: OrderedDict = OrderedDict()
        self._locks: dict = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    def translator(self, way: Way):
        """The translator of that direction. Raises ``UserError`` or ``WeightsError`` where it cannot be had."""
        name = way.name, way.reverse
        with self._lock:
            own = self._locks[name]
        with own:  # a second visitor waits for the first one's download, and nobody else does
            changed = library.find(*name).path.stat().st_mtime_ns
            with self._lock:
                seen, translator = self._loaded.get(name, (None, None))
            if seen != changed:
                from cyclegan.translate.translator import Translator

                translator = Translator.from_pretrained(*name)
            with self._lock:
                self._loaded[name] = changed, translator
                self._loaded.move_to_end(name)
                while len(self._loaded) > WARM:
                    self._loaded.popitem(last=False)
            return translator


warm = Warm()
