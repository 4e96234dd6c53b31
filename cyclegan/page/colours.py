"""The colours that a visitor asks for: names, hexadecimal colours and numbers, never a path or an address.

No gradio here, and no torch.
"""

from __future__ import annotations

import difflib

from PIL import Image, ImageColor

from cyclegan.networks import library
from cyclegan.networks.weights import read_header
from cyclegan.page.choices import Choice, Way
from cyclegan.system.errors import UserError

MOST = 6  # colours in one palette; more would be a brown of them all
LONGEST = 40  # characters of one of them
SUGGESTED = 5  # palettes in a row of suggestions


def paints(choice: Choice, way: Way) -> bool:
    """Whether the colours of that direction can be chosen; False where its weights are not on this machine."""
    if not choice.here:
        return False
    try:
        return bool(read_header(library.find(way.name, way.reverse).path).get("palettes"))
    except UserError:
        return False


def read_colours(text: str | None, picture: Image.Image | None = None) -> int | list | None:
    """``palette`` of ``Translator(...)``: what the text names and the colours of ``picture``, in equal parts.

    The text holds names (``red``), hexadecimal colours (``#ff8800``) and numbers of stored palettes, separated by
    commas; empty, and without a picture, it means the typical palette: None. Raises ``UserError`` for anything else.
    """
    parts: list = [_colour(part.strip()) for part in (text or "").split(",") if part.strip()]
    if len(parts) > MOST:
        raise UserError(f"That are {len(parts)} colours; {MOST} at most can be mixed.")
    parts += [] if picture is None else [picture]
    if len(parts) == 1 and isinstance(parts[0], int):
        return parts[0]
    return parts or None


def described(text: str | None, picture: Image.Image | None = None) -> str:
    """The same in words: "red and gold", "palette 3", "your picture"; "" for the typical palette."""
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    named = [f"palette {part}" if part.isdecimal() else part for part in parts]
    return " and ".join(named + ([] if picture is None else ["your picture"]))


def _colour(part: str) -> str | int:
    if len(part) <= LONGEST:
        if part.isdecimal():
            return int(part)
        try:
            ImageColor.getrgb(part.lower())
            return part
        except ValueError:
            pass
    near = difflib.get_close_matches(part.lower()[:LONGEST], ImageColor.colormap, n=2, cutoff=0.6)
    hint = f"Did you mean {' or '.join(near)}?" if near else "Names such as gold, #ff8800 and numbers such as 7 do."
    raise UserError(f"“{part[:LONGEST]}” is no colour. {hint}")
