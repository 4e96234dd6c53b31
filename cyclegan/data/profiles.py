"""Colour profiles: what is not sRGB becomes sRGB when it is read, so that a colour means the same in every picture.

Screens of phones and cameras have wider gamuts, print shops have CMYK. Networks know neither: their numbers are sRGB.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms

SAME = 2  # levels of 255 by which a profile may differ and still be sRGB
_SPACES = {b"RGB ": ("RGB", "RGBA"), b"CMYK": ("CMYK",)}  # of a profile's header → modes that it can describe
_DATE = slice(24, 36)  # in that header


def in_srgb(image: Image.Image) -> tuple[Image.Image, bytes | None]:
    """A loaded picture in sRGB, and the profile that it has now; itself, with its own, where it is that already.

    A profile that is damaged, or of another kind of colours than the picture, is passed over.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes):
        return image, None
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode not in _SPACES.get(profile[16:20], ()):
        return image, profile
    try:
        transform = _transform(profile, image.mode)
        return (transform.apply(image), srgb()) if transform else (image, profile)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image, None


def is_srgb(image: Image.Image) -> bool:
    """Whether an opened picture's colours are those of sRGB, so that ``in_srgb`` would change none."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or image.mode not in _SPACES.get(profile[16:20], ()):
        return True
    try:
        return _transform(profile, image.mode) is None
    except (ImageCms.PyCMSError, OSError, ValueError):
        return True


@lru_cache(1)
def srgb() -> bytes:
    """The profile of sRGB, the same bytes each time."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[_DATE] = bytes.fromhex("07d0000100010000 00000000")  # 1 January 2000
    return bytes(data)


@lru_cache(16)
def _transform(profile: bytes, mode: str) -> Any:
    """From a profile to sRGB; None where that changes nothing."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    transform = _to_srgb(source, mode, "RGB" if mode == "CMYK" else mode)
    if mode == "CMYK":
        return transform
    levels = np.linspace(0, 255, 6).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    changed = _to_srgb(source, "RGB", "RGB").apply(Image.fromarray(colours))
    difference = np.abs(np.asarray(changed).astype(int) - colours)
    return transform if difference.max() > SAME else None


def _to_srgb(source: Any, mode: str, into: str) -> Any:
    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, into, intent, flags)
