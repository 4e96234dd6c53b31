"""Masks: which part of a picture is to be translated. White is in, black is out, and grey is in between.

They lie beside the pictures, in trainA_mask/ beside trainA/, and bear the picture's name: horse.jpg has horse.png, or
one mask for each thing in it, horse_0.png, horse_1.png …, which count as one.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cyclegan.data.images import find_images, load_image
from cyclegan.system.errors import ImageError

BESIDE = "_mask"  # what the folder of masks is called more than that of the pictures


def masks_in(folder: Path) -> dict[str, list[Path]]:
    """The masks in a folder, by the name of the picture that they belong to, without its ending."""
    found: dict[str, list[Path]] = {}
    for path in find_images(folder) if folder.is_dir() else []:
        found.setdefault(path.stem, []).append(path)
        if numbered := re.fullmatch(r"(.+)_\d+", path.stem):
            found.setdefault(numbered[1], []).append(path)
    return found


def read_mask(source: Any) -> np.ndarray:
    """uint8 (H, W): 255 is in, 0 is out.

    ``source`` is a file, a Pillow image, an array (H, W), bool, uint8 or floating point in [0, 1], or anything that
    NumPy makes one of; or a list of these, whose union it is. Raises ``ImageError``.
    """
    if isinstance(source, (list, tuple)):
        if not source:
            raise ImageError("a list of masks holds one at least")
        masks = [read_mask(one) for one in source]
        if len({mask.shape for mask in masks}) > 1:
            raise ImageError(f"masks of one picture are of one size, not of {_sizes(masks)}")
        return np.maximum.reduce(masks)
    if isinstance(source, (str, Path)):
        source = load_image(source)
    if isinstance(source, Image.Image):
        source = np.array(source.convert("L"))
    mask = np.asarray(source).squeeze()
    if mask.ndim != 2 or mask.dtype not in (np.bool_, np.uint8, np.float32, np.float64):
        raise ImageError(f"a mask is (H, W) of bool, uint8 or floating point in [0, 1], not {mask.dtype} {mask.shape}")
    if mask.dtype != np.uint8:
        if not 0 <= float(mask.min()) <= float(mask.max()) <= 1:  # NaN is none either
            raise ImageError(f"a floating-point mask is in [0, 1], and this one goes from {mask.min()} to {mask.max()}")
        return np.round(mask * 255.0).astype(np.uint8)
    return mask * np.uint8(255) if mask.max() == 1 else mask  # some programs write 0 and 1


def fitted(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """The mask at the size of its picture; raises ``ImageError`` where it has other proportions."""
    rows, columns = mask.shape
    if (rows, columns) == (height, width):
        return mask
    if abs(columns * height / (rows * width) - 1) > 0.02:
        raise ImageError(
            f"the mask is {columns} × {rows} pixels and its picture {width} × {height}: of other proportions"
        )
    return np.array(Image.fromarray(mask).resize((width, height), Image.Resampling.BILINEAR))


def _sizes(masks: Sequence[np.ndarray]) -> str:
    return " and ".join(dict.fromkeys(f"{mask.shape[1]} × {mask.shape[0]}" for mask in masks))
