"""What the numbers in a picture mean: which value is black and which is white.

8 bits go from 0 to 255. Pictures of 16 bits, of signed, 32-bit and floating-point numbers are *wide*: their files do
not say which values are black and white. A data set has one span (low, high) for all of them, so that a value means the
same grey in every picture; what lies beyond is clipped. A wide picture by itself has the span of its type.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from PIL import Image

from cyclegan.system.errors import ImageError, UserError

Span = tuple[float, float]  # the values that are black and white

_SIXTEEN = ("PNG", "PPM", "JPEG2000")  # formats whose 16 bits Pillow may open as 32
ABOUT_UNIT = (-0.1, 1.1)  # floating point within is meant to be in [0, 1], whatever filters left beyond


def check_range(values: tuple[float, float] | None) -> None:
    """Raises ``UserError`` unless the two values are numbers in order."""
    if values is not None and not (len(values) == 2 and -inf < values[0] < values[1] < inf):
        raise UserError(f"--range takes two numbers, the lower one first, not {' '.join(map(str, values))}")


def is_span(value: Any) -> bool:
    """Whether ``value``, from a file, is a list of two numbers in order."""
    numbers = isinstance(value, (list, tuple)) and all(isinstance(v, (int, float)) for v in value)
    return numbers and len(value) == 2 and -inf < value[0] < value[1] < inf


def is_wide(mode: str) -> bool:
    """Whether Pillow's ``mode`` holds more than 8 bits."""
    return mode in ("I", "F") or mode.startswith("I;16")


def type_of(image: Image.Image) -> str:
    """The numbers of a wide picture: ``uint16``, ``int32`` (signed 16 bits too) or ``float32``."""
    if image.mode == "F":
        return "float32"
    return "uint16" if image.mode.startswith("I;16") or image.format in _SIXTEEN else "int32"


def own_span(values: np.ndarray, kind: str) -> Span:
    """The span of a wide picture of which nothing else is known.

    16 bits without a sign go from 0 to 65535, floating point from 0 to 1. Raises ``ImageError`` for all others.
    """
    if kind == "uint16":
        return 0.0, 65535.0
    low, high = extremes(values)
    if kind == "float32" and ABOUT_UNIT[0] <= low and high <= ABOUT_UNIT[1]:
        return 0.0, 1.0
    raise ImageError(
        f"holds numbers from {low:g} to {high:g}, and nothing says which are black and white: give --range LOW HIGH "
        "(range = [LOW, HIGH] on a data set's card, range=(LOW, HIGH) in Python)"
    )


def extremes(values: np.ndarray) -> Span:
    """The smallest and the largest value; raises ``ImageError`` where some are no numbers."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ImageError("holds values that are not numbers (NaN or infinity)")
    return low, high


def narrowed(values: np.ndarray, span: Span) -> np.ndarray:
    """``values`` of any shape as uint8: the nearest of 256 steps from the span's low to its high, clipped beyond."""
    extremes(values)
    low, high = span
    steps = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.floor(steps.clip(0, 255) + 0.5).astype(np.uint8)


def common_span(spans: list[Span], kind: str) -> Span:
    """One span for pictures of a type with these extremes.

    16 bits begin at 0 and end with as many bits as are used; floating point that lies in [0, 1] has just that.
    """
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    if kind == "uint16":
        return 0.0, float(max(255, 2 ** int(high).bit_length() - 1))
    if kind == "float32" and low >= 0 and high <= 1:
        return 0.0, 1.0
    return low, high if high > low else low + 1
