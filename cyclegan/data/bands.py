"""Files with more than colour in them: near infrared, depth, the bands of satellites.

Only what a file calls transparency is transparency. Its other bands are read where the data set has as many channels.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from cyclegan.data.metadata import WITH_BANDS
from cyclegan.system.errors import ImageError, MissingPackage

_SAMPLES, _COLOURS, _EXTRA = 277, 262, 338  # tags of TIFF: bands, photometric interpretation, what further bands are
_OF_COLOUR = {2: 3, 5: 4, 6: 3, 8: 3}  # photometric interpretation → bands of colour; 1 for all others
_ALPHA = {1, 2, 999}  # with colour multiplied by it or not, and an old program's own number


def named_bands(image: Image.Image) -> None:
    """Raises ``ImageError`` for an opened file with bands that are neither colour nor called transparency."""
    tags = getattr(image, "tag_v2", None)
    if image.format != "TIFF" or tags is None:
        return
    count = int(tags.get(_SAMPLES, 1))
    extra = tags.get(_EXTRA, ())
    extra = extra if isinstance(extra, tuple) else (extra,)
    further = count - _OF_COLOUR.get(tags.get(_COLOURS), 1)
    if further > (1 if _ALPHA & set(extra) else 0):
        raise ImageError(_too_many(count))


def read_bands(source: str | os.PathLike | bytes | bytearray | BinaryIO, channels: int) -> np.ndarray:
    """(H, W, channels) in the file's own type: a TIFF's bands, or colour with transparency (4) or grey with it (2).

    Raises ``ImageError``, whose sentence lacks the file's name, and ``MissingPackage``.
    """
    file = BytesIO(source) if isinstance(source, (bytes, bytearray)) else source
    if _is_tiff(file) and not _pillow_reads(file, channels):
        with _page(file) as page:
            values = page.asarray()
            values = np.moveaxis(values, page.axes.index("S"), -1) if "S" in page.axes else values
    else:
        with Image.open(file) as image:
            values = np.array(image)
    values = values[:, :, None] if values.ndim == 2 else values
    if values.shape[2] != channels:
        raise ImageError(f"has {values.shape[2]} channels, and the data set or the translator has {channels}")
    return values


def band_type(path: Path) -> np.dtype:
    """The type of a file's numbers, from its head."""
    if not _is_tiff(path):
        with Image.open(path):
            return np.dtype(np.uint8)
    with _page(path) as page:
        return page.dtype


def bands_of(path: Path) -> int:
    """How many channels to read a picture with of which nobody says it: 3, or all where a TIFF has more than colour.

    Raises ``MissingPackage``.
    """
    if not _is_tiff(path):
        return 3
    try:
        with Image.open(path) as image:
            named_bands(image)
            return 3
    except (ImageError, OSError, SyntaxError):  # Pillow opens few kinds of several bands
        with _page(path) as page:
            return int(page.samplesperpixel) if page.samplesperpixel > 1 else 3


def band_tags(source: str | os.PathLike | bytes | bytearray) -> list[tuple]:
    """What a TIFF says of whose it is and where it lies on a map: its tags (code, type, count, value, once)."""
    file = BytesIO(source) if isinstance(source, (bytes, bytearray)) else source
    with _page(file) as page:
        tags = [page.tags[code] for code in sorted(WITH_BANDS) if code in page.tags]
        return [(tag.code, tag.dtype, tag.count, tag.value, True) for tag in tags]


def write_bands(file: BinaryIO, values: np.ndarray, tags: list[tuple], colour: bool = False) -> None:
    """Writes (H, W, bands) as a TIFF, so that all of them come back, with ``band_tags``.

    With ``colour`` 1 and 3 bands are grey and colour, and one more is transparency.
    """
    options: dict[str, Any] = {"photometric": "minisblack", "planarconfig": "contig", "compression": "zlib"}
    bands = values.shape[2]
    if colour:
        options["photometric"] = "rgb" if bands > 2 else "minisblack"
        options["extrasamples"] = ["unassalpha"] if bands in (2, 4) else []
    if bands == 1:
        values = values[:, :, 0]
        options.pop("planarconfig")
    _tifffile().imwrite(file, values, extratags=tags, metadata=None, software=False, **options)


def _too_many(count: int) -> str:
    return (
        f"has {count} bands, and not all are colour or called transparency: train on all of them with "
        f"channels = [{count}, {count}] on the data set's card, or save it with three"
    )


def _pillow_reads(file: str | os.PathLike | BinaryIO, channels: int) -> bool:
    """Whether Pillow gives these bands of 8 bits as they are; it knows compressions for which tifffile needs help."""
    try:
        with Image.open(file) as image:
            tags: Any = getattr(image, "tag_v2")  # noqa: B009  of TIFF files only: Pillow has no type for it
            extra = tags.get(_EXTRA, 2)  # 1: colours multiplied by transparency, which Pillow would divide
            return len(image.getbands()) == channels and set(tags.get(258, ())) == {8} and extra in (2, (2,))
    except (OSError, SyntaxError):
        return False
    finally:
        if not isinstance(file, (str, os.PathLike)):
            file.seek(0)


def _is_tiff(file: str | os.PathLike | BinaryIO) -> bool:
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:
            return _is_tiff(opened)
    start = file.read(4)
    file.seek(0)
    return start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@contextmanager
def _page(file: str | os.PathLike | BinaryIO) -> Iterator[Any]:
    """The first page of a TIFF."""
    try:
        with _tifffile().TiffFile(file) as opened:
            yield opened.pages[0]
    except ValueError as error:
        if "imagecodecs" in str(error):
            raise MissingPackage("this compression of TIFF files", "imagecodecs", "bands") from error
        raise


def _tifffile():
    try:
        import tifffile
    except ImportError as error:
        raise MissingPackage("pictures of more or fewer bands than 1 and 3", "tifffile", "bands") from error
    return tifffile
