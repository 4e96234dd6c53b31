"""From a picture file to 8-bit pixels, whatever the camera, scanner or drawing program wrote.

Everything that reads a picture (training, translation, the browser page) goes through here, so a file means
the same pixels everywhere. What Pillow leaves open is decided as follows.

- **Rotation** in the EXIF data is applied.
- **16 and 32 bits and floating point** become 8 bits by one span of values for black and white, which a data set or
  the caller gives; see ``data.values`` for what holds without, and ``data.deep`` for colour of 16 bits.
- **Transparency** is kept by `open_image` and laid on white by `read_image`.
- **Bands** beyond colour are transparency only where the file calls them so; others need ``channels`` as many as
  there are.
- **Colours** of a wide gamut and of print (CMYK) become sRGB by the profile in the file, see ``data.profiles``.
- **Animations** and files of several pages give their first.
- **Scans**, DICOM and NIfTI, are read by ``data.scans``.
- **Two pictures side by side** in one file are read one by one, by the paths of ``data.halves``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cyclegan.data.bands import named_bands, read_bands
from cyclegan.data.deep import is_deep, read_deep
from cyclegan.data.halves import Half
from cyclegan.data.metadata import carried
from cyclegan.data.profiles import in_srgb
from cyclegan.data.scans import is_scan, read_scan
from cyclegan.data.values import Span, is_wide, narrowed, own_span, type_of
from cyclegan.system.errors import ImageError, MissingPackage

Source = str | os.PathLike | bytes | bytearray | BinaryIO


def read_image(source: Source, channels: int = 3, span: Span | None = None) -> np.ndarray:
    """Read one picture as uint8 of shape (H, W, channels), writable and contiguous.

    `source` is a path, the bytes of a file, or an open binary file. `channels` is 3 (RGB), 1 (luminance,
    0.299 R + 0.587 G + 0.114 B) or the number of bands that the file has. Transparent parts become white.
    `span` are the values that are black and white in pictures of more than 8 bits. Raises `ImageError`.
    """
    if channels in (1, 3):
        return as_array(open_image(source, span), channels)
    values = read_values(source, channels)
    if values.dtype == np.uint8:
        return values
    try:
        return narrowed(values, span or own_span(values, str(values.dtype)))
    except ImageError as error:
        raise ImageError(f"{_name(source)} {error}") from error


def read_values(source: Source, channels: int) -> np.ndarray:
    """Read one picture of as many bands as `channels`, neither 1 nor 3: (H, W, channels) in the file's own type.

    Raises `ImageError`, also where the file has another number of bands.
    """
    try:
        values = read_bands(source, channels)
        return source.of_values(values) if isinstance(source, Half) else values
    except (MemoryError, MissingPackage):
        raise
    except ImageError as error:
        raise ImageError(f"{_name(source)} {error}") from error
    except Exception as error:
        raise ImageError(_explain(_name(source), error)) from error


def open_image(source: Source, span: Span | None = None) -> Image.Image:
    """Read one picture as a Pillow image in mode L, RGB or RGBA: fully decoded, upright, 8 bits a channel.

    `source` is a path, the bytes of a file, or an open binary file; `span` as for `read_image`. Raises `ImageError`.
    """
    image = load_image(source, span=span)
    try:
        return as_8bit(image, span)
    except ImageError as error:
        raise ImageError(f"{_name(source)} {error}") from error


def load_image(source: Source, most: int | None = None, span: Span | None = None) -> Image.Image:
    """As `open_image`, but what has more than 8 bits stays in a mode of its own: I;16, I or F.

    More than `most` pixels are refused before anything is decoded. `span` is that of colour of 16 bits, which become
    8 here; without it their high byte is taken.

    `info` of the result has what the file carries besides pixels, see ``data.metadata``, and ``several``: whether it
    holds more pages or frames than this first one.
    """
    try:
        if is_scan(source):
            scan = read_scan(source)  # type: ignore[arg-type]
            _require_at_most(most, scan)
            return scan
        with Image.open(BytesIO(source) if isinstance(source, (bytes, bytearray)) else source) as image:
            _require_at_most(most, image)
            named_bands(image)
            several = has_several(image)
            deep = span is not None and is_deep(image)
            image.load()
            carries = carried(image) | {"several": several}
            with suppress(Exception):  # a damaged EXIF block is no reason to refuse pixels that decoded well
                ImageOps.exif_transpose(image, in_place=True)
            meant = _in_srgb(_narrow(read_deep(source), span, image) if span and deep else image, carries)
            return source.of(meant) if isinstance(source, Half) else meant
    except (MemoryError, MissingPackage):
        raise
    except ImageError as error:
        raise ImageError(f"{_name(source)} {error}") from error
    except Exception as error:  # on damaged data decoders raise nearly anything: struct.error, EOFError, KeyError
        raise ImageError(_explain(_name(source), error)) from error


def has_several(image: Image.Image) -> bool:
    """Whether an opened file holds several pages or frames, without smaller copies and what phones add."""
    if image.format in ("MPO", "ICO") or not getattr(image, "is_animated", False):
        return False
    if image.format != "TIFF":
        return True
    reduced_copy = 1  # a flag of the tag NewSubfileType, 254
    with suppress(Exception):  # a damaged second page is no reason to refuse the first
        image.seek(1)
        tags: Any = getattr(image, "tag_v2")  # noqa: B009  of TIFF files only
        several = not tags.get(254, 0) & reduced_copy
        image.seek(0)
        return several
    return False


def as_8bit(image: Image.Image, span: Span | None = None) -> Image.Image:
    """Bring a loaded Pillow image of any mode to L, RGB or RGBA by the rules at the top of this file."""
    if is_wide(image.mode):
        values = np.asarray(image)
        return Image.fromarray(narrowed(values, span or image.info.get("window") or own_span(values, type_of(image))))
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def as_array(image: Image.Image, channels: int = 3, span: Span | None = None) -> np.ndarray:
    """Turn any Pillow image into uint8 (H, W, channels): 1 channel is luminance, 3 are RGB; laid on white."""
    if channels not in (1, 3):
        raise ValueError(f"a picture is read with 1 or 3 channels, not {channels}")
    image = as_8bit(image, span)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    mode = "L" if channels == 1 else "RGB"
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return pixels[:, :, None] if channels == 1 else pixels


def loaded(image: Image.Image, most: int | None = None) -> Image.Image:
    """An opened Pillow image as from `load_image`; the one that was given stays as it is. Raises `ImageError`."""
    try:
        _require_at_most(most, image)
        image.load()
    except ImageError as error:
        raise ImageError(f"{getattr(image, 'filename', '') or 'the picture'} {error}") from error
    except MemoryError:
        raise
    except Exception as error:  # see load_image
        raise ImageError(_explain(str(getattr(image, "filename", "") or "the picture"), error)) from error
    upright = None
    with suppress(Exception):  # see load_image
        upright = ImageOps.exif_transpose(image)
    upright = upright or image.copy()
    upright.format = image.format
    return _in_srgb(upright, carried(image))


def _in_srgb(image: Image.Image, carries: dict[str, Any]) -> Image.Image:
    """A picture with what it ``carries`` as its info, in sRGB: of 8 bits, or in its own mode where it has more."""
    kind, see_through = image.format, image.info.get("transparency")
    image, profile = (image, image.info.get("icc_profile")) if is_wide(image.mode) else in_srgb(image)
    image.info = {key: value for key, value in carries.items() if key != "icc_profile"}
    image.info |= {"icc_profile": profile} if profile else {}
    image.info |= {"transparency": see_through} if see_through is not None else {}
    image = image if is_wide(image.mode) else as_8bit(image)
    image.format = kind  # says what 32 bits are
    return image


def _narrow(deep: np.ndarray, span: Span, like: Image.Image) -> Image.Image:
    """Colour of 16 bits as 8, of which ``span`` are black and white; transparency always goes from 0 to 65535."""
    spans = [span] * 3 + [(0, 65535)] * (deep.shape[2] - 3)
    image = Image.fromarray(np.stack([narrowed(deep[..., i], each) for i, each in enumerate(spans)], 2))
    image.format = like.format
    return image


def _require_at_most(most: int | None, image: Image.Image) -> None:
    width, height = image.size
    if most is not None and width * height > most:
        raise ImageError(
            f"has {width} × {height} pixels, more than the {most // 10**6} million that are worked on at once: "
            "scale it down first"
        )


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
