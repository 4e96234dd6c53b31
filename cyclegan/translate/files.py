"""One picture's file as a translator takes it, and what else it holds."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from PIL import Image

from cyclegan.data.bands import band_tags
from cyclegan.data.deep import deep_info, deep_values
from cyclegan.data.formats import Result
from cyclegan.data.images import as_array, load_image, read_values
from cyclegan.data.values import is_wide
from cyclegan.translate.kinds import LARGEST, fetch_picture


def read(source: str, channels: tuple[int, int]) -> Result:
    """A file for a translator of these ``channels``: an array where Pillow cannot hold the picture or the result."""
    file = fetch_picture(source)
    if channels[0] not in (1, 3):
        return read_values(file, channels[0])
    picture = load_image(file, LARGEST)
    deep = deep_values(file) if picture.mode in ("RGB", "RGBA") and picture.format in ("PNG", "TIFF") else None
    if deep is None and channels[1] not in (1, 3):
        return as_array(picture) if not is_wide(picture.mode) else np.asarray(picture)[:, :, None]
    return picture if deep is None else deep


def info_of(picture: Result, source: str = "") -> dict:
    """What the file of a picture carries besides pixels."""
    if isinstance(picture, Image.Image):
        return picture.info
    with suppress(Exception):  # it may be broken; the pixels count
        return deep_info(source) or {"tags": band_tags(source)}
    return {}


def shape_of(picture: Result) -> tuple[int, ...]:
    """Its sides first; equal for pictures that can go through a network together."""
    return picture.size if isinstance(picture, Image.Image) else picture.shape


def pixels_in(picture: Result) -> int:
    """Height times width."""
    return shape_of(picture)[0] * shape_of(picture)[1]
