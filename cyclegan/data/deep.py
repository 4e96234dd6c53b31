"""Colour of 16 bits a channel, for which Pillow has no mode: uint16 (H, W, 3), or 4 with transparency.

It is kept where a PNG or a TIFF (extra: ``bands``) holds it in sRGB. What has another colour profile is read with 8
bits, in which profiles are applied.
"""

from __future__ import annotations

import os
import struct
import zlib
from importlib.util import find_spec
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageFile

from cyclegan.data.bands import band_tags
from cyclegan.data.metadata import Info, carried, save_options
from cyclegan.data.profiles import is_srgb

Source = str | os.PathLike | bytes | bytearray | BinaryIO

_ORIENTATION = 274
_UPRIGHT = {
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: np.rot90(x),
}
_PNG, _KINDS = b"\x89PNG\r\n\x1a\n", {1: 0, 2: 4, 3: 2, 4: 6}  # PNG's colour type by the number of channels


def is_deep(image: Image.Image) -> bool:
    """Whether an opened file, not decoded yet, holds colour of 16 bits that can be kept."""
    if "transparency" in image.info or not is_srgb(image):
        return False
    kept = image.format == "PNG" or (image.format == "TIFF" and bool(find_spec("tifffile")))  # which writes it
    return kept and _raw_mode(image).startswith(("RGB;16", "RGBA;16"))


def read_deep(source: Source) -> np.ndarray:
    """The colours of a file that ``is_deep``: uint16 (H, W, 3 or 4), upright."""
    first, second = (_bytes(source, order) for order in "BL")
    with _opened(source) as image:
        high, low = (first, second) if _raw_mode(image).endswith("B") else (second, first)
        values = high.astype(np.uint16) << 8 | low
        turned = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    return np.ascontiguousarray(turned(values)) if turned else values


def deep_values(source: Source) -> np.ndarray | None:
    """The colours of a file as ``read_deep`` gives them; None for all other files, and for what is no picture."""
    try:
        with _opened(source) as image:
            deep = is_deep(image)
        return read_deep(source) if deep else None
    except OSError:
        return None


def deep_info(source: Source) -> Info:
    """What a file of ``deep_values`` carries besides pixels, for ``save_picture``; {} for all other files."""
    try:
        with _opened(source) as image:
            if not is_deep(image):
                return {}
            tags = band_tags(source) if image.format == "TIFF" else []  # type: ignore[arg-type]
            return carried(image) | {"tags": tags, "colour": True}
    except OSError:
        return {}


def encode_png(values: np.ndarray, info: Info) -> bytes:
    """A PNG of 16 bits: uint16 (H, W, 1 to 4), 2 and 4 with transparency; with what ``info`` has (PNG, 3rd edition)."""
    height, width, channels = values.shape
    head = struct.pack(">IIBBBBB", width, height, 16, _KINDS[channels], 0, 0, 0)
    rows = np.ascontiguousarray(values.astype(">u2")).reshape(height, -1).view(np.uint8)
    above = np.zeros_like(rows)
    above[1:] = rows[:-1]
    filtered = np.concatenate([np.full((height, 1), 2, np.uint8), rows - above], 1)  # section 9.2: the filter "up"
    body = zlib.compress(filtered.tobytes())
    return _PNG + _chunk(b"IHDR", head) + _described(info) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _opened(source: Source) -> ImageFile.ImageFile:
    if isinstance(source, (bytes, bytearray)):
        return Image.open(BytesIO(source))
    if not isinstance(source, (str, os.PathLike)):
        source.seek(0)
    return Image.open(source)


def _raw_mode(image: Any) -> str:
    """Pillow's name for how an opened file stores its pixels, such as RGB;16B; "" where that is not known."""
    stored: Any = image.tile[0][3] if getattr(image, "tile", None) else ""
    return str(stored[0] if isinstance(stored, tuple) and stored else stored)


def _bytes(source: Source, order: str) -> np.ndarray:
    """The first bytes of the numbers ("B"), or the second ones ("L"): Pillow keeps what it takes for the high one."""
    with _opened(source) as image:
        raw = _raw_mode(image)
        asked = raw[:-1] + order
        tiles: Any = image.tile
        image.tile = [
            tile._replace(args=asked if isinstance(tile.args, str) else (asked, *tile.args[1:])) for tile in tiles
        ]
        image.load()
        return np.asarray(image)


def _described(info: Info) -> bytes:
    """The chunks before the pixels that Pillow writes for what ``info`` has."""
    encoded = BytesIO()
    Image.new("RGB", (1, 1)).save(encoded, "PNG", **save_options(info, "PNG", "RGB"))
    data, at, found = encoded.getvalue(), len(_PNG), b""
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        if name not in (b"IHDR", b"IDAT", b"IEND"):
            found += data[at : at + size + 12]
        at += size + 12
    return found


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
