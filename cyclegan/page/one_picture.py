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

BOLD, FITTED, DOUBLE, OWN = "Twice as bold", "As in training", "Twice as fine", "The picture's own size"
TIMES = {BOLD: 0.5, FITTED: 1, DOUBLE: 2}  # the training's size
DETAILS = (*TIMES, OWN)
LARGEST, LARGEST_OWN = 4e6, 12.6e6  # pixels that the network is given: one visitor may not stall all


@dataclass(frozen=True)
class Trip:
    """A picture, its translation and what came back, all of one size: no larger than they are shown or worked at."""

    given: Image.Image
    result: Image.Image
    back: Image.Image | None
    full: Image.Image  # the translation at the size of the picture that was given
    worked_at: tuple[int, int]  # what the network saw of it
    seconds: float
    far: bool = False  # whether it looks like nothing that the translator was trained on

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
    shorter = min(size)
    allowed = int(((LARGEST_OWN if detail == OWN else LARGEST) / (size[0] * size[1])) ** 0.5 * shorter)
    return _scaled(size, max(1, min(shorter, shorter_side(trained, detail) or shorter, allowed)) / shorter)


def shorter_side(trained: int | None, detail: str) -> int | None:
    """The shorter side, in pixels, that ``detail`` stands for where a picture is larger; None for the picture's own."""
    return None if detail == OWN else round(TIMES[detail] * (trained or 256))


def shown_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size at which the page shows a picture."""
    return _scaled(size, min(1.0, DISPLAY / max(size)))


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
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
    from cyclegan.translate.watching import part_of

    there = warm.translator(way)
    returning = choice.back(way)
    back = warm.translator(returning) if returning else None
    worked_at = working_size(picture.size, there.size, detail)
    legs = 2 if back else 1
    start = time.perf_counter()
    full = on_white(there(picture, size=min(worked_at), palette=palette, watch=part_of(watch, 0, 1, legs)))
    if mask:  # by Pillow, which takes a fraction of the memory that the translator's own way takes
        mask = mask.resize(picture.size, Image.Resampling.BILINEAR)  # it may be of other proportions
        full = Image.composite(full, picture, mask)
    seconds = time.perf_counter() - start
    size = max(worked_at, shown_size(picture.size))
    given, result = fitted(picture, size), fitted(full, size)
    home = None
    if back:
        own = given if back.palettes is not None else None
        seen = min(working_size(picture.size, back.size, detail))
        home = on_white(back(result, size=seen, palette=own, watch=part_of(watch, 1, 1, legs), mask=mask))
    return Trip(given, result, home, full, worked_at, seconds)


def is_far(picture: Image.Image, way: Way) -> bool:
    """Whether an RGB ``picture`` is of another kind than the translator was trained on; False where nobody knows."""
    closeness = warm.translator(way).closeness(picture)
    return closeness is not None and closeness.far


def suggestions(picture: Image.Image, way: Way, numbers: Sequence[int]) -> list[Image.Image]:
    """The translations of an RGB ``picture`` in stored palettes, by their numbers, at the size of the training."""
    there = warm.translator(way)
    small = fitted(picture, working_size(picture.size, there.size, FITTED))
    return [on_white(there(small, palette=number)) for number in numbers]


def fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """``picture`` at that size; itself where it has it."""
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two RGB pictures of one size, 0…1."""
    return float(np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean() / 255)


def shown(picture: Image.Image) -> Image.Image:
    """``picture``, no larger than the page shows it."""
    return fitted(picture, shown_size(picture.size))


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
