"""A look at the pictures before training: what cannot be read, what has several pages, which values are there.

The heads of all files are read, and as many whole as a few seconds allow: a file that is cut off in its pixels should
be named now and not at step 30.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cyclegan.data.bands import band_type
from cyclegan.data.deep import deep_values, is_deep
from cyclegan.data.halves import Half
from cyclegan.data.images import has_several, load_image, read_image, read_values
from cyclegan.data.masks import Masks, with_mask
from cyclegan.data.scans import is_scan
from cyclegan.data.values import Span, common_span, extremes, is_wide, type_of
from cyclegan.system.errors import ImageError, UserError
from cyclegan.system.terminal import track

SECONDS = 3.0  # for decoding
Say = Callable[[str], object]


@dataclass(frozen=True)
class Heads:
    """What the heads of files say."""

    files: list[Path]  # those that can be read
    complaints: list[str]  # a sentence about each other
    wide: list[Path]  # with more than 8 bits, see ``data.values``
    several: list[Path]  # with several pages or frames


def check_heads(files: Sequence[Path], skip_bad: bool, channels: int = 3) -> Heads:
    """Reads the heads, well under a millisecond each; raises ``ImageError`` at a bad one unless ``skip_bad``."""
    found = Heads([], [], [], [])
    for path in files:
        try:
            wide, several = _look(path, channels)
        except Exception as error:
            if not skip_bad:
                read_image(path, channels)  # says in its own words what is wrong
                raise ImageError(f"{path} cannot be read ({error})") from error
            found.complaints.append(f"{path} cannot be read and is left out")
            continue
        found.files.append(path)
        found.wide.extend([path] if wide else [])
        found.several.extend([path] if several else [])
    return found


def readable(files: Sequence[Path], skip_bad: bool, say: Say, channels: int = 3) -> Heads:
    """``check_heads``, and ``say`` takes a line about what will not be used. Raises ``ImageError``."""
    found = check_heads(files, skip_bad, channels)
    for complaint in found.complaints:
        say(complaint)
    if files and not found.files:
        raise UserError(f"none of the {len(files)} pictures in {files[0].parent} can be read")
    if found.several:
        count, first = len(found.several), found.several[0]
        what = f"{first} holds" if count == 1 else f"{count} files, such as {first}, hold"
        say(f"{what} several pages or frames: only the first is used")
    return found


def check_bodies(
    sides: Sequence[tuple[Sequence[Path], int, Span | None]], skip_bad: bool, say: Say, masks: Sequence[Masks] = ()
) -> None:
    """Decodes pictures of (files, channels, span), mixed, for ``SECONDS``, and says how many those were.

    Where there are ``masks`` of each side, those of the same pictures too.

    Raises ``ImageError`` at a bad one; with ``skip_bad`` only says so, as training then takes the next one.
    """
    waiting = [(path, channels, span) for files, channels, span in sides for path in files]
    end, seen, bad = time.monotonic() + SECONDS, 0, 0
    for i in np.random.default_rng(0).permutation(len(waiting)):
        if time.monotonic() > end:
            break
        seen += 1
        try:
            pixels = read_image(*waiting[i])
            for of_side in masks:
                if own := of_side.get(waiting[i][0]):
                    with_mask(pixels, own)
        except ImageError as error:
            if not skip_bad:
                raise
            bad += 1
            say(f"{error}; the next picture takes its place")
    if seen < len(waiting):
        say(f"Looked at the heads of all {len(waiting)} pictures and decoded {seen} of them: {bad or 'none'} damaged.")


def find_spans(wide: Sequence[Sequence[Path]], channels: Sequence[int], skip_bad: bool) -> list[Span | None]:
    """The span of each domain's ``wide`` pictures, None where it has none.

    Domains with numbers of the same type share one, so that a value means the same grey in both.
    """
    kinds, found = [], []
    for files, count in zip(wide, channels, strict=True):
        kind, spans = _extremes_of(files, count, skip_bad)
        kinds.append(kind)
        found.append(spans)
    if len(set(kinds)) == 1 and kinds[0]:
        return [common_span([span for spans in found for span in spans], kinds[0])] * len(found)
    return [common_span(spans, kind) if kind else None for spans, kind in zip(found, kinds, strict=True)]


def _extremes_of(files: Sequence[Path], channels: int, skip_bad: bool) -> tuple[str, list[Span]]:
    kinds, spans = set(), []
    for path in track(files, "Looking for the range of values", len(files)):
        try:
            span, kind = _span(path, channels)
            spans.append(span)
        except ImageError as error:
            if not skip_bad:
                raise error if str(path) in str(error) else ImageError(f"{path} {error}") from error
        else:
            kinds.add(kind)
    return (kinds.pop() if len(kinds) == 1 else "mixed" if kinds else ""), spans


def _span(path: Path, channels: int) -> tuple[Span, str]:
    """The lowest and highest value in a file of more than 8 bits, or its window, and the type of its numbers."""
    if channels not in (1, 3):
        values = read_values(path, channels)
        return extremes(values), str(values.dtype)
    if not is_scan(path) and (colour := deep_values(path)) is not None:
        return extremes(colour[..., :3]), "uint16"
    image = load_image(path)
    return image.info.get("window") or extremes(np.asarray(image)), type_of(image)


def _look(path: Path, channels: int) -> tuple[bool, bool]:
    """Whether a file has more than 8 bits, and whether it has several pages or frames."""
    if channels not in (1, 3):
        return band_type(path) != np.uint8, False
    if is_scan(path):
        image = load_image(path)
        return is_wide(image.mode), image.info["several"]
    with Image.open(path) as image:
        if isinstance(path, Half) and image.width % 2:
            read_image(path, channels)  # odd when upright too? It says so
        return is_wide(image.mode) or is_deep(image), has_several(image)
