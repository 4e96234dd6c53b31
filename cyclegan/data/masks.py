"""Masks: which part of a picture is to be translated. White is in, black is out, and grey is in between.

They lie beside the pictures, in trainA_mask/ beside trainA/, and bear the picture's name: horse.jpg has horse.png, or
one mask for each thing in it, horse_0.png, horse_1.png … or all that lie in horse/, which count as one.
"""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cyclegan.data.finding import find_images
from cyclegan.data.images import load_image
from cyclegan.system.errors import ImageError, UserError

BESIDE = ("_mask", "_masks")  # what the folder of masks is called more than that of the pictures
Masks = dict[Path, list[Path]]  # a picture → its masks


def masks_beside(folder: Path, files: Sequence[Path]) -> Masks | None:
    """The masks of the pictures ``files`` of a folder, in trainA_mask/ beside trainA/; None without such a folder.

    Raises ``UserError`` where none of them is of such a picture.
    """
    beside = next((path for end in BESIDE if (path := folder.with_name(folder.name + end)).is_dir()), None)
    if beside is None:
        return None
    pictures = {_place(path, folder): path for path in files}
    found = masks_in(beside, pictures)
    if not found:
        name = next(iter(pictures))
        raise UserError(f"{beside} holds no mask of a picture in {folder.name}/: that of {name} is called {name}.png")
    return {pictures[name]: masks for name, masks in found.items()}


def masks_of_both(folders: Sequence[Path], sides: Sequence[Sequence[Path]]) -> list[Masks]:
    """``masks_beside`` each domain's folder for its pictures; [] where neither has any, {} for one that has none."""
    found = [masks_beside(folder, files) for folder, files in zip(folders, sides, strict=True)]
    return [masks or {} for masks in found] if any(found) else []


def masks_in(folder: Path, pictures: Collection[str]) -> dict[str, list[Path]]:
    """The masks in a folder, by the picture: of those of ``pictures`` that have any.

    Pictures are called by their path without its ending, such as horse or day/horse.
    """
    found: dict[str, list[Path]] = {}
    for path in find_images(folder):
        place = Path(_place(path, folder))
        thing = re.sub(r"(?<=.)_\d+$", "", place.name)  # horse_0 is of horse, unless a picture is called so
        names = [place.as_posix(), place.with_name(thing).as_posix(), place.parent.as_posix(), place.name, thing]
        if picture := next((name for name in names if name in pictures), None):
            found.setdefault(picture, []).append(path)
    return found


def with_mask(pixels: np.ndarray, masks: Sequence[Path]) -> np.ndarray:
    """uint8 (H, W, C) → (H, W, C + 1): the union of the masks as one more channel, white without any.

    Raises ``ImageError``.
    """
    if not masks:
        return np.dstack([pixels, np.full_like(pixels[:, :, 0], 255)])
    try:
        return np.dstack([pixels, fitted(read_mask(list(masks)), *pixels.shape[:2])])
    except ImageError as error:
        raise ImageError(str(error) if str(masks[0]) in str(error) else f"{masks[0]}: {error}") from error


def _place(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


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
