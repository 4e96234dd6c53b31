"""What somebody calls a palette → the palette: names of colours, pictures, or a number that draws a stored one."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import ImageColor
from torch import Tensor

from cyclegan.data.pixels import as_signed
from cyclegan.networks.palette import BLACK, mixed, palette_of, with_outlines
from cyclegan.system.errors import UserError
from cyclegan.translate.kinds import take

_LARGEST = 256  # pixels on the longer side of a picture whose colours are counted; more would change nothing


def read_palette(wanted: Any, stored: Tensor) -> Tensor:
    """The palette (27,) that ``wanted`` means, where ``stored`` (N, 27) are those of training pictures.

    None is the first of the stored ones, which is the most typical, and a whole number n is number n modulo N. Text
    holds, separated by commas, names of colours (``red``), hexadecimal ones (``#ff8800``) and files or URLs of
    pictures; a picture may be anything that ``kinds.take`` reads. A list holds any of these in equal parts.
    Colours and pictures get as much black as the stored palettes have on average, for outlines. Raises ``UserError``.
    """
    if wanted is None:
        return stored[0]
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return stored[wanted % len(stored)]
    if isinstance(wanted, (list, tuple)):
        if not wanted:
            raise UserError("the palette is empty: name a colour, a picture or a number")
        return mixed([read_palette(part, stored) for part in wanted])
    if isinstance(wanted, str) and "," in wanted and not Path(wanted).is_file():
        return read_palette([part.strip() for part in wanted.split(",") if part.strip()], stored)
    if isinstance(wanted, str):
        if wanted.removeprefix("-").isdecimal():
            return read_palette(int(wanted), stored)
        palette = _of_text(wanted)
    else:
        palette = _of_picture(wanted)
    return with_outlines(palette, float(stored[:, BLACK].mean()))


def _of_text(text: str) -> Tensor:
    try:
        red, green, blue = ImageColor.getrgb(text.lower())[:3]
    except ValueError:
        if not (os.path.exists(text) or text.lower().startswith(("http://", "https://"))):
            near = difflib.get_close_matches(text.lower(), ImageColor.colormap, n=3, cutoff=0.6)
            hint = f"did you mean {' or '.join(near)}?" if near else "red, gold, #ff8800, photo.jpg and 7 would do."
            raise UserError(f"{text!r} is no colour, no picture and no number of a stored palette: {hint}") from None
        return _of_picture(text)
    return palette_of(torch.tensor([red, green, blue], dtype=torch.float32).view(1, 3, 1, 1) / 127.5 - 1)[0]


def _of_picture(picture: Any) -> Tensor:
    pixels = as_signed(take(picture, 3)[0][None])
    longer = max(pixels.shape[2:])
    if longer > _LARGEST:
        size = [max(1, round(side * _LARGEST / longer)) for side in pixels.shape[2:]]
        pixels = F.interpolate(pixels, size, mode="area")
    return palette_of(pixels)[0]
