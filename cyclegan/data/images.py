"""From a picture file to 8-bit pixels, whatever the camera, scanner or drawing program wrote.

Everything that reads a picture (training, translation, the browser page) goes through here, so a file means
the same pixels everywhere. What Pillow leaves open is decided as follows.

- **Rotation** in the EXIF data is applied.
- **16 bits** are scaled to 8 by 1/257, which maps 0…65535 onto 0…255. Nothing is stretched: a file that uses
  only the low 12 of its 16 bits comes out dark, because the file alone does not say so. (Of 16-bit *colour*
  Pillow keeps the high byte of each value, which is the same scale rounded down.)
- **32 bits** have no agreed range. Float in 0…1 is scaled by 255; anything in 0…255 is kept; anything in
  0…65535 is taken as 16 bits; the rest (negative or larger) is stretched from its minimum to its maximum.
- **Transparency** is kept by `open_image` and laid on white by `read_image`.
- **Animations** give their first frame. Embedded colour profiles are not applied.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cyclegan.system.errors import ImageError
from cyclegan.system.files import write_whole

_COMMON = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
_RARE = {".tga", ".jp2", ".ppm", ".pgm", ".pbm", ".pnm"}
# Pillow alone cannot read HEIC: listed, so that a folder of them is refused by name and does not look empty.
_APPLE = {".heic", ".heif"}
SUFFIXES = frozenset(_COMMON | _RARE | _APPLE)

Source = str | os.PathLike | bytes | bytearray | BinaryIO

_QUALITY: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 95, "subsampling": 0},  # the networks' colours change from pixel to pixel: keep them all
    "WEBP": {"quality": 95},
    "AVIF": {"quality": 90},
    "TIFF": {"compression": "tiff_deflate"},
}

def read_image(source: Source, channels: int = 3) -> np.ndarray:
    """Read one picture as uint8 of shape (H, W, channels), writable and contiguous.

    `source` is a path, the bytes of a file, or an open binary file. `channels` is 3 (RGB) or 1 (luminance,
    0.299 R + 0.587 G + 0.114 B). Transparent parts become white. Raises `ImageError`.
    """
    return as_array(open_image(source), channels)


def open_image(source: Source) -> Image.Image:
    """Read one picture as a Pillow image in mode L, RGB or RGBA: fully decoded, upright, 8 bits a channel.

    `source` is a path, the bytes of a file, or an open binary file. Raises `ImageError`.
    """
    try:
        with Image.open(BytesIO(source) if isinstance(source, (bytes, bytearray)) else source) as image:
            image.load()
            _turn_upright(image)
            return as_8bit(image)
    except MemoryError:
        raise
    except Exception as error:  # on damaged data decoders raise nearly anything: struct.error, EOFError, KeyError
        raise ImageError(_explain(_name(source), error)) from error


def as_8bit(image: Image.Image) -> Image.Image:
    """Bring a loaded Pillow image of any mode to L, RGB or RGBA by the rules at the top of this file."""
    if image.mode.startswith("I;16"):
        wide = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    if image.mode in ("I", "F"):
        return Image.fromarray(_narrow(np.asarray(image)))
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def save_picture(picture: Image.Image, path: str | os.PathLike, info: dict | None = None) -> None:
    """Writes ``picture`` in the format of the suffix of ``path`` (PNG for others), the whole file or none.

    ``info`` is that of the picture it was made from, for its colour profile. Raises OSError.
    """
    kind = Image.registered_extensions().get(Path(path).suffix.lower(), "PNG")
    options = dict(_QUALITY.get(kind, {}))
    profile = (info or {}).get("icc_profile")
    if profile and profile[16:20] == b"RGB " and picture.mode in ("RGB", "RGBA"):
        options["icc_profile"] = profile  # the pixels were not converted, so they still mean its colours
    encoded = BytesIO()  # and no file: on a full disk some of Pillow's encoders never return, or hide the reason
    picture.save(encoded, kind, **options)
    write_whole(path, encoded.getbuffer())


def as_array(image: Image.Image, channels: int = 3) -> np.ndarray:
    """Turn any Pillow image into uint8 (H, W, channels): 1 channel is luminance, 3 are RGB; laid on white."""
    if channels not in (1, 3):
        raise ValueError(f"a picture is read with 1 or 3 channels, not {channels}")
    image = as_8bit(image)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    mode = "L" if channels == 1 else "RGB"
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return pixels[:, :, None] if channels == 1 else pixels


def find_images(folder: str | os.PathLike) -> list[Path]:
    """All picture files below `folder`, by suffix, in the order people count (2.png before 10.png).

    Hidden files and folders are left out, and so is `__MACOSX`, the debris of archives packed on a Mac.
    Raises `ImageError` if the folder does not exist or cannot be listed; an empty folder gives an empty list.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder" if folder.exists() else f"there is no folder {folder}")
    found = []
    for parent, below, files in os.walk(folder, onerror=_cannot_list):
        below[:] = [name for name in below if not name.startswith(".") and name != "__MACOSX"]
        found += [
            Path(parent, name)
            for name in files
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES
        ]
    return sorted(found, key=lambda path: _counting_order(path.relative_to(folder)))


def _turn_upright(image: Image.Image) -> None:
    with suppress(Exception):  # a damaged EXIF block is no reason to refuse pixels that decoded well
        ImageOps.exif_transpose(image, in_place=True)


def _narrow(values: np.ndarray) -> np.ndarray:
    """32-bit integers or floats (H, W) to uint8, by the rules at the top of this file."""
    if not np.isfinite(values).all():
        raise ImageError("the picture holds values that are not numbers (NaN or infinity)")
    low, high = float(values.min()), float(values.max())
    ranges = (1, 255, 65535) if values.dtype.kind == "f" else (255, 65535)
    top = next((top for top in ranges if low >= 0 and high <= top), None)
    if top is None:
        low, top = low, high
    else:
        low = 0.0
    scaled = (values.astype(np.float64) - low) * (255 / ((top - low) or 1))
    return np.floor(scaled + 0.5).astype(np.uint8)


def _name(source: Source) -> str:
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return str(getattr(source, "name", "the file"))


def _explain(name: str, error: Exception) -> str:
    """One sentence for the person who owns the file."""
    if isinstance(error, FileNotFoundError):
        return f"there is no file {name}"
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder, not a picture"
    if isinstance(error, PermissionError):
        return f"{name} may not be read: check its permissions"
    if isinstance(error, Image.DecompressionBombError):
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        return f"{name} has more than {limit:,} pixels, the limit for a single picture: scale it down first"
    if isinstance(error, UnidentifiedImageError):
        return f"{name} is not a picture that can be read here: convert it to JPEG or PNG, or remove it"
    reason = str(error).strip().rstrip(".") or type(error).__name__
    return f"{name} is damaged or incomplete ({reason}): copy or download it again, or remove it"


def _cannot_list(error: OSError) -> None:
    raise ImageError(f"The folder {error.filename} cannot be listed: {error.strerror}") from error


def _counting_order(path: Path) -> tuple:
    """Sort key: runs of digits compare as numbers, letters without case; the plain path settles ties."""

    def key(run: str) -> tuple:
        return (0, int(run), "") if run.isdecimal() else (1, 0, run.casefold())

    parts = [tuple(key(run) for run in re.split(r"(\d+)", part) if run) for part in path.parts]
    return parts, path.as_posix()
