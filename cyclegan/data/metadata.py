"""What a file carries besides its pixels: kept from the picture that is read to the one that is written.

Kept are whose a picture is, when, where and how it was taken, its size in print, what is said of it, where it lies on a
map, and its colour profile. Left out are the orientation, which is applied; previews, which would show the picture as
it was; and all that describes how the pixels are stored.

In ``Image.info`` of a picture that was read: ``exif``, ``xmp`` and ``iptc`` (bytes, those of TIFF files as EXIF),
``dpi`` (two numbers), ``icc_profile``, ``comment``, and ``text``, a dictionary.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from contextlib import suppress
from math import isfinite
from typing import Any

from PIL import Image, PngImagePlugin
from PIL.ExifTags import IFD

# Of the first directory of EXIF, which is that of a TIFF file too. Make, model, software, date, artist, copyright …
_DESCRIBING = {269, 270, 271, 272, 285, 305, 306, 315, 316, 33432, *range(40091, 40096)}
_IN_PRINT = {282, 283, 296}  # resolution
_IPTC, _XMP, _MAP = 33723, 700, {33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113, 50844}  # GeoTIFF and GDAL
Info = dict[Any, Any]  # as Pillow types it
WITH_BANDS = _MAP | {270, 271, 272, 305, 306, 315, 33432}  # and whose they are, from when, and what is said of them
KEPT = _DESCRIBING | _IN_PRINT | _MAP | {_IPTC}
_STORED = {0xA002, 0xA003, 0xA005, 0x927C}  # of the Exif directory: size, and what depends on places in the file

# Which formats have room for what.
ROOM = {
    "JPEG": {"exif", "xmp", "iptc", "dpi", "comment"},
    "PNG": {"exif", "xmp", "dpi", "text"},
    "WEBP": {"exif", "xmp"},
    "AVIF": {"exif", "xmp"},
    "TIFF": {"exif", "dpi"},
    "BMP": {"dpi"},
}
_AS_TAGS = {"Description": 270, "Software": 305, "Author": 315, "Copyright": 33432}  # PNG's words for them


def carried(image: Image.Image) -> dict[str, Any]:
    """The entries of ``info`` that a loaded picture has; what is damaged is left out."""
    readers: dict[str, Callable[[Image.Image], Any]] = {"exif": _exif, "xmp": _xmp, "iptc": _iptc}
    readers |= {"dpi": _dpi, "text": _text, "comment": _as_is("comment"), "icc_profile": _as_is("icc_profile")}
    found = {}
    for name, read in readers.items():
        with suppress(Exception):  # metadata may be broken in any way; the pixels count
            if value := read(image):
                found[name] = value
    return found


def save_options(info: Info, kind: str, mode: str) -> dict[str, Any]:
    """What to give to Pillow's ``save`` for the format ``kind``, so that the file carries what ``info`` has."""
    options = {name: info[name] for name in ROOM.get(kind, set()) & info.keys()}
    profile = info.get("icc_profile")
    if profile and profile[16:20] == (b"GRAY" if mode in ("L", "LA") or mode.startswith("I") else b"RGB "):
        options["icc_profile"] = profile
    text, comment = info.get("text", {}), options.pop("comment", None) or info.get("comment")
    if kind == "PNG":
        options["pnginfo"] = _chunks(text, comment, options.pop("xmp", None))
        options.pop("text", None)
        return options
    if "exif" in ROOM.get(kind, set()):
        options["exif"] = exif = _with_tags(info, text, kind)
        if kind == "TIFF" and {IFD.Exif, IFD.GPSInfo} & set(exif):
            options["compression"] = "raw"  # Pillow writes these directories only so
    if kind == "JPEG" and (said := comment or text.get("Comment")):
        options["comment"] = said
    if iptc := options.pop("iptc", None):
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    return options


def _as_is(name: str) -> Callable[[Image.Image], Any]:
    return lambda image: image.info.get(name)


def _exif(image: Image.Image) -> bytes:
    """The part of EXIF that is kept: a damaged entry or directory takes no other with it."""
    source, kept = image.getexif(), Image.Exif()
    parts: list[dict[int, Any]] = [{tag: _as_written(source[tag])} for tag in sorted(KEPT & set(source))]
    for directory in (IFD.Exif, IFD.GPSInfo):
        with suppress(Exception):
            if entries := {tag: value for tag, value in source.get_ifd(directory).items() if tag not in _STORED}:
                parts.append({directory: entries})
    data = b""
    for part in parts:
        trial = Image.Exif()
        trial.update(kept)
        trial.update(part)
        with suppress(Exception):
            data = trial.tobytes() if len(trial) else b""
            kept = trial
    return data


def _as_written(value: Any) -> Any:
    """Text that is not ASCII as its bytes: Pillow reads them as Latin-1, and would write question marks."""
    return value.encode("latin-1", "replace") if isinstance(value, str) and not value.isascii() else value


def _xmp(image: Image.Image) -> bytes:
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    found = found.encode() if isinstance(found, str) else found
    return re.sub(rb'tiff:Orientation="\d"|<tiff:Orientation>\d</tiff:Orientation>', b"", found)


def _iptc(image: Image.Image) -> bytes | None:
    return getattr(image, "app", {}).get("APP13") if image.format == "JPEG" else None


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    across, down = (float(value) for value in image.info.get("dpi", (0, 0)))
    return (across, down) if all(isfinite(v) and 1 <= v <= 1e5 for v in (across, down)) else None


def _text(image: Image.Image) -> dict[str, str]:
    found = getattr(image, "text", {})
    return {str(key): str(value) for key, value in found.items() if key != "XML:com.adobe.xmp"}


def _chunks(text: dict[str, str], comment: bytes | str | None, xmp: bytes | None) -> PngImagePlugin.PngInfo:
    chunks = PngImagePlugin.PngInfo()
    if comment and "Comment" not in text:
        text = text | {"Comment": comment.decode("utf-8", "replace") if isinstance(comment, bytes) else comment}
    for key, value in text.items():
        chunks.add_text(key, value)
    if xmp:
        chunks.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    return chunks


def _with_tags(info: Info, text: dict[str, str], kind: str) -> Image.Exif:
    """The EXIF of ``info``, with what PNG says in text chunks, and of TIFF's XMP, which is a tag there."""
    exif = Image.Exif()
    exif.load(info.get("exif") or b"")
    for tag in KEPT & set(exif):
        exif[tag] = _as_written(exif[tag])
    for word, tag in _AS_TAGS.items():
        if word in text and tag not in exif:
            exif[tag] = text[word].encode() if not text[word].isascii() else text[word]
    if kind == "TIFF" and "xmp" in info:
        exif[_XMP] = info["xmp"]
    return exif
