"""What each format of files holds, and what becomes of a result that it does not hold."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from cyclegan.data.bands import write_bands
from cyclegan.data.deep import encode_png
from cyclegan.data.metadata import Info, save_options
from cyclegan.data.values import Span, is_wide, narrowed, own_span, type_of
from cyclegan.system.errors import ImageError
from cyclegan.system.files import write_whole

Result = Image.Image | np.ndarray  # an array of what Pillow has no modes for: other bands, colour of 16 bits

# Format → the modes of Pillow that come back from it as they went in, but for grey as equal colours.
HOLDS = {
    "JPEG": {"L", "RGB"},
    "PNG": {"L", "LA", "RGB", "RGBA", "I;16"},
    "WEBP": {"L", "LA", "RGB", "RGBA"},
    "BMP": {"L", "RGB"},
    "TIFF": {"L", "LA", "RGB", "RGBA", "I;16", "I", "F"},
    "TGA": {"L", "LA", "RGB", "RGBA"},
    "JPEG2000": {"L", "LA", "RGB", "RGBA", "I;16"},
    "PPM": {"L", "RGB", "I;16"},
    "AVIF": {"L", "LA", "RGB", "RGBA"},
}


# What Pillow raises where it cannot write all that a picture carries besides pixels.
UNWRITABLE = (ValueError, TypeError, KeyError, AttributeError, RuntimeError, OverflowError, SyntaxError, struct.error)

_QUALITY: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 95, "subsampling": 0},  # the networks' colours change from pixel to pixel: keep them all
    "WEBP": {"quality": 95},
    "AVIF": {"quality": 90},
    "TIFF": {"compression": "tiff_deflate"},
}


def save_picture(
    picture: Result, path: str | os.PathLike, info: Info | None = None, span: Span | None = None
) -> str | None:
    """Writes ``picture`` in the format of the suffix of ``path`` (PNG for others), the whole file or none.

    Returns a sentence about what the format cannot hold. ``info`` is what the file carries besides, see
    ``data.metadata``; by default that of the picture itself. ``span`` are the values that are black and white where
    there are more than 8 bits. Raises ``ImageError`` for bands that only a TIFF holds, and OSError.
    """
    kind = Image.registered_extensions().get(Path(path).suffix.lower(), "PNG")
    encoded = BytesIO()  # and no file: on a full disk some of Pillow's encoders never return, or hide the reason
    lost = None
    if not isinstance(picture, Image.Image):
        if kind == "TIFF" or (kind == "PNG" and picture.dtype == np.uint16 and picture.shape[2] <= 4):
            _write_array(encoded, picture, kind, info or {})
            write_whole(path, encoded.getbuffer())
            return None
        if picture.dtype != np.uint16 or picture.shape[2] > 4:
            raise ImageError(f"{path} cannot hold {picture.shape[-1]} bands: name a .tif")
        lost = f"{kind} files cannot hold 16 bits of colour: written with 8"
        picture = Image.fromarray(narrowed(picture, span or (0, 65535)).squeeze())
    picture, note = fitted(picture, kind, span)
    note = note or lost
    options = _QUALITY.get(kind, {})
    carries: dict[str, object] = {}
    with suppress(*UNWRITABLE):
        carries = save_options(picture.info if info is None else info, kind, picture.mode)
    picture.info, own = {}, picture.info  # Pillow would add what it finds there by itself
    try:
        picture.save(encoded, kind, **(options | carries))
    except UNWRITABLE:
        encoded = BytesIO()
        picture.save(encoded, kind, **options)
        note = note or f"{kind} files cannot hold all that this one carries besides pixels: written without it"
    finally:
        picture.info = own
    write_whole(path, encoded.getbuffer())
    return note


def _write_array(file: BytesIO, values: np.ndarray, kind: str, info: Info) -> None:
    """Writes (H, W, C), as a PNG uint16 with 1 to 4 channels, as a TIFF any; with what of ``info`` has room."""
    if kind == "PNG":
        try:
            file.write(encode_png(values, info))
        except UNWRITABLE:  # in what it carries besides pixels
            file.write(encode_png(values, {}))
    else:
        write_bands(file, values, info.get("tags", []), colour="colour" in info)


def fitted(picture: Image.Image, kind: str, span: Span | None = None) -> tuple[Image.Image, str | None]:
    """The picture in a mode that the format ``kind`` holds, and a sentence where something is lost.

    Transparency is laid on white; more than 8 bits become 8, of which ``span`` are black and white. Raises
    ``ImageError`` where nobody knows the span.
    """
    holds = HOLDS.get(kind, {"L", "RGB"})
    if picture.mode in holds:
        return picture, None
    if is_wide(picture.mode):
        values = np.asarray(picture)
        if "I;16" in holds and values.dtype.kind == "i" and values.min() >= 0 and values.max() <= 65535:
            return Image.fromarray(values.astype(np.uint16)), None
        narrow = Image.fromarray(narrowed(values, span or own_span(values, type_of(picture))))
        return narrow, f"{kind} files cannot hold these {picture.mode} values: written with 8 bits"
    if picture.mode in ("LA", "RGBA"):
        colour = picture.convert("RGBA")
        white = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), colour)
        return white.convert(picture.mode.removesuffix("A")), f"{kind} files hold no transparency: laid on white"
    return picture.convert("RGB"), None
